/**
 * Tells whether a pattern occurs in a text, with one look-up a byte: a deterministic automaton, made while it runs.
 *
 * Each state stands for all places of the program (program.ts) at which a backtracking search could be at once; a
 * transition, once worked out, is kept. Traffic of one kind needs few states, so that after a while nearly all there is
 * to do is to follow them: no value makes it backtrack, for there is nothing to go back to. (The way of RE2.)
 *
 * States are made by the client's bytes, so they are bounded, all automata together: when they are too many, all are
 * forgotten. A value that needs ever new ones is left to the bounded engine (search.ts), which needs no memory of
 * others. What an automaton cannot do is say what the groups caught, look around, and refer back.
 */
import type { Program } from "./program.ts";
import { ASSERTIONS, OP } from "./program.ts";
import type { Meter } from "./search.ts";

export interface Automaton {
  /** Null: given up, for too many states were needed, or the meter is spent. */
  readonly occurs: (text: string, meter: Meter) => boolean | null;
}

/** Memory of all automata together, in numbers of four bytes: 40 MB. */
const NUMBERS_MAX = 10_000_000;
/** States that one search may make. Making one costs up to as many steps as the program has instructions. */
const STATES_PER_SEARCH_MAX = 200;
/** More bytes allow more states: one in so many bytes. */
const BYTES_PER_STATE = 16;

/** Shared by all automata of a process: each notes its epoch, and begins anew when it is over. */
const memory = { numbers: 0, epoch: 0 };

export function forgetAutomata(): void {
  memory.numbers = 0;
  memory.epoch += 1;
}

const UNKNOWN = -1;
const FOUND = -2;
const DEAD = -3;

/** What stands before a place, as far as assertions ask. */
const [AT_START, AFTER_OTHER, AFTER_WORD, AFTER_LINE_END] = [0, 1, 2, 3];

interface State {
  /** Places that wait for a byte, and assertions that wait to know it. */
  readonly places: Int32Array;
  readonly before: number;
  /** UNKNOWN, FOUND or DEAD: what it comes to if the text ends here. */
  atEnd: number;
}

/** Null: the pattern looks around or refers back. */
export function buildAutomaton(program: Program): Automaton | null {
  const { code, sets, isAnchored } = program;
  let hasAssertions = false;
  for (let pc = 0; 3 * pc < code.length; pc += 1) {
    const op = code[3 * pc]!;
    if (op === OP.LOOK || op === OP.REFERENCE || op === OP.BYTES_BACK) return null;
    hasAssertions ||= op === OP.ASSERT;
  }
  const { classOf, samples } = byteClasses(program, hasAssertions);
  const width = samples.length;
  const seen = new Uint32Array(code.length / 3);
  let turn = 0;

  let epoch = -1;
  let states: State[] = [];
  let byKey = new Map<string, number>();
  let table = new Int32Array(0);
  let startState = 0;

  function beginAnew(): void {
    epoch = memory.epoch;
    states = [];
    byKey = new Map();
    table = new Int32Array(width * 16);
    startState = stateOf([0], AT_START);
  }

  /** The row of the state's transitions; FOUND where the pattern has been found by then. */
  function stateOf(from: readonly number[], before: number): number {
    const places: number[] = [];
    turn += 1;
    for (const pc of from) if (follow(pc, places, null)) return FOUND;
    if (places.length === 0) return DEAD;
    const sorted = Int32Array.from(places).sort();
    const key = `${hasAssertions ? before : 0}:${sorted.join()}`;
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const row = states.length * width;
    states.push({ places: sorted, before, atEnd: UNKNOWN });
    byKey.set(key, row);
    if (row + width > table.length) {
      const larger = new Int32Array(2 * table.length);
      larger.set(table);
      table = larger;
    }
    table.fill(UNKNOWN, row, row + width);
    // The key is text: a byte for each digit.
    memory.numbers += sorted.length + width + (key.length >> 2) + STATE_OVERHEAD;
    return row;
  }

  /**
   * Adds the places that wait for a byte; gives true where the pattern's end is reached. Assertions wait too, unless
   * it is known what is on both sides.
   */
  function follow(start: number, places: number[], around: { before: number; next: number } | null): boolean {
    const stack = [start];
    while (stack.length > 0) {
      const pc = stack.pop()!;
      if (seen[pc] === turn) continue;
      seen[pc] = turn;
      const op = code[3 * pc]!;
      if (op === OP.MATCH) return true;
      if (op === OP.BYTES) places.push(pc);
      else if (op === OP.SPLIT) stack.push(code[3 * pc + 2]!, code[3 * pc + 1]!);
      else if (op === OP.JUMP) stack.push(code[3 * pc + 1]!);
      else if (op === OP.ASSERT && around === null) places.push(pc);
      else if (op !== OP.ASSERT || holds(code[3 * pc + 1]!, around!.before, around!.next)) stack.push(pc + 1);
    }
    return false;
  }

  /** `sample`: a byte of the class that comes next, or -1 at the text's end. */
  function transition(state: State, sample: number, meter: Meter): number {
    const waiting: number[] = [];
    const next = sample === -1 ? AT_END : kindOf(sample);
    turn += 1;
    for (const pc of state.places) {
      if (code[3 * pc] === OP.BYTES) waiting.push(pc);
      else if (follow(pc, waiting, { before: state.before, next })) return FOUND;
    }
    meter.left -= waiting.length + state.places.length;
    if (sample === -1) return DEAD;
    const after: number[] = [];
    for (const pc of waiting) if (sets[code[3 * pc + 1]! + sample] === 1) after.push(pc + 1);
    // A match may begin at each place.
    if (!isAnchored) after.push(0);
    meter.left -= after.length;
    return stateOf(after, next);
  }

  return {
    occurs: (text, meter) => {
      if (memory.numbers > NUMBERS_MAX) forgetAutomata();
      if (epoch !== memory.epoch) beginAnew();
      // Two bytes are about a step.
      meter.left -= 1 + (text.length >> 1);
      let row = startState;
      let left = STATES_PER_SEARCH_MAX + text.length / BYTES_PER_STATE;
      for (let at = 0; at < text.length; at += 1) {
        if (row < 0) return row === FOUND;
        const column = classOf[text.charCodeAt(at) & 0xff]!;
        let to = table[row + column]!;
        if (to === UNKNOWN) {
          left -= 1;
          if (left < 0 || meter.left < 0) return null;
          const from = row;
          to = transition(states[row / width]!, samples[column]!, meter);
          table[from + column] = to;
        }
        row = to;
      }
      if (row < 0) return row === FOUND;
      const last = states[row / width]!;
      if (last.atEnd === UNKNOWN) last.atEnd = transition(last, -1, meter);
      return last.atEnd === FOUND;
    },
  };
}

/** What an object and a map's entry take, about. */
const STATE_OVERHEAD = 40;

/** What comes next, as far as assertions ask: the kinds of AFTER_..., or the end. */
const AT_END = 0;

function kindOf(byte: number): number {
  if (byte === 10 || byte === 13) return AFTER_LINE_END;
  return /\w/.test(String.fromCharCode(byte)) ? AFTER_WORD : AFTER_OTHER;
}

const [START, END, LINE_START, LINE_END, WORD_EDGE] = ASSERTIONS.keys();

function holds(assertion: number, before: number, next: number): boolean {
  switch (assertion) {
    case START:
      return before === AT_START;
    case END:
      return next === AT_END;
    case LINE_START:
      return before === AT_START || before === AFTER_LINE_END;
    case LINE_END:
      return next === AT_END || next === AFTER_LINE_END;
    default: {
      const isEdge = (before === AFTER_WORD) !== (next === AFTER_WORD);
      return isEdge === (assertion === WORD_EDGE);
    }
  }
}

/** Bytes that no set of the program tells apart share a column. */
function byteClasses({ sets }: Program, hasAssertions: boolean): { classOf: Uint8Array; samples: readonly number[] } {
  const classOf = new Uint8Array(256);
  const samples: number[] = [];
  const byKey = new Map<string, number>();
  for (let byte = 0; byte < 256; byte += 1) {
    let key = hasAssertions ? String(kindOf(byte)) : "";
    for (let set = 0; set < sets.length; set += 256) key += sets[set + byte];
    let index = byKey.get(key);
    if (index === undefined) {
      index = samples.push(byte) - 1;
      byKey.set(key, index);
    }
    classOf[byte] = index;
  }
  return { classOf, samples };
}
