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
 * ASCII case is ignored throughout.
 */
import type { ByteSet, Node, Pattern } from "./pattern/parse.ts";

/** Of these one must occur in the value, ASCII case ignored; null: nothing is known. */
export function requiredLiterals({ root }: Pattern): readonly string[] | null {
  const part = partOf(root);
  return better(usable(part.exact), part.required);
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

function partOf(node: Node): Part {
  switch (node.kind) {
    case "bytes":
      return ofBytes(node.bytes);
    case "sequence":
      return ofSequence(node.parts);
    case "choice":
      return ofChoice(node.branches);
    case "repeat":
      return repeat(partOf(node.node), node.min, node.max);
    case "group":
      return partOf(node.node);
    case "look":
    case "assertion":
      return EMPTY;
    case "reference":
      return NOTHING_KNOWN;
  }
}

function ofChoice(nodes: readonly Node[]): Part {
  const branches = nodes.map(partOf);
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

function ofSequence(nodes: readonly Node[]): Part {
  let run: readonly string[] = [""];
  let required: readonly string[] | null = null;
  let isExact = true;
  for (const node of nodes) {
    const part = partOf(node);
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

/** Classes of more bytes than this, cases not counted, are taken for "anything". */
const CLASS_BYTES_MAX = 4;

function ofBytes(bytes: ByteSet): Part {
  const exact: string[] = [];
  for (let byte = 0; byte < 256; byte += 1) {
    if (bytes[byte] === 0) continue;
    const lower = String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);
    if (!exact.includes(lower)) exact.push(lower);
    if (exact.length > CLASS_BYTES_MAX) return NOTHING_KNOWN;
  }
  return exact.length === 0 ? NOTHING_KNOWN : { exact, required: null };
}

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
