/**
 * Reads the source of one of V8's expressions (as regex.ts writes them: over bytes, without the flags u and v) into a
 * tree, for all that asks more of a pattern than to run it: which texts it requires (required-literals.ts), how much
 * time it could take (cost.ts), how it runs in bounded time (program.ts).
 *
 * Each class, escape and letter becomes a set of bytes, in which flag i is worked in; so the tree knows no case.
 */

export interface Pattern {
  readonly root: Node;
  /** Capturing groups, the whole (0) counted. */
  readonly groupCount: number;
}

export type Node =
  | { readonly kind: "bytes"; readonly bytes: ByteSet }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "choice"; readonly branches: readonly Node[] }
  | { readonly kind: "repeat"; readonly node: Node; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly kind: "group"; readonly index: number; readonly node: Node }
  | { readonly kind: "look"; readonly node: Node; readonly behind: boolean; readonly negated: boolean }
  | { readonly kind: "assertion"; readonly what: Assertion }
  | { readonly kind: "reference"; readonly group: number; readonly ignoreCase: boolean };

export type Assertion = "start" | "end" | "line-start" | "line-end" | "word-edge" | "no-word-edge";

/** 1 for each byte that belongs to it; 256 long. */
export type ByteSet = Uint8Array;

/** `source` and `flags` are those of a RegExp, so the grammar has been checked. */
export function parsePattern({ source, flags }: { readonly source: string; readonly flags: string }): Pattern {
  const cursor: Cursor = {
    source,
    at: 0,
    groupCount: 1,
    classes: new Map(),
    ignoreCase: flags.includes("i"),
    multiline: flags.includes("m"),
    dotAll: flags.includes("s"),
  };
  const root = readChoice(cursor);
  // A parenthesis too many cannot be: V8 has compiled it.
  if (cursor.at < source.length) throw new Error(`pattern read up to ${cursor.at} only: ${source}`);
  return { root, groupCount: cursor.groupCount };
}

interface Cursor {
  readonly source: string;
  at: number;
  groupCount: number;
  readonly classes: Map<string, ByteSet>;
  ignoreCase: boolean;
  multiline: boolean;
  dotAll: boolean;
}

function readChoice(cursor: Cursor): Node {
  const branches = [readSequence(cursor)];
  while (cursor.source[cursor.at] === "|") {
    cursor.at += 1;
    branches.push(readSequence(cursor));
  }
  return branches.length === 1 ? branches[0]! : { kind: "choice", branches };
}

function readSequence(cursor: Cursor): Node {
  const parts: Node[] = [];
  while (cursor.at < cursor.source.length && !"|)".includes(cursor.source[cursor.at]!)) {
    parts.push(readQuantified(cursor));
  }
  return parts.length === 1 ? parts[0]! : { kind: "sequence", parts };
}

function readQuantified(cursor: Cursor): Node {
  const node = readAtom(cursor);
  const QUANTIFIER = /(?:([*+?])|\{(\d+)(,?)(\d*)\})(\??)/y;
  QUANTIFIER.lastIndex = cursor.at;
  const match = QUANTIFIER.exec(cursor.source);
  if (match === null) return node;
  cursor.at = QUANTIFIER.lastIndex;
  const [, sign, count = "", comma, upper = "", lazy] = match;
  const min = sign === undefined ? Number(count) : sign === "+" ? 1 : 0;
  const max =
    sign === "?" ? 1 : sign === undefined ? (comma === "" ? min : upper === "" ? Infinity : Number(upper)) : Infinity;
  return { kind: "repeat", node, min, max, lazy: lazy === "?" };
}

function readAtom(cursor: Cursor): Node {
  const char = cursor.source[cursor.at]!;
  switch (char) {
    case "(":
      return readGroup(cursor);
    case "[":
      return { kind: "bytes", bytes: classAt(cursor) };
    case "\\":
      return readEscape(cursor);
    case ".":
      cursor.at += 1;
      return { kind: "bytes", bytes: setOf(cursor.dotAll ? ALL_BYTES : ALL_BYTES.filter((b) => b !== 10 && b !== 13)) };
    case "^":
      cursor.at += 1;
      return { kind: "assertion", what: cursor.multiline ? "line-start" : "start" };
    case "$":
      cursor.at += 1;
      return { kind: "assertion", what: cursor.multiline ? "line-end" : "end" };
    default:
      cursor.at += 1;
      return { kind: "bytes", bytes: LETTER_SETS[char.charCodeAt(0) & 0xff]![cursor.ignoreCase ? 1 : 0] };
  }
}

function readGroup(cursor: Cursor): Node {
  const OPENING = /\((?:\?(?:(:)|(=|!|<=|<!)|<[A-Za-z_]\w*>|([ims]*)(?:-([ims]+))?:))?/y;
  OPENING.lastIndex = cursor.at;
  const opening = OPENING.exec(cursor.source)!;
  cursor.at = OPENING.lastIndex;
  const { ignoreCase, multiline, dotAll } = cursor;
  setFlags(cursor, opening[3] ?? "", true);
  setFlags(cursor, opening[4] ?? "", false);
  // Groups are numbered by their opening parentheses, so before what is within.
  const isCapturing = opening[0] === "(" || /^\(\?<[A-Za-z_]/.test(opening[0]);
  const index = isCapturing ? cursor.groupCount : 0;
  if (isCapturing) cursor.groupCount += 1;
  const node = readChoice(cursor);
  Object.assign(cursor, { ignoreCase, multiline, dotAll });
  cursor.at += 1;
  const look = opening[2];
  if (look !== undefined) return { kind: "look", node, behind: look.startsWith("<"), negated: look.endsWith("!") };
  return isCapturing ? { kind: "group", index, node } : node;
}

function setFlags(cursor: Cursor, letters: string, on: boolean): void {
  if (letters.includes("i")) cursor.ignoreCase = on;
  if (letters.includes("m")) cursor.multiline = on;
  if (letters.includes("s")) cursor.dotAll = on;
}

function readEscape(cursor: Cursor): Node {
  const next = cursor.source[cursor.at + 1]!;
  if (next === "b" || next === "B") {
    cursor.at += 2;
    return { kind: "assertion", what: next === "b" ? "word-edge" : "no-word-edge" };
  }
  // Names of groups were dropped by regex.ts, so references are numbers.
  if (/[1-9]/.test(next)) {
    const digits = /\d+/y;
    digits.lastIndex = cursor.at + 1;
    const [number] = digits.exec(cursor.source)!;
    cursor.at += 1 + number.length;
    return { kind: "reference", group: Number(number), ignoreCase: cursor.ignoreCase };
  }
  return { kind: "bytes", bytes: withCase(setOf(readEscapedBytes(cursor)), cursor.ignoreCase) };
}

/** The bytes that an escape stands for, within a class or outside. */
function readEscapedBytes(cursor: Cursor): readonly number[] {
  const next = cursor.source[cursor.at + 1]!;
  if (next === "x") {
    const byte = Number.parseInt(cursor.source.slice(cursor.at + 2, cursor.at + 4), 16);
    cursor.at += 4;
    return [byte];
  }
  cursor.at += 2;
  return ESCAPED_SETS[next] ?? [ESCAPED_BYTES[next] ?? next.charCodeAt(0)];
}

const ALL_BYTES: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte);
const bytesThat = (pattern: RegExp): readonly number[] =>
  ALL_BYTES.filter((byte) => pattern.test(String.fromCharCode(byte)));
const ESCAPED_SETS: Readonly<Record<string, readonly number[]>> = {
  d: bytesThat(/\d/),
  D: bytesThat(/\D/),
  w: bytesThat(/\w/),
  W: bytesThat(/\W/),
  s: bytesThat(/\s/),
  S: bytesThat(/\S/),
};
const ESCAPED_BYTES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, b: 8, 0: 0 };

/** A pattern often has the same class many times over. */
function classAt(cursor: Cursor): ByteSet {
  const from = cursor.at;
  const bytes = readClass(cursor);
  const key = `${cursor.ignoreCase ? "i" : ""}${cursor.source.slice(from, cursor.at)}`;
  const known = cursor.classes.get(key);
  if (known !== undefined) return known;
  cursor.classes.set(key, bytes);
  return bytes;
}

function readClass(cursor: Cursor): ByteSet {
  cursor.at += 1;
  const isNegated = cursor.source[cursor.at] === "^";
  if (isNegated) cursor.at += 1;
  const members: number[] = [];
  while (cursor.source[cursor.at] !== "]") {
    const first = readMember(cursor);
    const isRange =
      first.length === 1 && cursor.source[cursor.at] === "-" && !"]".includes(cursor.source[cursor.at + 1] ?? "]");
    if (isRange) {
      cursor.at += 1;
      const last = readMember(cursor);
      if (last.length === 1) {
        for (let byte = first[0]!; byte <= last[0]!; byte += 1) members.push(byte);
        continue;
      }
      // [a-\d]: not a range but an a, a dash and the digits.
      members.push("-".charCodeAt(0), ...last);
    }
    members.push(...first);
  }
  cursor.at += 1;
  const set = withCase(setOf(members), cursor.ignoreCase);
  // Case first, then the rest of the bytes, as V8 has it: [^a] with flag i is neither a nor A.
  return isNegated ? set.map((is) => 1 - is) : set;
}

function readMember(cursor: Cursor): readonly number[] {
  if (cursor.source[cursor.at] === "\\") return readEscapedBytes(cursor);
  cursor.at += 1;
  return [cursor.source.charCodeAt(cursor.at - 1) & 0xff];
}

function setOf(bytes: readonly number[]): ByteSet {
  const set = new Uint8Array(256);
  for (const byte of bytes) set[byte] = 1;
  return set;
}

/** One set for each letter and case: patterns are made of little else. */
const LETTER_SETS: ReadonlyArray<readonly [exact: ByteSet, anyCase: ByteSet]> = ALL_BYTES.map((byte) => {
  const exact = setOf([byte]);
  return [exact, withCase(exact, true)];
});

/** The set with the other cases of its letters. */
function withCase(set: ByteSet, ignoreCase: boolean): ByteSet {
  if (!ignoreCase) return set;
  const wider = set.slice();
  for (let byte = 0; byte < 256; byte += 1) if (set[byte] === 1) wider[otherCase(byte)] = 1;
  return wider;
}

/** As V8 pairs them without flag u: ASCII, and the letters of Latin-1 but for the signs of multiplication and division. */
export function otherCase(byte: number): number {
  if ((byte >= 0x41 && byte <= 0x5a) || (byte >= 0xc0 && byte <= 0xde && byte !== 0xd7)) return byte + 0x20;
  if ((byte >= 0x61 && byte <= 0x7a) || (byte >= 0xe0 && byte <= 0xfe && byte !== 0xf7)) return byte - 0x20;
  return byte;
}
