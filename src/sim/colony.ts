/**
 * A colony: a large organism that is already grown, for measuring what size costs.
 *
 * The cells run the very `step` of production; what is left out is all that world.ts has and that this question does not need:
 * faults of the network, keys, chance in delays. And the growing: the family tree is laid out as births with that many
 * daughters a mother would have made it, and each cell begins knowing all the others. From then on it lives by itself. A newborn
 * is told what its mother knows by being given the very same roster, which is what being told comes to.
 *
 * Cells hold their rosters as shared values (lib/shared-map.ts): in one process a hundred thousand copies would not fit. What
 * each would take by itself is measured (`stateBytes`), not felt.
 */
import { assert, unreachable } from "../lib/assert.ts";
import { prngFrom } from "../lib/prng.ts";
import type { CellClass, CellId } from "../core/cell.ts";
import { idAlphabet, idLength } from "../core/cell.ts";
import type { CoreDna } from "../core/dna.ts";
import type { Effect } from "../core/effect.ts";
import type { Happening } from "../core/event.ts";
import { seekElder } from "../core/kinship.ts";
import { controlPeriodMs } from "../core/limits.ts";
import type { KinMessage } from "../core/message.ts";
import { inTurn, still } from "../core/move.ts";
import type { AppBody, CellBody, OrganismRecord } from "../core/record.ts";
import { appKey, cellKey, lineageMax } from "../core/record.ts";
import { announce } from "../core/roster.ts";
import type { State } from "../core/state.ts";
import { beBorn, nextWakeMs, step } from "../core/step.ts";
import { encode } from "../wire/event-log.ts";
import { TimeQueue } from "./time-queue.ts";
import { neverWorn } from "../core/wear.ts";

interface Member {
  state: State;
  runs: boolean;
  isHalted: boolean;
  readonly inbox: Happening[];
  wakeMs: number | null;
  /** Messages and answers that it had to take in. */
  heard: number;
}

export interface Traffic {
  /** Kin messages that were sent, by kind, and their bytes as JSON. */
  readonly messages: Readonly<Record<KinMessage["type"], number>>;
  readonly bytes: number;
  /** Questions to cells (`probe`) and to the kernel (`inspect`). */
  readonly probes: number;
  readonly inspections: number;
  readonly events: number;
  /** What the busiest cell took in. */
  readonly heardMax: number;
}

const messageMs = 1;
const answerMs = 2;
const probeTimeoutMs = 100;
const birthMs = 100;
/** How long ago all cells were born: nobody is a newborn when it begins. */
const pastMs = 10_000_000;
/** Of kinds that are sent all the time so manieth is measured: to write each out would take longer than all else. */
const bytesEvery = 997;

export class Colony {
  readonly members = new Map<CellId, Member>();
  nowMs = pastMs;
  readonly #queue = new TimeQueue<() => void>();
  readonly #template: State;
  #messages = noMessages();
  #bytes = 0;
  #probes = 0;
  #inspections = 0;
  #events = 0;
  #pid: number;

  constructor({ cellCount, daughtersMax = 4 }: { cellCount: number; daughtersMax?: number }) {
    this.#pid = cellCount + 10;
    const bodies = familyOf(cellCount, daughtersMax);
    const dna = dnaFor(bodies, daughtersMax);
    this.#template = settledState(bodies, dna, this.nowMs);
    for (const [i, body] of bodies.entries()) {
      const kin = new Set<CellId>(body.mother === null ? [] : [body.mother]);
      for (let d = i * daughtersMax + 1; d <= (i + 1) * daughtersMax && d < cellCount; d += 1) kin.add(bodies[d]!.id);
      this.#join({ ...this.#template, ...personal(body, i, this.nowMs), kin });
    }
  }

  run(forMs: number): void {
    const untilMs = this.nowMs + forMs;
    for (let entry = this.#queue.takeUntil(untilMs); entry !== null; entry = this.#queue.takeUntil(untilMs)) {
      this.nowMs = entry.atMs;
      entry.item();
    }
    this.nowMs = untilMs;
  }

  /** SIGKILL. */
  kill(id: CellId): void {
    const dead = this.#member(id);
    dead.runs = false;
    for (const peer of dead.state.kin) this.#after(answerMs, () => this.#tell(peer, { type: "link-closed", peer: id }));
    const mother = dead.state.alive.get(id)?.mother ?? null;
    if (mother !== null) this.#after(answerMs, () => this.#tell(mother, { type: "daughter-exited", id }));
  }

  /** SIGSTOP. */
  halt(id: CellId): void {
    this.#member(id).isHalted = true;
  }

  /** A cell has something to say of itself that is news to all. */
  speak(id: CellId): void {
    const member = this.#member(id);
    const [state, effects] = announce(member.state, {});
    this.#perform(member, state, effects);
  }

  isAlive(id: CellId): boolean {
    return this.members.get(id)?.runs === true;
  }

  /** Some of the cells of a class, spread over the tree. */
  some(cellClass: CellClass, count: number): CellId[] {
    const ids = [...this.members].filter(([, { state, runs }]) => runs && state.class === cellClass).map(([id]) => id);
    return Array.from(
      { length: Math.min(count, ids.length) },
      (_, i) => ids[Math.floor(((i + 0.5) * ids.length) / count)]!,
    );
  }

  /** Since the last time that it was asked. */
  takeTraffic(): Traffic {
    let heardMax = 0;
    for (const member of this.members.values()) {
      heardMax = Math.max(heardMax, member.heard);
      member.heard = 0;
    }
    const traffic: Traffic = {
      messages: this.#messages,
      bytes: this.#bytes,
      probes: this.#probes,
      inspections: this.#inspections,
      events: this.#events,
      heardMax,
    };
    [this.#messages, this.#bytes, this.#probes, this.#inspections, this.#events] = [noMessages(), 0, 0, 0, 0];
    return traffic;
  }

  /** What a cell's state takes as JSON, on average over some: its own, and what it holds of all others. */
  stateBytes(): { own: number; roster: number } {
    const sampled = [...this.members.values()].filter((_member, i) => i % Math.ceil(this.members.size / 50) === 0);
    const own = sampled.reduce((sum, { state }) => {
      const { records: _records, alive: _alive, heardMs: _heardMs, ...rest } = state;
      return sum + encode(rest).length;
    }, 0);
    const { records, alive, heardMs } = this.#template;
    const perCell = [...alive.keys()]
      .slice(0, 500)
      .map((id) => encode([id, records.get(cellKey(id)), id, heardMs.get(id)]));
    const bytesPerCell = perCell.reduce((sum, text) => sum + text.length, 0) / perCell.length;
    return { own: Math.round(own / sampled.length), roster: Math.round(bytesPerCell * alive.size) };
  }

  #join(state: State): void {
    const member: Member = { state, runs: true, isHalted: false, inbox: [], wakeMs: null, heard: 0 };
    this.members.set(state.self, member);
    this.#setWake(member);
  }

  #tell(id: CellId, happening: Happening): void {
    const member = this.members.get(id);
    if (member?.runs !== true) return;
    if (happening.type === "message" || happening.type === "probed") member.heard += 1;
    if (member.isHalted) {
      if (happening.type !== "message" || happening.message.type !== "tally") member.inbox.push(happening);
      return;
    }
    this.#events += 1;
    const [state, effects] = step(member.state, { nowMs: this.nowMs, ...happening });
    this.#perform(member, state, effects);
  }

  #perform(member: Member, state: State, effects: readonly Effect[]): void {
    member.state = state;
    for (const effect of effects) this.#do(member, effect);
    this.#setWake(member);
  }

  #do(member: Member, effect: Effect): void {
    const own = member.state.self;
    switch (effect.type) {
      case "send":
        return this.#send(own, effect.to, effect.message);
      case "sign": {
        const { key, version, body } = effect;
        return this.#tell(own, { type: "signed", record: { key, version, origin: own, body, signature } });
      }
      case "sign-vote":
        return this.#tell(own, { type: "voted", vote: { charge: effect.charge, voter: own, signature } });
      case "probe":
        this.#probes += 1;
        return this.#probe(own, effect.id);
      case "inspect":
        this.#inspections += 1;
        return this.#after(answerMs, () =>
          this.#tell(own, { type: "inspected", id: effect.id, running: this.isAlive(effect.id), wear: null }),
        );
      case "kill":
        return this.isAlive(effect.id) ? this.kill(effect.id) : undefined;
      case "divide": {
        this.#pid += 1;
        const born = { pid: this.#pid, startTicks: this.#pid, publicKey: "k", bornAt: "" };
        return this.#after(birthMs, () => this.#tell(own, { type: "conceived", id: effect.id, ...born }));
      }
      case "bear":
        return this.#bear(member, effect.certificate.body);
      case "connect":
        return this.#after(messageMs, () => this.#connect(own, effect.to));
      case "disconnect":
        return this.#after(messageMs, () => {
          this.#tell(own, { type: "link-closed", peer: effect.from });
          this.#tell(effect.from, { type: "link-closed", peer: own });
        });
      case "drain":
        return this.#after(answerMs, () => this.#tell(own, { type: "drained" }));
      case "exit":
        return this.#after(messageMs, () => this.isAlive(own) && this.kill(own));
      case "become":
      case "inform":
      case "watch":
      case "enforce":
      case "recall":
      case "log":
      case "seek-strangers":
        return;
      default:
        return unreachable(effect);
    }
  }

  #send(from: CellId, to: CellId, message: KinMessage): void {
    this.#messages[message.type] += 1;
    // Those that come rarely are counted each; of the others a few stand for all.
    if (message.type === "tally") {
      if (this.#messages.tally % bytesEvery === 1) this.#bytes += bytesEvery * encode(message).length;
    } else this.#bytes += encode(message).length;
    this.#after(messageMs, () => this.#tell(to, { type: "message", from, message }));
  }

  #probe(own: CellId, id: CellId): void {
    const asked = this.members.get(id);
    if (asked !== undefined) asked.heard += 1;
    const answers = asked?.runs !== true || !asked.isHalted;
    const answer = answers ? "answered" : "stuck";
    this.#after(answers ? answerMs : probeTimeoutMs, () => this.#tell(own, { type: "probed", id, answer }));
  }

  #connect(own: CellId, to: CellId): void {
    const [one, other] = [this.members.get(own), this.members.get(to)];
    if (one?.runs !== true) return;
    const [record, others] = [one.state.records.get(cellKey(own)), other?.state.records.get(cellKey(to))];
    if (other?.runs !== true || other.isHalted || record === undefined || others === undefined) {
      return this.#tell(own, { type: "connect-failed", peer: to });
    }
    this.#tell(to, { type: "link-opened", peer: own, record });
    this.#tell(own, { type: "link-opened", peer: to, record: others });
  }

  #bear({ state: mother }: Member, body: CellBody): void {
    this.#after(answerMs, () => {
      const { records, alive, heardMs, digest, app } = mother;
      const known = {
        ...this.#template,
        ...personal(body, body.pid, this.nowMs),
        records,
        alive,
        heardMs,
        digest,
        app,
      };
      this.#join({ ...known, kin: new Set() });
      const [state, effects] = inTurn(
        still(this.#member(body.id).state),
        this.nowMs,
        (s) => announce(s, { state: "live" }),
        seekElder,
      );
      this.#perform(this.#member(body.id), state, effects);
    });
  }

  #setWake(member: Member): void {
    const atMs = nextWakeMs(member.state);
    if (atMs === null || member.wakeMs === atMs) return;
    member.wakeMs = atMs;
    this.#queue.add(atMs, () => {
      if (member.wakeMs !== atMs || !member.runs) return;
      member.wakeMs = null;
      this.#tell(member.state.self, { type: "wake" });
    });
  }

  #after(inMs: number, deed: () => void): void {
    this.#queue.add(this.nowMs + inMs, deed);
  }

  #member(id: CellId): Member {
    const member = this.members.get(id);
    assert(member !== undefined, `there is a cell ${id}`);
    return member;
  }
}

const signature = "simulated-signature-of-the-length-that-an-ed25519-signature-has-in-base64url-86-letters";

/** A tree in order of birth: cell i is the daughter of cell (i - 1) / daughtersMax. */
function familyOf(cellCount: number, daughtersMax: number): CellBody[] {
  const bodies: CellBody[] = [];
  for (let i = 0; i < cellCount; i += 1) {
    const mother = i === 0 ? null : bodies[Math.floor((i - 1) / daughtersMax)]!;
    bodies.push({
      kind: "cell",
      id: idOf(i),
      mother: mother?.id ?? null,
      lineage: mother === null ? [] : [...mother.lineage, mother.id].slice(-lineageMax),
      generation: (mother?.generation ?? -1) + 1,
      birthOrder: i,
      publicKey: "a-public-key-has-forty-four-letters-of-base64",
      pid: i + 2,
      startTicks: i,
      bornAt: "2026-11-22T12:00:00.000Z",
      revision: "first",
      certificate: signature,
      class: classOf(i),
      state: "live",
    });
  }
  return bodies;
}

/** Ten letters from a number, each number another. */
function idOf(index: number): CellId {
  let id = "";
  for (let rest = index; id.length < idLength; rest = Math.floor(rest / 32)) id = idAlphabet[rest % 32]! + id;
  return id;
}

/** As in an organism that serves: most are drones. Some of each from the first few on. */
function classOf(index: number): CellClass {
  const place = index % 100;
  if (place === 0) return "neuron";
  if (place === 1 || place === 2) return "stem";
  return place < 20 ? "b-cell" : "drone";
}

/** Wants exactly what is there. */
function dnaFor(bodies: readonly CellBody[], daughtersMax: number): CoreDna {
  const count = (cellClass: CellClass): number => bodies.filter((body) => body.class === cellClass).length;
  const exactly = (cellClass: CellClass): { min: number; max: number } => ({
    min: count(cellClass),
    max: count(cellClass),
  });
  return {
    stemPool: count("stem"),
    population: {
      neuron: exactly("neuron"),
      "b-cell": exactly("b-cell"),
      "t-cell": { min: 0, max: 1 },
      drone: exactly("drone"),
    },
    daughtersMax,
    attenuationMilli: 250,
    hormoneHalfLifeMs: 2_000,
    drainMsMax: 5_000,
    hangMs: 10_000,
    growth: {
      utilizationToGrowMilli: 700,
      utilizationToShrinkMilli: 300,
      queueMsTarget: 50,
      stableWindowMs: 60_000,
      panicWindowMs: 6_000,
      memoryMilliMax: 900,
    },
    restarts: { backoffMsMin: 500, backoffMsMax: 30_000, budget: 20, windowMs: 60_000 },
    wear: neverWorn,
    dormancyIdleMs: 0,
  };
}

/** The state of a cell that has long known all the others: what is not its own. */
function settledState(bodies: readonly CellBody[], dna: CoreDna, nowMs: number): State {
  const [first] = bodies;
  assert(first !== undefined, "a colony has a cell");
  const recordOf = <B extends CellBody | AppBody>(key: string, body: B): OrganismRecord<B> => ({
    key,
    version: 1,
    origin: first.id,
    body,
    signature,
  });
  const certificate = recordOf(cellKey(first.id), first);
  const app = recordOf(appKey, {
    kind: "app",
    state: "ready",
    attempts: 0,
    code: "",
    message: "",
    stack: "",
    files: ["app.js"],
  });
  const [blank] = beBorn({ certificate, records: [certificate], dna, seed: [1, 2], urgent: false }, nowMs);
  return {
    ...blank,
    records: new Map<string, OrganismRecord>([
      ...bodies.map((body) => [cellKey(body.id), recordOf(cellKey(body.id), body)] as const),
      [appKey, app],
    ]),
    alive: new Map(bodies.map((body) => [body.id, body])),
    heardMs: new Map(bodies.map((body) => [body.id, nowMs - pastMs])),
    app: { ...blank.app, known: app.body },
    issued: new Map(),
    adoption: null,
  };
}

/** What is: looks spread over the period, and places in the roster spread over all, as in cells that were born at times. */
function personal(body: CellBody, index: number, nowMs: number): Partial<State> & Pick<State, "self" | "class"> {
  const nextControlMs = nowMs + 1 + ((index * 97) % controlPeriodMs);
  return {
    self: body.id,
    class: body.class,
    phase: "living",
    prng: prngFrom(index, 0xc01),
    nextControlMs,
    lookedMs: nextControlMs - controlPeriodMs,
    probed: 1_000 + index * 7_919,
    patrolled: index * 6_007,
    refractoryUntilMs: nowMs,
  };
}

function noMessages(): Record<KinMessage["type"], number> {
  return { inventory: 0, records: 0, pulse: 0, votes: 0, suspect: 0, testimony: 0, tally: 0, "hand-down": 0 };
}
