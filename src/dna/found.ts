/** How a value that was found in a DNA is told: as it would be written, short, and without secrets. */
import { numberText } from "./fields.ts";
import { isWithin, type KeyPath } from "./key-path.ts";
import type { Unit } from "./schema.ts";

/** As it would be written in the DNA, with its kind where that is the point, and short. */
export function foundText(value: unknown, path: KeyPath = [], unit?: Unit): string {
  // Environment variables hold passwords: their kind may be told, their value not.
  if (isWithin(path, ["env"]) && typeof value === "string") return "a string that is not shown";
  switch (typeof value) {
    case "string":
      return value === "" ? 'an empty string ("")' : `${shorten(JSON.stringify(value))} (a string)`;
    case "number":
      return Number.isFinite(value) ? numberText(value, unit) : String(value);
    case "boolean":
      return String(value);
    case "undefined":
      return "undefined";
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
      return foundObjectText(Object.keys(value));
    default:
      return `a ${typeof value}`;
  }
}

function foundObjectText(keys: readonly string[]): string {
  if (keys.length === 0) return "an empty object";
  return shorten(`an object with the ${keys.length === 1 ? "key" : "keys"} ${keys.join(", ")}`);
}

/** Long enough to recognise what was written. */
const FOUND_LENGTH_MAX = 80;

function shorten(text: string): string {
  return text.length <= FOUND_LENGTH_MAX ? text : `${text.slice(0, FOUND_LENGTH_MAX - 3)}...`;
}
