/**
 * Demand: how many of a class the load wants. Everybody computes it from the same tallies; neurons call by it, and
 * everybody judges by it whether a cell is one too many.
 *
 * Total load over what one cell may carry, over two windows as Knative does it: the stable one decides, the panic one
 * answers a burst, and after a burst nothing shrinks for a stable window. Requests that wait too long ask for more,
 * whatever the utilization says: a saturated cell cannot be more than fully busy, its queue can. Where neurons see memory or
 * the CPU quota used up nothing grows beyond what is there, whatever is wanted, but for what is missing of the minimum.
 */
import type { CellClass, SpecializedClass } from "./cell.ts";
import { panicRatio, throttledMilliMax } from "./limits.ts";
import type { LoadWindow } from "./load-window.ts";
import { loadWindow, meanOver, withSample } from "./load-window.ts";
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import { census } from "./roster.ts";
import type { State } from "./state.ts";
import type { Tally } from "./tally.ts";
import { totalTally } from "./tally.ts";

/** The classes whose number follows the load. Neurons and T cells follow other things. */
export const loadedClasses = ["b-cell", "drone"] as const;
export type LoadedClass = (typeof loadedClasses)[number];

export interface Demand {
  /** Wanted, in thousandths of a cell, as sampled. */
  readonly window: LoadWindow;
  /** Until when nothing shrinks, and what the burst wanted at most. */
  readonly panicUntilMs: number;
  readonly panicWanted: number;
}

export function noDemand(stableWindowMs: number): Demand {
  return { window: loadWindow(stableWindowMs), panicUntilMs: 0, panicWanted: 0 };
}

/** At each control period: samples what the load wants. */
export function sampleDemand(state: State, nowMs: number): Move {
  const tally = totalTally(state, nowMs);
  const { utilizationToGrowMilli, queueMsTarget, stableWindowMs, panicWindowMs, memoryMilliMax } = state.dna.growth;
  const demand = { ...state.demand };
  for (const cellClass of loadedClasses) {
    const { cells, loadMilli } = tally[cellClass];
    let wantedMilli = Math.ceil((loadMilli * 1000) / utilizationToGrowMilli);
    // Waiting in the B cells' queue is for want of drones: up to twice as many are worth a try at a time.
    const { queueMs } = tally["b-cell"];
    if (cellClass === "drone" && queueMs > queueMsTarget) {
      wantedMilli = Math.max(wantedMilli, Math.min(2000 * cells, Math.ceil((1000 * cells * queueMs) / queueMsTarget)));
    }
    const window = withSample(demand[cellClass].window, wantedMilli, nowMs);
    const burst = Math.ceil((meanOver(window, panicWindowMs, nowMs) ?? 0) / 1000);
    const isBurst = cells > 0 && burst * 1000 >= panicRatio * cells;
    const wasPanic = nowMs < demand[cellClass].panicUntilMs;
    const panicWanted = isBurst || wasPanic ? Math.max(burst, wasPanic ? demand[cellClass].panicWanted : 0) : 0;
    const panicUntilMs = isBurst ? nowMs + stableWindowMs : demand[cellClass].panicUntilMs;
    demand[cellClass] = { ...demand[cellClass], window, panicWanted, panicUntilMs };
  }
  return still({ ...state, demand, isSqueezed: isSqueezed(tally, memoryMilliMax) });
}

/** How many members of a class the load wants now; within the DNA's bounds. */
export function demandOf(state: State, cellClass: SpecializedClass, nowMs: number): number {
  const { min, max } = state.dna.population[cellClass];
  if (!isLoaded(cellClass)) return min;
  const { window, panicUntilMs, panicWanted } = state.demand[cellClass];
  const stable = Math.ceil((meanOver(window, state.dna.growth.stableWindowMs, nowMs) ?? 0) / 1000);
  const wanted = nowMs < panicUntilMs ? Math.max(stable, panicWanted) : stable;
  // What is there may stay; what is missing of the minimum is healing, and goes on.
  const room = state.isSqueezed ? Math.min(max, census(state)[cellClass]) : max;
  return Math.max(min, Math.min(room, wanted));
}

/** Whether neurons see that memory is all but used up, or that the CPU quota is: then another process only takes from the others. */
function isSqueezed({ neuron }: Tally, memoryMilliMax: number): boolean {
  return neuron.memoryMilli >= memoryMilliMax || neuron.throttledMilli >= throttledMilliMax;
}

export function isLoaded(cellClass: CellClass): cellClass is LoadedClass {
  return cellClass === "b-cell" || cellClass === "drone";
}
