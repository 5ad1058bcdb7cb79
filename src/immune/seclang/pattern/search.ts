/**
 * The bounded engine: finds what V8's would find, in time that grows with the value's length times the pattern's size
 * at most, however the value is made. The match and its groups are V8's too, but for loops over something that can be
 * empty, `(a*)+`: there both match, and may differ in how much they take.
 *
 * It backtracks as V8 does, in the same order, but notes at each memo point (program.ts) the places of the value where
 * it has been: a way that led nowhere once leads nowhere again, also from another beginning. It is several times as
 * slow as V8 on harmless values, and so it runs only those for which V8 has no bound (cost.ts).
 *
 * Each step is charged to a meter, and where that is spent the search ends without an answer: the caller must take
 * that for the worst. References to groups make notes useless, so patterns with them have the meter only.
 */
import type { Program } from "./program.ts";
import { ASSERTIONS, LOOK_NEGATED, OP } from "./program.ts";
import { otherCase } from "./parse.ts";

/** How many steps may still be made. Below 0: the last search was given up. */
export interface Meter {
  left: number;
}

export type Found = ReadonlyArray<string | undefined>;

/** A value as the engine reads it. Bytes are read faster than characters, and are shared by all patterns. */
export interface Searched {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** The whole match, then the groups; null: none, or the meter is spent. */
export function search(program: Program, value: Searched, meter: Meter): Found | null {
  const state: State = {
    program,
    bytes: value.bytes,
    meter,
    slots: new Int32Array(program.slotCount).fill(-1),
    visited: visitedFor(program, value.bytes.length),
    journal: null,
  };
  // Clearing the notes is work too, if cheap.
  meter.left -= state.visited.length >> 7;
  const { starts, isAnchored } = program;
  const last = isAnchored ? 0 : value.bytes.length;
  const { bytes } = value;
  for (let at = 0; at <= last; at += 1) {
    if (starts !== null) {
      const from = at;
      while (at < bytes.length && starts[bytes[at]!] === 0) at += 1;
      // Eight bytes passed over cost as much as one step.
      meter.left -= (at - from) >> 3;
      if (at > last || at === bytes.length) return null;
    }
    if (run(state, 0, at) !== -1) return foundIn(program, value.text, state.slots);
    if (meter.left < 0) return null;
  }
  return null;
}

interface State {
  readonly program: Program;
  readonly bytes: Uint8Array;
  readonly meter: Meter;
  readonly slots: Int32Array;
  /** A bit for each memo point and place. */
  readonly visited: Uint8Array;
  /** Within a look-around: the bits that it set, to be taken back if it succeeds (its ways did lead somewhere). */
  journal: number[] | null;
}

/** Kept for the next search: most values need little. */
const KEPT_BYTES_MAX = 1024 * 1024;
let kept = new Uint8Array(64 * 1024);

function visitedFor(program: Program, length: number): Uint8Array {
  const size = program.hasReference ? 0 : Math.ceil((program.memoCount * (length + 1)) / 8);
  // Memory fresh from the system is zero without anybody clearing it.
  if (size > KEPT_BYTES_MAX) return new Uint8Array(size);
  if (kept.length < size) kept = new Uint8Array(Math.min(KEPT_BYTES_MAX, 2 * size));
  return kept.subarray(0, size).fill(0);
}

function foundIn({ groupCount }: Program, text: string, slots: Int32Array): Found {
  const found: Array<string | undefined> = [];
  for (let slot = 0; slot < 2 * groupCount; slot += 2) {
    const [from, to] = [slots[slot]!, slots[slot + 1]!];
    found.push(from === -1 || to === -1 ? undefined : text.slice(from, to));
  }
  return found;
}

/** Runs the program from one place. Gives where it ended, or -1. What was caught is in the slots. */
function run(state: State, start: number, from: number): number {
  const { program, bytes, slots, visited, meter } = state;
  const { code, sets, hasReference } = program;
  const { length } = bytes;
  const places = length + 1;
  // Ways still to be tried, as instruction and place; and what slots held, as -1 - slot and place.
  const stack: number[] = [];
  let pc = start;
  let at = from;
  let steps = 0;
  for (;;) {
    steps += 1;
    const operand = code[3 * pc + 1]!;
    let fails = false;
    switch (code[3 * pc]!) {
      case OP.BYTES:
        if (at < length && sets[operand + bytes[at]!] === 1) {
          at += 1;
          pc += 1;
        } else fails = true;
        break;
      case OP.BYTES_BACK:
        if (at > 0 && sets[operand + bytes[at - 1]!] === 1) {
          at -= 1;
          pc += 1;
        } else fails = true;
        break;
      case OP.SPLIT:
        stack.push(code[3 * pc + 2]!, at);
        pc = operand;
        break;
      case OP.JUMP:
        pc = operand;
        break;
      case OP.SAVE:
      case OP.TURN:
        stack.push(-1 - operand, slots[operand]!);
        slots[operand] = at;
        pc += 1;
        break;
      case OP.ASSERT:
        if (holds(operand, bytes, at)) pc += 1;
        else fails = true;
        break;
      case OP.MEMO: {
        if (!hasReference) {
          const bit = operand * places + at;
          const mask = 1 << (bit & 7);
          if ((visited[bit >>> 3]! & mask) !== 0) {
            fails = true;
            break;
          }
          visited[bit >>> 3]! |= mask;
          state.journal?.push(bit);
        }
        pc += 1;
        break;
      }
      case OP.LOOK: {
        const isNegated = code[3 * pc + 2] === LOOK_NEGATED;
        if (look(state, pc + 1, at, stack, isNegated) === isNegated) fails = true;
        else pc = operand;
        break;
      }
      case OP.REFERENCE: {
        const [first, end] = [slots[2 * operand]!, slots[2 * operand + 1]!];
        // A group that caught nothing stands for nothing.
        const size = first === -1 || end === -1 ? 0 : end - first;
        steps += size;
        if (isRepeated(bytes, first, at, size, code[3 * pc + 2] === 1)) {
          at += size;
          pc += 1;
        } else fails = true;
        break;
      }
      case OP.PROGRESS:
        if (slots[operand] === at) fails = true;
        else pc += 1;
        break;
      case OP.FORGET:
        for (let slot = 2 * operand; slot <= 2 * code[3 * pc + 2]! + 1; slot += 1) {
          if (slots[slot] === -1) continue;
          stack.push(-1 - slot, slots[slot]!);
          slots[slot] = -1;
        }
        pc += 1;
        break;
      default:
        meter.left -= steps;
        return at;
    }
    if (!fails) continue;
    if (steps > STEPS_BETWEEN_LOOKS) {
      meter.left -= steps;
      steps = 0;
    }
    for (;;) {
      if (stack.length > STACK_MAX) meter.left = -1;
      if (stack.length === 0 || meter.left < 0) {
        meter.left -= steps;
        return -1;
      }
      at = stack.pop()!;
      pc = stack.pop()!;
      if (pc >= 0) break;
      slots[-1 - pc] = at;
    }
  }
}

/** Numbers on the stack: a loop leaves two for each byte that it takes, so this is reached only without notes. */
const STACK_MAX = 8_000_000;
/** How often the meter is read. */
const STEPS_BETWEEN_LOOKS = 1000;

/** Whether what a look-around holds succeeds at a place. What it caught can be taken back by way of the stack. */
function look(state: State, start: number, at: number, stack: number[], isNegated: boolean): boolean {
  const before = state.slots.slice();
  const outer = state.journal;
  state.journal = [];
  const end = run(state, start, at);
  const { journal, visited, slots } = state;
  if (end !== -1) for (const bit of journal) visited[bit >>> 3]! &= ~(1 << (bit & 7));
  state.journal = outer;
  for (let slot = 0; slot < slots.length; slot += 1) {
    if (slots[slot] === before[slot]) continue;
    if (end === -1 || isNegated) slots[slot] = before[slot]!;
    else stack.push(-1 - slot, before[slot]!);
  }
  return end !== -1;
}

function isRepeated(bytes: Uint8Array, first: number, at: number, size: number, ignoreCase: boolean): boolean {
  if (at + size > bytes.length) return false;
  for (let i = 0; i < size; i += 1) {
    const [left, right] = [bytes[first + i]!, bytes[at + i]!];
    if (left !== right && !(ignoreCase && otherCase(left) === right)) return false;
  }
  return true;
}

const [START, END, LINE_START, LINE_END, WORD_EDGE] = ASSERTIONS.keys();

function holds(assertion: number, bytes: Uint8Array, at: number): boolean {
  switch (assertion) {
    case START:
      return at === 0;
    case END:
      return at === bytes.length;
    case LINE_START:
      return at === 0 || isLineEnd(bytes[at - 1]!);
    case LINE_END:
      return at === bytes.length || isLineEnd(bytes[at]!);
    default: {
      const isEdge = isWord(bytes, at - 1) !== isWord(bytes, at);
      return isEdge === (assertion === WORD_EDGE);
    }
  }
}

const isLineEnd = (byte: number): boolean => byte === 10 || byte === 13;

function isWord(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at];
  return byte !== undefined && WORD[byte] === 1;
}

const WORD = Uint8Array.from({ length: 256 }, (_, byte) => (/\w/.test(String.fromCharCode(byte)) ? 1 : 0));
