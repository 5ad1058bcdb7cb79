/**
 * The way of testimony: over which kin link the nearest T cell is reached.
 *
 * Each cell tells each of its kin, with its tally, how many links beyond itself the nearest T cell is, counting only what lies
 * on its own side. On a tree that is exact, and nobody hears of a way that leads back through himself (split horizon). A
 * relative that is a T cell itself needs no telling: its record says so, and is flooded at once.
 *
 * A way may be stale for a moment, when a T cell has died or links change. What went astray waits where it is, until the
 * cell there learns of another way; hops are counted, so that nothing circles for ever.
 */
import type { CellId } from "./cell.ts";
import { tallyFreshMs, testimonyHopsMax } from "./limits.ts";
import { membersOf } from "./roster.ts";
import type { State } from "./state.ts";

/** Where testimony goes from here: over a relative; nowhere yet; and this very cell, where it is a T cell. */
export function wayToTCell(state: State, nowMs: number): CellId | null {
  return isOpenTCell(state) ? state.self : (nearest(state, null, nowMs)?.over ?? null);
}

/** How many links from here the nearest T cell is that is not reached through `except`; null: none is known. */
export function linksToTCell(state: State, except: CellId, nowMs: number): number | null {
  if (isOpenTCell(state)) return 0;
  const links = nearest(state, except, nowMs)?.links ?? null;
  return links === null || links > testimonyHopsMax ? null : links;
}

function isOpenTCell(state: State): boolean {
  return state.class === "t-cell" && state.phase === "living";
}

function nearest(state: State, except: CellId | null, nowMs: number): { over: CellId; links: number } | null {
  let best: { over: CellId; links: number } | null = null;
  for (const over of state.kin) {
    const links = over === except ? null : linksOver(state, over, nowMs);
    if (links === null) continue;
    // Of two equally near ones all choose by id, so that a seed gives its history.
    if (best === null || links < best.links || (links === best.links && over < best.over)) best = { over, links };
  }
  return best;
}

function linksOver(state: State, over: CellId, nowMs: number): number | null {
  // Whoever does not answer would take what it is given, and pass nothing on.
  if (state.suspects.has(over)) return null;
  const cell = state.alive.get(over);
  if (cell?.class === "t-cell") return cell.state === "live" ? 1 : null;
  // Nobody leads to a T cell where none lives.
  if (membersOf(state, "t-cell").length === 0) return null;
  const heard = state.tallies.get(over);
  if (heard === undefined || heard.toTCell === null || nowMs - heard.atMs > tallyFreshMs) return null;
  return heard.toTCell + 1;
}

/** Whether it is for us to call for a T cell: there is evidence here, and nobody to take it. */
export function callsForTCell(state: State): boolean {
  return state.vitals.marks > 0 && state.class !== "t-cell" && membersOf(state, "t-cell").length === 0;
}
