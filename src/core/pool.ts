/**
 * The stem pool: idle warm cells, replenished to an equilibrium.
 *
 * Whoever may bear stem cells computes the same deficit and its own share of it from the census; births under way are
 * counted, so the pool is not refilled twice. Stem cells renew themselves; a neuron steps in while there are none.
 */
import { rendezvousRank } from "../lib/hash.ts";
import type { CellClass } from "./cell.ts";
import { divide, divideForPool, isUnheard, livingDaughters, unheardClasses } from "./division.ts";
import { gestationsMax, unheardCalls } from "./limits.ts";
import type { Move } from "./move.ts";
import { inTurn, still } from "./move.ts";
import { wantedOf } from "./population.ts";
import { census, ableMembersOf } from "./roster.ts";
import type { State } from "./state.ts";
import { renewalsOf } from "./wear.ts";

/** At each control period: divides for the pool where part of its deficit is ours to fill. */
export function replenish(state: State, nowMs: number): Move {
  if (nowMs < state.refractoryUntilMs || state.phase !== "living") return still(state);
  if (state.class === "neuron" && isUnheard(state)) return divideToBeHeard(state, nowMs);
  const deficit = poolDeficit(state, nowMs);
  if (deficit <= 0 || !mayDivide(state)) return still(state);
  const stems = ableMembersOf(state, "stem");
  const dividers = stems.length > 0 ? stems : ableMembersOf(state, "neuron");
  // Whoever is not among them, as others see it, leaves it to them.
  if (!dividers.includes(state.self)) return still(state);
  const rank = rendezvousRank("pool", state.self, dividers);
  let move: Move = still(state);
  for (let birth = rank; birth < deficit; birth += dividers.length) {
    const [next, effects] = divideForPool(move[0], nowMs);
    move = [next, [...move[1], ...effects]];
  }
  return move;
}

/**
 * A neuron that nobody hears bears those who will answer it: as many as are missing of a minimum, less those that it has borne
 * already; for what the load wants beyond that one at a time, since load is an estimate that births change. Now and then one
 * more, should these not answer.
 */
function divideToBeHeard(state: State, nowMs: number): Move {
  const count = census(state);
  let [wanted, missing] = [0, 0];
  let isCallingOn = false;
  for (const cellClass of unheardClasses(state)) {
    wanted += Math.max(0, wantedOf(state, cellClass, nowMs) - count[cellClass]);
    missing += Math.max(0, state.dna.population[cellClass].min - count[cellClass]);
    isCallingOn ||= state.unanswered[cellClass] % unheardCalls === 0;
  }
  const close = stemDaughtersClose(state);
  const births = Math.max(missing - close, wanted > close || isCallingOn ? 1 : 0);
  let move: Move = still(state);
  for (let birth = 0; birth < Math.min(births, gestationsMax); birth += 1)
    move = inTurn(move, nowMs, (s, t) => divide(s, "stem", t));
  return move;
}

/** Our own that are linked to us, and those on their way. */
function stemDaughtersClose(state: State): number {
  const isStem = (daughter: { readonly class: CellClass }): boolean => daughter.class === "stem";
  const { kin, gestations } = state;
  const linked = livingDaughters(state).filter(({ id }) => kin.has(id) && !gestations.has(id));
  return linked.filter(isStem).length + [...gestations.values()].filter(isStem).length;
}

/** Stem cells that are missing, those included that are about to be replaced. */
export function poolDeficit(state: State, nowMs: number): number {
  return state.dna.stemPool + renewalsOf(state, "stem", nowMs) - census(state).stem;
}

/** Stem cells may; neurons while there are none; nobody while the first B cell and drone are still being born. */
function mayDivide(state: State): boolean {
  for (const gestation of state.gestations.values()) if (gestation.class !== "stem") return false;
  if (state.class === "stem") return true;
  return state.class === "neuron" && ableMembersOf(state, "stem").length === 0;
}
