/**
 * Germination: the egg becomes a neuron and divides twice, into a B cell and a drone: three cells, the first majority.
 *
 * Regeneration is the same thing again. When neither neuron nor stem cell is left, nobody alive can give rise to the
 * others, so the eldest survivor (drones last) goes back to being an egg: a stem cell by itself, a B cell, T cell or drone by dividing
 * off an egg, for it has work in its hands that an egg must not drop.
 */
import type { CellClass } from "./cell.ts";
import type { Move, Rule } from "./move.ts";
import { inTurn, still } from "./move.ts";
import { divide } from "./division.ts";
import { growthIsHeld, watchTheApp } from "./app-trouble.ts";
import { ableMembersOf, announce, census, isElder, ownBody } from "./roster.ts";
import type { CellBody } from "./record.ts";
import type { State } from "./state.ts";

/** The egg wakes: the missing ones of B cell and drone are born directly, the rest follows from the pool. */
export function germinate(state: State, nowMs: number): Move {
  const count = census(state);
  const missing: CellClass[] = [];
  if (count["b-cell"] === 0) missing.push("b-cell");
  if (count.drone === 0 && !growthIsHeld(state, nowMs)) missing.push("drone");
  // An egg that was about to leave stays, for whoever knocked at it knocked nowhere else.
  const awake: State = { ...state, phase: "living", stop: null, drained: false, nextControlMs: nowMs };
  const born = inTurn(still(awake), nowMs, ...missing.map((c) => (s: State, t: number) => divide(s, c, t)));
  return inTurn(born, nowMs, (s) => specialize(s, "neuron"));
}

/** Takes on a class for good: says so to all, and has the body begin. */
export function specialize(state: State, cellClass: CellClass): Move {
  const next: State = { ...state, class: cellClass };
  const begun: Move = [next, [{ type: "become", class: cellClass }]];
  return inTurn(begun, 0, (s) => announce(s, { class: cellClass, state: "live" }), watchTheApp);
}

/** How this cell starts over, where it is the one who must, as far as it knows; else null. */
export function regenerationOf(state: State, nowMs: number): Rule | null {
  // A stem cell that is all alone need not call for a neuron: it goes back to being an egg.
  if (state.class === "stem" && state.alive.size === 1) return (s, t) => germinate({ ...s, class: "egg" }, t);
  if (ableMembersOf(state, "neuron").length + ableMembersOf(state, "stem").length + census(state).egg > 0) return null;
  if (state.gestations.size > 0 || nowMs < state.refractoryUntilMs || !isNext(state)) return null;
  return (s, t) => divide(s, "egg", t, { fresh: s.class === "drone" });
}

/**
 * The eldest of those who hold the listening sockets, which all do but drones; a drone only where there is nobody else. It would
 * have to open the sockets anew, and cannot while another holds them.
 */
function isNext(state: State): boolean {
  const own = ownBody(state);
  for (const cell of state.alive.values()) {
    if (cell.id !== own.id && goesBefore(cell, own) && !state.suspects.has(cell.id)) return false;
  }
  return true;
}

function goesBefore(a: CellBody, b: CellBody): boolean {
  if ((a.class === "drone") !== (b.class === "drone")) return b.class === "drone";
  return isElder(a, b);
}
