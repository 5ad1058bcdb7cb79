/**
 * Differentiation: a stem cell takes the class whose growth hormone is strongest in it.
 *
 * Two gates. The level must reach the threshold, so that those near the call wake first and the far ones not at all;
 * and of the stem cells that live only the best-ranked `wanted` answer, so that four places wake four and not twenty
 * (all who hear: an overshoot of 16; a coin toss: up to 6; a rank that all compute alike: none).
 */
import { rendezvousRank } from "../lib/hash.ts";
import type { CellId, SpecializedClass } from "./cell.ts";
import { specializedClasses } from "./cell.ts";
import { decayed } from "./hormone.ts";
import { answerStepMs, callStrengthMin, patienceCalls, unheardCalls } from "./limits.ts";
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import { census, membersOf } from "./roster.ts";
import { specialize } from "./germination.ts";
import { isOutdated, revisionOf } from "./revision.ts";
import type { State } from "./state.ts";
import { renewalsOf } from "./wear.ts";

/** After every pulse and at each look: is it our turn to become something? */
export function differentiate(state: State, nowMs: number): Move {
  if (state.class !== "stem" || state.phase !== "living" || !state.alive.has(state.self)) return still(state);
  const call = strongestCall(state, nowMs);
  const waits = call === null ? null : waitMs(state, call);
  if (call === null || waits === null) return still({ ...state, answersAtMs: null });
  const answersAtMs = state.answersAtMs ?? nowMs + waits;
  return nowMs >= answersAtMs ? specialize({ ...state, answersAtMs: null }, call) : still({ ...state, answersAtMs });
}

/**
 * How long we wait before we answer a call, or null when it is not for us. The best-ranked answer at once. They may be too
 * far away to feel it, so with each call that goes unanswered after the first few one more is let through; but each waits
 * for the one before, so that its answer can arrive and not two rush in. A caller that nobody hears has borne stem cells of
 * its own to answer: of those the best-ranked do, at once, whatever their rank among all.
 */
function waitMs(state: State, call: SpecializedClass): number | null {
  const { wanted, unanswered, caller } = state.hormones.levels[call];
  const answerers = whoMayAnswer(state);
  if (wanted === 0 || !answerers.includes(state.self)) return null;
  const rankAmong = (ids: readonly CellId[]): number => rendezvousRank(`wake/${call}`, state.self, ids);
  const close = unanswered < unheardCalls ? [] : answerers.filter((id) => state.alive.get(id)?.mother === caller);
  if (close.includes(state.self) && rankAmong(close) < wanted) return 0;
  const rank = rankAmong(answerers);
  const isLetThrough = rank < wanted + Math.max(0, unanswered - patienceCalls);
  // Whoever hears the call after all lets those go first.
  const turn = Math.max(0, rank - wanted + 1) + (close.length > 0 ? 1 : 0);
  return isLetThrough ? turn * answerStepMs : null;
}

/** Stem cells; those that are outdated only where there are no others. */
function whoMayAnswer(state: State): readonly CellId[] {
  const stems = membersOf(state, "stem");
  if (revisionOf(state) === null) return stems;
  const current = stems.filter((id) => {
    const cell = state.alive.get(id);
    return cell !== undefined && !isOutdated(state, cell);
  });
  return current.length > 0 ? current : stems;
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
    if (count[cellClass] >= state.dna.population[cellClass].max + renewalsOf(state, cellClass, nowMs)) continue;

    const level = decayed(state.hormones.levels[cellClass], nowMs, state.dna.hormoneHalfLifeMs);
    if (level > units) [strongest, units] = [cellClass, level];
  }
  return strongest;
}
