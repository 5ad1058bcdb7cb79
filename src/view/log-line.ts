/**
 * One line of the organism's log as a person reads it in a terminal:
 *
 *   12:03:04.123 neuron k3f9a divided: b-cell p2q8r  reason=germination
 *   12:03:04.180 drone  m2p7c ERROR the app threw while it was loaded  file=/srv/app.js
 *                             Error: no database
 *                                 at connect (/srv/app.js:3:9)
 *
 * What is no JSON of ours (a native crash, the output of a process that the app has spawned) is shown as it is.
 */
import type { CellClass } from "../core/cell.ts";
import { cellClasses } from "../core/cell.ts";
import type { Ink, Style } from "./style.ts";
import { classInk, glyphs, paint } from "./style.ts";
import { printable } from "./text.ts";

/** A line that the log itself has written. Other lines are raw. */
export interface LogRecord {
  level: string;
  /** RFC 3339 in UTC. */
  time: string;
  event: string;
  cell: string;
  class: string;
  msg: string;
  /** All other keys, in their order. */
  fields: Record<string, unknown>;
}

export interface LogLineOptions {
  style: Style;
  /** Time of day as it should be shown, from RFC 3339. Default: as it stands there, which is UTC. */
  timeOfDay?: (rfc3339: string) => string;
}

/** Null: not a line of ours. */
export function parseLogLine(text: string): LogRecord | null {
  if (!text.startsWith("{")) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { level, time, event, cell, class: cellClass, msg, pid: _pid, ...fields } = value as Record<string, unknown>;
  if (typeof level !== "string" || typeof time !== "string") return null;
  const text_ = (field: unknown): string => (typeof field === "string" ? field : "");
  return { level, time, event: text_(event), cell: text_(cell), class: text_(cellClass), msg: text_(msg), fields };
}

/** The line, without its end; with stacks it is several lines. */
export function renderLogLine(text: string, options: LogLineOptions): string {
  const record = parseLogLine(text);
  if (record === null)
    return paint(options.style, "dim", `${glyphs(options.style).bar} `) + printable(text, options.style);
  return renderLogRecord(record, options);
}

function renderLogRecord(record: LogRecord, { style, timeOfDay = utcTimeOfDay }: LogLineOptions): string {
  const who = `${record.class.padEnd(CLASS_WIDTH)} ${record.cell.slice(0, SHORT_ID_CHARS)}`;
  const ink = cellClasses.includes(record.class as CellClass) ? classInk[record.class as CellClass] : null;
  const head = `${paint(style, "dim", timeOfDay(record.time))} ${paint(style, ink, who)} `;
  if (record.event === "app-output") return head + renderAppOutput(record, style);

  const { stacks, pairs } = splitFields(record.fields);
  const [first = "", ...more] = (record.msg === "" ? record.event : record.msg).split("\n");
  const message = printable(first, style);
  const label = levelLabels[record.level];
  const loud = label === undefined ? message : paint(style, label.ink, `${label.text} ${message}`);
  const details = pairs.map(([key, value]) => paint(style, "dim", `${key}=`) + printable(value, style)).join(" ");
  const lines = [head + loud + (details === "" ? "" : `  ${details}`)];
  // A stack begins with the whole message once more.
  for (const line of stacks.length === 0 ? more : stacks.flatMap((stack) => stack.split("\n"))) {
    lines.push(STACK_INDENT + paint(style, "dim", printable(line, style)));
  }
  return lines.join("\n");
}

/** `b-cell`, `neuron`, `t-cell`: none is longer. */
const CLASS_WIDTH = 6;
/** Enough to tell cells of one organism apart by eye. `cellws ps` shows the whole, `--cell` takes the beginning. */
const SHORT_ID_CHARS = 5;
const STACK_INDENT = " ".repeat("12:03:04.123 neuron k3f9a ".length);
/** A field's value beyond this is looked up with --json. */
const VALUE_CHARS_MAX = 120;

const levelLabels: Record<string, { text: string; ink: Ink } | undefined> = {
  trace: { text: "trace", ink: "dim" },
  debug: { text: "debug", ink: "dim" },
  warn: { text: "WARN", ink: "yellow" },
  error: { text: "ERROR", ink: "red" },
  fatal: { text: "FATAL", ink: "red" },
};

function utcTimeOfDay(rfc3339: string): string {
  return rfc3339.slice("2026-11-22T".length, "2026-11-22T12:03:04.123".length);
}

function renderAppOutput(record: LogRecord, style: Style): string {
  const isError = record.fields["stream"] === "stderr";
  const bar = paint(style, isError ? "yellow" : "dim", isError ? "!" : glyphs(style).bar);
  const { charsCut } = record.fields;
  const cut = typeof charsCut === "number" ? paint(style, "dim", ` (${charsCut} more characters)`) : "";
  return `${bar} ${printable(record.msg, style)}${cut}`;
}

function splitFields(fields: Record<string, unknown>): { stacks: string[]; pairs: Array<[string, string]> } {
  const stacks: string[] = [];
  const pairs: Array<[string, string]> = [];
  for (const [key, value] of Object.entries(fields)) {
    const stack = stackOf(key, value);
    if (stack !== null) stacks.push(stack);
    else if (value !== "") pairs.push([key, shorten(value)]);
  }
  return { stacks, pairs };
}

/** An error as the logger serializes it, or a stack by itself. */
function stackOf(key: string, value: unknown): string | null {
  if (key === "stack" && typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return null;
  const { stack } = value as { stack?: unknown };
  return typeof stack === "string" ? stack : null;
}

function shorten(value: unknown): string {
  const text = typeof value === "string" && !/\s/.test(value) ? value : JSON.stringify(value);
  return text.length <= VALUE_CHARS_MAX ? text : `${text.slice(0, VALUE_CHARS_MAX)}...`;
}
