/** From the user's DNA to the integers that the core decides by. */
import type { CoreDna } from "../core/dna.ts";
import type { Dna } from "./dna.ts";

export function coreDna({ cells, hormones, drain, restarts }: Dna): CoreDna {
  return {
    stemPool: cells.stem.pool,
    population: { neuron: cells.neuron, "b-cell": cells.bCell, "t-cell": cells.tCell, drone: cells.drone },
    daughtersMax: cells.daughtersMax,
    attenuationMilli: Math.max(1, Math.round(hormones.attenuation * 1000)),
    hormoneHalfLifeMs: hormones.halfLifeMs,
    drainMsMax: drain.msMax,
    restarts: {
      backoffMsMin: restarts.backoffMsMin,
      backoffMsMax: restarts.backoffMsMax,
      budget: restarts.countMax,
      windowMs: restarts.windowMs,
    },
  };
}
