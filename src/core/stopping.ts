/**
 * The end that the administrator asked for. B cells finish what they have accepted, then drones have nothing left to
 * do, then the others. Nobody counts anybody out: each cell looks at the roster and leaves when its part is done, or
 * when the time that was granted is over.
 */
import { inTurn, still } from "./move.ts";
import type { Move } from "./move.ts";
import { stopGraceMs } from "./limits.ts";
import { announce, ownBody, publish } from "./roster.ts";
import type { State } from "./state.ts";

/** A stop was asked of us directly: make it known. */
export function askToStop(state: State, drainMs: number): Move {
  if (state.stop?.alone === false) return still(state);
  return publish(state, { kind: "stop", drainMs });
}

/** We alone are asked to leave. */
export function retire(state: State, drainMs: number, nowMs: number): Move {
  return still(state.stop === null ? { ...state, stop: { atMs: nowMs, drainMs, alone: true } } : state);
}

/** After any news: begin to stop when it says so, and leave when our part is done. */
export function heedStop(state: State, nowMs: number): Move {
  if (state.stop === null || state.phase === "ended") return still(state);
  const begun: Move = state.phase === "stopping" ? still(state) : begin(state, state.stop);
  return inTurn(begun, nowMs, leaveWhenDone);
}

/** Leaves: says so to kin (so that nobody need wonder), and ends the process. */
export function leave(state: State, cause: "stopped" | "app-failed" | "condemned", reason: string): Move {
  const { id, pid, startTicks } = ownBody(state);
  const [said, farewell] = publish(state, { kind: "death", id, pid, startTicks, cause });
  return [{ ...said, phase: "ended" }, [...farewell, { type: "exit", reason }]];
}

function begin(state: State, { drainMs, alone }: NonNullable<State["stop"]>): Move {
  const [next, effects] = announce({ ...state, phase: "stopping" }, { state: "draining" });
  return [next, [...effects, { type: "drain", drainMs, alone }]];
}

function leaveWhenDone(state: State, nowMs: number): Move {
  if (state.phase !== "stopping" || state.stop === null) return still(state);
  const overdue = nowMs >= state.stop.atMs + state.stop.drainMs + stopGraceMs;
  return overdue || isDone(state)
    ? leave(state, "stopped", overdue ? "the time to drain is over" : "stopped")
    : still(state);
}

function isDone(state: State): boolean {
  // An egg's work is that nobody who knocks at it is lost: it closes before it leaves.
  const hasWork = state.class === "b-cell" || state.class === "drone" || state.class === "egg";
  if (state.stop?.alone === true) return state.drained || !hasWork;
  const living = new Set([...state.alive.values()].map((cell) => cell.class));
  switch (state.class) {
    case "b-cell":
      return state.drained;
    case "drone":
      return state.drained && !living.has("b-cell");
    case "egg":
    case "stem":
    case "neuron":
    case "t-cell":
      return !living.has("b-cell") && !living.has("drone");
  }
}
