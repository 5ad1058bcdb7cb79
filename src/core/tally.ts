/**
 * Tallies: how the whole organism fares, known to every cell at a cost that does not grow with the organism.
 *
 * Intuition: each tells each of its kin the sum of itself and of all that it hears from its *other* kin. On a tree every
 * cell is then counted exactly once in what any one of them adds up. No cell collects, none asks, and a message is as
 * small for a thousand cells as for five. What is lost on the way is replaced by the next.
 */
import type { CellClass, CellId } from "./cell.ts";
import { cellClasses } from "./cell.ts";
import type { Effect } from "./effect.ts";
import { discordPeriodsMax, quietMsMax, tallyFreshMs } from "./limits.ts";
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import { rosterIndex } from "./roster-index.ts";
import type { State } from "./state.ts";
import { linksToTCell } from "./testimony.ts";

/** What one cell measures of itself. Integers. */
export interface Vitals {
  /** Event-loop utilization since the last look, in thousandths. */
  readonly loadMilli: number;
  /** Requests that are being worked on. */
  readonly inFlight: number;
  /** Requests that wait for a drone. */
  readonly queued: number;
  /** How long the one that waits longest has waited, in milliseconds. */
  readonly queueMs: number;
  /** Evidence against attackers: what was found here since the last look, and what waits here for a T cell. */
  readonly marks: number;
  /** Requests that came, and that were done with, since the last look. B cells count them. */
  readonly came: number;
  readonly done: number;
  /** For how long it has had nothing to do; quietMsMax for who has no requests of its own. */
  readonly quietMs: number;
  /** 1 while it cannot do its work: its app is still loading, say. */
  readonly unready: number;
  /** Memory in use, in thousandths of what may be used, and CPU time that a quota takes away. 0 where not looked at: neurons look. */
  readonly memoryMilli: number;
  readonly throttledMilli: number;
}

/** The sum over some cells of a class; of `queueMs`, `memoryMilli` and `throttledMilli` the maximum, of `quietMs` the minimum. */
export interface ClassTally extends Vitals {
  readonly cells: number;
}
export type Tally = Readonly<Record<CellClass, ClassTally>>;

export interface HeardTally {
  readonly tally: Tally;
  readonly atMs: number;
  /** Links from its sender on to the nearest T cell, or null. */
  readonly toTCell: number | null;
}

export interface Discord {
  readonly own: number;
  readonly theirs: number;
  readonly periods: number;
}

export const noVitals: Vitals = {
  loadMilli: 0,
  inFlight: 0,
  queued: 0,
  queueMs: 0,
  came: 0,
  done: 0,
  quietMs: quietMsMax,
  unready: 0,
  memoryMilli: 0,
  throttledMilli: 0,
  marks: 0,
};
const none: ClassTally = { cells: 0, ...noVitals };
export const emptyTally = Object.fromEntries(cellClasses.map((c) => [c, none])) as unknown as Tally;

/** The whole organism as this cell knows it. */
export function totalTally(state: State, nowMs: number): Tally {
  return sumWithout(state, null, nowMs);
}

/** Tells each of our kin what lies on this side of the link to it. */
export function shareTallies(state: State, nowMs: number): Move {
  const effects: Effect[] = [];
  for (const to of state.kin)
    effects.push({
      type: "send",
      to,
      message: {
        type: "tally",
        tally: sumWithout(state, to, nowMs),
        digest: state.digest,
        toTCell: linksToTCell(state, to, nowMs),
      },
    });
  return [state, effects];
}

/** Takes in what a relative says of its side, as far as it can be so. */
export function hearTally(
  state: State,
  from: CellId,
  { tally, toTCell }: Pick<HeardTally, "tally" | "toTCell">,
  nowMs: number,
): State {
  const tallies = new Map(state.tallies).set(from, { tally: plausible(state, tally), atMs: nowMs, toTCell });
  for (const known of tallies.keys()) if (!state.kin.has(known)) tallies.delete(known);
  return { ...state, tallies };
}

/**
 * Compares what a relative holds with what we hold. Records are flooded, and links lose nothing while they last; but a record
 * that could not be believed when it came (its mother not known yet) is not sent again. Where two stay at odds and neither
 * learns anything, we ask anew for what we lack.
 */
export function compareDigests(state: State, from: CellId, theirs: number): Move {
  const before = state.discords.get(from);
  const discords = new Map(state.discords);
  const own = state.digest;
  if (own === theirs) {
    if (before === undefined) return still(state);
    discords.delete(from);
    return still({ ...state, discords });
  }
  const isSame = before?.own === own && before.theirs === theirs;
  const periods = isSame ? before.periods + 1 : 1;
  if (periods < discordPeriodsMax) return still({ ...state, discords: discords.set(from, { own, theirs, periods }) });
  discords.delete(from);
  return [{ ...state, discords }, [inventory(state, from)]];
}

/** Which records we hold: whoever gets it sends what we lack. */
export function inventory(state: State, to: CellId): Effect {
  const entries = [...state.records.values()].map((r) => [r.key, r.version, r.origin] as const);
  return { type: "send", to, message: { type: "inventory", entries } };
}

/** No more cells of a class than live, and none more than fully loaded: a lie can claim no more than that. */
function plausible(state: State, tally: Tally): Tally {
  const { members } = rosterIndex(state.alive);
  const bounded = cellClasses.map((cellClass) => {
    const told = tally[cellClass];
    const cells = Math.min(told.cells, members[cellClass]);
    return [cellClass, { ...told, cells, loadMilli: Math.min(told.loadMilli, 1000 * cells) }] as const;
  });
  return Object.fromEntries(bounded) as unknown as Tally;
}

function sumWithout(state: State, except: CellId | null, nowMs: number): Tally {
  // Who is leaving does not count on itself, and nobody else should.
  const unready = state.phase === "stopping" ? 1 : state.vitals.unready;
  let sum: Tally = { ...emptyTally, [state.class]: { cells: 1, ...state.vitals, unready } };
  for (const [from, { tally, atMs }] of state.tallies) {
    // A relative that is silent for long, or no relative any more, is not counted.
    if (from === except || !state.kin.has(from) || nowMs - atMs > tallyFreshMs) continue;
    sum = add(sum, tally);
  }
  return sum;
}

function add(a: Tally, b: Tally): Tally {
  return Object.fromEntries(cellClasses.map((c) => [c, addClass(a[c], b[c])])) as unknown as Tally;
}

function addClass(a: ClassTally, b: ClassTally): ClassTally {
  if (b.cells === 0) return a;
  return {
    cells: a.cells + b.cells,
    loadMilli: a.loadMilli + b.loadMilli,
    inFlight: a.inFlight + b.inFlight,
    queued: a.queued + b.queued,
    queueMs: Math.max(a.queueMs, b.queueMs),
    marks: a.marks + b.marks,
    came: a.came + b.came,
    done: a.done + b.done,
    quietMs: Math.min(a.quietMs, b.quietMs),
    unready: a.unready + b.unready,
    memoryMilli: Math.max(a.memoryMilli, b.memoryMilli),
    throttledMilli: Math.max(a.throttledMilli, b.throttledMilli),
  };
}
