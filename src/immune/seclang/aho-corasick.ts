/**
 * Finds which of many phrases occur in a text, in one pass (Aho and Corasick, 1975): a trie of the phrases, in which
 * each state also knows where to go on when the next byte fits no phrase there.
 *
 * ASCII case is ignored, as rules want it. Up to a size the automaton is a table, one look-up a byte; its columns are
 * only the bytes that occur in phrases, and one for all others. Beyond, edges stay in a map: the longest list of the
 * Core Rule Set would make a table of tens of megabytes in each cell, for a rule that looks at responses only.
 */
export interface PhraseFinder {
  /** The phrase that ends first, as it stands in the text, or null. Of those that end there, the longest. */
  readonly first: (text: string) => string | null;
  /** Calls back with each occurring phrase's index; with an index again where it occurs again. */
  readonly each: (text: string, found: (phrase: number) => void) => void;
}

/** Cells of the table: 16 MB of 32-bit numbers. */
const TABLE_CELLS_MAX = 4_000_000;

export function buildPhraseFinder(phrases: readonly string[]): PhraseFinder {
  const trie = buildTrie(phrases);
  const order = breadthFirst(trie);
  const failures = linkFailures(trie, order);
  const columns = columnsOf(trie);
  const step =
    trie.ends.length * columns.count <= TABLE_CELLS_MAX
      ? tableStep(trie, order, failures, columns)
      : mapStep(trie, failures);
  const { ends } = trie;
  const hasEnd = Uint8Array.from(ends, (list) => (list.length > 0 ? 1 : 0));
  return {
    first: (text) => {
      let state = 0;
      for (let i = 0; i < text.length; i += 1) {
        state = step(state, text.charCodeAt(i) & 0xff);
        if (hasEnd[state] === 1) return text.slice(i + 1 - phrases[ends[state]![0]!]!.length, i + 1);
      }
      return null;
    },
    each: (text, found) => {
      let state = 0;
      for (let i = 0; i < text.length; i += 1) {
        state = step(state, text.charCodeAt(i) & 0xff);
        if (hasEnd[state] === 1) for (const phrase of ends[state]!) found(phrase);
      }
    },
  };
}

interface Trie {
  /** state * 256 + byte, in lower case, to the next state. State 0 is the beginning. */
  readonly edges: ReadonlyMap<number, number>;
  /** For each state: the phrases that end there, longest first; with those of its failure states once linked. */
  readonly ends: Array<readonly number[]>;
  readonly parents: ReadonlyArray<{ readonly parent: number; readonly byte: number }>;
}

type Step = (state: number, byte: number) => number;

function buildTrie(phrases: readonly string[]): Trie {
  const edges = new Map<number, number>();
  const ends: Array<readonly number[]> = [[]];
  const parents = [{ parent: 0, byte: 0 }];
  for (const [index, phrase] of phrases.entries()) {
    let state = 0;
    for (let i = 0; i < phrase.length; i += 1) {
      const byte = lower(phrase.charCodeAt(i) & 0xff);
      const key = state * 256 + byte;
      let next = edges.get(key);
      if (next === undefined) {
        next = ends.length;
        edges.set(key, next);
        ends.push([]);
        parents.push({ parent: state, byte });
      }
      state = next;
    }
    // The empty phrase ends everywhere and says nothing.
    if (phrase !== "") ends[state] = [...ends[state]!, index];
  }
  return { edges, ends, parents };
}

function breadthFirst({ parents }: Trie): number[] {
  const depths = new Int32Array(parents.length);
  // A state is made after its parent.
  for (let state = 1; state < parents.length; state += 1) depths[state] = depths[parents[state]!.parent]! + 1;
  return Array.from(parents.keys()).sort((left, right) => depths[left]! - depths[right]!);
}

/** For each state, the state of its longest proper suffix that is in the trie. */
function linkFailures({ edges, ends, parents }: Trie, order: readonly number[]): Int32Array {
  const failures = new Int32Array(parents.length);
  for (const state of order) {
    const { parent, byte } = parents[state]!;
    if (parent === 0) continue;
    let from = failures[parent]!;
    while (from !== 0 && !edges.has(from * 256 + byte)) from = failures[from]!;
    const target = edges.get(from * 256 + byte) ?? 0;
    failures[state] = target;
    if (ends[target]!.length > 0) ends[state] = [...ends[state]!, ...ends[target]!];
  }
  return failures;
}

interface Columns {
  readonly count: number;
  /** The column of each byte, upper case going with lower; 0 for those in no phrase. */
  readonly ofByte: Uint8Array;
}

function columnsOf({ parents }: Trie): Columns {
  const ofByte = new Uint8Array(256);
  let count = 1;
  for (const { byte } of parents.slice(1)) {
    if (ofByte[byte] !== 0) continue;
    ofByte[byte] = count;
    // At most 230 columns: upper case letters have none of their own.
    if (byte >= 0x61 && byte <= 0x7a) ofByte[byte - 0x20] = count;
    count += 1;
  }
  return { count, ofByte };
}

function tableStep({ edges, parents }: Trie, order: readonly number[], failures: Int32Array, columns: Columns): Step {
  const { count, ofByte } = columns;
  const table = new Int32Array(parents.length * count);
  for (const [key, next] of edges) table[Math.floor(key / 256) * count + ofByte[key % 256]!] = next;
  for (const state of order) {
    if (state === 0) continue;
    const failure = failures[state]! * count;
    // Filled in breadth-first order, so the failure state's row is whole. Column 0 leads back to the beginning.
    for (let column = 1; column < count; column += 1) {
      const cell = state * count + column;
      if (table[cell] === 0) table[cell] = table[failure + column]!;
    }
  }
  return (state, byte) => table[state * count + ofByte[byte]!]!;
}

function mapStep({ edges }: Trie, failures: Int32Array): Step {
  return (state, byte) => {
    const wanted = lower(byte);
    for (let from = state; ; from = failures[from]!) {
      const next = edges.get(from * 256 + wanted);
      if (next !== undefined) return next;
      if (from === 0) return 0;
    }
  };
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);
