/**
 * Ballots: a cell is ended by a majority, each voter on its own evidence.
 *
 * Intuition: nobody is asked to agree, and nobody counts for the others. Who has seen for itself that a cell is sick says
 * so under its signature; votes are passed on; and whoever holds enough of them holds a certificate that anybody can check.
 * A kill is monotone and harmless to repeat, so no order has to be agreed on, and no leader.
 *
 * The electorate are the mature living cells, the accused included: q = floor(n/2) + 1 of n. Cells that cannot be reached
 * still count, cells that the kernel has buried do not. New seats of one line (a cell and its descendants) are fewer than the
 * seats of others, so that nobody gains a majority by dividing. Up to 31 all vote; above, a jury that rendezvous hashing
 * names, for the chance that a jury of 31 of 200 cells with a fifth bad is bad is 1.5e-5; a jury that hangs is followed by a
 * larger one.
 * Not here: what counts as evidence (suspicion.ts, surplus.ts), and how a sentence is carried out (execution.ts).
 */
import { assert } from "../lib/assert.ts";
import { bestRanked } from "../lib/hash.ts";
import type { CellId } from "./cell.ts";
import type { Effect } from "./effect.ts";
import {
  acquaintancesMax,
  ballotsMax,
  ballotEndMs,
  ballotWindowMs,
  electorateMin,
  foundingMs,
  jurySizes,
  lineageMargin,
  lineageWindowMs,
  maturityMs,
  voteBudgetSlack,
} from "./limits.ts";
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import type { CellBody, Charge } from "./record.ts";
import { isElder, publish } from "./roster.ts";
import type { State } from "./state.ts";

/** One cell's word on a charge. The signature is over the charge (wire/kin.ts), by the voter. */
export interface Vote {
  readonly charge: Charge;
  readonly voter: CellId;
  readonly signature: string;
}

export interface Ballot {
  readonly charge: Charge;
  readonly votes: ReadonlyMap<CellId, string>;
}

/** Charges are made anew in each window, so that an old vote, kept by somebody, ends nobody later. */
export function windowOf(nowMs: number): number {
  return Math.floor(nowMs / ballotWindowMs);
}

export function chargeId({ target, pid, startTicks, reason, window, round }: Charge): string {
  return `${target}/${pid}/${startTicks}/${reason}/${window}/${round}`;
}

const isUnborn = (cell: CellBody): boolean => cell.state === "gestating";

/** The cells that may vote, oldest first. The accused is among them; it will not vote, but it counts. */
export function electorate(state: State, nowMs: number): CellId[] {
  const voters: Array<{ readonly cell: CellBody; readonly knownMs: number }> = [];
  for (const cell of state.alive.values()) {
    if (isUnborn(cell) || state.condemned.has(cell.id)) continue;
    // Whom we see to be infected ourselves is no voter to us, on whichever side it votes.
    if (state.suspects.get(cell.id)?.answer === "infected") continue;
    const knownMs = nowMs - (state.heardMs.get(cell.id) ?? nowMs);
    if (knownMs >= maturityMs) voters.push({ cell, knownMs });
  }
  const settledMs = settledAfterMs(voters.map(({ knownMs }) => knownMs));
  const settled: CellBody[] = [];
  const recent: CellBody[] = [];
  for (const { cell, knownMs } of voters) (knownMs >= settledMs ? settled : recent).push(cell);
  // In an organism's first moments, and after a death of nearly all, everybody is new and there is nobody to protect.
  const seated = settled.length < electorateMin ? [...settled, ...recent] : withoutSybils(settled, recent);
  return seated.sort(byAge).map((cell) => cell.id);
}

/** From which time on that a cell is known it counts as long known. */
function settledAfterMs(knownMs: readonly number[]): number {
  const thirdMs = knownMs.toSorted((a, b) => b - a)[electorateMin - 1] ?? 0;
  return thirdMs < lineageWindowMs ? lineageWindowMs : Math.min(lineageWindowMs, thirdMs - foundingMs);
}

/**
 * The settled, and of the new ones, in order of age, those whose lines stay in the minority: for each ancestor, it and its
 * new descendants are fewer than half of all seats. A line that is large because it is old is not touched.
 */
function withoutSybils(settled: readonly CellBody[], recent: readonly CellBody[]): CellBody[] {
  const seated = [...settled];
  const gained = new Map<CellId, number>();
  for (const cell of [...recent].sort(byAge)) {
    const fits = cell.lineage.every((ancestor) => {
      const gain = gained.get(ancestor) ?? 0;
      return gain + 1 <= seated.length - gain - lineageMargin;
    });
    if (!fits) continue;
    seated.push(cell);
    for (const ancestor of cell.lineage) gained.set(ancestor, (gained.get(ancestor) ?? 0) + 1);
  }
  return seated;
}

function byAge(a: CellBody, b: CellBody): number {
  return isElder(a, b) ? -1 : 1;
}

/** Who may vote on a charge: all, or the jury. The accuser chooses nothing that goes into the draw but the target. */
export function jury(electors: readonly CellId[], charge: Charge): readonly CellId[] {
  const size = jurySizes[charge.round] ?? Number.POSITIVE_INFINITY;
  if (electors.length <= size) return electors;
  const key = `jury/${charge.target}/${charge.startTicks}/${charge.window}`;
  return bestRanked(key, electors, size);
}

export function quorum(jurySizeNow: number): number {
  return Math.floor(jurySizeNow / 2) + 1;
}

/** Votes on a charge for which we have evidence of our own, unless we have, may not, or must not yet. */
export function castVote(state: State, target: CellId, reason: Charge["reason"], nowMs: number): Move {
  const cell = state.alive.get(target);
  if (cell === undefined || target === state.self || state.condemned.has(target)) return still(state);
  const electors = electorate(state, nowMs);
  // Of two, one would be judge in its own cause: first divide.
  if (electors.length < electorateMin) return still(state);
  const window = windowOf(nowMs);
  const { pid, startTicks } = cell;
  const round = electors.length > jurySizes[0] ? roundOf(state, target, reason, window) : 0;
  const charge: Charge = { target, pid, startTicks, reason, window, round };
  const voted = state.ballots.get(chargeId(charge))?.votes.has(state.self) === true;
  // Where a window ends before all have voted the charge is made anew, and so are the votes: it is one kill all the same.
  const isSameKill = votedJustNow(state, target, nowMs);
  const isWithinBudget = isSameKill || mayVoteAgain(state, electors.length, nowMs);
  if (voted || !isWithinBudget || !jury(electors, charge).includes(state.self)) return still(state);
  const votes = isSameKill ? state.votes : [...state.votes, { target, atMs: nowMs }];
  return [{ ...state, votes }, [{ type: "sign-vote", charge }]];
}

/** Whether we voted on this in the last moments of the window before. */
function votedJustNow({ votes }: State, target: CellId, nowMs: number): boolean {
  return votes.some(
    (vote) => vote.target === target && nowMs - vote.atMs < ballotEndMs && windowOf(vote.atMs) === windowOf(nowMs) - 1,
  );
}

/**
 * Takes in votes, each with a valid signature (the host has seen to that), passes on what is new, and makes it a
 * certificate when it is enough.
 */
export function takeVotes(state: State, votes: readonly Vote[], from: CellId | null, nowMs: number): Move {
  let next = state;
  const news: Vote[] = [];
  for (const vote of votes) {
    const noted = noteVote(next, vote, nowMs);
    if (noted === next) continue;
    next = noted;
    news.push(vote);
  }
  if (news.length === 0) return still(state);
  let effects: Effect[] = [...next.kin]
    .filter((to) => to !== from)
    .map((to) => ({ type: "send", to, message: { type: "votes", votes: news } }));
  for (const id of new Set(news.map((vote) => chargeId(vote.charge)))) {
    const ballot = next.ballots.get(id);
    assert(ballot !== undefined, "a vote that was noted has its ballot");
    const [after, more] = certifyIfEnough(next, ballot, nowMs);
    next = after;
    effects = [...effects, ...more];
  }
  return [next, effects];
}

/** Whether a certificate holds: a majority of those who may vote on it, as this cell knows them. */
export function isSufficient(state: State, charge: Charge, voters: readonly CellId[], nowMs: number): boolean {
  const electors = electorate(state, nowMs);
  if (electors.length < electorateMin || voters.includes(charge.target) || !knowsTheOthers(state)) return false;
  const jurors = new Set(jury(electors, charge));
  const counted = new Set(voters.filter((voter) => jurors.has(voter)));
  return counted.size >= quorum(jurors.size);
}

/** A newborn knows the others from hearsay; before it takes part in a sentence it has asked each of them once. */
function knowsTheOthers(state: State): boolean {
  return state.probed >= Math.min(state.alive.size - 1, acquaintancesMax);
}

/** Forgets ballots of windows that are past. */
export function closeBallots(state: State, nowMs: number): Move {
  const oldest = windowOf(nowMs) - 1;
  const votes = state.votes.filter(({ atMs }) => nowMs - atMs < ballotWindowMs);
  const open = [...state.ballots].filter(([, { charge }]) => charge.window >= oldest);
  if (open.length === state.ballots.size && votes.length === state.votes.length) return still(state);
  return still({ ...state, ballots: new Map(open), votes });
}

function noteVote(state: State, { charge, voter, signature }: Vote, nowMs: number): State {
  const cell = state.alive.get(charge.target);
  if (cell === undefined || cell.pid !== charge.pid || cell.startTicks !== charge.startTicks) return state;
  if (Math.abs(charge.window - windowOf(nowMs)) > 1 || voter === charge.target || !state.alive.has(voter)) return state;
  const id = chargeId(charge);
  const ballot = state.ballots.get(id);
  if (ballot === undefined && state.ballots.size >= ballotsMax) return state;
  if (ballot?.votes.has(voter) === true || hasSpentItsVotes(state, voter, charge.window)) return state;
  const votes = new Map(ballot?.votes).set(voter, signature);
  return { ...state, ballots: new Map(state.ballots).set(id, { charge, votes }) };
}

/** Who signs more than anybody may is not heeded further: a flood of charges must not crowd out the honest ones. */
function hasSpentItsVotes(state: State, voter: CellId, window: number): boolean {
  let spent = 0;
  for (const { charge, votes } of state.ballots.values()) if (charge.window === window && votes.has(voter)) spent += 1;
  return spent >= voteBudgetSlack * votesPerWindow(state.alive.size);
}

function certifyIfEnough(state: State, { charge, votes }: Ballot, nowMs: number): Move {
  // Not whether a certificate is on record: anybody may have filed one that is not enough.
  if (state.condemned.has(charge.target) || !isSufficient(state, charge, [...votes.keys()], nowMs)) return still(state);
  const cast = [...votes].map(([voter, signature]) => ({ voter, signature }));
  return publish(state, { kind: "certificate", id: charge.target, charge, votes: cast });
}

/** Each voter signs at most one kill a window, or a tenth of the electorate: a fleet must not vote itself to death. */
function mayVoteAgain(state: State, electorCount: number, nowMs: number): boolean {
  const recent = state.votes.filter(({ atMs }) => nowMs - atMs < ballotWindowMs).length;
  return recent < votesPerWindow(electorCount);
}

function votesPerWindow(electorCount: number): number {
  return Math.max(1, Math.floor(electorCount / 10));
}

/** The round after the one in which we voted on this in the last window; it came to no sentence, or we would not ask. */
function roundOf(state: State, target: CellId, reason: Charge["reason"], window: number): number {
  let round = 0;
  for (const { charge, votes } of state.ballots.values()) {
    if (charge.target !== target || charge.reason !== reason || !votes.has(state.self)) continue;
    if (charge.window === window) return charge.round;
    if (charge.window === window - 1) round = Math.max(round, charge.round + 1);
  }
  return Math.min(round, jurySizes.length - 1);
}
