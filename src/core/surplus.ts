/**
 * Surplus: when a class has a member too many, and which one it is.
 *
 * Every cell judges for itself, from the same tallies: the load that remains would leave the members under the mark for
 * shrinking, for a whole stable window, and no burst is fresh. Which of them is to go is a rendezvous hash, so that all
 * who find a surplus accuse the same one. Growing has a mark of its own, far above, so that the two do not chase each other.
 */
import type { CellClass, CellId } from "./cell.ts";
import { hash32, rendezvousRank } from "../lib/hash.ts";
import { castVote, windowOf } from "./ballot.ts";
import type { LoadedClass } from "./demand.ts";
import { demandOf, isLoaded } from "./demand.ts";
import { ballotWindowMs } from "./limits.ts";
import { meanOver } from "./load-window.ts";
import type { Move } from "./move.ts";
import { inTurn, still } from "./move.ts";
import { membersOf } from "./roster.ts";
import type { State } from "./state.ts";
import { renewalsOf } from "./wear.ts";

const shrinkable = ["stem", "neuron", "b-cell", "t-cell", "drone"] as const;

/** At each control period: votes out one of a class that has had too many for long enough. */
export function accuseSurplus(state: State, nowMs: number): Move {
  let move: Move = still(state);
  // As with suspects: all voters take the same class first, another in each window, or none might ever be reached.
  const place = (cellClass: CellClass): number =>
    isAboveCap(state, cellClass, nowMs) ? -1 : hash32(`surplus/${windowOf(nowMs)}/${cellClass}`);
  const inTurnOfClass = shrinkable.map((cellClass) => ({ cellClass, place: place(cellClass) }));
  for (const { cellClass } of inTurnOfClass.sort((a, b) => a.place - b.place)) {
    const [now, effects] = move;
    // One more than is wanted is there on purpose while another is about to be replaced.
    const spare = renewalsOf(now, cellClass, nowMs);
    const sinceMs = hasSurplus(now, cellClass, spare, nowMs) ? (now.surplusSinceMs[cellClass] ?? nowMs) : null;
    const noted: State = { ...now, surplusSinceMs: { ...now.surplusSinceMs, [cellClass]: sinceMs } };
    const isDue = sinceMs !== null && nowMs - sinceMs >= now.dna.growth.stableWindowMs;
    const target = isDue ? superfluous(noted, cellClass) : null;
    move =
      target === null
        ? [noted, effects]
        : inTurn([noted, effects], nowMs, (s) => castVote(s, target, "surplus", nowMs));
  }
  return move;
}

/** Whether a class has more members than the DNA allows: those go before any that are merely not needed, or outdated. */
export function isAboveCap(state: State, cellClass: CellClass, nowMs: number): boolean {
  if (cellClass === "egg" || cellClass === "stem") return false;
  const spare = renewalsOf(state, cellClass, nowMs);
  return membersOf(state, cellClass).length - spare > state.dna.population[cellClass].max;
}

/** After one was voted out: the next may go in the next ballot window, if there still is one too many. */
export function nextSurplus(state: State, cellClass: CellClass, nowMs: number): State {
  const sinceMs = nowMs - state.dna.growth.stableWindowMs + ballotWindowMs;
  return { ...state, surplusSinceMs: { ...state.surplusSinceMs, [cellClass]: sinceMs } };
}

function hasSurplus(state: State, cellClass: CellClass, spare: number, nowMs: number): boolean {
  const count = membersOf(state, cellClass).length - spare;
  if (cellClass === "stem") return count > state.dna.stemPool;
  if (cellClass === "egg") return false;
  const { min, max } = state.dna.population[cellClass];
  if (count > max) return true;
  if (count <= Math.max(min, demandOf(state, cellClass, nowMs))) return false;
  return !isLoaded(cellClass) || isIdle(state, cellClass, count, nowMs);
}

/** Whether the members are, on average over the stable window, under the mark for shrinking. */
function isIdle(state: State, cellClass: LoadedClass, count: number, nowMs: number): boolean {
  const { stableWindowMs, utilizationToGrowMilli, utilizationToShrinkMilli } = state.dna.growth;
  const { window, panicUntilMs } = state.demand[cellClass];
  if (nowMs < panicUntilMs) return false;
  const wantedMilli = meanOver(window, stableWindowMs, nowMs);
  return wantedMilli !== null && wantedMilli * utilizationToGrowMilli < 1000 * utilizationToShrinkMilli * count;
}

function superfluous(state: State, cellClass: CellClass): CellId | null {
  const members = membersOf(state, cellClass);
  return members.find((id) => rendezvousRank(`surplus/${cellClass}`, id, members) === 0) ?? null;
}
