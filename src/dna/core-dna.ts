/** From the user's DNA to the integers that the core decides by. */
import type { CoreDna } from "../core/dna.ts";
import type { Dna } from "./dna.ts";

export function coreDna({ cells, hormones, drain, growth, restarts, vote }: Dna): CoreDna {
  return {
    stemPool: cells.stem.pool,
    population: { neuron: cells.neuron, "b-cell": cells.bCell, "t-cell": cells.tCell, drone: cells.drone },
    daughtersMax: cells.daughtersMax,
    attenuationMilli: Math.max(1, Math.round(hormones.attenuation * 1000)),
    hormoneHalfLifeMs: hormones.halfLifeMs,
    drainMsMax: drain.msMax,
    hangMs: vote.hangMs,
    growth: {
      utilizationToGrowMilli: Math.round(growth.utilizationToGrow * 1000),
      utilizationToShrinkMilli: Math.round(growth.utilizationToShrink * 1000),
      queueMsTarget: growth.queueMsTarget,
      stableWindowMs: growth.stableWindowMs,
      panicWindowMs: growth.panicWindowMs,
    },
    restarts: {
      backoffMsMin: restarts.backoffMsMin,
      backoffMsMax: restarts.backoffMsMax,
      budget: restarts.countMax,
      windowMs: restarts.windowMs,
    },
  };
}
