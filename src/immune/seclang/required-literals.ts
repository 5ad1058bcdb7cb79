/**
 * Which texts a value must hold for a pattern to have any chance: for `(?:un|re)ion\s+all` one of "union", "reion".
 *
 * Most patterns are long, most values are harmless, and a search for fixed texts costs a fraction of a pattern's run:
 * so one search over the texts of all patterns says which few of them to run at all. The answer may be too generous
 * (a pattern runs in vain), never too strict (an attack would pass): whatever is not understood asks for nothing.
 *
 * How: each part of a pattern is either *exact* (one of a few texts and nothing else), or has *required* texts of which
 * one must occur, or is neither. A sequence joins its exact neighbours to longer texts and keeps the best set; an
 * alternation needs a set from each branch. (The way of Google's code search, by Russ Cox, without its and-or trees.)
 * Case is ignored throughout.
 */

/** Of these one must occur in the value, ASCII case ignored; null: nothing is known. `source` is that of a RegExp. */
export function requiredLiterals(regex: RegExp): readonly string[] | null {
  const cursor: Cursor = { source: regex.source, at: 0, ignoreCase: regex.flags.includes("i") };
  const part = readAlternation(cursor);
  // A parenthesis too many cannot be: V8 has compiled it. Should it be, know nothing.
  if (cursor.at < cursor.source.length) return null;
  return better(usable(part.exact), part.required);
}

interface Cursor {
  readonly source: string;
  at: number;
  /** Whether flag i is on, here and now. */
  ignoreCase: boolean;
}

interface Part {
  /** All that the part can be, in lower case; null: too many, or endless. */
  readonly exact: readonly string[] | null;
  readonly required: readonly string[] | null;
}

const NOTHING_KNOWN: Part = { exact: null, required: null };
/** Takes up no text: ^, $, \b, a look-around. */
const EMPTY: Part = { exact: [""], required: null };

/** Exact texts of one part. More make the automaton large and say little. */
const EXACT_MAX = 48;
/** Required texts of a whole pattern. */
const REQUIRED_MAX = 400;
/** A text of this length is as good as any longer one. */
const LENGTH_ENOUGH = 6;

function readAlternation(cursor: Cursor): Part {
  const branches = [readSequence(cursor)];
  while (cursor.source[cursor.at] === "|") {
    cursor.at += 1;
    branches.push(readSequence(cursor));
  }
  if (branches.length === 1) return branches[0]!;
  const exact = unite(
    branches.map((branch) => branch.exact),
    EXACT_MAX,
  );
  const required = unite(
    branches.map((branch) => better(usable(branch.exact), branch.required)),
    REQUIRED_MAX,
  );
  return { exact, required };
}

function readSequence(cursor: Cursor): Part {
  let run: readonly string[] = [""];
  let required: readonly string[] | null = null;
  let isExact = true;
  while (cursor.at < cursor.source.length && !"|)".includes(cursor.source[cursor.at]!)) {
    const part = readQuantified(cursor);
    const joined = part.exact === null ? null : join(run, part.exact);
    if (joined !== null) {
      run = joined;
      continue;
    }
    isExact = false;
    required = better(better(required, usable(run)), better(usable(part.exact), part.required));
    // Where two exact parts were too many together, the second begins a new run.
    run = part.exact ?? [""];
  }
  return { exact: isExact ? run : null, required: better(required, usable(run)) };
}

function readQuantified(cursor: Cursor): Part {
  const part = readAtom(cursor);
  const QUANTIFIER = /(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y;
  QUANTIFIER.lastIndex = cursor.at;
  const match = QUANTIFIER.exec(cursor.source);
  if (match === null) return part;
  cursor.at = QUANTIFIER.lastIndex;
  const [, sign, count = "", comma, upper = ""] = match;
  const min = sign === undefined ? Number(count) : sign === "+" ? 1 : 0;
  const max =
    sign === "?" ? 1 : sign === undefined ? (comma === "" ? min : upper === "" ? Infinity : Number(upper)) : Infinity;
  return repeat(part, min, max);
}

function repeat(part: Part, min: number, max: number): Part {
  if (min === 1 && max === 1) return part;
  if (min === 0) {
    const isOptional = max === 1 && part.exact !== null && part.exact.length < EXACT_MAX;
    return isOptional ? { exact: distinct(["", ...part.exact]), required: null } : NOTHING_KNOWN;
  }
  let exact: readonly string[] | null = min === max ? [""] : null;
  for (let i = 0; i < min && exact !== null; i += 1) exact = part.exact === null ? null : join(exact, part.exact);
  return { exact, required: better(usable(part.exact), part.required) };
}

function readAtom(cursor: Cursor): Part {
  const char = cursor.source[cursor.at]!;
  switch (char) {
    case "(":
      return readGroup(cursor);
    case "[":
      return readClass(cursor);
    case "\\":
      return readEscape(cursor);
    case ".":
      cursor.at += 1;
      return NOTHING_KNOWN;
    case "^":
    case "$":
      cursor.at += 1;
      return EMPTY;
    default:
      cursor.at += 1;
      return ofBytes([char.charCodeAt(0)], cursor.ignoreCase);
  }
}

function readGroup(cursor: Cursor): Part {
  const OPENING = /\((?:\?(?:(:)|(=|!|<=|<!)|<[A-Za-z_]\w*>|([ims]*)(?:-([ims]+))?:))?/y;
  OPENING.lastIndex = cursor.at;
  const opening = OPENING.exec(cursor.source)!;
  cursor.at = OPENING.lastIndex;
  const before = cursor.ignoreCase;
  if (opening[3]?.includes("i") === true) cursor.ignoreCase = true;
  if (opening[4]?.includes("i") === true) cursor.ignoreCase = false;
  const part = readAlternation(cursor);
  cursor.ignoreCase = before;
  cursor.at += 1;
  return opening[2] === undefined ? part : EMPTY;
}

function readEscape(cursor: Cursor): Part {
  const next = cursor.source[cursor.at + 1]!;
  if (next === "b" || next === "B") {
    cursor.at += 2;
    return EMPTY;
  }
  // A back reference, by number or by name.
  if (/[1-9k]/.test(next)) {
    const REFERENCE = /\\(?:\d+|k<\w+>)/y;
    REFERENCE.lastIndex = cursor.at;
    cursor.at += REFERENCE.exec(cursor.source)?.[0].length ?? 2;
    return NOTHING_KNOWN;
  }
  return ofBytes(readEscapedBytes(cursor), cursor.ignoreCase);
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

function readClass(cursor: Cursor): Part {
  const { source } = cursor;
  cursor.at += 1;
  const isNegated = source[cursor.at] === "^";
  if (isNegated) cursor.at += 1;
  const members = new Set<number>();
  while (source[cursor.at] !== "]") {
    const first = readMember(cursor);
    // A hyphen at the end, or behind a set, is itself.
    const isRange = source[cursor.at] === "-" && source[cursor.at + 1] !== "]" && first.length === 1;
    if (isRange) {
      cursor.at += 1;
      const last = readMember(cursor);
      if (last.length === 1) {
        for (let byte = first[0]!; byte <= last[0]!; byte += 1) members.add(byte);
        continue;
      }
      members.add(0x2d);
      for (const byte of last) members.add(byte);
    }
    for (const byte of first) members.add(byte);
  }
  cursor.at += 1;
  return ofBytes(isNegated ? ALL_BYTES.filter((byte) => !members.has(byte)) : [...members], cursor.ignoreCase);
}

function readMember(cursor: Cursor): readonly number[] {
  if (cursor.source[cursor.at] === "\\") return readEscapedBytes(cursor);
  cursor.at += 1;
  return [cursor.source.charCodeAt(cursor.at - 1)];
}

/** Classes of more bytes than this are taken for "anything". */
const CLASS_BYTES_MAX = 4;

function ofBytes(bytes: readonly number[], ignoreCase: boolean): Part {
  // Flag i pairs bytes beyond ASCII too, and the search for texts does not.
  if (ignoreCase && bytes.some((byte) => byte > 0x7f)) return NOTHING_KNOWN;
  const exact = distinct(bytes.map((byte) => lowerByte(byte)));
  return exact.length > 0 && exact.length <= CLASS_BYTES_MAX ? { exact, required: null } : NOTHING_KNOWN;
}

const lowerByte = (byte: number): string => String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);

function join(left: readonly string[], right: readonly string[]): readonly string[] | null {
  if (left.length * right.length > EXACT_MAX) return null;
  return distinct(left.flatMap((head) => right.map((tail) => head + tail)));
}

/** The union, or null where a branch knows nothing or there are too many. */
function unite(sets: ReadonlyArray<readonly string[] | null>, max: number): readonly string[] | null {
  const all: string[] = [];
  for (const set of sets) {
    if (set === null) return null;
    all.push(...set);
  }
  const united = distinct(all);
  return united.length <= max ? united : null;
}

/** A set of texts of which the empty one is none: that one occurs everywhere. */
const usable = (set: readonly string[] | null): readonly string[] | null =>
  set === null || set.includes("") ? null : set;

/** The set that lets fewer values pass: that of longer texts; of as long ones, the smaller. */
function better(left: readonly string[] | null, right: readonly string[] | null): readonly string[] | null {
  if (left === null || right === null) return left ?? right;
  const [leftLength, rightLength] = [shortest(left), shortest(right)];
  if (leftLength !== rightLength) return leftLength > rightLength ? left : right;
  return left.length <= right.length ? left : right;
}

const shortest = (set: readonly string[]): number =>
  set.reduce((length, text) => Math.min(length, text.length), LENGTH_ENOUGH);

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];
