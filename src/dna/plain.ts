/**
 * Takes a value apart into plain data, and names what is not: functions, dates, maps, cycles.
 *
 * A DNA must survive as JSON, since daughters are born with it. JSON.stringify would drop a function without
 * a word and turn a Date into a string; here each is reported with its place, and the rest goes on.
 */
import type { KeyPath } from "./key-path.ts";

export interface OddValue {
  path: KeyPath;
  /** "a function", "a Map", "a cycle" */
  what: string;
}

/** Deeper than any configuration; a cycle is found long before. */
export const DEPTH_MAX = 32;
/** Keys and items in all. A DNA of this size is a data set that went astray. */
export const VALUES_MAX = 100_000;

/** `value` holds everything plain; what is odd is left out there and listed. */
export function toPlain(value: unknown): { value: unknown; odd: OddValue[] } {
  const odd: OddValue[] = [];
  let count = 0;

  const visit = (part: unknown, path: KeyPath, above: readonly object[]): unknown => {
    count += 1;
    const what = count > VALUES_MAX ? `one of more than ${VALUES_MAX} values` : oddness(part, above);
    if (what !== null) {
      // Past the limit one report is enough.
      if (count <= VALUES_MAX + 1) odd.push({ path, what });
      return undefined;
    }
    if (typeof part !== "object" || part === null) return part;
    const ways = [...above, part];
    if (Array.isArray(part)) return part.map((item: unknown, index) => visit(item, [...path, index], ways));
    return Object.fromEntries(Object.entries(part).map(([key, child]) => [key, visit(child, [...path, key], ways)]));
  };

  return { value: visit(value, [], []), odd };
}

function oddness(value: unknown, above: readonly object[]): string | null {
  if (typeof value === "function" || typeof value === "symbol" || typeof value === "bigint") return `a ${typeof value}`;
  if (typeof value !== "object" || value === null) return null;
  if (above.includes(value)) return "a cycle";
  if (above.length >= DEPTH_MAX) return `nested more than ${DEPTH_MAX} deep`;
  if (Array.isArray(value)) return null;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return null;
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === "string" && name !== "" ? `an instance of ${name}` : "an object with a prototype";
}
