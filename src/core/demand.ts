/**
 * Demand: how many of a class the load wants. Everybody computes it from the same tallies; neurons call by it, and
 * everybody judges by it whether a cell is one too many.
 *
 * Total load over what one cell may carry, over two windows as Knative does it: the stable one decides, the panic one
 * answers a burst, and after a burst nothing shrinks for a stable window. Requests that wait too long ask for more,
 * whatever the utilization says: a saturated cell cannot be more than fully busy, its queue can.
 */
import type { SpecializedClass } from "./cell.ts";
import { cellClasses } from "./cell.ts";
import { panicRatio, quietMs } from "./limits.ts";
import type { LoadWindow } from "./load-window.ts";
import { loadWindow, meanOver, withSample } from "./load-window.ts";
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import type { State } from "./state.ts";
import { totalTally } from "./tally.ts";

/** The classes whose number follows the load. */
export const loadedClasses = ["b-cell", "t-cell", "drone"] as const;
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
  const { utilizationToGrowMilli, queueMsTarget, stableWindowMs, panicWindowMs } = state.dna.growth;
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
  const isAttacked = cellClasses.some((cellClass) => tally[cellClass].marks > 0);
  return still({ ...state, demand, attackedMs: isAttacked ? nowMs : state.attackedMs });
}

/** How many members of a class the load wants now; within the DNA's bounds. */
export function demandOf(state: State, cellClass: SpecializedClass, nowMs: number): number {
  const { min, max } = state.dna.population[cellClass];
  if (cellClass === "neuron") return min;
  const { window, panicUntilMs, panicWanted } = state.demand[cellClass];
  const stable = Math.ceil((meanOver(window, state.dna.growth.stableWindowMs, nowMs) ?? 0) / 1000);
  const loaded = nowMs < panicUntilMs ? Math.max(stable, panicWanted) : stable;
  // A T cell is wanted as soon as there is evidence, and as long as it is fresh; more of them as the load says.
  const wanted = cellClass !== "t-cell" ? loaded : nowMs - state.attackedMs < quietMs ? Math.max(1, loaded) : 0;
  return Math.min(max, Math.max(min, wanted));
}
