/**
 * Renewal: who is worn out or outdated, and how it is replaced without anybody noticing.
 *
 * Intuition: as skin is renewed. The new cell grows first, then the old one may go, and never many at a time. Each cell judges
 * by what it has seen itself: what the kernel tells of a process's memory and descriptors, how long it has known the
 * cell, and which DNA the cell's certificate names. So a lie can make nobody old.
 *
 * The order of it: whoever finds a cell due counts one more of its class as wanted, so that a neuron calls for the
 * replacement; once all say that they are ready, and one more than is wanted is there, it votes. Where memory is all but used up
 * there is no room for a replacement: there one that holds too much goes first, if it is not the last.
 * Deliberately no plan for the whole (no "rolling restart"): the same rule, one cell at a time, renews an organism of any size.
 */
import { hash32 } from "../lib/hash.ts";
import { castVote, windowOf } from "./ballot.ts";
import type { CellClass, CellId } from "./cell.ts";
import { cellClasses } from "./cell.ts";
import { demandOf } from "./demand.ts";
import type { CoreDna } from "./dna.ts";
import { renewalShare, wornMsMin } from "./limits.ts";
import type { Move } from "./move.ts";
import { inTurn, still } from "./move.ts";
import type { CellBody } from "./record.ts";
import { isOutdated, revisionOf } from "./revision.ts";
import { membersOf } from "./roster.ts";
import type { State } from "./state.ts";
import { totalTally } from "./tally.ts";

/** What the kernel tells of a process. */
export interface Wear {
  readonly rssBytes: number;
  /** Open descriptors, in thousandths of those that it may have. */
  readonly descriptorMilli: number;
}

type RenewalReason = "worn" | "outdated";

/** Above all that hash32 gives. */
const hashesEnd = 2 ** 32;

/** No limits. */
export const neverWorn: CoreDna["wear"] = {
  rssBytesMax: forEachClass(0),
  descriptorMilliMax: forEachClass(0),
  ageMsMax: 0,
};

export function forEachClass<T>(value: T): Record<CellClass, T> {
  return Object.fromEntries(cellClasses.map((c) => [c, value])) as Record<CellClass, T>;
}

/** The kernel tells what a cell's process uses. */
export function noteWear(state: State, id: CellId, wear: Wear | null, nowMs: number): Move {
  const cell = state.alive.get(id);
  const isWorn = cell !== undefined && wear !== null && exceeds(wear, cell.class, state.dna.wear);
  if (isWorn === state.wornSinceMs.has(id)) return still(state);
  const wornSinceMs = new Map(state.wornSinceMs);
  if (isWorn) wornSinceMs.set(id, nowMs);
  else wornSinceMs.delete(id);
  return still({ ...state, wornSinceMs });
}

/** How many more of a class are wanted for now, because as many are about to be replaced. */
export function renewalsOf(state: State, cellClass: CellClass, nowMs: number): number {
  // Without room for a replacement there is none.
  if (state.isSqueezed || isFresh(state)) return 0;
  const due = dueOf(state, cellClass, nowMs).length;
  if (due === 0) return 0;
  return Math.max(0, Math.min(due, renewalsMax(state, cellClass)) - leaving(state, cellClass));
}

/** At each control period: votes out who is due, once a replacement is ready. */
export function accuseWorn(state: State, nowMs: number): Move {
  if (isFresh(state)) return still(state);
  // All voters take the same one first, of whatever class, and another in each window: see inTurnOfAccusation. But those that
  // are merely old come last. There may be more of them than votes, always, and whoever leaks or is outdated would wait for luck.
  const isUrgent = (cell: CellBody): boolean => urgentReasonOf(state, cell, nowMs) !== null;
  const place = (cell: CellBody): number =>
    hash32(`renew/${windowOf(nowMs)}/${cell.id}`) + (isUrgent(cell) ? 0 : hashesEnd);
  const due = cellClasses.flatMap((cellClass) => dueOf(state, cellClass, nowMs));
  const inTurnOfRenewal = due.map((target) => ({ target, place: place(target) })).sort((a, b) => a.place - b.place);
  let move: Move = still(state);
  for (const { target } of inTurnOfRenewal) {
    const reason = reasonOf(move[0], target, nowMs);
    if (reason === null || !mayGo(move[0], target.class, reason, nowMs)) continue;
    move = inTurn(move, nowMs, (s) => castVote(s, target.id, reason, nowMs));
  }
  return move;
}

/** Nobody can be due. Asked first, for the rest looks at every cell. */
function isFresh(state: State): boolean {
  return state.wornSinceMs.size === 0 && revisionOf(state) === null && state.dna.wear.ageMsMax === 0;
}

/** Whether one of a class can be spared now. */
function mayGo(state: State, cellClass: CellClass, reason: RenewalReason, nowMs: number): boolean {
  const { cells, unready } = totalTally(state, nowMs)[cellClass];
  const left = Math.min(cells - unready, membersOf(state, cellClass).length) - 1;
  if (state.isSqueezed) return reason === "worn" && left >= 1;
  return left >= wantedAtRest(state, cellClass, nowMs) && leaving(state, cellClass) < renewalsMax(state, cellClass);
}

function wantedAtRest(state: State, cellClass: CellClass, nowMs: number): number {
  if (cellClass === "stem") return state.dna.stemPool;
  return cellClass === "egg" ? 0 : demandOf(state, cellClass, nowMs);
}

/** Members of a class that are to be replaced. */
function dueOf(state: State, cellClass: CellClass, nowMs: number): CellBody[] {
  if (cellClass === "egg") return [];
  return membersOf(state, cellClass).flatMap((id) => {
    const cell = state.alive.get(id);
    return cell !== undefined && reasonOf(state, cell, nowMs) !== null ? [cell] : [];
  });
}

function reasonOf(state: State, cell: CellBody, nowMs: number): RenewalReason | null {
  return urgentReasonOf(state, cell, nowMs) ?? (isOld(state, cell, nowMs) ? "worn" : null);
}

function isOld(state: State, { id }: CellBody, nowMs: number): boolean {
  const { ageMsMax } = state.dna.wear;
  return ageMsMax > 0 && nowMs - (state.heardMs.get(id) ?? nowMs) >= ageMsMax;
}

/** But for its age. */
function urgentReasonOf(state: State, cell: CellBody, nowMs: number): RenewalReason | null {
  const wornSinceMs = state.wornSinceMs.get(cell.id);
  if (wornSinceMs !== undefined && nowMs - wornSinceMs >= wornMsMin) return "worn";
  const knownMs = nowMs - (state.heardMs.get(cell.id) ?? nowMs);
  if (!isOutdated(state, cell) || nowMs - state.revisedMs < wornMsMin || knownMs < wornMsMin) return null;
  // Those who are to take the others' places are renewed first, or the new ones would be outdated themselves.
  return cell.class === "stem" || !hasOutdatedStem(state) ? "outdated" : null;
}

function hasOutdatedStem(state: State): boolean {
  return membersOf(state, "stem").some((id) => {
    const cell = state.alive.get(id);
    return cell !== undefined && isOutdated(state, cell);
  });
}

function renewalsMax(state: State, cellClass: CellClass): number {
  return Math.max(1, Math.floor(membersOf(state, cellClass).length / renewalShare));
}

/** Those of a class who were voted out for this and are still finishing what they have. */
function leaving(state: State, cellClass: CellClass): number {
  let count = 0;
  for (const [id, { reason }] of state.condemned) {
    if (reason !== "worn" && reason !== "outdated") continue;
    if (state.alive.get(id)?.class === cellClass) count += 1;
  }
  return count;
}

function exceeds({ rssBytes, descriptorMilli }: Wear, cellClass: CellClass, limits: CoreDna["wear"]): boolean {
  const over = (value: number, max: number): boolean => max > 0 && value > max;
  return over(rssBytes, limits.rssBytesMax[cellClass]) || over(descriptorMilli, limits.descriptorMilliMax[cellClass]);
}
