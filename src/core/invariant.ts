/**
 * What must be true of any cell's state, whatever it has heard: asserted after every step, in production as in the
 * simulator. What must be true of the organism as a whole only the simulator can see; it checks that besides.
 */
import { assert } from "../lib/assert.ts";
import { elderOf } from "./kinship.ts";
import { bansHeldMax, gestationsMax, pulsesRememberedMax } from "./limits.ts";
import type { State } from "./state.ts";
import { isElder, ownBody } from "./roster.ts";

/** @throws InvariantError naming what is not so. */
export function assertInvariants(state: State): void {
  assert(state.gestations.size <= gestationsMax, "no more births under way than gestationsMax");
  assert(state.hormones.seen.length <= pulsesRememberedMax, "no more pulses remembered than pulsesRememberedMax");
  assert(state.bans.length <= bansHeldMax, "no more bans on record than bansHeldMax");
  assert(state.phase === "ended" || state.alive.has(state.self), "a cell that has not ended knows itself alive");
  if (state.phase === "ended") return;
  assert(ownBody(state).class === state.class, "what a cell says of its class is so");
  assert(!state.kin.has(state.self), "nobody is kin of itself");
  const elder = elderOf(state);
  for (const peer of state.kin) {
    const body = state.alive.get(peer);
    const isAnother = body !== undefined && peer !== elder && isElder(body, ownBody(state));
    assert(!isAnother, "at most one kin link leads to an elder");
  }
}
