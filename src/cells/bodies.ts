/** The table of bodies: a class added is one folder and one line, and the compiler names the line that is missing. */
import type { CellClass } from "../core/cell.ts";
import type { MakeBody } from "../host/body.ts";

/** Loaded when the class is taken on, so that a cell carries the code of no other class. */
export const bodies = {
  egg: async () => (await import("./egg/body.ts")).makeEgg,
  stem: async () => (await import("./stem/body.ts")).makeStem,
  neuron: async () => (await import("./neuron/body.ts")).makeNeuron,
  "b-cell": async () => (await import("./b-cell/body.ts")).makeBCell,
  "t-cell": async () => (await import("./t-cell/body.ts")).makeTCell,
  drone: async () => (await import("./drone/body.ts")).makeDrone,
} satisfies Record<CellClass, () => Promise<MakeBody>>;
