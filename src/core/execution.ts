/**
 * Execution: what follows from a certificate.
 *
 * First the condemned is shunned: links dropped, adopted by nobody, given no work, not counted. That alone makes the
 * organism safe. Then the process is ended, as gently as the reason allows: by itself (apoptosis: it drains and leaves), by
 * its mother, and by the others in turn, each a little later than the one before, so that one does it and all would.
 */
import { rendezvousRank } from "../lib/hash.ts";
import { mapWith } from "../lib/shared-map.ts";
import { lookSoon, withoutGhost } from "./roster.ts";
import { certificatesOf, leavingBody, sharesItsProcess } from "./roster-index.ts";
import type { CellId } from "./cell.ts";
import type { Effect } from "./effect.ts";
import { executorStepMs, stopGraceMs } from "./limits.ts";
import type { Move } from "./move.ts";
import { inTurn, still } from "./move.ts";
import type { CertificateBody, KillReason } from "./record.ts";
import { isSufficient } from "./ballot.ts";
import { nextSurplus } from "./surplus.ts";
import { leave, retire } from "./stopping.ts";
import type { Sentence, State } from "./state.ts";

/** Reasons for which the condemned may finish what it has. From a hung or infected cell nothing more is wanted. */
const gentle: Readonly<Record<Sentence["reason"], boolean>> = {
  surplus: true,
  worn: true,
  outdated: true,
  left: true,
  hung: false,
  infected: false,
};

/** Whether somebody is to go for what its name stands for, and not for what its process was seen to do. */
const isForItsName: Readonly<Record<Sentence["reason"], boolean>> = {
  surplus: true,
  outdated: true,
  worn: false,
  left: false,
  hung: false,
  infected: false,
};

/** A certificate is on our roster of records: if it holds for us too, carry out what is ours of it. */
export function heedCertificate(state: State, { id, charge, votes }: CertificateBody, nowMs: number): Move {
  const cell = state.alive.get(id);
  if (cell === undefined || state.condemned.has(id)) return still(state);
  if (cell.pid !== charge.pid || cell.startTicks !== charge.startTicks) return still(state);
  if (
    !isSufficient(
      state,
      charge,
      votes.map((vote) => vote.voter),
      nowMs,
    )
  )
    return still(state);
  const { reason, pid, startTicks } = charge;
  const condemned = new Map(state.condemned).set(id, { reason, pid, startTicks, atMs: nowMs });
  const log: Effect = {
    type: "log",
    level: "warn",
    event: "condemned",
    fields: { condemned: id, reason: charge.reason, votes: votes.length },
    message: `${cell.class} ${id} was voted out: ${charge.reason}`,
  };
  if (id === state.self) return inTurn([{ ...state, condemned }, [log]], nowMs, (s) => submit(s, charge.reason, nowMs));
  const alive = mapWith(state.alive, id, leavingBody(cell));
  const cut: Effect[] = state.kin.has(id) && !gentle[charge.reason] ? [{ type: "disconnect", from: id }] : [];
  const shunned: State = { ...state, condemned, alive };
  const next = charge.reason === "surplus" ? nextSurplus(shunned, cell.class, nowMs) : lookSoon(shunned, nowMs);
  const shunning: Move = [next, [log, { type: "inform" }, ...cut]];
  return gentle[charge.reason] ? shunning : inTurn(shunning, nowMs, execute);
}

/** At each control period: a certificate that did not hold for us when it came may do so now that we know more. */
export function reconsider(state: State, nowMs: number): Move {
  let move: Move = still(state);
  for (const body of certificatesOf(state.records)) {
    if (!state.alive.has(body.id) || state.condemned.has(body.id)) continue;
    move = inTurn(move, nowMs, (s) => heedCertificate(s, body, nowMs));
  }
  return move;
}

/** At each control period: ends the condemned whose time is over and whose executioner we are by now. */
export function execute(state: State, nowMs: number): Move {
  const effects: Effect[] = [];
  let next = state;
  // Also when it says itself that it is dead: the condemned are believed nothing, the kernel must agree.
  for (const [id, { reason, atMs, pid, startTicks }] of state.condemned) {
    if (id === state.self) continue;
    // Found to be a ghost by nobody yet; but the process may be another's, and is not ended in its name.
    if (isForItsName[reason] && sharesItsProcess(next.alive, id)) {
      next = withoutGhost(next, id);
      continue;
    }
    const graceEndMs = atMs + (gentle[reason] ? state.dna.drainMsMax + stopGraceMs : 0);
    // Whose turn it is takes a look at everybody: not before it may be anybody's.
    if (nowMs < graceEndMs || nowMs < graceEndMs + turnMs(state, id)) continue;
    // Who has left is gone as a rule: whoever is not, is found so first (finishLeaver).
    if (reason !== "left") effects.push({ type: "kill", id, pid, startTicks });
    effects.push({ type: "inspect", id, pid, startTicks });
  }
  return [next, effects];
}

/** The kernel says that a process runs. One that said farewell and has had its time is ended: that was its own word. */
export function finishLeaver(state: State, id: CellId, nowMs: number): Move {
  const sentence = state.condemned.get(id);
  if (sentence?.reason !== "left" || nowMs < sentence.atMs + state.dna.drainMsMax + stopGraceMs) return still(state);
  const { pid, startTicks } = sentence;
  return [state, [{ type: "kill", id, pid, startTicks }]];
}

/** The mother at once; the others one after the other. */
function turnMs(state: State, id: CellId): number {
  if (state.alive.get(id)?.mother === state.self) return 0;
  const others = [...state.alive.keys()].filter((other) => other !== id);
  return (1 + rendezvousRank(`execute/${id}`, state.self, others)) * executorStepMs;
}

function submit(state: State, reason: KillReason, nowMs: number): Move {
  return gentle[reason]
    ? retire(state, state.dna.drainMsMax, nowMs)
    : leave(state, "condemned", `voted out: ${reason}`);
}
