/**
 * Solitude: before a cell that is alone, or that is to grow the organism anew, grows anything, it looks whether the organism
 * lives without it.
 *
 * Intuition: who wakes in an empty house calls out before he settles in. A cell may have lost all whom it knew while others
 * live who never heard of it: it hung, or its mother died before she could tell of it. Those hold the listening sockets too.
 * If it regrew what it misses there would be two organisms behind one port; or, being a drone, it would try for ever to open
 * sockets that are open. Such a cell leaves. Among strangers of whom none can grow anything either one goes ahead, by name.
 *
 * What a stranger says is taken for true: whoever can answer here as a cell could kill this one as well. Deliberately no merging
 * of the two: strangers cannot tell whose daughter this cell is, its mother being dead and forgotten, and nothing is lost with it
 * that its own retirement would not end in good order.
 */
import type { CellClass, CellId } from "./cell.ts";
import { regenerationOf } from "./germination.ts";
import { seekStrangersMs, solitudeMsMax } from "./limits.ts";
import type { Move } from "./move.ts";
import { inTurn, still } from "./move.ts";
import { deathKey } from "./record.ts";
import type { State } from "./state.ts";
import { retire } from "./stopping.ts";

/** A cell of this organism that is on nobody's roster here, and what it says. */
export interface Stranger {
  readonly id: CellId;
  /** Whether somebody on its roster, itself included, can give rise to others. */
  readonly isAble: boolean;
  /** Whether we are on its roster. */
  readonly knowsUs: boolean;
}

/** What to make of a stranger's answer: of itself and all whom it takes to live. */
export function strangerOf(
  id: CellId,
  roster: ReadonlyArray<{ readonly id: CellId; readonly class: CellClass; readonly state: string }>,
  us: CellId,
): Stranger {
  const givesRise = (cellClass: CellClass): boolean =>
    cellClass === "egg" || cellClass === "stem" || cellClass === "neuron";
  return {
    id,
    isAble: roster.some((cell) => cell.state === "live" && givesRise(cell.class)),
    knowsUs: roster.some((cell) => cell.id === us),
  };
}

/** At each control period: who is alone, or is to grow the organism anew, looks for strangers first. */
export function seekStrangers(state: State, nowMs: number): Move {
  if (!isSolitary(state, nowMs)) return still(inCompany(state));
  const { solitude } = state;
  if (solitude !== null && nowMs - solitude.askedMs < seekStrangersMs) return still(state);
  const asked = { sinceMs: solitude?.sinceMs ?? nowMs, askedMs: nowMs, isAnswered: false };
  return [{ ...state, solitude: asked }, [{ type: "seek-strangers" }]];
}

/** Whether nothing is to grow until it is known that there are no strangers. */
export function isLookingForStrangers({ solitude }: State): boolean {
  return solitude?.isAnswered === false;
}

/** The answer has come: grow, wait, or leave the organism to them. */
export function heedStrangers(state: State, found: readonly Stranger[], nowMs: number): Move {
  const { solitude } = state;
  if (solitude === null || state.phase !== "living" || !isSolitary(state, nowMs)) return still(inCompany(state));
  const strangers = found.filter(({ id }) => isStranger(state, id));
  const isPatient = nowMs - solitude.sinceMs < solitudeMsMax;
  // Who knows us is about to find us, or was before it could tell the others.
  if (strangers.some(({ isAble, knowsUs }) => isAble && !(knowsUs && isPatient))) return leaveToThem(state, nowMs);
  if (isPatient && strangers.some(({ id, knowsUs }) => knowsUs || id < state.self)) return still(state);
  const answered: State = { ...state, solitude: { ...solitude, isAnswered: true } };
  return inTurn(still(answered), nowMs, regenerationOf(state, nowMs) ?? still);
}

/** Nobody else lives or is about to; or nobody who could give rise to the others, and it is for us to. */
function isSolitary(state: State, nowMs: number): boolean {
  const isAlone = state.alive.size === 1 && state.gestations.size === 0 && nowMs >= state.refractoryUntilMs;
  return isAlone || regenerationOf(state, nowMs) !== null;
}

/** Whether we have never heard of it. */
export function isStranger({ self, alive, records, condemned }: State, id: CellId): boolean {
  return id !== self && !alive.has(id) && !condemned.has(id) && !records.has(deathKey(id));
}

function inCompany(state: State): State {
  return state.solitude === null ? state : { ...state, solitude: null };
}

function leaveToThem(state: State, nowMs: number): Move {
  const message =
    "nobody is left of those this cell knew, but others live who do not know it: leaves the organism to them";
  const [next, effects] = retire(inCompany(state), state.dna.drainMsMax, nowMs);
  return [next, [...effects, { type: "log", level: "warn", event: "unknown", fields: {}, message }]];
}
