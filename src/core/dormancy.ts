/**
 * Dormancy: an organism that nobody asks anything goes back to being an egg.
 *
 * Intuition: as a plant sets seed before the winter. When all have been quiet for the DNA's idle time a neuron lays an egg: a
 * daughter without a timer, which loads no app and does nothing but listen. Once it has settled the others leave, each by its own
 * judgement: the B cells first, who alone can still have something in hand, then the drones, then the rest. Whoever is asked
 * something on the way is quiet no longer; all learn of it within a few looks, and stay.
 * Who becomes the egg is nobody that has lived: a fresh process is small, and a role, once taken, stays.
 *
 * That nothing is refused or lost follows from who listens. While a B cell listens the egg does not; once the last one has
 * closed, it does; in between connections wait in the kernel's queue, because the egg, like all but drones, holds the sockets.
 *
 * What others say of their quiet is a sum like any tally: a lie can keep the organism awake, or have those leave who have
 * nothing to do. A B cell that has something in hand asks nobody and stays, and so do the drones while a B cell lives.
 */
import type { CellId } from "./cell.ts";
import { eggAnswerFreshMs, eggSettlesMs } from "./limits.ts";
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import { cellClasses } from "./cell.ts";
import { divide } from "./division.ts";
import { germinate } from "./germination.ts";
import { ableMembersOf, census, isElder, isNeuronsTurn, membersOf, ownBody } from "./roster.ts";
import { rosterIndex } from "./roster-index.ts";
import type { State } from "./state.ts";
import { retire } from "./stopping.ts";
import { askAtOnce } from "./suspicion.ts";
import type { Tally } from "./tally.ts";
import { totalTally } from "./tally.ts";

/** At each control period: a neuron whose turn it is lays the egg, when all have been quiet for long enough. */
export function layEgg(state: State, nowMs: number): Move {
  const { dormancyIdleMs } = state.dna;
  if (dormancyIdleMs === 0 || state.class !== "neuron" || state.phase !== "living") return still(state);
  if (!isSound(state) || census(state).egg > 0 || rosterIndex(state.alive).unborn.length > 0) return still(state);
  if (state.gestations.size > 0 || nowMs < state.refractoryUntilMs || !isNeuronsTurn(state, "egg")) return still(state);
  if (!allAreQuiet(state, nowMs)) return still(state);
  const [next, effects] = divide(state, "egg", nowMs, { urgent: false });
  const log = {
    type: "log",
    level: "info",
    event: "falling-asleep",
    fields: { idleMs: dormancyIdleMs },
    message: "nobody has asked for anything for long: lays an egg, and the others leave",
  } as const;
  return [next, [log, ...effects]];
}

/** Whether the organism is about to sleep: there is an egg, and nobody that we hear of has anything to do. */
export function isFallingAsleep(state: State, nowMs: number): boolean {
  const { dormancyIdleMs } = state.dna;
  if (dormancyIdleMs === 0 || membersOf(state, "egg").length === 0 || !isSound(state)) return false;
  return quietMsOf(totalTally(state, nowMs)) >= dormancyIdleMs;
}

/** While that is so, instead of growing: leaves, when it is our turn. */
export function fallAsleep(state: State, nowMs: number): Move {
  const mayLeave = state.class !== "egg" && state.phase === "living" && state.gestations.size === 0;
  const egg = settledEgg(state, nowMs);
  if (!mayLeave || egg === null || !isOurTurn(state, nowMs)) return still(state);
  // Nobody is left to notice if it hangs: it has to answer us first.
  if (nowMs - state.eggAnsweredMs > eggAnswerFreshMs) return askAtOnce(state, egg);
  return retire(state, state.dna.drainMsMax, nowMs);
}

/**
 * At each control period of an egg that is not alone. It is in charge of the organism by and by, so it goes where it is not
 * needed, and wakes where something is wrong: alone it could end nobody.
 */
export function brood(state: State, nowMs: number): Move {
  if (state.class !== "egg" || state.phase !== "dormant") return still(state);
  if (hasElderEgg(state) || isAwake(state, nowMs)) return retire(state, state.dna.drainMsMax, nowMs);
  return isOrphaned(state) || isTroubled(state, nowMs) ? germinate(state, nowMs) : still(state);
}

/** Somebody works, and it is not over: then the egg was laid in vain. Work without a B cell is what will soon be ours. */
function isAwake(state: State, nowMs: number): boolean {
  return membersOf(state, "b-cell").length > 0 && quietMsOf(totalTally(state, nowMs)) < state.dna.dormancyIdleMs;
}

/** There are those who work, and nobody who could grow others, for an egg was there. */
function isOrphaned(state: State): boolean {
  const workers = membersOf(state, "b-cell").length + membersOf(state, "drone").length;
  return workers > 0 && ableMembersOf(state, "neuron").length + ableMembersOf(state, "stem").length === 0;
}

/** Somebody was left behind that does not answer, or is infected. */
function isTroubled(state: State, nowMs: number): boolean {
  return [...state.suspects.values()].some(({ sinceMs }) => nowMs - sinceMs >= eggSettlesMs);
}

function hasElderEgg(state: State): boolean {
  const own = ownBody(state);
  return membersOf(state, "egg").some((id) => {
    const egg = state.alive.get(id);
    return egg !== undefined && id !== state.self && !state.suspects.has(id) && isElder(egg, own);
  });
}

/** B cells first: as long as one lives somebody may wait for an answer that a drone must give. Both are outlived by the rest. */
function isOurTurn(state: State, nowMs: number): boolean {
  const { members } = rosterIndex(state.alive);
  switch (state.class) {
    case "b-cell":
      return state.vitals.quietMs >= state.dna.dormancyIdleMs && allAreQuiet(state, nowMs);
    case "drone":
      return members["b-cell"] === 0;
    case "egg":
    case "stem":
    case "neuron":
    case "t-cell":
      return members["b-cell"] + members.drone === 0;
  }
}

function settledEgg(state: State, nowMs: number): CellId | null {
  return ableMembersOf(state, "egg").find((id) => nowMs - (state.heardMs.get(id) ?? nowMs) >= eggSettlesMs) ?? null;
}

/** Nobody is suspected or condemned: who sleeps can judge nobody. */
function isSound(state: State): boolean {
  const isCondemned = [...state.condemned.values()].some(({ reason }) => reason !== "left");
  return state.suspects.size === 0 && !isCondemned && state.stop === null;
}

/** All that live have been heard (ghosts hold no place, see roster-index.ts), and none of them has had anything to do for the idle time. */
function allAreQuiet(state: State, nowMs: number): boolean {
  const tally = totalTally(state, nowMs);
  const heard = cellClasses.reduce((sum, c) => sum + tally[c].cells, 0);
  const { members } = rosterIndex(state.alive);
  const there = cellClasses.reduce((sum, c) => sum + members[c], 0);
  return heard >= there && quietMsOf(tally) >= state.dna.dormancyIdleMs;
}

function quietMsOf(tally: Tally): number {
  return Math.min(...cellClasses.map((c) => tally[c].quietMs));
}
