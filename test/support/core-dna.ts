/** A DNA for the mind: small populations, the numbers of production, and nothing that wears or sleeps. Spread it and say what differs. */
import type { CoreDna } from "../../src/core/dna.ts";
import { neverWorn } from "../../src/core/wear.ts";

export const plainCoreDna: CoreDna = {
  stemPool: 2,
  population: {
    neuron: { min: 1, max: 2 },
    "b-cell": { min: 1, max: 4 },
    "t-cell": { min: 0, max: 2 },
    drone: { min: 1, max: 8 },
  },
  daughtersMax: 4,
  attenuationMilli: 250,
  hormoneHalfLifeMs: 2_000,
  drainMsMax: 10_000,
  hangMs: 10_000,
  growth: {
    utilizationToGrowMilli: 700,
    utilizationToShrinkMilli: 300,
    queueMsTarget: 50,
    stableWindowMs: 60_000,
    panicWindowMs: 6_000,
    memoryMilliMax: 900,
  },
  restarts: { backoffMsMin: 500, backoffMsMax: 30_000, budget: 20, windowMs: 60_000 },
  wear: neverWorn,
  dormancyIdleMs: 0,
};
