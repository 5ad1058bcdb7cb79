/** `cellws tree`: who gave birth to whom. */
import { surveyOrganism } from "../../host/survey.ts";
import { renderTree, treeJson } from "../../view/tree.ts";
import { wallClock } from "../clock.ts";
import type { CliCommand, OrganismOptions } from "../command.ts";
import { addExamples, addOrganismOptions } from "../command.ts";
import { findOrganism } from "../organism.ts";
import { noteSilence } from "../silence.ts";

export const command: CliCommand<OrganismOptions> = {
  define(command) {
    addOrganismOptions(command, { json: "print { organism, revision, roots: [{ ..., daughters: [...] }] } as JSON" });
    addExamples(command, [
      ["cellws tree", "the family of the organism that runs here"],
      ["cellws tree --name shop", "of the one named shop"],
    ]);
    command.addHelpText("after", "\nMothers that have died are drawn too, marked, while a daughter of theirs lives.");
  },
  async run(context, _args, { name, json }) {
    const { run } = await findOrganism(name, { cwd: context.cwd, accept: "living" });
    const result = await surveyOrganism(run);
    const lines =
      json === true ? [JSON.stringify(treeJson(result.survey))] : renderTree(result.survey, wallClock(), context.style);
    for (const line of lines) context.out(line);
    noteSilence(result, context);
    return 0;
  },
};
