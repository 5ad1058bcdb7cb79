/**
 * Takes a value apart into plain data, and names what is not: functions, dates, maps, cycles.
 *
 * A DNA must survive as JSON, since daughters are born with it. JSON.stringify would drop a function without
 * a word and turn a Date into a string; here each is reported with its place, and the rest goes on. In the few lists that
 * take functions (functions.ts), a reference takes the place of each.
 */
import { functionPlaces, type FunctionReference } from "./functions.ts";
import { formatKeyPath, type KeyPath } from "./key-path.ts";

export interface OddValue {
  path: KeyPath;
  /** "a function", "a Map", "a cycle" */
  what: string;
}

/** Deeper than any configuration; a cycle is found long before. */
export const DEPTH_MAX = 32;
/** Keys and items in all. A DNA of this size is a data set that went astray. */
export const VALUES_MAX = 100_000;

/** `value` holds everything plain; what is odd is left out there and listed. `file`: whence functions can be read again. */
export function toPlain(value: unknown, file: string): { value: unknown; odd: OddValue[] } {
  const odd: OddValue[] = [];
  let count = 0;

  const visit = (part: unknown, path: KeyPath, above: readonly object[]): unknown => {
    count += 1;
    if (typeof part === "function" && mayBeFunction(path)) return referenceTo(part.name, file);
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

/** `immune.filters[2]`: the item of a list that takes functions. */
function mayBeFunction(path: KeyPath): boolean {
  const list = formatKeyPath(path.slice(0, -1));
  return typeof path.at(-1) === "number" && (functionPlaces as readonly string[]).includes(list);
}

function referenceTo(name: string, file: string): FunctionReference {
  return { file, name: name === "" ? "anonymous" : name.slice(0, NAME_CHARS_MAX) };
}

/** Names are told in logs. */
const NAME_CHARS_MAX = 100;

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
