/**
 * Differentiation: a stem cell takes the class whose growth hormone is strongest in it.
 *
 * Two gates. The level must reach the threshold, so that those near the call wake first and the far ones not at all;
 * and of the stem cells that live only the best-ranked `wanted` answer, so that four places wake four and not twenty
 * (all who hear: an overshoot of 16; a coin toss: up to 6; a rank that all compute alike: none).
 */
import { rendezvousRank } from "../lib/hash.ts";
import type { SpecializedClass } from "./cell.ts";
import { specializedClasses } from "./cell.ts";
import type { Level } from "./hormone.ts";
import { decayed } from "./hormone.ts";
import { callStrengthMin, patienceCalls } from "./limits.ts";
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import { census, membersOf } from "./roster.ts";
import { specialize } from "./germination.ts";

import type { State } from "./state.ts";

/** After every pulse and at each control period: is it our turn to become something? */
export function differentiate(state: State, nowMs: number): Move {
  if (state.class !== "stem" || state.phase !== "living" || !state.alive.has(state.self)) return still(state);
  const call = strongestCall(state, nowMs);
  if (call === null) return still(state);
  const rank = rendezvousRank(`wake/${call}`, state.self, membersOf(state, "stem"));
  return rank < places(state.hormones.levels[call]) ? specialize(state, call) : still(state);
}

/**
 * How far down the ranks a call reaches. The best-ranked may be too far away to feel it, so with each call that goes
 * unanswered after the first few one more is let through; one at a time, so that not two rush in.
 */
function places({ wanted, unanswered }: Level): number {
  return wanted === 0 ? 0 : wanted + Math.max(0, unanswered - patienceCalls);
}

/** What a first call leaves one hop away. */
export function wakeThreshold(attenuationMilli: number): number {
  return Math.floor((callStrengthMin * attenuationMilli) / 1000);
}

function strongestCall(state: State, nowMs: number): SpecializedClass | null {
  const count = census(state);
  let strongest: SpecializedClass | null = null;
  let units = wakeThreshold(state.dna.attenuationMilli) - 1;
  for (const cellClass of specializedClasses) {
    if (count[cellClass] >= state.dna.population[cellClass].max) continue;

    const level = decayed(state.hormones.levels[cellClass], nowMs, state.dna.hormoneHalfLifeMs);
    if (level > units) [strongest, units] = [cellClass, level];
  }
  return strongest;
}
