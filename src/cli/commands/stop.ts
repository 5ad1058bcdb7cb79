/** `cellws stop`: the orderly end, and the certain one. */
import type { StopOutcome, StopProgress } from "../../host/stop-organism.ts";
import { STOP_GRACE_AT_ONCE_MS, STOP_GRACE_MS, stopOrganism } from "../../host/stop-organism.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import { formatCount } from "../../view/units.ts";
import { renderStopOutcome, renderStopProgress } from "../../view/stop.ts";
import type { CliCommand, CliContext, OrganismOptions } from "../command.ts";
import { addExamples, addOrganismOptions, parseDurationOption } from "../command.ts";
import type { FoundOrganism } from "../organism.ts";
import { findOrganism } from "../organism.ts";

interface StopCommandOptions extends OrganismOptions {
  timeout?: number;
}

export const command: CliCommand<StopCommandOptions> = {
  define(command) {
    addOrganismOptions(command, { json: "print what was ended as JSON" });
    command.option(
      "--timeout <time>",
      "how long requests in flight may take, such as 5s (default: the DNA's drain time)",
      parseDurationOption,
    );
    addExamples(command, [
      ["cellws stop", "end the organism that runs here"],
      ["cellws stop --name shop --timeout 5s", "give its requests five seconds"],
    ]);
    command.addHelpText(
      "after",
      `
Every cell finishes its requests and ends. What has not ended ${STOP_GRACE_MS / 1_000}s after the
timeout (${STOP_GRACE_AT_ONCE_MS / 1_000}s after --timeout 0) is killed. Works as well when the launcher is
gone, when cells hang, and when only files are left.
Exit status: 1 when something could not be ended or removed.`,
    );
  },
  async run(context, _args, { name, json, timeout }) {
    const found = await findOrganism(name, { cwd: context.cwd, accept: "any" });
    const progress = createProgress(context);
    const outcome = await stopOrganism(found.run, {
      ...(timeout === undefined ? {} : { drainMs: timeout }),
      onProgress: progress.show,
    });
    progress.clear();
    if (json === true) context.out(JSON.stringify({ name: found.run.name, ...outcome }));
    else for (const line of renderStopOutcome({ name: found.run.name, ...outcome }, context.style)) context.out(line);
    if (outcome.stuck.length > 0 || outcome.strangers.length > 0 || !outcome.removed) throw notEnded(found, outcome);
    return 0;
  },
};

interface Progress {
  show: (progress: StopProgress) => void;
  clear: () => void;
}

/** In a terminal one line that changes; elsewhere a line when something has changed, and not too many. */
function createProgress(context: CliContext): Progress {
  const { isInteractive, noteStyle } = context;
  let shown = "";
  let shownAtMs = -REPEAT_MS;
  return {
    show(progress) {
      const line = renderStopProgress(progress, noteStyle);
      if (line === shown || (!isInteractive && progress.elapsedMs - shownAtMs < REPEAT_MS)) return;
      shown = line;
      shownAtMs = progress.elapsedMs;
      if (isInteractive) process.stderr.write(`\r\x1b[K${line}`);
      else context.note(line);
    },
    clear() {
      if (isInteractive && shown !== "") process.stderr.write("\r\x1b[K");
    },
  };
}

const REPEAT_MS = 2_000;

function notEnded({ run }: FoundOrganism, outcome: StopOutcome): CellwsError {
  const cells = outcome.stuck.map((cell) => `${cell.class} ${cell.id} (pid ${cell.pid})`);
  const strangers = outcome.strangers.map((id) => `whoever holds ${id}.sock`);
  const found = [...cells, ...strangers].join(", ");
  return new CellwsError("CELLWS_E_NOT_ENDED", 1, `not everything of '${run.name}' could be ended`, {
    found:
      found === ""
        ? `something that still lives in ${run.path}`
        : `${formatCount(cells.length + strangers.length, "process", "processes")}: ${found}`,
    hint: `Look at them with ps -o pid,stat,wchan:20,args, then call stop again.`,
  });
}
