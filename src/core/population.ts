/**
 * Populations: how many of each class are wanted, and who calls for them.
 *
 * Wanting is everybody's arithmetic on the same census; calling is a neuron's task, and of several neurons only the one
 * that rendezvous hashing names, so that one want is not called for several times. Nobody is appointed: when the named
 * one dies, the hash names another. Where there is no neuron, a few of those who live call for one.
 */
import { rendezvousRank } from "../lib/hash.ts";
import { demandOf } from "./demand.ts";
import { growthIsHeld } from "./app-trouble.ts";
import type { SpecializedClass } from "./cell.ts";
import { specializedClasses } from "./cell.ts";
import type { Effect } from "./effect.ts";
import type { Pulse } from "./hormone.ts";
import { absorb, attenuated } from "./hormone.ts";
import { callersForNeuronMax, callStrengthMin, callStrengthStep, pulseStrengthMax } from "./limits.ts";
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import { ableMembersOf, census, isNeuronsTurn, membersOf } from "./roster.ts";
import type { State } from "./state.ts";
import { callsForTCell } from "./testimony.ts";
import { renewalsOf } from "./wear.ts";

/** At each control period: secretes growth hormone for every class that is short, where it falls to us to call. */
export function callForTheMissing(state: State, nowMs: number): Move {
  const count = census(state);
  let move: Move = still(state);
  for (const cellClass of specializedClasses) {
    const [now, effects] = move;
    const wanted = wantedOf(now, cellClass, nowMs) - count[cellClass];
    if (wanted <= 0) move = [quieted(now, cellClass), effects];
    else if (fallsToUs(now, cellClass)) {
      const [next, more] = secrete(now, cellClass, wanted, nowMs);
      move = [next, [...effects, ...more]];
    }
  }
  return move;
}

/** How many members of a class the organism should have now. */
export function wantedOf(state: State, cellClass: SpecializedClass, nowMs: number): number {
  if (cellClass === "drone" && growthIsHeld(state, nowMs)) return 0;
  return demandOf(state, cellClass, nowMs) + renewalsOf(state, cellClass, nowMs);
}

/** Releases one pulse: it acts on this cell too, and leaves over every kin link, attenuated. */
export function secrete(state: State, cellClass: SpecializedClass, wanted: number, nowMs: number): Move {
  // While no stem cell lives nobody can answer: that is the pool's trouble, not a call unheard.
  const calls = membersOf(state, "stem").length === 0 ? 1 : state.unanswered[cellClass] + 1;
  const strength = Math.min(pulseStrengthMax, callStrengthMin + callStrengthStep * (calls - 1));
  const pulse: Pulse = {
    id: `${state.self}.${state.pulseCount}`,
    origin: state.self,
    class: cellClass,
    strength,
    wanted,
    unanswered: calls - 1,
    hops: 0,
  };
  const next: State = {
    ...state,
    pulseCount: state.pulseCount + 1,
    unanswered: { ...state.unanswered, [cellClass]: calls },
    hormones: absorb(state.hormones, pulse, nowMs, state.dna.hormoneHalfLifeMs),
  };
  return [next, passOn(next, pulse, null)];
}

/** Sends a pulse on to all kin but the one it came from. */
export function passOn(state: State, pulse: Pulse, from: string | null): Effect[] {
  const weaker = attenuated(pulse, state.dna.attenuationMilli);
  if (weaker === undefined) return [];
  return [...state.kin]
    .filter((to) => to !== from)
    .map((to) => ({ type: "send", to, message: { type: "pulse", pulse: weaker } }));
}

function fallsToUs(state: State, cellClass: SpecializedClass): boolean {
  // Marks that find no T cell secrete its hormone where they are.
  if (cellClass === "t-cell" && callsForTCell(state)) return true;
  if (ableMembersOf(state, "neuron").length > 0) return isNeuronsTurn(state, cellClass);
  // Without a neuron the only thing to call for is a neuron.
  if (cellClass !== "neuron") return false;
  // Stem cells call as well, be it only for themselves to hear: those who were chosen may live too far from any of them.
  if (state.class === "stem") return true;
  const living = [...state.alive.values()].filter((cell) => cell.state === "live").map((cell) => cell.id);
  return rendezvousRank("call/neuron", state.self, living) < callersForNeuronMax;
}

function quieted(state: State, cellClass: SpecializedClass): State {
  if (state.unanswered[cellClass] === 0) return state;
  return { ...state, unanswered: { ...state.unanswered, [cellClass]: 0 } };
}
