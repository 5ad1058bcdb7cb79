// Numbers from 0 to 1 that a seed repeats, for scripts.
import { prngFrom, prngNext } from "../src/lib/prng.ts";

/** Each `number` has a row of its own, so that one case can be made again without those before it. */
export function seededRandom(seed: number, number: number): () => number {
  let state = prngFrom(seed, number);
  return () => {
    const [word, next] = prngNext(state);
    state = next;
    return word / 2 ** 32;
  };
}
