/** `cellws ps`: the cells and what each is doing. */
import { surveyOrganism } from "../../host/survey.ts";
import { psJson, renderPs } from "../../view/ps.ts";
import { wallClock } from "../clock.ts";
import type { CliCommand, OrganismOptions } from "../command.ts";
import { addExamples, addOrganismOptions } from "../command.ts";
import { findOrganism } from "../organism.ts";
import { noteSilence } from "../silence.ts";

export const command: CliCommand<OrganismOptions> = {
  define(command) {
    addOrganismOptions(command, { json: "print { organism, revision, cells: [...] } as JSON" });
    addExamples(command, [
      ["cellws ps", "of the organism that runs here"],
      ["cellws ps --name shop", "of the one named shop"],
      ["cellws ps --json | jq '.cells[].class'", "for programs"],
    ]);
    command.addHelpText(
      "after",
      `
Columns:
  GEN        how many divisions from the first egg
  STATE      live; suspected (its kin doubt that it is well); draining (it
             finishes its work and ends)
  LOAD       how busy its event loop is, of the last seconds
  IN FLIGHT  requests that it is working on now
  A cell that does not answer is shown by what its kin know of it; what they
  cannot know is -.`,
    );
  },
  async run(context, _args, { name, json }) {
    const { run } = await findOrganism(name, { cwd: context.cwd, accept: "living" });
    const result = await surveyOrganism(run);
    const lines =
      json === true ? [JSON.stringify(psJson(result.survey))] : renderPs(result.survey, wallClock(), context.style);
    for (const line of lines) context.out(line);
    noteSilence(result, context);
    return 0;
  },
};
