/** `cellws status`: would a request be answered now? The exit status says the same, for scripts. */
import { surveyOrganism } from "../../host/survey.ts";
import { judgeStatus, renderStatus } from "../../view/status.ts";
import { wallClock } from "../clock.ts";
import type { CliCommand, OrganismOptions } from "../command.ts";
import { addExamples, addOrganismOptions } from "../command.ts";
import { findOrganism } from "../organism.ts";

export const command: CliCommand<OrganismOptions> = {
  define(command) {
    addOrganismOptions(command);
    addExamples(command, [
      ["cellws status", "how the organism that runs here does"],
      ["cellws status --json | jq .readiness", "for programs"],
      ["until cellws status; do sleep 1; done", "wait until it serves"],
    ]);
    command.addHelpText(
      "after",
      `
Exit status: 0 when requests are answered, 1 when not. A dormant egg counts as
answering: the first request wakes it.
"ready" is what /readyz of the admin listener says: requests that only wait for
a cell to be born are served in the end.`,
    );
  },
  async run(context, _args, { name, json }) {
    const { run, file } = await findOrganism(name, { cwd: context.cwd, accept: "living" });
    const { survey } = await surveyOrganism(run);
    const status = judgeStatus(survey, file);
    const lines =
      json === true
        ? [JSON.stringify(status)]
        : renderStatus(status, { clock: wallClock(), file, style: context.style });
    for (const line of lines) context.out(line);
    return status.serving ? 0 : 1;
  },
};
