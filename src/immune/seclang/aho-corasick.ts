/**
 * Finds which of many phrases occur in a text, in one pass (Aho and Corasick, 1975): a trie of the phrases, in which
 * each state also knows where to go on when the next byte fits no phrase there.
 *
 * ASCII case is ignored, as rules want it. Up to a size the automaton is a table, one look-up a byte; its columns are
 * only the bytes that occur in phrases, and one for all others. Cells have two bytes, so that more of the table stays in
 * the processor's caches. Beyond, edges stay in a map: the longest list of the Core Rule Set would make a table of tens
 * of megabytes in each cell, for a rule that looks at responses only.
 */
export interface PhraseFinder {
  /** The phrase that ends first, as it stands in the text, or null. Of those that end there, the longest. */
  readonly first: (text: string) => string | null;
  /**
   * Calls back with each occurring phrase's index and where it ends; with an index again where it occurs again. Of
   * those that end at one place the longest comes first.
   */
  readonly each: (text: string, found: (phrase: number, end: number) => void) => void;
  /** From which it can be made again at once; null: it has none. */
  readonly tables: FinderTables | null;
}

export interface FinderTables {
  readonly phrases: readonly string[];
  /** Phrases that end in a state, longest first, of the states where any does. */
  readonly ends: ReadonlyMap<number, readonly number[]>;
  readonly columnCount: number;
  readonly columnOfByte: Uint8Array;
  /** From this state on, some phrase ends in each. */
  readonly firstEnd: number;
  /** By row (state) and column, the next state. */
  readonly table: Uint16Array;
}

/** States that a cell of the table can name. */
const TABLE_STATES_MAX = 65_536;
/** Cells of the table: 8 MB. */
const TABLE_CELLS_MAX = 4_000_000;

export function buildPhraseFinder(phrases: readonly string[]): PhraseFinder {
  const trie = breadthFirst(buildTrie(phrases));
  const failures = linkFailures(trie);
  const columns = columnsOf(trie);
  const states = trie.ends.length;
  if (states > TABLE_STATES_MAX || states * columns.count > TABLE_CELLS_MAX) return mapFinder(phrases, trie, failures);
  return finderFrom(buildTables(phrases, trie, failures, columns));
}

export function finderFrom(tables: FinderTables): PhraseFinder {
  const { phrases, ends, columnCount, columnOfByte, firstEnd, table } = tables;
  return {
    tables,
    first: (text) => {
      let state = 0;
      for (let i = 0; i < text.length; i += 1) {
        state = table[state * columnCount + columnOfByte[text.charCodeAt(i) & 0xff]!]!;
        if (state < firstEnd) continue;
        const [longest] = ends.get(state)!;
        return text.slice(i + 1 - phrases[longest!]!.length, i + 1);
      }
      return null;
    },
    each: (text, found) => {
      let state = 0;
      for (let i = 0; i < text.length; i += 1) {
        state = table[state * columnCount + columnOfByte[text.charCodeAt(i) & 0xff]!]!;
        if (state >= firstEnd) for (const phrase of ends.get(state)!) found(phrase, i + 1);
      }
    },
  };
}

function mapFinder(phrases: readonly string[], { edges, ends }: Trie, failures: Int32Array): PhraseFinder {
  const step = (state: number, byte: number): number => {
    const wanted = lower(byte);
    for (let from = state; ; from = failures[from]!) {
      const next = edges.get(from * 256 + wanted);
      if (next !== undefined) return next;
      if (from === 0) return 0;
    }
  };
  return {
    tables: null,
    first: (text) => {
      let state = 0;
      for (let i = 0; i < text.length; i += 1) {
        state = step(state, text.charCodeAt(i) & 0xff);
        if (ends[state]!.length > 0) return text.slice(i + 1 - phrases[ends[state]![0]!]!.length, i + 1);
      }
      return null;
    },
    each: (text, found) => {
      let state = 0;
      for (let i = 0; i < text.length; i += 1) {
        state = step(state, text.charCodeAt(i) & 0xff);
        for (const phrase of ends[state]!) found(phrase, i + 1);
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

/**
 * The same trie with its states numbered by depth. A text is mostly in the states of one or two bytes, and these then
 * lie together in memory.
 */
function breadthFirst({ edges, ends, parents }: Trie): Trie {
  const depths = new Int32Array(parents.length);
  // A state is made after its parent.
  for (let state = 1; state < parents.length; state += 1) depths[state] = depths[parents[state]!.parent]! + 1;
  const order = Array.from(parents.keys()).sort((left, right) => depths[left]! - depths[right]!);
  const place = new Int32Array(order.length);
  for (const [index, state] of order.entries()) place[state] = index;
  return {
    edges: new Map(
      Array.from(edges, ([key, next]) => [place[Math.floor(key / 256)]! * 256 + (key % 256), place[next]!]),
    ),
    ends: order.map((state) => ends[state]!),
    parents: order.map((state) => ({ parent: place[parents[state]!.parent]!, byte: parents[state]!.byte })),
  };
}

/** For each state, the state of its longest proper suffix that is in the trie. */
function linkFailures({ edges, ends, parents }: Trie): Int32Array {
  const failures = new Int32Array(parents.length);
  // By depth, so that the shorter suffixes are linked already.
  for (const [state, { parent, byte }] of parents.entries()) {
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

/** The states in which phrases end come last, otherwise they keep their order. */
function buildTables(
  phrases: readonly string[],
  { edges, ends, parents }: Trie,
  failures: Int32Array,
  { count, ofByte }: Columns,
): FinderTables {
  const states = parents.length;
  const next = new Int32Array(states * count);
  for (const [key, state] of edges) next[Math.floor(key / 256) * count + ofByte[key % 256]!] = state;
  for (let state = 1; state < states; state += 1) {
    // Filled in breadth-first order, so the failure state's row is whole. Column 0 leads back to the beginning.
    for (let column = 1; column < count; column += 1) {
      const cell = state * count + column;
      if (next[cell] === 0) next[cell] = next[failures[state]! * count + column]!;
    }
  }
  const isEnd = (state: number): boolean => ends[state]!.length > 0;
  const order = Array.from(parents.keys());
  const ordered = [...order.filter((state) => !isEnd(state)), ...order.filter(isEnd)];
  const place = new Int32Array(states);
  for (const [index, state] of ordered.entries()) place[state] = index;
  const table = new Uint16Array(states * count);
  for (const [index, state] of ordered.entries()) {
    for (let column = 0; column < count; column += 1)
      table[index * count + column] = place[next[state * count + column]!]!;
  }
  return {
    phrases,
    ends: new Map(order.filter(isEnd).map((state) => [place[state]!, ends[state]!])),
    columnCount: count,
    columnOfByte: ofByte,
    firstEnd: order.length - order.filter(isEnd).length,
    table,
  };
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);
