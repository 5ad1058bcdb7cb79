/**
 * `cellws replay`: tells a recorded cell's mind again what it was told, says whether it decides the same, and prints what
 * happened. For whoever wants to know why a cell did what it did, and for whoever doubts that the record is what it says.
 */
import fs from "node:fs";
import path from "node:path";
import { segmentSuffix } from "../../host/event-recorder.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import type { Difference, Happened, Replayed } from "../../sim/replay.ts";
import { replaySegment } from "../../sim/replay.ts";
import { stateDigest } from "../../wire/event-log.ts";
import { isQuiet, renderHistoryEntry } from "../../view/history.ts";
import { paint } from "../../view/style.ts";
import { formatCount, formatDuration, parseDurationMs } from "../../view/units.ts";
import { localTimeOfDay } from "../clock.ts";
import type { CliCommand, CliContext } from "../command.ts";
import { addExamples } from "../command.ts";

interface ReplayOptions {
  brief?: boolean;
  all?: boolean;
  at?: string;
  json?: boolean;
}

/** A segment is at most 8 MiB and one checkpoint; what is larger is something else. */
const fileBytesMax = 256 * 1024 * 1024;

export const command: CliCommand<ReplayOptions> = {
  define(command) {
    command
      .argument("<file...>", "event records, or folders of them")
      .option("--brief", "only the verdicts")
      .option("--all", "also the events that tell of nothing new")
      .option(
        "--at <time>",
        "what the cell knew then: 90s after the record began, or a\ntime such as 2026-11-22T12:03:04Z; as JSON",
      )
      .option("--json", "print { files: [{ file, cell, verdict, ... }] } as JSON");
    addExamples(command, [
      ["cellws start server.js --record events", "make a record"],
      ["cellws replay events --brief", "is it as it was?"],
      ["cellws replay events/k3f9a7p2qx-0000.events.jsonl", "the life of a cell"],
      ["cellws replay FILE --at 90s", "its state after 90 s"],
    ]);
    command.addHelpText(
      "after",
      `
Exit status: 0 when every decision was the same again, 1 when one was not or
the record is damaged, 2 when a file is no event record. A last line that was
cut off, as when the cell was killed, is no damage. See docs/REPLAY.md.`,
    );
  },
  async run(context, places, options) {
    const files = places.flatMap((place) => filesAt(path.resolve(context.cwd, place)));
    if (options.at !== undefined) return dumpAt(context, files, options.at);
    const verdicts: FileVerdict[] = [];
    let before: Replayed | null = null;
    for (const file of files) {
      if (options.json !== true && options.brief !== true) context.out(paint(context.style, "bold", file));
      const replayed = replayFile(
        file,
        options.json === true || options.brief === true ? null : printer(context, options),
      );
      verdicts.push(verdictOf(file, joined(before, replayed)));
      before = replayed;
      if (options.json !== true) context.out(renderVerdict(verdicts.at(-1)!, context));
    }
    if (options.json === true) context.out(JSON.stringify({ files: verdicts }));
    return verdicts.every(({ verdict }) => verdict === "same") ? 0 : 1;
  },
};

/** A part must begin with what the part before it ended with, where that one is at hand and whole. */
function joined(before: Replayed | null, replayed: Replayed): Replayed {
  const { head, difference } = replayed;
  if (before === null || difference !== null || before.difference !== null || before.isTorn || !("state" in head.start))
    return replayed;
  if (before.head.cell !== head.cell || before.head.segment + 1 !== head.segment || before.state === null)
    return replayed;
  const [ended, begins] = [stateDigest(before.state), stateDigest(head.start.state)];
  if (ended === begins) return replayed;
  return {
    ...replayed,
    difference: { line: 1, n: head.before, atMs: head.nowMs, what: "state", recorded: begins, replayed: ended },
  };
}

interface FileVerdict {
  readonly file: string;
  readonly cell: string;
  readonly segment: number;
  readonly events: number;
  readonly forMs: number;
  readonly isTorn: boolean;
  readonly verdict: "same" | "differs";
  readonly difference: Difference | null;
  /** Why the cell's mind refused its last event, as it did then. */
  readonly refused: string | null;
  readonly program: string;
}

function verdictOf(file: string, { head, events, forMs, isTorn, difference, refused }: Replayed): FileVerdict {
  const { cell, segment, program } = head;
  return {
    file,
    cell,
    segment,
    events,
    forMs,
    isTorn,
    verdict: difference === null ? "same" : "differs",
    difference,
    refused,
    program,
  };
}

function renderVerdict(
  { file, cell, segment, events, forMs, isTorn, difference, refused, program }: FileVerdict,
  { style }: CliContext,
): string {
  const what = `${path.basename(file)}: cell ${cell}, part ${segment}, ${formatCount(events, "event")} in ${formatDuration(forMs)}`;
  const torn = isTorn ? ", its last line cut off" : "";
  const died = refused === null ? "" : `\n  its last event was refused, then as now: ${refused}`;
  if (difference === null) return `${paint(style, "green", "same")}     ${what}${torn}${died}`;
  const { line, n, recorded, replayed } = difference;
  return [
    `${paint(style, "red", "differs")}  ${what}`,
    `  line ${line}, event ${n}: ${meaning[difference.what]}`,
    `  recorded: ${recorded}`,
    ...(replayed === "" ? [] : [`  replayed: ${replayed}`]),
    `  (recorded by cellws ${program})`,
  ].join("\n");
}

const meaning = {
  unreadable: "the line cannot be read",
  altered: "the line is not what the cell wrote after the line before it",
  effects: "other effects than then",
  state: "another state than then",
  refused: "the mind's refusal is another than then",
} satisfies Record<Difference["what"], string>;

function printer(context: CliContext, { all }: ReplayOptions): (happened: Happened, time: string) => void {
  return (happened, time) => {
    if (all === true || !isQuiet(happened))
      context.out(renderHistoryEntry(happened, localTimeOfDay(time), context.style));
  };
}

function replayFile(
  file: string,
  print: ((happened: Happened, time: string) => void) | null,
  until = Number.POSITIVE_INFINITY,
): Replayed {
  const text = read(file);
  const clock = clockOf(text);
  const replay = replaySegment(text, (happened) => {
    if (happened.atMs > until) return false;
    print?.(happened, new Date(clock(happened.atMs)).toISOString());
    return true;
  });
  if (replay.ok) return replay.replayed;
  throw notARecord(file, replay.reason);
}

/** From the cell's own clock to the wall's, by the first line. */
function clockOf(text: string): (atMs: number) => number {
  const [, time, nowMs] = /"time":"([^"]{20,30})","nowMs":(\d+)/.exec(text.slice(0, headCharsMax)) ?? [];
  const offsetMs = Date.parse(time ?? "") - Number(nowMs);
  return (atMs) => (Number.isFinite(offsetMs) ? offsetMs + atMs : atMs);
}

/** What stands before the start in a first line is no longer. */
const headCharsMax = 2_048;

function dumpAt(context: CliContext, files: readonly string[], at: string): 0 | 1 {
  const [file] = files;
  if (file === undefined || files.length > 1) {
    throw new CellwsError("CELLWS_E_USAGE", 2, "--at takes the record of one cell", {
      path: "--at",
      found: formatCount(files.length, "file"),
      expected: "one file",
    });
  }
  const first = replayFile(file, null, Number.NEGATIVE_INFINITY);
  const sinceMs = parseDurationMs(at);
  const clock = clockOf(read(file));
  const wallMs = Date.parse(at);
  if (sinceMs === null && Number.isNaN(wallMs)) {
    throw new CellwsError("CELLWS_E_USAGE", 2, "--at is no time", {
      path: "--at",
      found: at,
      expected: "a duration such as 90s, or a time such as 2026-11-22T12:03:04Z",
    });
  }
  const beginMs = first.head.nowMs;
  const atMs = sinceMs === null ? beginMs + (wallMs - clock(beginMs)) : beginMs + sinceMs;
  if (atMs < beginMs) {
    const found = `${at}, and the record begins at ${first.head.time}`;
    throw new CellwsError("CELLWS_E_USAGE", 2, "--at is before the record begins", {
      path: "--at",
      found,
      hint: "An earlier part may have the number before it.",
    });
  }
  let last: Happened | null = null;
  const replayed = replayFile(file, (happened) => (last = happened), atMs);
  const happened = last as Happened | null;
  const { cell, segment } = replayed.head;
  const state = happened?.after ?? null;
  const time = happened === null ? null : new Date(clock(happened.atMs)).toISOString();
  context.out(
    JSON.stringify(
      { cell, segment, afterEvent: happened?.n ?? null, time, nowMs: happened?.atMs ?? null, state },
      readable,
      2,
    ),
  );
  const { difference } = replayed;
  if (difference === null) return 0;
  context.note(renderVerdict(verdictOf(file, replayed), context));
  return 1;
}

/** Maps as objects, sets as lists: to look at, not to read back. */
function readable(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  if (value instanceof Set) return [...value];
  return value;
}

/** In the order of cells and of their lives. */
function filesAt(place: string): string[] {
  const stats = fs.statSync(place, { throwIfNoEntry: false });
  if (stats === undefined) throw notARecord(place, "there is nothing");
  if (!stats.isDirectory()) return [place];
  const files = fs
    .readdirSync(place)
    .filter((name) => name.endsWith(segmentSuffix))
    .sort()
    .map((name) => path.join(place, name));
  if (files.length === 0) throw notARecord(place, `there is no ${segmentSuffix.slice(1)} file in it`);
  return files;
}

function read(file: string): string {
  try {
    const { size } = fs.statSync(file);
    if (size > fileBytesMax) throw new Error(`it has ${size} bytes, and ${fileBytesMax} is the most that is read`);
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    throw notARecord(file, (error as Error).message);
  }
}

function notARecord(file: string, reason: string): CellwsError {
  return new CellwsError("CELLWS_E_EVENT_LOG", 2, "this is no event record", {
    path: file,
    found: reason,
    expected: `a file ${segmentSuffix.slice(1)} that cellws start --record has made, or a folder of them`,
  });
}
