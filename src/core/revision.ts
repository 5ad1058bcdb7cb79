/**
 * Revisions: which DNA holds now, and whose is another. The DNA itself is content-addressed and lies where all find it; what
 * travels is its name, as a record. Whether there is such a DNA is judged where the record comes in (wire/belief.ts).
 */
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import type { CellBody } from "./record.ts";
import { dnaKey } from "./record.ts";
import { publish } from "./roster.ts";
import type { State } from "./state.ts";

/** The administrator brings another DNA. */
export function evolve(state: State, revision: string): Move {
  return revision === revisionOf(state) ? still(state) : publish(state, { kind: "dna", revision });
}

/** The DNA that holds now; null where none was brought since all were born. */
export function revisionOf(state: State): string | null {
  const body = state.records.get(dnaKey)?.body;
  return body?.kind === "dna" ? body.revision : null;
}

export function isOutdated(state: State, { revision }: CellBody): boolean {
  const current = revisionOf(state);
  return current !== null && current !== revision;
}
