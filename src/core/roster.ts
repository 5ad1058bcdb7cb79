/**
 * The roster: who lives, as far as this cell has heard, kept in step with the records.
 *
 * Taking in a record is the one place where news changes a cell's mind, so everything that follows from news is
 * here: the dead leave the roster, an answered call is quieted, and what is new is passed on.
 */
import { assert } from "../lib/assert.ts";
import { hash32, rendezvousRank } from "../lib/hash.ts";
import { mapWith, mapWithout } from "../lib/shared-map.ts";
import type { CellClass, CellId, SpecializedClass } from "./cell.ts";
import type { Effect } from "./effect.ts";
import { answered } from "./hormone.ts";
import { bansHeldMax, episodeMs, soonestLookMs, tombstoneMs, tombstonesMax, unheardCalls } from "./limits.ts";
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import type { BanBody, CellBody, DeathBody, OrganismRecord, RecordBody } from "./record.ts";
import { leavingBody, rosterIndex } from "./roster-index.ts";
import { cellKey, certificateKey, deathKey, keyOf, supersedes } from "./record.ts";
import type { State } from "./state.ts";

/** Takes in records that came from `from` (null: our own). Passes the new ones on to all other kin. */
export function takeIn(state: State, records: readonly OrganismRecord[], from: CellId | null, nowMs: number): Move {
  const news = records.filter((record) => isNews(state, record));
  if (news.length === 0) return still(state);
  let next = state;
  for (const record of news) next = remember(next, record, nowMs);
  const effects: Effect[] = [];
  for (const to of next.kin) {
    if (to !== from) effects.push({ type: "send", to, message: { type: "records", records: news } });
  }
  const bans = news.flatMap(({ body }) => (body.kind === "ban" ? [body] : []));
  if (bans.length > 0) effects.push({ type: "enforce", bans });
  if (news.some(({ body }) => body.kind === "memory")) effects.push({ type: "recall" });
  effects.push({ type: "inform" });
  if (news.some(({ body }) => body.kind === "death")) next = lookSoon(next, nowMs);
  return [withinBansHeld(next), effects];
}

/** A place has become vacant: whoever calls for somebody to take it does not wait for its next look. */
export function lookSoon(state: State, nowMs: number): State {
  const isCaller = state.class === "neuron" || membersOf(state, "neuron").length === 0;
  const soonMs = Math.max(nowMs, state.lookedMs + soonestLookMs);
  return isCaller && soonMs < state.nextControlMs ? { ...state, nextControlMs: soonMs } : state;
}

/** Makes a T cell's sentences known. */
export function pronounce(state: State, bans: readonly BanBody[]): Move {
  if (state.class !== "t-cell") return still(state);
  let move: Move = still(state);
  for (const ban of bans) {
    const [next, effects] = publish(move[0], ban);
    move = [next, [...move[1], ...effects]];
  }
  return move;
}

/** Forgets bans that are no news any more. */
export function forgetBans(state: State, keys: readonly string[]): State {
  const held = new Set(keys.filter((key) => state.bans.includes(key)));
  if (held.size === 0) return state;
  const [records, issued] = [new Map(state.records), new Map(state.issued)];
  for (const key of held) {
    records.delete(key);
    issued.delete(key);
  }
  return { ...state, records, issued, bans: state.bans.filter((key) => !held.has(key)) };
}

function withinBansHeld(state: State): State {
  const tooMany = state.bans.length - bansHeldMax;
  return tooMany <= 0 ? state : forgetBans(state, state.bans.slice(0, tooMany));
}

/**
 * Has `body` signed as our own next word on its key. What it says of a cell holds for us at once; the others hear of it
 * when `signed` comes back.
 */
export function publish(state: State, body: RecordBody): Move {
  const key = keyOf(body);
  const version = Math.max(state.records.get(key)?.version ?? -1, state.issued.get(key) ?? -1) + 1;
  const issued = new Map(state.issued).set(key, version);
  const alive = body.kind === "cell" ? mapWith(state.alive, body.id, body) : state.alive;
  return [{ ...state, issued, alive }, [{ type: "sign", key, version, body }]];
}

/** Publishes a change of what this cell says of itself. */
export function announce(state: State, change: Partial<Pick<CellBody, "class" | "state">>): Move {
  return publish(state, { ...ownBody(state), ...change });
}

/** What this cell says of itself. */
export function ownBody(state: State): CellBody {
  const own = state.alive.get(state.self);
  assert(own !== undefined, "a cell that acts is on its own roster");
  return own;
}

/** Forgets tombstones that are old enough, or too many; but never a living cell's mother, whose key certifies it. */
export function forgetTheLongDead(state: State, nowMs: number): Move {
  const oldest = state.tombstones[0];
  const tooMany = state.tombstones.length - tombstonesMax;
  if (oldest === undefined || (tooMany <= 0 && nowMs - oldest.atMs < tombstoneMs)) return still(state);
  const mothers = new Set([...state.alive.values()].map((cell) => cell.mother));
  // Nor whoever has passed a sentence that is still news: it is believed by its key.
  for (const key of state.bans) mothers.add(state.records.get(key)?.origin ?? null);
  const records = new Map(state.records);
  const tombstones = state.tombstones.filter(({ id, atMs }, i) => {
    if (mothers.has(id) || (i >= tooMany && nowMs - atMs < tombstoneMs)) return true;
    records.delete(deathKey(id));
    records.delete(certificateKey(id));
    records.delete(cellKey(id));
    return false;
  });
  return still({ ...state, records, tombstones });
}

/**
 * Living members of each class, the unborn included: a place that somebody is about to take is not vacant. Those that were
 * given up are not counted.
 */
export function census(state: State): Record<CellClass, number> {
  const count: Record<CellClass, number> = { ...rosterIndex(state.alive).staying };
  for (const id of state.suspects.keys()) {
    const cell = isGivenUp(state, id) ? state.alive.get(id) : undefined;
    if (cell !== undefined && cell.state !== "draining") count[cell.class] -= 1;
  }
  for (const [id, gestation] of state.gestations) if (!state.alive.has(id)) count[gestation.class] += 1;
  return count;
}

/** Living cells of a class that can act: neither unborn nor leaving. */
export function membersOf(state: State, cellClass: CellClass): readonly CellId[] {
  const live = rosterIndex(state.alive).live[cellClass];
  return state.suspects.size === 0 ? live : live.filter((id) => !isGivenUp(state, id));
}

/** Whether a cell does not answer and nobody can vote it out: its place is vacant, though it still votes and dies by vote. */
function isGivenUp(state: State, id: CellId): boolean {
  return state.suspects.get(id)?.isGivenUp === true;
}

/** Those of them that answer, as far as this cell has found: on the others nothing can be built. */
export function ableMembersOf(state: State, cellClass: CellClass): readonly CellId[] {
  const members = membersOf(state, cellClass);
  return state.suspects.size === 0 ? members : members.filter((id) => !state.suspects.has(id));
}

/** Of several neurons the one whose turn it is to act on a class: all compute the same one, nobody is appointed. */
export function isNeuronsTurn(state: State, cellClass: SpecializedClass | "egg"): boolean {
  const neurons = ableMembersOf(state, "neuron");
  return state.class === "neuron" && rendezvousRank(`call/${cellClass}`, state.self, neurons) === 0;
}

/** Strictly before in the order of births. Total: two different cells are never equally old. */
export function isElder(a: CellBody, b: CellBody): boolean {
  return a.birthOrder < b.birthOrder || (a.birthOrder === b.birthOrder && a.id < b.id);
}

/**
 * A mother that lies can name a daughter that is none, with the process of one who is. Such a ghost is nobody: there is no death
 * to tell of. Its word is kept, or it would be news again from whoever has not asked it yet; but it is passed on no more, and no
 * matter over which relatives could be at odds.
 */
export function withoutGhost(state: State, id: CellId): State {
  const condemned = new Map(state.condemned);
  condemned.delete(id);
  const known = state.ghosts.has(id) ? undefined : state.records.get(cellKey(id));
  const ghosts = new Set(state.ghosts).add(id);
  const [oldest] = ghosts;
  const isTooMany = ghosts.size > tombstonesMax && oldest !== undefined;
  if (isTooMany) ghosts.delete(oldest);
  return {
    ...state,
    condemned,
    ghosts,
    records: isTooMany ? mapWithout(state.records, cellKey(oldest)) : state.records,
    digest: known === undefined ? state.digest : (state.digest ^ editionHash(known)) >>> 0,
    alive: mapWithout(state.alive, id),
    absent: without(state.absent, id),
    heardMs: mapWithout(state.heardMs, id),
  };
}

/** What is passed on to relatives and daughters. */
export function recordsToTell({ records, ghosts }: State): OrganismRecord[] {
  const all = [...records.values()];
  return ghosts.size === 0 ? all : all.filter(({ body }) => body.kind !== "cell" || !ghosts.has(body.id));
}

function isNews(state: State, record: OrganismRecord): boolean {
  if (!supersedes(record, state.records.get(record.key))) return false;
  // The dead stay dead: a late word of theirs, or about them, changes nothing.
  if (record.body.kind === "cell") return !state.records.has(deathKey(record.body.id));
  // A sentence that holds for us is not replaced by one that may not.
  return record.body.kind !== "certificate" || !state.condemned.has(record.body.id);
}

function remember(before: State, record: OrganismRecord, nowMs: number): State {
  const state = { ...before, digest: digestAfter(before, record) };
  const records = mapWith(state.records, record.key, record);
  const { body } = record;
  switch (body.kind) {
    case "cell":
      return rememberCell({ ...state, records }, body, nowMs);
    case "death":
      // Several may have found the same death: the records agree on one of their words, the death is counted once.
      return state.records.has(record.key)
        ? { ...state, records }
        : rememberDeath({ ...state, records }, body, record.origin, nowMs);
    case "certificate":
    case "app":
    case "memory":
      return { ...state, records };
    case "ban":
      return { ...state, records, bans: state.records.has(record.key) ? state.bans : [...state.bans, record.key] };
    case "dna":
      return { ...state, records, revisedMs: nowMs };
    case "stop":
      return {
        ...state,
        records,
        stop: state.stop?.alone === false ? state.stop : { atMs: nowMs, drainMs: body.drainMs, alone: false },
      };
  }
}

function rememberCell(state: State, body: CellBody, nowMs: number): State {
  const before = state.alive.get(body.id);
  // What a condemned cell says of itself no longer counts: it is leaving.
  const alive = mapWith(state.alive, body.id, state.condemned.has(body.id) ? leavingBody(body) : body);
  const tookRole = body.class !== "egg" && body.class !== "stem" && before?.class === "stem";
  const took = body.class as SpecializedClass;
  const hormones = tookRole ? answered(state.hormones, took, nowMs) : state.hormones;
  // Whatever is wanted from now on is another want.
  const isAnswered = tookRole && !isStillUnheard(state, body, took);
  const unanswered = isAnswered ? { ...state.unanswered, [took]: 0 } : state.unanswered;
  const heardMs = state.heardMs.has(body.id) ? state.heardMs : mapWith(state.heardMs, body.id, nowMs);
  const ghosts = without(state.ghosts, body.id);
  const known: State = { ...state, alive, hormones, unanswered, heardMs, ghosts };
  // Of our own process we know whose it is.
  if (body.id !== state.self && isProcessOf(state.alive.get(state.self), body)) return withoutGhost(known, body.id);
  const ghost = before === undefined ? absentNameOf(known, body) : undefined;
  return ghost === undefined ? known : withoutGhost(known, ghost);
}

/** A daughter that was borne to hear us is no sign that others do: not before the class has its minimum again. */
function isStillUnheard(state: State, { mother }: CellBody, took: SpecializedClass): boolean {
  if (mother !== state.self || state.unanswered[took] < unheardCalls) return false;
  return census(state)[took] + 1 < state.dna.population[took].min;
}

function rememberDeath(state: State, { id, cause, pid, startTicks }: DeathBody, toldBy: CellId, nowMs: number): State {
  const dead = state.alive.get(id);
  const alive = mapWithout(state.alive, id);
  const doubted = without(state.doubted, id);
  const [absent, ghosts] = [without(state.absent, id), without(state.ghosts, id)];
  const tombstones = [...state.tombstones, { id, atMs: nowMs }];
  const counts =
    cause === "crashed" && dead?.class === "drone" && nowMs - (state.app.crashesMs.at(-1) ?? -Infinity) > episodeMs;
  const crashesMs = counts ? [...state.app.crashesMs, nowMs] : state.app.crashesMs;
  const heardMs = mapWithout(state.heardMs, id);
  const wornSinceMs = mapWithout(state.wornSinceMs, id);
  const condemned = new Map(state.condemned);
  // A farewell is no proof, but its cell's own word that it ends: until the kernel has buried it the others see to that.
  if (toldBy !== id) condemned.delete(id);
  else if (id !== state.self && !condemned.has(id)) condemned.set(id, { reason: "left", pid, startTicks, atMs: nowMs });
  const rumours = new Map(state.rumours);
  rumours.delete(id);
  return {
    ...state,
    alive,
    heardMs,
    wornSinceMs,
    condemned,
    rumours,
    doubted,
    absent,
    ghosts,
    tombstones,
    app: { ...state.app, crashesMs },
  };
}

/**
 * The digest that follows from a record: an exclusive or over the editions of what both ends of a link should hold. The dead
 * are left out, for cells forget them at times of their own.
 */
function digestAfter(state: State, record: OrganismRecord): number {
  const { body, key } = record;
  const isGhost = (body.kind === "death" || body.kind === "cell") && state.ghosts.has(body.id);
  const dead = body.kind === "death" && !isGhost ? state.records.get(cellKey(body.id)) : undefined;
  if (dead !== undefined) return state.records.has(key) ? state.digest : (state.digest ^ editionHash(dead)) >>> 0;
  // Bans are forgotten by each at a moment of its own; what was missed of them is found in the memory.
  if (body.kind === "death" || body.kind === "certificate" || body.kind === "ban") return state.digest;
  const held = isGhost ? undefined : state.records.get(key);
  return (state.digest ^ editionHash(record) ^ (held === undefined ? 0 : editionHash(held))) >>> 0;
}

function editionHash({ key, version, origin }: OrganismRecord): number {
  return hash32(`${key}/${version}/${origin}`);
}

/** The cell, living or dead, that is known as that very process. */
export function cellOfProcess(state: State, pid: number, startTicks: number): CellId | undefined {
  return ownerOfProcess({ ...state, absent: nobody }, pid, startTicks);
}
const nobody: ReadonlySet<CellId> = new Set();

/**
 * The same, where another claims that process. A name under which nobody answers is no claim against it: else a ghost that was
 * heard of before the cell whose process it has would shut that one out for ever.
 */
export function ownerOfProcess(state: State, pid: number, startTicks: number): CellId | undefined {
  for (const cell of state.alive.values())
    if (cell.pid === pid && cell.startTicks === startTicks && !state.absent.has(cell.id)) return cell.id;
  // Where start times are not known a dead cell's pid may be somebody else's by now.
  if (startTicks === 0) return undefined;
  for (const { body } of state.records.values())
    if (body.kind === "death" && body.pid === pid && body.startTicks === startTicks) return body.id;
  return undefined;
}

/** A living cell of that very process under whose name nobody answers. */
function absentNameOf(state: State, body: CellBody): CellId | undefined {
  for (const other of state.absent) if (other !== body.id && isProcessOf(state.alive.get(other), body)) return other;
  return undefined;
}

/** Where start times are not known a pid may be reused. */
function isProcessOf(cell: CellBody | undefined, { pid, startTicks }: CellBody): boolean {
  return startTicks !== 0 && cell?.pid === pid && cell.startTicks === startTicks;
}

/** A set less one member; the same set where it was none. */
export function without<T>(set: ReadonlySet<T>, member: T): ReadonlySet<T> {
  if (!set.has(member)) return set;
  const next = new Set(set);
  next.delete(member);
  return next;
}
