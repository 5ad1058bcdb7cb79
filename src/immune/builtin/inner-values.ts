/**
 * Values within a value: JSON that stands in a form's field, in a cookie, or in a body that says of itself that it is
 * plain text. Its strings are what an application gets; quotes and braces around them say nothing.
 */
import { readJson } from "../seclang/bodies/json.ts";
import type { NamedValue } from "../seclang/bodies/reading.ts";
import { SECLANG_LIMITS } from "../seclang/limits.ts";

const OPTIONS = { depthMax: SECLANG_LIMITS.bodyDepthMax, argumentsMax: SECLANG_LIMITS.argumentsMax } as const;
/** Lines of a body of many documents (NDJSON, envelopes of telemetry). */
const LINES_MAX = 1000;

/** Null: the value is no JSON, or not to its end. */
export function innerValues(value: string): readonly NamedValue[] | null {
  const text = value.trim();
  if (!isBraced(text)) return null;
  const whole = readJson(text, OPTIONS);
  if (whole.error === null) return whole.args;
  if (!text.includes("\n")) return null;
  const all: NamedValue[] = [];
  const lines = text.split("\n");
  if (lines.length > LINES_MAX) return null;
  for (const line of lines) {
    if (line.trim() === "") continue;
    const reading = readJson(line, OPTIONS);
    if (reading.error !== null || all.length + reading.args.length > OPTIONS.argumentsMax) return null;
    all.push(...reading.args);
  }
  return all;
}

function isBraced(text: string): boolean {
  const last = text.at(-1);
  return (
    (text.startsWith("{") && (last === "}" || last === "]")) || (text.startsWith("[") && (last === "]" || last === "}"))
  );
}
