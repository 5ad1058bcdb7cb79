/**
 * A small deterministic generator (sfc32, from PractRand's author Chris Doty-Humphrey, public domain algorithm)
 * over four 32-bit words, as a value: drawing returns the number and the next state. The core keeps one per cell,
 * so that the same seed gives the same history. Not for keys or tokens: those come from node:crypto in the host.
 */

export type Prng = readonly [a: number, b: number, c: number, counter: number];

/** A generator from up to three words; any numbers will do, they are taken as 32-bit integers. */
export function prngFrom(seedA: number, seedB = 0, seedC = 0): Prng {
  let state: Prng = [seedA | 0, seedB | 0, seedC | 0, 1];
  // Twelve rounds let every seed bit reach every word; the author's own recommendation.
  for (let round = 0; round < 12; round += 1) state = prngNext(state)[1];
  return state;
}

/** The next 32 bits, 0 .. 2^32 - 1, and the state after them. */
export function prngNext([a, b, c, counter]: Prng): [word: number, next: Prng] {
  const word = (((a + b) | 0) + counter) | 0;
  return [word >>> 0, [b ^ (b >>> 9), (c + (c << 3)) | 0, (((c << 21) | (c >>> 11)) + word) | 0, (counter + 1) | 0]];
}

/** An integer in 0 .. `below` - 1. The bias of the plain product is under `below` / 2^32. */
export function prngBelow(state: Prng, below: number): [value: number, next: Prng] {
  const [word, next] = prngNext(state);
  return [Math.floor((word / 0x1_0000_0000) * below), next];
}
