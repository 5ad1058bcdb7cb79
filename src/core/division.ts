/**
 * Division: a cell makes a daughter, which inherits DNA, lineage and the listening sockets.
 *
 * Three things bound it: few births at a time (more would only make each slower), few living daughters for each mother
 * (the family is a tree with depth, not a star), and the rule of class: a specialised cell's daughters are of its own
 * class; only stem cells, the egg, and a neuron while there are no stem cells give rise to others.
 */
import { assert } from "../lib/assert.ts";
import { prngNext } from "../lib/prng.ts";
import type { CellClass, CellId, SpecializedClass } from "./cell.ts";
import { idAlphabet, idLength, specializedClasses } from "./cell.ts";
import type { Effect } from "./effect.ts";
import { gestationMsMax, gestationsMax, handDownHopsMax, refractoryMs, unheardCalls } from "./limits.ts";
import type { Move } from "./move.ts";
import { still } from "./move.ts";
import type { CellBody, OrganismRecord } from "./record.ts";
import { lineageMax } from "./record.ts";
import { ableMembersOf, ownBody, publish, recordsToTell } from "./roster.ts";
import type { State } from "./state.ts";
import { revisionOf } from "./revision.ts";
import type { Conception } from "./event.ts";

/**
 * Begins a daughter of `cellClass`. `fresh`: its listening sockets are opened anew, for the mother has none. An egg is
 * `urgent` unless it is to sleep.
 */
export function divide(
  state: State,
  cellClass: CellClass,
  nowMs: number,
  { fresh = false, urgent = cellClass === "egg" } = {},
): Move {
  assert(mayBear(state, cellClass), `a ${state.class} does not give birth to a ${cellClass} here`);
  if (state.gestations.size >= gestationsMax) return still(state);
  const [id, prng] = freshId(state.prng);
  const gestations = new Map(state.gestations).set(id, {
    class: cellClass,
    urgent,
    deadlineMs: nowMs + gestationMsMax,
  });
  const next = { ...state, prng, gestations, refractoryUntilMs: nowMs + refractoryMs };
  return [next, [{ type: "divide", id, class: cellClass, fresh }]];
}

/** Whether this cell's daughter may be of that class: the rule of class, as it stands with what is known now. */
export function mayBear(state: State, cellClass: CellClass): boolean {
  if (state.class === "egg" || cellClass === state.class) return true;
  if (state.class === "neuron" && cellClass === "stem")
    return ableMembersOf(state, "stem").length === 0 || isUnheard(state);
  // Before it sleeps the organism goes back to being an egg, whoever lives.
  if (state.class === "neuron" && cellClass === "egg") return true;
  // Regeneration: nobody is left who could give rise to anything else.
  return cellClass === "egg" && ableMembersOf(state, "stem").length + ableMembersOf(state, "neuron").length === 0;
}

/** Whether this cell's calls go unanswered for so long that no stem cell can be near enough to hear them. */
export function isUnheard(state: State): boolean {
  return unheardClasses(state).length > 0;
}

export function unheardClasses(state: State): readonly SpecializedClass[] {
  return specializedClasses.filter((cellClass) => state.unanswered[cellClass] >= unheardCalls);
}

/** The daughter's process runs: certify it. */
export function conceived(state: State, id: CellId, conception: Conception): Move {
  const gestation = state.gestations.get(id);
  if (gestation === undefined) return still(state);
  const own = ownBody(state);
  const body: CellBody = {
    kind: "cell",
    id,
    mother: state.self,
    lineage: [...own.lineage, own.id].slice(-lineageMax),
    generation: own.generation + 1,
    birthOrder: nextBirthOrder(state),
    publicKey: conception.publicKey,
    pid: conception.pid,
    startTicks: conception.startTicks,
    bornAt: conception.bornAt,
    revision: revisionOf(state) ?? own.revision,
    // The host fills it in as it signs: the core holds no keys.
    certificate: "",
    class: gestation.class,
    state: "gestating",
  };
  return publish(state, body);
}

/** The certificate is signed and on our own roster: the daughter may begin. */
export function bear(state: State, certificate: OrganismRecord<CellBody>): Move {
  const records = recordsToTell(state);
  const urgent = state.gestations.get(certificate.body.id)?.urgent ?? false;
  return [state, [{ type: "bear", certificate, records, class: certificate.body.class, urgent }]];
}

/** The daughter lives (`dead` false) or will not. */
export function gestationEnded(state: State, id: CellId): State {
  if (!state.gestations.has(id)) return state;
  const gestations = new Map(state.gestations);
  gestations.delete(id);
  return { ...state, gestations };
}

/** Divides for the stem pool, or hands the birth down to the youngest relative who may and has room. */
export function divideForPool(state: State, nowMs: number, hops = 0): Move {
  const daughters = livingDaughters(state);
  if (daughters.length < state.dna.daughtersMax) return divide(state, "stem", nowMs);
  const heir = hops < handDownHopsMax ? youngestHeir(state, daughters) : null;
  // No heir: an extinct stem class is worse than a mother with one daughter too many.
  if (heir === null) return divide(state, "stem", nowMs);
  const handDown: Effect = { type: "send", to: heir, message: { type: "hand-down", hops: hops + 1 } };
  return [{ ...state, refractoryUntilMs: nowMs + refractoryMs }, [handDown]];
}

export function livingDaughters(state: State): CellBody[] {
  return [...state.alive.values()].filter((cell) => cell.mother === state.self);
}

/** The youngest daughter that is linked and could itself bear a stem cell. */
function youngestHeir(state: State, daughters: readonly CellBody[]): CellId | null {
  let heir: CellBody | null = null;
  for (const cell of daughters) {
    if (cell.class !== "stem" || cell.state !== "live" || !state.kin.has(cell.id)) continue;
    // One that does not answer would be asked for ever.
    if (state.suspects.has(cell.id)) continue;
    if (heir === null || cell.birthOrder > heir.birthOrder) heir = cell;
  }
  return heir?.id ?? null;
}

function nextBirthOrder(state: State): number {
  let order = 0;
  for (const cell of state.alive.values()) order = Math.max(order, cell.birthOrder);
  return order + 1;
}

function freshId(prng: State["prng"]): [CellId, State["prng"]] {
  let id = "";
  let next = prng;
  while (id.length < idLength) {
    const [word, after] = prngNext(next);
    next = after;
    for (let bits = 0; bits < 30 && id.length < idLength; bits += 5) id += idAlphabet[(word >>> bits) & 31];
  }
  return [id, next];
}
