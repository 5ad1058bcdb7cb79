/** From the user's DNA to the integers that the core decides by. */
import type { CoreDna } from "../core/dna.ts";
import { forEachClass } from "../core/wear.ts";
import type { Dna } from "./dna.ts";

export function coreDna(dna: Dna): CoreDna {
  const { cells, hormones, drain, growth, restarts, vote, wear, dormancy } = dna;
  return {
    stemPool: cells.stem.pool,
    population: { neuron: cells.neuron, "b-cell": cells.bCell, "t-cell": tCellsOf(dna), drone: cells.drone },
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
      memoryMilliMax: Math.round(growth.memoryShareMax * 1000),
    },
    restarts: {
      backoffMsMin: restarts.backoffMsMin,
      backoffMsMax: restarts.backoffMsMax,
      budget: restarts.countMax,
      windowMs: restarts.windowMs,
    },
    wear: {
      rssBytesMax: { ...forEachClass(wear.cellBytesMax), drone: wear.droneBytesMax },
      descriptorMilliMax: { ...forEachClass(descriptorMilliMax(wear.descriptorShareMax)), "b-cell": 0 },
      ageMsMax: wear.ageMsMax,
    },
    dormancyIdleMs: dormancy.idleMs,
  };
}

/**
 * One T cell at least, also in times of peace, where something depends on there being one: who takes a lifted ban out of the
 * kernel again, and who tries again to send a report that did not arrive.
 */
export function tCellsOf({ cells: { tCell }, immune }: Dna): { readonly min: number; readonly max: number } {
  const isNeeded = immune.bans.nftables || immune.report.mode === "on";
  return isNeeded ? { ...tCell, min: Math.max(1, tCell.min) } : tCell;
}

/** All of them in use is an emergency of its own; 0 is the mind's word for no limit. */
const descriptorMilliMax = (share: number): number => (share >= 1 ? 0 : Math.round(share * 1000));
