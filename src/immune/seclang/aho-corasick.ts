/**
 * Finds which of many phrases occur in a text, in one pass (Aho and Corasick, 1975): a trie of the phrases, in which
 * each state also knows where to go on when the next byte fits no phrase there.
 *
 * ASCII case is ignored, as rules want it. Edges lie in one map and not in a table of 256 columns a state: the longest
 * list of the Core Rule Set would make a table of 77 MB.
 */
export interface PhraseFinder {
  /** The phrase that ends first, as it stands in the text, or null. Of those that end there, the longest. */
  readonly first: (text: string) => string | null;
  /** Calls back with each occurring phrase's index; with an index again where it occurs again. */
  readonly each: (text: string, found: (phrase: number) => void) => void;
}

export function buildPhraseFinder(phrases: readonly string[]): PhraseFinder {
  const edges = new Map<number, number>();
  /** For each state: the phrases that end there, longest first, those of its failure states included. */
  const ends: Array<readonly number[]> = [[]];
  const parents: Array<{ parent: number; byte: number }> = [{ parent: 0, byte: 0 }];
  for (const [index, phrase] of phrases.entries()) {
    let state = 0;
    for (let i = 0; i < phrase.length; i += 1) {
      const byte = lower(phrase.charCodeAt(i));
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
  const failures = linkFailures(edges, ends, parents);
  const hasEnd = Uint8Array.from(ends, (list) => (list.length > 0 ? 1 : 0));
  const step = (state: number, byte: number): number => {
    let from = state;
    for (;;) {
      const next = edges.get(from * 256 + byte);
      if (next !== undefined) return next;
      if (from === 0) return 0;
      from = failures[from]!;
    }
  };
  return {
    first: (text) => {
      let state = 0;
      for (let i = 0; i < text.length; i += 1) {
        state = step(state, lower(text.charCodeAt(i)));
        if (hasEnd[state] === 1) return text.slice(i + 1 - phrases[ends[state]![0]!]!.length, i + 1);
      }
      return null;
    },
    each: (text, found) => {
      let state = 0;
      for (let i = 0; i < text.length; i += 1) {
        state = step(state, lower(text.charCodeAt(i)));
        if (hasEnd[state] === 1) for (const phrase of ends[state]!) found(phrase);
      }
    },
  };
}

/** For each state, the state of its longest proper suffix that is in the trie. Needs states in breadth-first order. */
function linkFailures(
  edges: ReadonlyMap<number, number>,
  ends: Array<readonly number[]>,
  parents: ReadonlyArray<{ parent: number; byte: number }>,
): Int32Array {
  const depths = new Int32Array(parents.length);
  for (let state = 1; state < parents.length; state += 1) depths[state] = depths[parents[state]!.parent]! + 1;
  const byDepth = Array.from({ length: parents.length }, (_, state) => state);
  byDepth.sort((left, right) => depths[left]! - depths[right]!);
  const failures = new Int32Array(parents.length);
  for (const state of byDepth) {
    if (depths[state]! < 2) continue;
    const { parent, byte } = parents[state]!;
    let from = failures[parent]!;
    while (from !== 0 && !edges.has(from * 256 + byte)) from = failures[from]!;
    const target = edges.get(from * 256 + byte) ?? 0;
    failures[state] = target;
    if (ends[target]!.length > 0) ends[state] = [...ends[state]!, ...ends[target]!];
  }
  return failures;
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte & 0xff);
