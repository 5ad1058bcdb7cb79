/**
 * Demand: how many of a class the load wants. Everybody computes it from the same tallies; neurons call by it, and
 * everybody judges by it whether a cell is one too many.
 *
 * Total load over what one cell may carry, over two windows as Knative does it: the stable one decides, the panic one
 * answers a burst, and after a burst nothing shrinks for a stable window.
 *
 * Saturation: a cell can be no more than fully busy, so beyond that its load does not tell how much work there is. What does is
 * how much more comes than is done: drones that do two of three requests that come are two thirds of what is needed. The
 * same ratio says when they are catching up, and are busy only with what had piled up: then none is added for that.
 *
 * Where neurons see memory or the CPU quota used up nothing grows beyond what is there, whatever is wanted, but for what is
 * missing of the minimum.
 */
import type { CellClass, SpecializedClass } from "./cell.ts";
import { cellClasses } from "./cell.ts";
import {
  flowRatioMilliMax,
  flowWindowShare,
  panicRatio,
  quietMs,
  saturatedMilli,
  throttledMilliMax,
} from "./limits.ts";
import type { LoadWindow } from "./load-window.ts";
import { loadWindow, meanOver, withSample } from "./load-window.ts";
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import { census } from "./roster.ts";
import type { State } from "./state.ts";
import type { ClassTally, Tally } from "./tally.ts";
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

/** Requests of all B cells that came, and were done with, at each look. */
export interface Flow {
  readonly came: LoadWindow;
  readonly done: LoadWindow;
}

export function noFlow(spanMs: number): Flow {
  return { came: loadWindow(spanMs), done: loadWindow(spanMs) };
}

export function noDemand(stableWindowMs: number): Demand {
  return { window: loadWindow(stableWindowMs), panicUntilMs: 0, panicWanted: 0 };
}

/** At each control period: samples what the load wants. */
export function sampleDemand(state: State, nowMs: number): Move {
  const tally = totalTally(state, nowMs);
  const { utilizationToGrowMilli, stableWindowMs, panicWindowMs, memoryMilliMax } = state.dna.growth;
  const { came, done } = tally["b-cell"];
  const flow = { came: withSample(state.flow.came, came, nowMs), done: withSample(state.flow.done, done, nowMs) };
  const ratioMilli = flowRatioMilli(flow, panicWindowMs / flowWindowShare, nowMs);
  const demand = { ...state.demand };
  for (const cellClass of loadedClasses) {
    const { cells, loadMilli } = tally[cellClass];
    const loadWanted = Math.ceil((loadMilli * 1000) / utilizationToGrowMilli);
    const wantedMilli = cellClass === "drone" ? wantedOfDrones(state, tally, loadWanted, ratioMilli) : loadWanted;
    const window = withSample(demand[cellClass].window, wantedMilli, nowMs);
    const burst = Math.ceil((meanOver(window, panicWindowMs, nowMs) ?? 0) / 1000);
    // Twice what is there; or, where that is saturated, any more: those who wait now are not served by a mean over the last minute.
    const isStrained = cellClass === "drone" && isSaturated(tally.drone) && burst > cells;
    const isBurst = cells > 0 && burst * 1000 >= panicRatio * cells;
    const before = demand[cellClass];
    // What a burst wanted stays wanted; strain counts as long as it lasts, or what is catching up would look like a need.
    const lasting = before.panicUntilMs - nowMs > strainMs ? before.panicWanted : 0;
    const panicWanted = isBurst || isStrained || lasting > 0 ? Math.max(burst, lasting) : 0;
    const untilMs = isBurst ? nowMs + stableWindowMs : isStrained ? nowMs + strainMs : 0;
    const panicUntilMs = Math.max(before.panicUntilMs, untilMs);
    demand[cellClass] = { ...demand[cellClass], window, panicWanted, panicUntilMs };
  }
  const isAttacked = cellClasses.some((cellClass) => tally[cellClass].marks > 0);
  const attackedMs = isAttacked ? nowMs : state.attackedMs;
  return still({ ...state, demand, flow, attackedMs, isSqueezed: isSqueezed(tally, memoryMilliMax) });
}

/** Two looks. */
const strainMs = 500;

/** What comes over what is done, lately, in thousandths. */
function flowRatioMilli({ came, done }: Flow, spanMs: number, nowMs: number): number {
  const [cameMean, doneMean] = [meanOver(came, spanMs, nowMs) ?? 0, meanOver(done, spanMs, nowMs) ?? 0];
  if (cameMean === 0) return doneMean === 0 ? 1000 : 0;
  return Math.min(
    flowRatioMilliMax,
    Math.round((1000 * cameMean) / Math.max(doneMean, (1000 * cameMean) / flowRatioMilliMax)),
  );
}

function isSaturated({ cells, unready, loadMilli }: ClassTally): boolean {
  return cells > unready && loadMilli >= saturatedMilli * (cells - unready);
}

/** In thousandths of a drone. */
function wantedOfDrones(state: State, tally: Tally, loadWanted: number, ratioMilli: number): number {
  const { cells, unready } = tally.drone;
  const { queueMs } = tally["b-cell"];
  const strained = isSaturated(tally.drone);
  const byLoad = strained ? Math.ceil((loadWanted * ratioMilli) / 1000) : loadWanted;
  // Waiting although the CPU is not used up: drones that do one thing at a time, say. While some are not ready that is no news.
  if (queueMs <= state.dna.growth.queueMsTarget || strained || unready > 0) return byLoad;
  const oneMore = ratioMilli >= fallingBehindMilli ? 1000 : 0;
  return Math.max(byLoad, Math.min(2000 * cells, Math.ceil(cells * Math.max(1000, ratioMilli)) + oneMore));
}

/** Requests wait, and no fewer than come are done: they will go on to wait. */
const fallingBehindMilli = 950;

/** How many members of a class the load wants now; within the DNA's bounds. */
export function demandOf(state: State, cellClass: SpecializedClass, nowMs: number): number {
  const { min, max } = state.dna.population[cellClass];
  if (!isLoaded(cellClass)) return min;
  const { window, panicUntilMs, panicWanted } = state.demand[cellClass];
  const stable = Math.ceil((meanOver(window, state.dna.growth.stableWindowMs, nowMs) ?? 0) / 1000);
  const loaded = nowMs < panicUntilMs ? Math.max(stable, panicWanted) : stable;
  const wanted = cellClass === "t-cell" ? wantedOfTCells(state, loaded, nowMs) : loaded;
  // What is there may stay; what is missing of the minimum is healing, and goes on.
  const room = state.isSqueezed ? Math.min(max, census(state)[cellClass]) : max;
  return Math.max(min, Math.min(room, wanted));
}

/** One as soon as there is evidence, and as long as it is fresh; more of them as the load says. */
function wantedOfTCells({ attackedMs }: State, loaded: number, nowMs: number): number {
  return nowMs - attackedMs < quietMs ? Math.max(1, loaded) : 0;
}

/** Whether neurons see that memory is all but used up, or that the CPU quota is: then another process only takes from the others. */
function isSqueezed({ neuron }: Tally, memoryMilliMax: number): boolean {
  return neuron.memoryMilli >= memoryMilliMax || neuron.throttledMilli >= throttledMilliMax;
}

export function isLoaded(cellClass: CellClass): cellClass is LoadedClass {
  return cellClass === "b-cell" || cellClass === "t-cell" || cellClass === "drone";
}
