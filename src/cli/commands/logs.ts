/** `cellws logs`: what the cells and the app have said, of all cells in one. */
import type { LogLevel } from "../../core/log-level.ts";
import { isAtLeast, logLevels } from "../../core/log-level.ts";
import type { CellClass } from "../../core/cell.ts";
import { cellClasses } from "../../core/cell.ts";
import { followLog } from "../../host/log-follow.ts";
import { readLogTail } from "../../host/log-tail.ts";
import type { RunDir } from "../../host/run-dir.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import type { LogRecord } from "../../view/log-line.ts";
import { parseLogLine, renderLogLine } from "../../view/log-line.ts";
import { Option } from "commander";
import { localTimeOfDay } from "../clock.ts";
import type { CliCommand, CliContext, ExitStatus, OrganismOptions } from "../command.ts";
import { addExamples, addOrganismOptions, parseCountOption, parseDurationOption } from "../command.ts";
import { findOrganism } from "../organism.ts";

interface LogsOptions extends OrganismOptions {
  lines?: number;
  follow?: boolean;
  cell?: string;
  class?: CellClass;
  level?: LogLevel;
  since?: number;
}

const LINES_DEFAULT = 100;

export const command: CliCommand<LogsOptions> = {
  define(command) {
    addOrganismOptions(command, { json: "print the lines as they are: one JSON object a line" });
    command
      .option(
        "-n, --lines <count>",
        `how many of the last lines (default: ${LINES_DEFAULT}; with --since: all)`,
        parseCountOption,
      )
      .option("-f, --follow", "go on printing as lines come, until the organism ends")
      .option("--cell <id>", "only of this cell; the beginning of its id is enough")
      .addOption(new Option("--class <class>", "only of cells of this class").choices(cellClasses))
      .addOption(new Option("--level <level>", "only lines as loud as this, or louder").choices(logLevels))
      .option("--since <ago>", "only lines of the last 90s, 10m, 2h, 1d", parseDurationOption);
    addExamples(command, [
      ["cellws logs", "the last 100 lines"],
      ["cellws logs -f", "and all that follow"],
      ["cellws logs --level warn --since 1h", "what went wrong in the last hour"],
      ["cellws logs --class drone", "what the app and its drones say"],
      ["cellws logs --json -n 999 | jq .event", "for programs"],
    ]);
    command.addHelpText(
      "after",
      `
Lines that no cell has written (a crash in native code, programs that the app
has started) are shown with a bar before them, and with --json as
{ "event": "raw", "msg": ... }. Filters leave them out: who wrote them is not
known.`,
    );
  },
  async run(context, _args, options) {
    const { run } = await findOrganism(options.name, { cwd: context.cwd, accept: "any" });
    // Before the first line is printed: who sees it may press Ctrl-C at once.
    const interrupted = options.follow === true ? heedInterrupts() : null;
    try {
      return await printLog(context, run, options, interrupted?.signal ?? null);
    } finally {
      interrupted?.ignore();
    }
  },
};

async function printLog(
  context: CliContext,
  run: RunDir,
  options: LogsOptions,
  follow: AbortSignal | null,
): Promise<ExitStatus> {
  const accepts = createFilter(options);
  const print = createPrinter(options, context);
  const sinceMs = options.since === undefined ? null : Date.now() - options.since;
  const position = readLogTail(
    run.logFile,
    {
      linesMax: options.lines ?? (sinceMs === null ? LINES_DEFAULT : null),
      accepts,
      ...(sinceMs === null ? {} : { isBefore: (line: string) => timeMsOf(line) < sinceMs }),
      leaveUnfinished: follow !== null,
    },
    print,
  );
  if (follow !== null) {
    const printAccepted = (line: string): void => {
      if (accepts(line)) print(line);
    };
    const end = await followLog(run.logFile, printAccepted, { from: position ?? "start", signal: follow });
    if (end === "gone") context.note(`cellws: ${run.name} has ended`);
  } else if (position === null) {
    throw new CellwsError("CELLWS_E_NO_LOG", 1, `'${run.name}' has no log`, { found: `no ${run.logFile}` });
  }
  return 0;
}

function heedInterrupts(): { signal: AbortSignal; ignore: () => void } {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  process.once("SIGINT", abort).once("SIGTERM", abort);
  const ignore = (): void => void process.removeListener("SIGINT", abort).removeListener("SIGTERM", abort);
  return { signal: stop.signal, ignore };
}

function createFilter({ cell, class: cellClass, level }: LogsOptions): (line: string) => boolean {
  if (cell === undefined && cellClass === undefined && level === undefined) return () => true;
  return (line) => {
    const record = parseLogLine(line);
    return record !== null && matches(record);
  };

  function matches(record: LogRecord): boolean {
    return (
      (cell === undefined || record.cell.startsWith(cell)) &&
      (cellClass === undefined || record.class === cellClass) &&
      (level === undefined || isAtLeast(record.level, level))
    );
  }
}

function createPrinter({ json }: LogsOptions, context: CliContext): (line: string) => void {
  if (json !== true) {
    return (line) => context.out(renderLogLine(line, { style: context.style, timeOfDay: localTimeOfDay }));
  }
  return (line) => context.out(parseLogLine(line) === null ? JSON.stringify({ event: "raw", msg: line }) : line);
}

/** A raw line belongs to what was said before it: it is never too old by itself. */
function timeMsOf(line: string): number {
  const time = parseLogLine(line)?.time;
  const timeMs = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(timeMs) ? Number.POSITIVE_INFINITY : timeMs;
}
