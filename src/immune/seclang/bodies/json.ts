/**
 * Reads a JSON body into arguments: `{"a":{"b":[1,"x"]}}` gives json.a.b.array_0 = 1 and json.a.b.array_1 = x, the
 * names that libmodsecurity gives, since exclusions are written with them.
 *
 * Not JSON.parse: of two members of one name it keeps the last, and the first is where an attack would hide; and an
 * error there leaves nothing, while here what stood before it is judged too. Nesting and arguments are bounded.
 */
import type { BodyReading, NamedValue } from "./reading.ts";
import { EMPTY_READING } from "./reading.ts";

export function readJson(text: string, options: { depthMax: number; argumentsMax: number }): BodyReading {
  const cursor: Cursor = { text, at: 0, args: [], ...options };
  const error = readValue(cursor, "json", 0) ?? readEnd(cursor);
  return { ...EMPTY_READING, args: cursor.args, error };
}

interface Cursor {
  readonly text: string;
  at: number;
  readonly args: NamedValue[];
  readonly depthMax: number;
  readonly argumentsMax: number;
}

/** Null: read; otherwise what is wrong. */
type Problem = string | null;

function readValue(cursor: Cursor, name: string, depth: number): Problem {
  skipBlanks(cursor);
  const char = cursor.text[cursor.at];
  if (char === "{") return readObject(cursor, name, depth + 1);
  if (char === "[") return readArray(cursor, name, depth + 1);
  if (char === '"') {
    const value = readString(cursor);
    return value === null ? wrong(cursor, "a string") : add(cursor, name, value);
  }
  SCALAR.lastIndex = cursor.at;
  const scalar = SCALAR.exec(cursor.text);
  if (scalar === null) return wrong(cursor, "a value");
  cursor.at += scalar[0].length;
  return add(cursor, name, scalar[0] === "null" ? "" : scalar[0]);
}

const SCALAR = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

function readObject(cursor: Cursor, name: string, depth: number): Problem {
  if (depth > cursor.depthMax) return tooDeep(cursor);
  cursor.at += 1;
  if (takes(cursor, "}")) return null;
  for (;;) {
    skipBlanks(cursor);
    const key = cursor.text[cursor.at] === '"' ? readString(cursor) : null;
    if (key === null) return wrong(cursor, "a member's name");
    if (!takes(cursor, ":")) return wrong(cursor, "a colon");
    const problem = readValue(cursor, `${name}.${key}`, depth);
    if (problem !== null) return problem;
    if (takes(cursor, "}")) return null;
    if (!takes(cursor, ",")) return wrong(cursor, "a comma or }");
  }
}

function readArray(cursor: Cursor, name: string, depth: number): Problem {
  if (depth > cursor.depthMax) return tooDeep(cursor);
  cursor.at += 1;
  if (takes(cursor, "]")) return null;
  for (let index = 0; ; index += 1) {
    const problem = readValue(cursor, `${name}.array_${index}`, depth);
    if (problem !== null) return problem;
    if (takes(cursor, "]")) return null;
    if (!takes(cursor, ",")) return wrong(cursor, "a comma or ]");
  }
}

/** The string's bytes with its escapes undone (as UTF-8), or null where it is none. */
function readString(cursor: Cursor): string | null {
  const { text } = cursor;
  let value = "";
  let index = cursor.at + 1;
  for (;;) {
    STRING_PIECE.lastIndex = index;
    const piece = STRING_PIECE.exec(text)![0];
    value += piece;
    index += piece.length;
    const char = text[index];
    if (char === '"') {
      cursor.at = index + 1;
      return value;
    }
    if (char !== "\\") return null;
    ESCAPE.lastIndex = index;
    const escape = ESCAPE.exec(text);
    if (escape === null) return null;
    value += unescape(escape[0]);
    index += escape[0].length;
  }
}

/** Bytes below 0x20 may not stand in a string; those above 0x7f are UTF-8, and left to the rules. */
const STRING_PIECE = /[ !#-[\]-\xff]*/y;
/** A surrogate pair is one escape: its halves have no bytes of their own. */
const ESCAPE = /\\(?:["\\/bfnrt]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4})/y;

function unescape(escape: string): string {
  if (escape[1] !== "u") return ESCAPED[escape[1]!] ?? escape[1]!;
  const units = [escape.slice(2, 6), escape.slice(8, 12)].filter((unit) => unit !== "");
  const text = String.fromCharCode(...units.map((unit) => Number.parseInt(unit, 16)));
  return Buffer.from(text, "utf8").toString("latin1");
}

const ESCAPED: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

function readEnd(cursor: Cursor): Problem {
  skipBlanks(cursor);
  return cursor.at === cursor.text.length ? null : wrong(cursor, "the end");
}

function add(cursor: Cursor, name: string, value: string): Problem {
  if (cursor.args.length >= cursor.argumentsMax) return `more than ${cursor.argumentsMax} values`;
  cursor.args.push({ name, value });
  return null;
}

function takes(cursor: Cursor, char: string): boolean {
  skipBlanks(cursor);
  if (cursor.text[cursor.at] !== char) return false;
  cursor.at += 1;
  return true;
}

function skipBlanks(cursor: Cursor): void {
  while (" \t\n\r".includes(cursor.text[cursor.at] ?? "end")) cursor.at += 1;
}

const wrong = (cursor: Cursor, expected: string): Problem => `JSON: expected ${expected} at byte ${cursor.at}`;
const tooDeep = (cursor: Cursor): Problem => `JSON: nested deeper than ${cursor.depthMax}`;
