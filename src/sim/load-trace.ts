/**
 * Load over time: how many requests a second come, and what each costs in CPU time. Read from a CSV, or one of a few
 * shapes that have a name.
 *
 * A trace says nothing of single requests; workload.ts draws those. Between two points of a shape the load goes in a straight
 * line, between two rows of a CSV it stays as it was: a measurement is of the time that follows it.
 */
import { CellwsError } from "../lib/cellws-error.ts";

export interface LoadPoint {
  readonly atMs: number;
  readonly ratePerSecond: number;
  /** CPU time that a request takes of a drone. */
  readonly costMs: number;
}

export interface LoadTrace {
  readonly name: string;
  readonly durationMs: number;
  /** In order of time, at least one. Two of one time are a jump: the second holds. */
  readonly points: readonly LoadPoint[];
  readonly between: "straight" | "hold";
}

/** A month at four rows a minute, and some. What is longer is taken for a mistake. */
export const rowsMax = 200_000;
export const ratePerSecondMax = 1_000_000;
export const costMsMax = 600_000;
export const durationMsMax = 31 * 86_400_000;

export const shapeNames = ["step", "ramp", "spike", "day"] as const;
export type ShapeName = (typeof shapeNames)[number];

export interface ShapeOptions {
  /** Requests a second at rest, and at most. */
  readonly from: number;
  readonly to: number;
  readonly durationMs: number;
  readonly costMs: number;
}

/** How long each shape lasts unless told otherwise: long enough to see growth and shrinking with the default DNA. */
export const shapeDurationMs: Readonly<Record<ShapeName, number>> = {
  step: 600_000,
  ramp: 1_200_000,
  spike: 600_000,
  day: 86_400_000,
};

/** Where each shape stands between `from` (0) and `to` (1), by its share of the duration. */
const shapes: Readonly<Record<ShapeName, ReadonlyArray<readonly [share: number, height: number]>>> = {
  // Down again after two thirds: growing is half of the question, shrinking the other.
  step: [
    [0, 0],
    [0.1, 0],
    [0.1, 1],
    [0.6, 1],
    [0.6, 0],
    [1, 0],
  ],
  ramp: [
    [0, 0],
    [0.4, 1],
    [0.6, 1],
    [1, 0],
  ],
  spike: [
    [0, 0],
    [0.2, 0],
    [0.2, 1],
    [0.25, 1],
    [0.25, 0],
    [1, 0],
  ],
  // Night, a morning that rises, noon, a dip, the evening's peak: of the height of a web site's usual day, by the hour.
  day: [
    0.25, 0.15, 0.08, 0.03, 0, 0.02, 0.08, 0.2, 0.38, 0.55, 0.66, 0.72, 0.75, 0.72, 0.68, 0.67, 0.7, 0.76, 0.84, 0.93,
    1, 0.95, 0.75, 0.48, 0.25,
  ].map((height, hour) => [hour / 24, height]),
};

export function shapedTrace(name: ShapeName, { from, to, durationMs, costMs }: ShapeOptions): LoadTrace {
  const points = shapes[name].map(([share, height]) => ({
    atMs: Math.round(share * durationMs),
    ratePerSecond: from + (to - from) * height,
    costMs,
  }));
  return { name, durationMs, points, between: "straight" };
}

/** The same with every rate `times` as high. */
export function timesAsMuch(trace: LoadTrace, times: number): LoadTrace {
  return { ...trace, points: trace.points.map((point) => ({ ...point, ratePerSecond: point.ratePerSecond * times })) };
}

/** Reads a trace from its beginning to its end; asking for an earlier time than before is not foreseen. */
export class TraceReader {
  readonly #trace: LoadTrace;
  #index = 0;

  constructor(trace: LoadTrace) {
    this.#trace = trace;
  }

  at(atMs: number): Omit<LoadPoint, "atMs"> {
    const { points, between } = this.#trace;
    while (this.#index + 1 < points.length && points[this.#index + 1]!.atMs <= atMs) this.#index += 1;
    const [a, b] = [points[this.#index]!, points[this.#index + 1]];
    // Before the first row nothing is known to come.
    if (atMs < a.atMs) return { ratePerSecond: 0, costMs: a.costMs };
    if (b === undefined || between === "hold") return a;
    const share = (atMs - a.atMs) / (b.atMs - a.atMs);
    return {
      ratePerSecond: a.ratePerSecond + share * (b.ratePerSecond - a.ratePerSecond),
      costMs: a.costMs + share * (b.costMs - a.costMs),
    };
  }
}

// ---- CSV ---------------------------------------------------------------------------------------------

/** What a CSV may call its columns; units may follow in any form (`time_s`, `cost (ms)`). */
const columnNames = {
  time: /^(?:time|t|at|seconds?)\b|^time_/i,
  rate: /^(?:req|rps|rate|load)/i,
  cost: /^(?:cost|cpu|service)/i,
};

interface Mistake {
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly found: string;
  readonly expected: string;
}

/** What a field holds, and where in its line it begins (counted from 1). */
interface Field {
  readonly text: string;
  readonly column: number;
}

/**
 * `time, requests/s, cost`: one row a moment, holding until the next. Time in seconds, or with a unit (`90s`, `5m`); cost in
 * milliseconds of CPU per request, or with a unit, and may be left out. A first line of names, empty lines and
 * lines that begin with # are passed over.
 * @throws CELLWS_E_TRACE with the line and the column of the first mistake, and where the others are.
 */
export function parseTraceCsv(text: string, { file, costMs }: { file: string; costMs: number }): LoadTrace {
  const mistakes: Mistake[] = [];
  const points: LoadPoint[] = [];
  let isFirst = true;
  for (const [index, raw] of text
    .replace(/^\ufeff/, "")
    .split(/\r\n|\n|\r/)
    .entries()) {
    if (raw.trim() === "" || raw.trimStart().startsWith("#")) continue;
    const line = index + 1;
    const fields = fieldsOf(raw);
    const isHeader = isFirst && fields.every(({ text: name }) => !/^[\d.+-]/.test(name));
    isFirst = false;
    if (isHeader) {
      mistakes.push(...judgeHeader(fields, line));
      continue;
    }
    const row = readRow(fields, { line, costMs, afterMs: points.at(-1)?.atMs ?? -1 });
    if ("mistake" in row) mistakes.push(row.mistake);
    else points.push(row);
    if (points.length > rowsMax) {
      const expected = `at most ${rowsMax} rows; sum up neighbours`;
      mistakes.push({ line, column: 1, message: "there are too many rows", found: `row ${points.length}`, expected });
      break;
    }
  }
  if (mistakes.length > 0) throw traceError(file, mistakes);
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) throw emptyTrace(file);
  const spanMs = last.atMs - first.atMs;
  if (spanMs > durationMsMax) throw tooLong(file, spanMs);
  const zeroed = points.map((point) => ({ ...point, atMs: point.atMs - first.atMs }));
  return { name: file, durationMs: zeroed.at(-1)!.atMs + lastRowMs(zeroed), points: zeroed, between: "hold" };
}

/** The last row holds as long as the one before it did; a single one for ten minutes. */
function lastRowMs(points: readonly LoadPoint[]): number {
  const [before, last] = points.slice(-2);
  return before === undefined || last === undefined ? 600_000 : last.atMs - before.atMs;
}

function fieldsOf(line: string): Field[] {
  let column = 1;
  return line.split(",").map((part) => {
    const field = { text: unquoted(part.trim()), column: column + (part.length - part.trimStart().length) };
    column += part.length + 1;
    return field;
  });
}

/** Spreadsheets put quotes around what they take for text. */
function unquoted(text: string): string {
  return /^"[^"]*"$/.test(text) ? text.slice(1, -1).trim() : text;
}

function judgeHeader(fields: readonly Field[], line: number): Mistake[] {
  const wanted = [columnNames.time, columnNames.rate, columnNames.cost];
  return fields.slice(0, 3).flatMap(({ text, column }, i) => {
    if (wanted[i]?.test(text) === true) return [];
    const expected = `${["time", "requests/s", "cost"][i]} as the ${["first", "second", "third"][i]} column`;
    return [
      { line, column, message: "this column is not the one that belongs here", found: text || "nothing", expected },
    ];
  });
}

function readRow(
  fields: readonly Field[],
  { line, costMs, afterMs }: { line: number; costMs: number; afterMs: number },
): LoadPoint | { mistake: Mistake } {
  const [time, rate, cost, extra] = fields;
  const wrong = (field: Field | undefined, message: string, expected: string): { mistake: Mistake } => ({
    mistake: {
      line,
      column: field?.column ?? 1,
      message,
      found: field?.text.slice(0, foundCharsMax) || "nothing",
      expected,
    },
  });
  if (time === undefined || rate === undefined) {
    const hint = time?.text.includes(";") === true ? ", separated by commas and not by semicolons" : "";
    return wrong(time, "the row has too few columns", `time, requests/s and (optionally) cost${hint}`);
  }
  if (extra !== undefined)
    return wrong(
      extra,
      "the row has too many columns",
      "time, requests/s and (optionally) cost, with a point and not a comma in numbers",
    );
  const atMs = durationOf(time.text, 1_000);
  if (atMs === null)
    return wrong(time, "the time cannot be read", "seconds from the start, such as 90, 90s, 1.5m or 2h");
  if (atMs <= afterMs)
    return wrong(time, "the time does not go forward", `a time after the row before it (${afterMs / 1000} s)`);
  const ratePerSecond = numberOf(rate.text);
  if (ratePerSecond === null || ratePerSecond > ratePerSecondMax)
    return wrong(rate, "the rate cannot be used", `requests a second, a number from 0 to ${ratePerSecondMax}`);
  const ownCostMs = cost === undefined || cost.text === "" ? costMs : durationOf(cost.text, 1);
  if (ownCostMs === null || ownCostMs <= 0 || ownCostMs > costMsMax)
    return wrong(
      cost,
      "the cost cannot be used",
      "CPU time a request: milliseconds above 0, such as 12, 0.5, 12ms or 1.2s",
    );
  return { atMs, ratePerSecond, costMs: ownCostMs };
}

/** Enough of a field to find it again. */
const foundCharsMax = 60;

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function durationOf(text: string, plainUnitMs: number): number | null {
  const match = /^(\d{1,12}(?:\.\d{1,9})?)\s*(ms|s|min|m|h|d)?$/.exec(text);
  if (match === null) return null;
  return Number(match[1]) * (match[2] === undefined ? plainUnitMs : (unitMs[match[2]] ?? plainUnitMs));
}

function numberOf(text: string): number | null {
  return /^\d{1,12}(?:\.\d{1,9})?$/.test(text) ? Number(text) : null;
}

/** Lines of further mistakes that are named; beyond this their number must do. */
const mistakesNamedMax = 10;

function traceError(file: string, mistakes: readonly Mistake[]): CellwsError {
  const [first, ...others] = mistakes as [Mistake, ...Mistake[]];
  const named = others
    .slice(0, mistakesNamedMax)
    .map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`);
  const unnamed = others.length - named.length;
  const more = unnamed > 0 ? [...named, `and ${unnamed} more`] : named;
  return new CellwsError(
    "CELLWS_E_TRACE",
    2,
    `line ${first.line}, column ${first.column} of the load trace: ${first.message}`,
    {
      path: `${file}:${first.line}:${first.column}`,
      found: first.found,
      expected: first.expected,
      hint: [...(more.length === 0 ? [] : ["Further mistakes:", ...more]), "Nothing was simulated or written."].join(
        "\n",
      ),
    },
  );
}

function emptyTrace(file: string): CellwsError {
  return new CellwsError("CELLWS_E_TRACE", 2, "the load trace has no rows", {
    path: file,
    expected: "lines such as 0,10,20ms: at the start 10 requests a second, of 20 ms CPU time each",
    hint: "Nothing was simulated or written.",
  });
}

function tooLong(file: string, spanMs: number): CellwsError {
  return new CellwsError("CELLWS_E_TRACE", 2, "the load trace is too long", {
    path: file,
    found: `${Math.round(spanMs / 86_400_000)} days from its first row to its last`,
    expected: `at most ${durationMsMax / 86_400_000} days`,
    hint: "Cut out the days that matter. A plain number in the first column is seconds.\nNothing was simulated or written.",
  });
}
