/**
 * What a user's dna.ts calls. It does nothing but tell the editor which keys there are.
 *
 * Judging happens when the DNA is loaded, the same for every way of writing one; so this file, which apps
 * may import, stays free of the schema and its library.
 */
import type { DnaInput } from "./dna.ts";

/** A function that makes the DNA, for what must be asked for first: a secret store, the number of CPUs. */
export type DnaMaker = () => DnaInput | Promise<DnaInput>;

/**
 * @example
 * import { defineDna } from "cellws";
 *
 * export default defineDna({
 *   app: "./server.js",
 *   listen: [{ port: 8080, host: "0.0.0.0" }],
 *   cells: { drone: { min: 2 } },
 * });
 */
export function defineDna(dna: DnaInput | DnaMaker): DnaInput | DnaMaker {
  return dna;
}
