/** States of one cell made by hand: whom it knows, and for how long. */
import type { CellClass } from "../../src/core/cell.ts";
import type { CoreDna } from "../../src/core/dna.ts";
import { lineageWindowMs } from "../../src/core/limits.ts";
import type { CellBody, OrganismRecord } from "../../src/core/record.ts";
import { cellKey } from "../../src/core/record.ts";
import type { State } from "../../src/core/state.ts";
import { beBorn } from "../../src/core/step.ts";
import { plainCoreDna } from "./core-dna.ts";

export const nowMs = 1_000_000;
const bounds = { min: 1, max: 500 };
const dna: CoreDna = {
  ...plainCoreDna,
  population: { neuron: bounds, "b-cell": bounds, "t-cell": bounds, drone: bounds },
};

export interface Known {
  id: string;
  mother?: string;
  lineage?: string[];
  knownMs: number;
  /** A stem cell, if not said. */
  class?: CellClass;
}

function body(
  { id, mother = "egg", lineage = [mother], class: cellClass = "stem" }: Known,
  birthOrder: number,
): CellBody {
  return {
    kind: "cell",
    id,
    mother: id === "egg" ? null : mother,
    lineage: id === "egg" ? [] : lineage,
    generation: lineage.length,
    birthOrder,
    publicKey: id,
    pid: 100 + birthOrder,
    startTicks: 7,
    bornAt: "",
    revision: "first",
    certificate: "c",
    class: cellClass,
    state: "live",
  };
}

/** The state of `self`, who has known the others for so long and has asked each of them. An egg sleeps, all others live. */
export function knowing(self: string, cells: readonly Known[]): State {
  const records = cells.map((cell, i): OrganismRecord<CellBody> => {
    const own = body(cell, i);
    return { key: cellKey(cell.id), version: 1, origin: cell.id, body: own, signature: "s" };
  });
  const certificate = records.find((record) => record.origin === self) as OrganismRecord<CellBody>;
  const [state] = beBorn({ certificate, records, dna, seed: [1, 2], urgent: false }, nowMs);
  const heardMs = new Map(cells.map((cell) => [cell.id, nowMs - cell.knownMs]));
  return { ...state, heardMs, probed: 1_000, alive: new Map(records.map((r) => [r.origin, r.body])) };
}

const old = (id: string, lineage?: string[]): Known => ({ id, knownMs: lineageWindowMs, ...(lineage && { lineage }) });
/** A cell of a class that has been known for long. */
export const grown = (id: string, cellClass: CellClass): Known => ({ id, class: cellClass, knownMs: lineageWindowMs });
export const elders = (count: number): Known[] =>
  Array.from({ length: count }, (_, i) => (i === 0 ? old("egg") : old(`e${i}`)));
