/**
 * What kinds of bytes a value holds, and which kinds a pattern cannot do without.
 *
 * Most values are words and numbers, and most attacks need a mark that those lack: a quote, a bracket, a backslash. A
 * value's *profile* is one bit for each class of bytes that occurs in it; a pattern has *clauses*, each a set of
 * classes of which one must occur. A value whose profile misses a clause cannot match, and nothing need be run.
 */
import type { ByteSet, Node } from "./parse.ts";

/** Bytes that occur in the same patterns stand together; what encodings begin with stands alone. */
const CLASSES: readonly string[] = [
  "0123456789",
  "abcdefghijklmnopqrstuvwxyz_",
  "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  " ",
  "-",
  ".",
  "/",
  ":",
  "=",
  "&",
  "?",
  "%",
  "+",
  "\\",
  "'\"`",
  "()",
  "<>",
  "[]{}",
  ",",
  ";",
  "#",
  "*",
  "$",
  "@",
  "!|~^",
  "\t\n\v\f\r",
  "\0",
  "\xa0",
];
/** The rest: of control bytes, and of those beyond ASCII. */
const CONTROL = CLASSES.length;
const HIGH = CONTROL + 1;

/** The class of each byte, as its bit. */
export const CLASS_BIT_OF_BYTE: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  const index = CLASSES.findIndex((members) => members.includes(String.fromCharCode(byte)));
  return 1 << (index !== -1 ? index : byte > 0x7f ? HIGH : CONTROL);
});

/**
 * Plain values are made of words, numbers and what stands between them: names, sentences, dates, addresses, paths. Most
 * values are, and patterns of attacks have little to find in them.
 */
export const PLAIN_BYTES: ByteSet = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[\w .,:/@+\x80-\xff-]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

export const isPlain = (profile: number): boolean => (profile & NOT_PLAIN) === 0;

export function profileOf(text: string): number {
  let profile = 0;
  for (let i = 0; i < text.length; i += 1) profile |= CLASS_BIT_OF_BYTE[text.charCodeAt(i) & 0xff]!;
  return profile;
}

/** The profile of all values that hold these bytes and no others. */
export function profileOfSet(bytes: ByteSet): number {
  let profile = 0;
  for (let byte = 0; byte < 256; byte += 1) if (bytes[byte] === 1) profile |= CLASS_BIT_OF_BYTE[byte]!;
  return profile;
}

const NOT_PLAIN = profileOfSet(PLAIN_BYTES.map((is) => 1 - is));

/** Clauses kept of a pattern: those that few values satisfy come first. */
const CLAUSES_MAX = 4;

/** A value can match only if its profile shares a bit with each of these. */
export function requiredClasses(node: Node): readonly number[] {
  return best(clausesOf(node));
}

function clausesOf(node: Node): readonly number[] {
  switch (node.kind) {
    case "bytes":
      return [profileOfSet(node.bytes)];
    case "sequence":
      return best(node.parts.flatMap((part) => [...clausesOf(part)]));
    case "choice": {
      const [first, ...rest] = node.branches.map(clausesOf);
      // Each branch has its own; that one of a and one of b occurs, whichever branch it is, is all that can be said.
      return rest.reduce<readonly number[]>(
        (left, right) => best(left.flatMap((one) => right.map((other) => one | other))),
        first!,
      );
    }
    case "repeat":
      return node.min === 0 ? [] : clausesOf(node.node);
    case "group":
      return clausesOf(node.node);
    case "look":
      return node.negated ? [] : clausesOf(node.node);
    case "assertion":
    case "reference":
      return [];
  }
}

function best(clauses: readonly number[]): readonly number[] {
  const distinct = [...new Set(clauses)];
  return distinct.sort((left, right) => commonness(left) - commonness(right)).slice(0, CLAUSES_MAX);
}

const [DIGITS, LOWER, UPPER] = [1, 2, 4];

/** How likely a harmless value is to satisfy a clause: letters and digits are in nearly all. */
function commonness(clause: number): number {
  let sum = 0;
  for (let bit = 0; bit <= HIGH; bit += 1) if ((clause & (1 << bit)) !== 0) sum += 1;
  return sum + (clause & LOWER ? 100 : 0) + (clause & UPPER ? 50 : 0) + (clause & DIGITS ? 50 : 0);
}
