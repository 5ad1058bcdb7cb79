/**
 * Suspicion: who does not answer, and for how long that is chance. SWIM's probes with Lifeguard's distrust of oneself
 * (Dadgar, Phillips and Currey, arXiv 1707.00788).
 *
 * Intuition: first ask whether it is me. A cell that finds a hole in its own time, or whose questions go unanswered all
 * round, is the likelier one to be sick; it raises its own score, and with a bad score it accuses nobody. A suspect has
 * long to answer while one cell alone suspects it, and less with each that finds the same independently.
 * Dead processes are none of this file's business: the kernel tells of those at once.
 */
import type { CellId } from "./cell.ts";
import type { Effect } from "./effect.ts";
import {
  confirmationsMax,
  controlPeriodMs,
  gestationMsMax,
  givenUpMs,
  healthScoreMax,
  healthScoreToAccuse,
  ownGapMs,
  suspicionFactorMax,
  suspicionFactorMin,
  wornMsMin,
} from "./limits.ts";
import { hash32 } from "../lib/hash.ts";
import { castVote, windowOf } from "./ballot.ts";
import type { Move } from "./move.ts";
import { inTurn, still } from "./move.ts";
import { without, withoutGhost } from "./roster.ts";
import { placeWithout, rosterIndex, sharesItsProcess } from "./roster-index.ts";
import type { State } from "./state.ts";

/** What a question to a cell, and a look at its process from outside, brought. */
export type Answer =
  | "answered"
  /** Its process runs, but nobody can be asked under its name. */
  | "absent"
  /** No answer, and its process uses no CPU: it makes no progress. */
  | "stuck"
  /** No answer, and the kernel says that somebody has stopped its process (SIGSTOP): until somebody continues it, nothing can come. */
  | "stopped"
  /** No answer, but it computes: an app that blocks its loop, or a way to it that is broken. */
  | "busy"
  /** Whatever it answers: its process is, seen from outside, not what a cell's may be. */
  | "infected";

export interface Suspect {
  readonly sinceMs: number;
  readonly answer: Exclude<Answer, "answered" | "absent">;
  /** Others that found the same, each by asking for itself. */
  readonly confirmedBy: ReadonlySet<CellId>;
  /** Its time is long over, and no majority could be found to end it. */
  readonly isGivenUp: boolean;
}

/** At each control period: asks the next cell in turn. */
export function probeNext(state: State, nowMs: number): Move {
  const { cells, places, unborn } = rosterIndex(state.alive);
  // The unborn cannot answer yet; whoever should have been born by now can be expected to.
  const isYoung = (place: number): boolean =>
    nowMs - (state.heardMs.get(cells[place]?.id ?? "") ?? nowMs) < gestationMsMax;
  const young = unborn.filter(isYoung);
  const own = places.get(state.self);
  const passedOver = own === undefined || young.includes(own) ? young : [...young, own].sort((a, b) => a - b);
  const next = cells[placeWithout(cells.length, state.probed, passedOver) ?? -1];
  if (next === undefined) return still(state);
  return [{ ...state, probed: state.probed + 1 }, [{ type: "probe", id: next.id, pid: next.pid }]];
}

/**
 * Something gives us reason to ask this very cell, out of turn. What it is suspected of is decided by its answer: work that
 * is done badly is no reason to kill, and who cannot answer is found out the sooner.
 */
export function askAtOnce(state: State, id: CellId): Move {
  const cell = state.alive.get(id);
  if (cell === undefined || id === state.self || cell.state === "gestating") return still(state);
  return [state, [{ type: "probe", id, pid: cell.pid }]];
}

/** At each control period, first: was there a hole in our own time? Then what was due in it was not due. */
export function noticeOwnGap(state: State, nowMs: number): Move {
  const gapMs = nowMs - state.lookedMs - controlPeriodMs;
  if (gapMs <= ownGapMs) return still({ ...state, lookedMs: nowMs, isDazed: false });
  const suspects = new Map([...state.suspects].map(([id, suspect]) => [id, { ...suspect, sinceMs: nowMs }]));
  // What was seen of others before a long one may be over: whoever is worn out is seen to be so again.
  const wornSinceMs = gapMs < wornMsMin ? state.wornSinceMs : new Map<CellId, number>();
  return still({ ...state, lookedMs: nowMs, isDazed: true, suspects, wornSinceMs, healthScore: worse(state) });
}

/** The answer to a question of ours. */
export function heedAnswer(state: State, id: CellId, answer: Answer, nowMs: number): Move {
  if (!state.alive.has(id) || state.condemned.has(id)) return still(state);
  // Of two names for one process that is the ghost's. Where it has its process to itself its socket is only late, or gone.
  if (answer === "absent" && sharesItsProcess(state.alive, id)) return still(withoutGhost(state, id));
  const absent = answer === "absent" ? new Set(state.absent).add(id) : without(state.absent, id);
  if (answer === "answered" || answer === "absent") {
    const healthScore = Math.max(0, state.healthScore - 1);
    const hasEggAnswered = answer === "answered" && state.alive.get(id)?.class === "egg";
    const eggAnsweredMs = hasEggAnswered ? nowMs : state.eggAnsweredMs;
    const well: State = { ...state, absent, eggAnsweredMs };
    return still({ ...well, healthScore, suspects: less(state.suspects, id), rumours: less(state.rumours, id) });
  }
  const known = state.suspects.get(id);
  if (known !== undefined)
    return still({ ...state, absent, suspects: new Map(state.suspects).set(id, { ...known, answer }) });
  const suspects = new Map(state.suspects).set(id, {
    sinceMs: nowMs,
    answer,
    confirmedBy: state.rumours.get(id) ?? new Set<CellId>(),
    isGivenUp: false,
  });
  const effects: Effect[] = [...state.kin].map((to) => ({
    type: "send",
    to,
    message: { type: "suspect", id, by: state.self },
  }));
  const healthScore = isSeenFromOutside(answer) ? state.healthScore : worse(state);
  return [{ ...state, absent, suspects, healthScore }, effects];
}

/**
 * A relative suspects somebody: ask for ourselves, and count it if we find the same. Hearsay is not passed on: who finds it
 * too says so under its own name, so a suspicion travels as far as it is confirmed, and nobody can raise one in another's.
 */
export function hearSuspicion(state: State, id: CellId, by: CellId, from: CellId): Move {
  const cell = state.alive.get(id);
  const known = state.suspects.get(id);
  if (cell === undefined || by !== from || by === id) return still(state);
  // They suspect us. Being able to hear it we are well; our answer to their next question clears it. What others say makes
  // us careful, but only what we find ourselves may silence us: else one that lies could silence everybody.
  if (id === state.self) {
    const carefulScore = Math.min(worse(state), healthScoreToAccuse - 1);
    return still({ ...state, healthScore: Math.max(state.healthScore, carefulScore) });
  }
  if (known?.confirmedBy.has(by) === true || state.rumours.get(id)?.has(by) === true) return still(state);
  const rumours = new Map(state.rumours).set(id, new Set(state.rumours.get(id)).add(by));
  const suspects = known === undefined ? state.suspects : confirmed(state, id, by);
  const isAsked = known !== undefined || state.rumours.has(id);
  const ask: Effect[] = isAsked ? [] : [{ type: "probe", id, pid: cell.pid }];
  return [{ ...state, rumours, suspects }, ask];
}

/** At each control period: asks suspects again, and votes on those whose time is over. */
export function pressSuspicion(state: State, nowMs: number): Move {
  let move: Move = still(state);
  for (const [id, suspect] of inTurnOfAccusation(state, nowMs)) {
    const cell = state.alive.get(id);
    if (cell === undefined || state.condemned.has(id)) {
      move = [{ ...move[0], suspects: less(move[0].suspects, id) }, move[1]];
      continue;
    }
    const asked: Move = [move[0], [...move[1], { type: "probe", id, pid: cell.pid }]];
    const overdueMs = nowMs - suspect.sinceMs - patienceMs(state, suspect);
    if (overdueMs < 0 || state.isDazed) move = asked;
    else move = inTurn(givingUp(asked, id, suspect, overdueMs), nowMs, (s) => accuse(s, id, suspect, nowMs));
  }
  return move;
}

function accuse(state: State, id: CellId, { answer }: Suspect, nowMs: number): Move {
  if (state.healthScore >= healthScoreToAccuse && !isSeenFromOutside(answer)) return still(state);
  return castVote(state, id, answer === "infected" ? "infected" : "hung", nowMs);
}

/** What a process looks like from outside is so however we are; that it does not answer may be our own fault. */
function isSeenFromOutside(answer: Suspect["answer"]): boolean {
  return answer === "infected" || answer === "stopped";
}

function givingUp([state, effects]: Move, id: CellId, suspect: Suspect, overdueMs: number): Move {
  if (suspect.isGivenUp || overdueMs < givenUpMs) return [state, effects];
  const suspects = new Map(state.suspects).set(id, { ...suspect, isGivenUp: true });
  const log: Effect = {
    type: "log",
    level: "warn",
    event: "given-up",
    fields: { givenUp: id },
    message: `${id} does not answer and nobody can vote it out: its place is regrown`,
  };
  return [{ ...state, suspects }, [...effects, log]];
}

/**
 * Of several suspects all voters take the same one first, another in each window: who may sign one sentence only must not
 * spend it on one while the next voter spends his on the other, for then none is ever reached.
 */
function inTurnOfAccusation(state: State, nowMs: number): Array<[CellId, Suspect]> {
  if (state.suspects.size < 2) return [...state.suspects];
  const place = (id: CellId): number => hash32(`accuse/${windowOf(nowMs)}/${id}`);
  // The infected first, they do harm; and of them the eldest, whose daughters the others may be.
  const harm = (id: CellId, { answer }: Suspect): number =>
    answer === "infected" ? (state.alive.get(id)?.birthOrder ?? 0) : Number.MAX_SAFE_INTEGER;
  return [...state.suspects].sort(([a, x], [b, y]) => harm(a, x) - harm(b, y) || place(a) - place(b));
}

/**
 * How long a suspect has to answer: max - (max - min) ln(c + 1) / ln(k + 1). A busy one has the DNA's hangMs. For one that is
 * stopped the least will do: nothing has to be confirmed that the kernel says, and who stops a cell to look at it is done soon.
 */
export function patienceMs(state: State, { answer, confirmedBy }: Suspect): number {
  if (answer === "infected") return 0;
  if (answer === "busy") return state.dna.hangMs;
  const others = state.alive.size - 2;
  const minMs = (suspicionFactorMin * logTenMilli(state.alive.size) * controlPeriodMs) / 1000;
  if (answer === "stopped") return minMs;
  const maxMs = suspicionFactorMax * minMs;
  const k = Math.min(confirmationsMax, others);
  // With fewer than two others to confirm, one cell's word is all there is: it must be certain.
  if (k < 2) return maxMs;
  const share = confirmationShareMilli[k]?.[Math.min(k, confirmedBy.size)] ?? 0;
  return maxMs - Math.floor(((maxMs - minMs) * share) / 1000);
}

/** ln(c + 1) / ln(k + 1) in thousandths, for k confirmations wanted and c there. A table: Math.log may differ. */
const confirmationShareMilli: Readonly<Record<number, readonly number[]>> = {
  2: [0, 631, 1000],
  3: [0, 500, 792, 1000],
};

/** max(1, log10 n) in thousandths, by steps. */
function logTenMilli(n: number): number {
  let milli = 1000;
  for (const [atLeast, value] of logSteps) if (n >= atLeast) milli = value;
  return milli;
}
const logSteps = [
  [20, 1301],
  [50, 1699],
  [100, 2000],
  [200, 2301],
  [500, 2699],
  [1_000, 3000],
  [10_000, 4000],
  [100_000, 5000],
] as const;

function confirmed(state: State, id: CellId, by: CellId): State["suspects"] {
  const suspect = state.suspects.get(id);
  if (suspect === undefined) return state.suspects;
  const confirmedBy = new Set(suspect.confirmedBy).add(by);
  return new Map(state.suspects).set(id, { ...suspect, confirmedBy });
}

function worse(state: State): number {
  return Math.min(healthScoreMax, state.healthScore + 1);
}

function less<V>(map: ReadonlyMap<CellId, V>, id: CellId): ReadonlyMap<CellId, V> {
  if (!map.has(id)) return map;
  const next = new Map(map);
  next.delete(id);
  return next;
}
