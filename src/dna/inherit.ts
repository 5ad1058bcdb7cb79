/**
 * How a daughter gets her DNA: as JSON that her mother had judged, from which she only has to read it.
 *
 * No schema, no library, no file of the user's is touched at birth: it takes a fraction of a millisecond,
 * and a dna.ts that was broken meanwhile cannot hurt an organism that lives.
 */
import { deepFreeze } from "../lib/deep-freeze.ts";
import type { Dna } from "./dna.ts";

/** `text` is JSON.stringify of a Dna that loadDna made; nothing else is ever to be given here. */
export function inheritDna(text: string): Dna {
  return deepFreeze(JSON.parse(text) as Dna);
}
