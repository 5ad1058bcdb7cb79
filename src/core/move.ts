/** A step's result, and how results follow each other: the core's only plumbing. */
import type { Effect } from "./effect.ts";
import type { State } from "./state.ts";

export type Move = readonly [state: State, effects: readonly Effect[]];
export type Rule = (state: State, nowMs: number) => Move;

/** Nothing to do. */
export const still = (state: State): Move => [state, []];

/** Applies rules one after the other, each to the state that the one before left, and gathers their effects. */
export function inTurn(move: Move, nowMs: number, ...rules: readonly Rule[]): Move {
  let [state, effects] = move;
  for (const rule of rules) {
    // A cell that has ended itself does nothing more.
    if (state.phase === "ended") break;
    const [next, more] = rule(state, nowMs);
    state = next;
    if (more.length > 0) effects = effects.length === 0 ? more : [...effects, ...more];
  }
  return [state, effects];
}
