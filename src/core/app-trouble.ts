/**
 * App trouble: when growing another drone would only make another corpse.
 *
 * An app that fails to start, or drones that die of themselves one after the other, hold the growth of drones: with a
 * doubling wait, and when the budget of attempts in the window is used up, until the window has passed. A change of
 * the app's files lifts the hold at once, so that saving the fix is all that its author needs to do.
 */
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import type { AppBody } from "./record.ts";
import { appKey } from "./record.ts";
import { isNeuronsTurn, publish } from "./roster.ts";
import type { CoreDna } from "./dna.ts";
import type { State } from "./state.ts";

/** Whether no drone may be grown now. */
export function growthIsHeld(state: State, nowMs: number): boolean {
  return nowMs < state.app.retryAtMs;
}

/** Our own drone's app is up or has failed: tell all. */
export function reportApp(state: State, health: Omit<AppBody, "kind" | "attempts">): Move {
  const attempts = health.state === "ready" ? 0 : (state.app.known?.attempts ?? 0) + 1;
  return publish(state, { kind: "app", attempts, ...health });
}

/** News of the app was taken in: compute when growth may go on. */
export function heedApp(state: State, nowMs: number): Move {
  const known = state.records.get(appKey)?.body;
  if (known?.kind !== "app" || known === state.app.known) return still(state);
  const waitMs = known.state === "failed" ? backoffMs(known.attempts, state.dna.restarts) : 0;
  return watchTheApp({ ...state, app: { ...state.app, known, retryAtMs: nowMs + waitMs } });
}

/** A neuron watches the files of an app that fails. */
export function watchTheApp(state: State): Move {
  const { known } = state.app;
  if (state.class !== "neuron" || known === null) return still(state);
  return [state, [{ type: "watch", files: known.state === "failed" ? known.files : [] }]];
}

/**
 * At each control period: drones that keep dying though their app came up. The first deaths in a window are chance and
 * are replaced at once; after that they are the app's failure, and each costs a wait.
 */
export function heedCrashes(state: State, nowMs: number): Move {
  const { restarts } = state.dna;
  if (state.app.crashesMs.length === 0) return still(state);
  const crashesMs = state.app.crashesMs.filter((atMs) => nowMs - atMs < restarts.windowMs);
  const next: State = { ...state, app: { ...state.app, crashesMs } };
  const latest = crashesMs.at(-1);
  if (latest === undefined || crashesMs.length <= crashesByChanceMax) return still(next);
  if (latest <= state.app.reportedCrashMs || !isNeuronsTurn(state, "drone")) return still(next);
  const reported: State = { ...next, app: { ...next.app, reportedCrashMs: latest } };
  return publish(reported, crashing(reported, crashesMs.length));
}

/** The app's files changed: the past does not count any more. */
export function forgive(state: State, nowMs: number): Move {
  const next: State = { ...state, app: { ...state.app, retryAtMs: nowMs, crashesMs: [] } };
  const message = "the app's files changed: trying again";
  return [next, [{ type: "log", level: "info", event: "app-changed", fields: {}, message }]];
}

/** Deaths within a window that are replaced at once: one may be chance, and another fall with it. */
const crashesByChanceMax = 2;

function crashing(state: State, crashCount: number): AppBody {
  const { restarts } = state.dna;
  const spentBudget = crashCount >= restarts.budget;
  return {
    kind: "app",
    state: "failed",
    // With the budget spent the longest wait is due, whatever the doubling would say.
    attempts: spentBudget ? attemptsForTheLongestWait : crashCount - crashesByChanceMax,
    code: "CELLWS_E_APP_CRASHING",
    message: `${crashCount} drones died within ${Math.round(restarts.windowMs / 1000)} s; see the log for what ended them`,
    stack: "",
    files: state.app.known?.files ?? [],
  };
}

const attemptsForTheLongestWait = 31;

/** Doubling from the first attempt, capped. */
export function backoffMs(attempts: number, { backoffMsMin, backoffMsMax }: CoreDna["restarts"]): number {
  return Math.min(backoffMsMax, backoffMsMin * 2 ** Math.min(30, Math.max(0, attempts - 1)));
}
