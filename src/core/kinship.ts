/**
 * Kinship: who is linked to whom, and who takes in an orphan.
 *
 * Intuition: everyone holds the hand of one older relative. When that hand goes cold, reach for the grandmother, then
 * further up the line, then for any elder. Because every edge points to a strictly older cell there can be no cycle,
 * and whoever finds no living elder is the root; being the root gives it nothing.
 * Deliberately no election and no repair protocol: the order of births is the whole of it.
 */
import { rendezvousRank } from "../lib/hash.ts";
import type { CellId } from "./cell.ts";
import type { Effect } from "./effect.ts";
import { adoptionTimeoutMs, patrolPerPeriod, silentElderMs } from "./limits.ts";
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import type { CellBody } from "./record.ts";
import { deathKey } from "./record.ts";
import { isElder, ownBody, without } from "./roster.ts";
import { rosterIndex } from "./roster-index.ts";
import type { State } from "./state.ts";
import { inventory } from "./tally.ts";

/** Asks the next elder for adoption, where there is none yet and none is being asked. */
export function seekElder(state: State, nowMs: number): Move {
  if (state.adoption !== null && nowMs < state.adoption.deadlineMs) return still(state);
  if (elderOf(state) !== null) return still(state.adoption === null ? state : { ...state, adoption: null });
  const refused = state.adoption === null ? [] : [...state.adoption.refused, state.adoption.asked];
  const candidate = nextElder(state, new Set(refused));
  // Everybody was asked: start over at the next period, for an elder that was too busy may answer then.
  if (candidate === null) return still(state.adoption === null ? state : { ...state, adoption: null });
  const adoption = { asked: candidate, deadlineMs: nowMs + adoptionTimeoutMs, refused };
  return [{ ...state, adoption }, [{ type: "connect", to: candidate }]];
}

/** A link is up: keep it, unless it would be a second elder or to one we shun; tell each other what we hold. */
export function linkOpened(state: State, peer: CellId): Move {
  if (isShunned(state, peer))
    return [{ ...state, kin: without(state.kin, peer) }, [{ type: "disconnect", from: peer }]];
  const elder = elderOf(state);
  const kin = new Set(state.kin).add(peer);
  const isSecondElder = elder !== null && elder !== peer && isElderOfSelf(state, peer);
  // A second elder would make two ways between two cells, and hormones would arrive twice. The older link stays.
  if (isSecondElder) return [state, [{ type: "disconnect", from: peer }]];
  const adoption = isElderOfSelf(state, peer) ? null : state.adoption;
  return [{ ...state, kin, adoption, doubted: without(state.doubted, peer) }, [inventory(state, peer)]];
}

/** A link is gone: the peer may be dead, and we may be an orphan. */
export function linkClosed(state: State, peer: CellId, nowMs: number): Move {
  if (!state.kin.has(peer)) return still(state);
  const [next, effects] = doubt({ ...state, kin: without(state.kin, peer) }, peer);
  const [sought, more] = seekElder(next, nowMs);
  return [sought, [...effects, ...more]];
}

/** The dead, the condemned, and those we know to be infected: nobody links up with them. */
export function isShunned(state: State, peer: CellId): boolean {
  return (
    state.records.has(deathKey(peer)) || state.condemned.has(peer) || state.suspects.get(peer)?.answer === "infected"
  );
}

/** At each control period: lets go of relatives that are infected. What passed through them might be held back by them. */
export function leaveTheInfected(state: State, nowMs: number): Move {
  const shunned = [...state.kin].filter((peer) => state.suspects.get(peer)?.answer === "infected");
  if (shunned.length === 0) return still(state);
  const kin = new Set(state.kin);
  for (const peer of shunned) kin.delete(peer);
  const [next, effects] = seekElder({ ...state, kin }, nowMs);
  return [next, [...shunned.map((from): Effect => ({ type: "disconnect", from })), ...effects]];
}

/**
 * At each control period: an elder that has not answered for a while is let go for another. All that its daughters have to
 * say to each other, their suspicion of it included, would go through it.
 */
export function leaveSilentElder(state: State, nowMs: number): Move {
  const elder = elderOf(state);
  const suspect = elder === null ? undefined : state.suspects.get(elder);
  if (elder === null || suspect === undefined || nowMs - suspect.sinceMs < silentElderMs) return still(state);
  const [next, effects] = seekElder({ ...state, kin: without(state.kin, elder) }, nowMs);
  return [next, [{ type: "disconnect", from: elder }, ...effects]];
}

/** An elder that was asked did not answer: doubt it, and ask the next. */
export function connectFailed(state: State, peer: CellId, nowMs: number): Move {
  const [doubting, effects] = doubt(state, peer);
  if (doubting.adoption?.asked !== peer) return [doubting, effects];
  const [next, more] = seekElder({ ...doubting, adoption: { ...doubting.adoption, deadlineMs: nowMs } }, nowMs);
  return [next, [...effects, ...more]];
}

/** Asks the kernel about a cell, unless an answer is awaited. */
export function doubt(state: State, id: CellId): Move {
  const cell = state.alive.get(id);
  if (cell === undefined || id === state.self || state.doubted.has(id)) return still(state);
  return [{ ...state, doubted: new Set(state.doubted).add(id) }, [inspection(cell)]];
}

/** The kernel says that a doubted cell's process runs after all. */
export function vindicate(state: State, id: CellId): Move {
  return still({ ...state, doubted: without(state.doubted, id) });
}

/**
 * Looks after a few cells at each control period, in turn. Links and relatives tell of most deaths at once; this finds
 * those whose whole kin died with them.
 */
export function patrol(state: State): Move {
  const { ids: others } = rosterIndex(state.alive);
  let move: Move = still({ ...state, patrolled: state.patrolled + patrolPerPeriod });
  for (let i = 0; i < Math.min(patrolPerPeriod, others.length); i += 1) {
    const id = others[(state.patrolled + i) % others.length] ?? "";
    // What it uses itself a cell is told by the kernel, as it is of the others.
    const [next, effects] = id === state.self ? [move[0], [inspection(ownBody(state))]] : doubt(move[0], id);
    move = [next, [...move[1], ...effects]];
  }
  return move;
}

/** Who watched over the dead, or was watched by them, may have died with them: ask about mother and daughters. */
export function doubtRelatives(state: State, dead: CellBody): Move {
  let move: Move = still(state);
  for (const cell of state.alive.values()) {
    if (cell.mother !== dead.id && cell.id !== dead.mother) continue;
    const [next, effects] = doubt(move[0], cell.id);
    move = [next, [...move[1], ...effects]];
  }
  return move;
}

/** The elder that we hold a link to, or null. */
export function elderOf(state: State): CellId | null {
  for (const peer of state.kin) if (isElderOfSelf(state, peer)) return peer;
  return null;
}

function isElderOfSelf(state: State, peer: CellId): boolean {
  const body = state.alive.get(peer);
  return body !== undefined && isElder(body, ownBody(state));
}

/** Mother, then up the line, then any living elder, spread so that not all orphans knock at one door. */
function nextElder(state: State, refused: ReadonlySet<CellId>): CellId | null {
  const own = ownBody(state);
  const willing = (cell: CellBody | undefined): cell is CellBody =>
    cell !== undefined &&
    cell.state !== "gestating" &&
    isElder(cell, own) &&
    !refused.has(cell.id) &&
    !state.suspects.has(cell.id) &&
    !state.condemned.has(cell.id);
  for (let i = own.lineage.length - 1; i >= 0; i -= 1) {
    const ancestor = state.alive.get(own.lineage[i] ?? "");
    if (willing(ancestor) && !state.doubted.has(ancestor.id)) return ancestor.id;
  }
  const elders = [...state.alive.values()].filter(willing).map((cell) => cell.id);
  return elders.find((id) => rendezvousRank(own.id, id, elders) === 0) ?? null;
}

function inspection(cell: CellBody): Effect {
  return { type: "inspect", id: cell.id, pid: cell.pid, startTicks: cell.startTicks };
}
