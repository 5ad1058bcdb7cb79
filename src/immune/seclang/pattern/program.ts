/**
 * Turns a pattern's tree into a program for the bounded engine (search.ts): a list of instructions, of which each but a
 * few goes on with the next one. Repetitions with counts are written out.
 *
 * *Memo points* stand where ways through the pattern meet: at the head of each loop, behind each choice. There the
 * engine notes that it has been at this place of the value, and never goes on from there a second time: so each piece
 * of the program between two such points runs at most once for each place of the value.
 */
import { assert } from "../../../lib/assert.ts";
import type { Assertion, ByteSet, Node, Pattern } from "./parse.ts";

/** Three numbers an instruction: what to do, and two operands. */
export interface Program {
  readonly code: Int32Array;
  /** Byte sets of the program one behind the other, 256 to each. */
  readonly sets: Uint8Array;
  readonly memoCount: number;
  /** Capturing groups, the whole counted. */
  readonly groupCount: number;
  /** Two places for each group, and one for each loop that could turn without taking anything. */
  readonly slotCount: number;
  /** Bytes with which a match can begin; null: it can be empty, or anything. */
  readonly starts: ByteSet | null;
  /** A match begins at the value's beginning only. */
  readonly isAnchored: boolean;
  /** What was noted would be wrong where a reference makes the same place mean different things. */
  readonly hasReference: boolean;
}

export const OP = {
  /** Set: the next byte is of it. */
  BYTES: 0,
  /** The same, backwards (within a look-behind). */
  BYTES_BACK: 1,
  /** First, then, if that fails, second. */
  SPLIT: 2,
  JUMP: 3,
  /** Slot: note the place. */
  SAVE: 4,
  /** Which (ASSERTIONS). */
  ASSERT: 5,
  /** Number of the memo point. */
  MEMO: 6,
  /** Where to go on; what is behind it up to MATCH is tried on its own. Second operand: LOOK_NEGATED. */
  LOOK: 7,
  /** Group; 1: case is ignored. */
  REFERENCE: 8,
  /** First and last group: what they caught in the turn before is forgotten. */
  FORGET: 9,
  MATCH: 10,
  /** Slot: a turn of a loop over what can be empty begins here. */
  TURN: 11,
  /** Slot: fails where the turn took up nothing, as V8 has it. */
  PROGRESS: 12,
} as const;

export const ASSERTIONS: readonly Assertion[] = ["start", "end", "line-start", "line-end", "word-edge", "no-word-edge"];
export const LOOK_NEGATED = 1;

/**
 * Instructions of one program. A count within a count multiplies; the largest of the Core Rule Set has a few thousand.
 * A pattern beyond it is refused when the rule set is loaded.
 */
export const INSTRUCTIONS_MAX = 200_000;

/** Null: the pattern is too large. */
export function buildProgram(pattern: Pattern): Program | null {
  const writer: Writer = {
    code: [],
    sets: [],
    setIndex: new Map(),
    memoCount: 0,
    slotCount: 2 * pattern.groupCount,
    hasReference: false,
    back: false,
  };
  emit(writer, OP.SAVE, 0);
  write(writer, pattern.root);
  emit(writer, OP.SAVE, 1);
  emit(writer, OP.MATCH);
  if (writer.code.length > 3 * INSTRUCTIONS_MAX) return null;
  const sets = new Uint8Array(256 * writer.sets.length);
  for (const [index, set] of writer.sets.entries()) sets.set(set, 256 * index);
  const starts = startsOf(pattern.root);
  return {
    code: Int32Array.from(writer.code),
    sets,
    memoCount: writer.memoCount,
    groupCount: pattern.groupCount,
    slotCount: writer.slotCount,
    starts: starts.canBeEmpty ? null : starts.bytes,
    isAnchored: isAnchored(pattern.root),
    hasReference: writer.hasReference,
  };
}

interface Writer {
  readonly code: number[];
  readonly sets: ByteSet[];
  /** Sets by identity: the parser gives the same letter and the same class the same set. */
  readonly setIndex: Map<ByteSet, number>;
  memoCount: number;
  slotCount: number;
  hasReference: boolean;
  /** Within a look-behind: parts in reverse, bytes backwards. */
  back: boolean;
}

/** Gives the instruction's place, to fill in its operands later. */
function emit(writer: Writer, op: number, first = 0, second = 0): number {
  writer.code.push(op, first, second);
  return writer.code.length / 3 - 1;
}

const here = (writer: Writer): number => writer.code.length / 3;

function write(writer: Writer, node: Node): void {
  // Too large already: buildProgram says so. Without this a count of counts would fill the memory first.
  if (writer.code.length > 3 * INSTRUCTIONS_MAX) return;
  switch (node.kind) {
    case "bytes":
      emit(writer, writer.back ? OP.BYTES_BACK : OP.BYTES, 256 * setNumber(writer, node.bytes));
      return;
    case "sequence":
      for (const part of writer.back ? node.parts.toReversed() : node.parts) write(writer, part);
      return;
    case "choice":
      writeChoice(writer, node.branches);
      return;
    case "repeat":
      writeRepeat(writer, node);
      return;
    case "group":
      emit(writer, OP.SAVE, 2 * node.index + (writer.back ? 1 : 0));
      write(writer, node.node);
      emit(writer, OP.SAVE, 2 * node.index + (writer.back ? 0 : 1));
      return;
    case "look": {
      const look = emit(writer, OP.LOOK, 0, node.negated ? LOOK_NEGATED : 0);
      const { back } = writer;
      writer.back = node.behind;
      write(writer, node.node);
      writer.back = back;
      emit(writer, OP.MATCH);
      writer.code[3 * look + 1] = here(writer);
      return;
    }
    case "assertion":
      emit(writer, OP.ASSERT, ASSERTIONS.indexOf(node.what));
      return;
    case "reference":
      assert(!writer.back, "regex.ts lets no reference into a look-behind");
      writer.hasReference = true;
      emit(writer, OP.REFERENCE, node.group, node.ignoreCase ? 1 : 0);
  }
}

function setNumber(writer: Writer, set: ByteSet): number {
  let index = writer.setIndex.get(set);
  if (index === undefined) {
    index = writer.sets.push(set) - 1;
    writer.setIndex.set(set, index);
  }
  return index;
}

function writeChoice(writer: Writer, branches: readonly Node[]): void {
  const ends: number[] = [];
  for (const [index, branch] of branches.entries()) {
    const isLast = index === branches.length - 1;
    const split = isLast ? -1 : emit(writer, OP.SPLIT, here(writer) + 1);
    write(writer, branch);
    if (isLast) break;
    ends.push(emit(writer, OP.JUMP));
    writer.code[3 * split + 2] = here(writer);
  }
  for (const end of ends) writer.code[3 * end + 1] = here(writer);
  writeMemo(writer);
}

function writeMemo(writer: Writer): void {
  emit(writer, OP.MEMO, writer.memoCount);
  writer.memoCount += 1;
}

function writeRepeat(writer: Writer, { node, min, max, lazy }: Extract<Node, { kind: "repeat" }>): void {
  const groups = groupsWithin(node);
  const turn = (): void => {
    if (groups !== null) emit(writer, OP.FORGET, groups.first, groups.last);
    write(writer, node);
  };
  let slot = -1;
  if (max > min && startsOf(node).canBeEmpty) {
    slot = writer.slotCount;
    writer.slotCount += 1;
  }
  for (let i = 0; i < min && writer.code.length <= 3 * INSTRUCTIONS_MAX; i += 1) turn();
  if (max === Infinity) {
    const head = here(writer);
    writeMemo(writer);
    const split = emit(writer, OP.SPLIT);
    if (slot !== -1) emit(writer, OP.TURN, slot);
    turn();
    if (slot !== -1) emit(writer, OP.PROGRESS, slot);
    emit(writer, OP.JUMP, head);
    setSplit(writer, split, split + 1, here(writer), lazy);
    return;
  }
  const splits: number[] = [];
  for (let i = min; i < max && writer.code.length <= 3 * INSTRUCTIONS_MAX; i += 1) {
    splits.push(emit(writer, OP.SPLIT));
    if (slot !== -1) emit(writer, OP.TURN, slot);
    turn();
    if (slot !== -1) emit(writer, OP.PROGRESS, slot);
    writeMemo(writer);
  }
  for (const split of splits) setSplit(writer, split, split + 1, here(writer), lazy);
  if (splits.length > 0) writeMemo(writer);
}

function setSplit(writer: Writer, split: number, inside: number, outside: number, lazy: boolean): void {
  writer.code[3 * split + 1] = lazy ? outside : inside;
  writer.code[3 * split + 2] = lazy ? inside : outside;
}

function groupsWithin(node: Node): { readonly first: number; readonly last: number } | null {
  switch (node.kind) {
    case "group": {
      const inner = groupsWithin(node.node);
      return { first: node.index, last: inner?.last ?? node.index };
    }
    case "sequence":
    case "choice": {
      const all = (node.kind === "sequence" ? node.parts : node.branches)
        .map(groupsWithin)
        .filter((each) => each !== null);
      return all.length === 0 ? null : { first: all[0]!.first, last: all.at(-1)!.last };
    }
    case "repeat":
    case "look":
      return groupsWithin(node.node);
    case "bytes":
    case "assertion":
    case "reference":
      return null;
  }
}

interface Starts {
  readonly bytes: ByteSet;
  readonly canBeEmpty: boolean;
}

/** With which bytes a match can begin. What takes up no byte is passed over: a place where it would hold is not lost. */
function startsOf(node: Node): Starts {
  switch (node.kind) {
    case "bytes":
      return { bytes: node.bytes, canBeEmpty: false };
    case "assertion":
    case "look":
      return { bytes: new Uint8Array(256), canBeEmpty: true };
    case "reference":
      return { bytes: new Uint8Array(256).fill(1), canBeEmpty: true };
    case "group":
      return startsOf(node.node);
    case "repeat": {
      const inner = startsOf(node.node);
      return { bytes: inner.bytes, canBeEmpty: inner.canBeEmpty || node.min === 0 };
    }
    case "choice": {
      const all = node.branches.map(startsOf);
      return { bytes: union(all), canBeEmpty: all.some((each) => each.canBeEmpty) };
    }
    case "sequence": {
      const seen: Starts[] = [];
      for (const part of node.parts) {
        const starts = startsOf(part);
        seen.push(starts);
        if (!starts.canBeEmpty) return { bytes: union(seen), canBeEmpty: false };
      }
      return { bytes: union(seen), canBeEmpty: true };
    }
  }
}

function union(all: readonly Starts[]): ByteSet {
  const bytes = new Uint8Array(256);
  for (const each of all) for (let byte = 0; byte < 256; byte += 1) if (each.bytes[byte] === 1) bytes[byte] = 1;
  return bytes;
}

/** Whether a match can begin at the value's beginning only. */
export function isAnchored(node: Node): boolean {
  switch (node.kind) {
    case "assertion":
      return node.what === "start";
    case "group":
      return isAnchored(node.node);
    case "sequence":
      return node.parts.length > 0 && isAnchored(node.parts[0]!);
    case "choice":
      return node.branches.every(isAnchored);
    case "repeat":
      return node.min > 0 && isAnchored(node.node);
    case "bytes":
    case "look":
    case "reference":
      return false;
  }
}
