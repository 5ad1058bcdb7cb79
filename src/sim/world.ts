/**
 * The simulator's world: the same cells as in production (core/step.ts), under a virtual clock, with a host made of plain
 * data. A seed gives one history, and only one.
 *
 * What production does with processes and sockets happens here by entries in a queue: a birth takes a while, a message takes
 * a latency and arrives in order on its link, a killed process falls silent and its links close a moment later.
 */
import { assert, unreachable } from "../lib/assert.ts";
import type { Prng } from "../lib/prng.ts";
import { prngBelow, prngFrom, prngNext } from "../lib/prng.ts";
import type { CellClass, CellId } from "../core/cell.ts";
import type { CoreDna } from "../core/dna.ts";
import type { Effect } from "../core/effect.ts";
import type { Event, Happening } from "../core/event.ts";
import { assertInvariants } from "../core/invariant.ts";
import type { CellBody, OrganismRecord, RecordBody } from "../core/record.ts";
import { cellKey, keyOf } from "../core/record.ts";
import { isPlausible } from "../core/hormone.ts";
import type { State } from "../core/state.ts";
import { beBorn, nextWakeMs, step } from "../core/step.ts";
import { TimeQueue } from "./time-queue.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly dna: CoreDna;
  /** Milliseconds of each kind of delay, chosen evenly between the two. */
  readonly delaysMs: Readonly<
    Record<"birth" | "message" | "appLoad" | "drain" | "notice", readonly [min: number, max: number]>
  >;
}

/** A process of the simulated machine, and the mind that runs in it once it was born. */
export interface SimCell {
  readonly id: CellId;
  readonly pid: number;
  readonly startTicks: number;
  state: State | null;
  runs: boolean;
  /** SIGSTOP, or an endless loop of the app: it does nothing, and what comes for it waits. Null: it is well. */
  halted: "stuck" | "busy" | null;
  /** Its class before the event whose effects are being performed: an egg divides as an egg, though it is a neuron after. */
  decidedAs: CellClass;
  /** What came while it was halted. */
  readonly inbox: Happening[];
  /** The other ends of open links, each with the time of the last message put on it: links keep order. */
  readonly links: Map<CellId, number>;
  mother: CellId | null;
}

export interface Execution {
  readonly id: CellId;
  readonly reason: string;
  readonly wasHalted: boolean;
}

export interface LogLine {
  readonly atMs: number;
  readonly cell: CellId;
  readonly text: string;
}

type Deed = () => void;

export class World {
  readonly cells = new Map<CellId, SimCell>();
  readonly log: LogLine[] = [];
  /** What the app does when a drone loads it. Scenarios change it. */
  app: "ready" | "failed" = "ready";
  /** Cells that others have ended, by certificate: why, and whether they were halted when the first certificate was made. */
  readonly executions: Execution[] = [];
  eventCount = 0;
  nowMs = 0;
  readonly #options: WorldOptions;
  readonly #queue = new TimeQueue<Deed>();
  readonly #wakes = new Map<CellId, number>();
  readonly #haltedAtConviction = new Map<CellId, boolean>();
  #prng: Prng;
  #nextPid = 100;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#prng = prngFrom(options.seed, 0x5eed);
  }

  /** Spawns the egg and returns its id. */
  spawnEgg(): CellId {
    const id = "egg";
    const cell = this.#process(id, null);
    const body: CellBody = {
      ...birthFacts(cell),
      mother: null,
      lineage: [],
      generation: 0,
      birthOrder: 0,
      class: "egg",
      state: "gestating",
    };
    this.#begin(cell, { key: cellKey(id), version: 0, origin: id, body, signature: "simulated" }, [], false);
    return id;
  }

  tell(id: CellId, happening: Happening): void {
    const cell = this.cells.get(id);
    if (cell?.state === null || cell?.runs !== true) return;
    if (cell.halted === null) this.#dispatch(cell, happening);
    else cell.inbox.push(happening);
  }

  /** SIGSTOP ("stuck"), or an app that blocks its loop ("busy"). */
  halt(id: CellId, how: "stuck" | "busy"): void {
    const cell = this.cells.get(id);
    if (cell === undefined || !cell.runs) return;
    this.#note(id, `halted: ${how}`);
    cell.halted = how;
  }

  /** SIGCONT: what came meanwhile comes now, and the timer that was due fires once. */
  resume(id: CellId): void {
    const cell = this.cells.get(id);
    if (cell === undefined || cell.halted === null) return;
    this.#note(id, "resumed");
    cell.halted = null;
    for (const happening of cell.inbox.splice(0)) if (cell.runs) this.tell(id, happening);
  }

  /** SIGKILL: the process is gone; its kin notice a moment later. */
  kill(id: CellId): void {
    const cell = this.cells.get(id);
    if (cell === undefined || !cell.runs) return;
    this.#note(id, "killed");
    this.#end(cell);
  }

  /** A kin link breaks, though both ends live. */
  cut(id: CellId, peer: CellId): void {
    const cell = this.cells.get(id);
    if (cell === undefined || !cell.links.has(peer)) return;
    this.#note(id, `loses its link to ${peer}`);
    this.#closeLink(cell, peer);
  }

  /** Lets virtual time pass. */
  run(forMs: number): void {
    const untilMs = this.nowMs + forMs;
    for (let entry = this.#queue.takeUntil(untilMs); entry !== null; entry = this.#queue.takeUntil(untilMs)) {
      this.nowMs = entry.atMs;
      entry.item();
    }
    this.nowMs = untilMs;
  }

  /** Running cells whose mind has begun. */
  living(): State[] {
    return [...this.cells.values()]
      .filter((cell) => cell.runs && cell.state !== null)
      .map((cell) => cell.state as State);
  }

  ofClass(cellClass: CellClass): State[] {
    return this.living().filter((state) => state.class === cellClass);
  }

  #dispatch(cell: SimCell, happening: Happening): void {
    const mailbox: Event[] = [{ nowMs: this.nowMs, ...happening }];
    for (let event = mailbox.shift(); event !== undefined && cell.runs; event = mailbox.shift()) {
      assert(cell.state !== null, "a cell that hears has been born");
      this.eventCount += 1;
      cell.decidedAs = cell.state.class;
      const [next, effects] = step(cell.state, event);
      assertInvariants(next);
      cell.state = next;
      this.#performAll(cell, effects, mailbox);
    }
    this.#setWake(cell);
  }

  #performAll(cell: SimCell, effects: readonly Effect[], mailbox: Event[]): void {
    let ends = false;
    for (const effect of effects) {
      if (effect.type === "sign") {
        mailbox.unshift({ type: "signed", record: signed(cell.id, effect), nowMs: this.nowMs });
      } else if (effect.type === "sign-vote") {
        const vote = { charge: effect.charge, voter: cell.id, signature: "simulated" };
        mailbox.unshift({ type: "voted", vote, nowMs: this.nowMs });
      } else if (effect.type === "exit") ends = true;
      else this.#perform(cell, effect);
    }
    // As in production the last words, which have just been signed, leave first.
    if (ends) this.#after("message", () => this.#end(cell));
  }

  #perform(cell: SimCell, effect: Exclude<Effect, { type: "sign" | "sign-vote" | "exit" }>): void {
    switch (effect.type) {
      case "divide":
        return this.#divide(cell, effect);
      case "bear":
        return this.#bear(effect.certificate, effect.records);
      case "connect":
        return this.#after("message", () => this.#connect(cell, effect.to));
      case "disconnect":
        return this.#after("message", () => this.#closeLink(cell, effect.from));
      case "send":
        return this.#send(cell, effect);
      case "become":
        this.#note(cell.id, `became ${effect.class}`);
        if (effect.class === "drone") this.#after("appLoad", () => this.#loadApp(cell));
        return;
      case "inspect":
        return this.#after("notice", () =>
          this.tell(cell.id, { type: "inspected", id: effect.id, running: this.cells.get(effect.id)?.runs === true }),
        );
      case "probe":
        return this.#probe(cell, effect.id);
      case "kill":
        return this.#execute(cell, effect);
      case "drain":
        return this.#after("drain", () => this.tell(cell.id, { type: "drained" }));
      case "log":
        if (effect.event === "condemned") this.#noteConviction(String(effect.fields["condemned"]));
        return this.#note(cell.id, effect.message);
      case "inform":
      case "watch":
        return;
      default:
        return unreachable(effect);
    }
  }

  /** An answer comes within a few messages' time, or after the probe's timeout it is known that none comes. */
  #probe(cell: SimCell, id: CellId): void {
    this.#after("message", () => {
      const halted = this.cells.get(id)?.halted ?? null;
      if (halted === null) this.#after("message", () => this.tell(cell.id, { type: "probed", id, answer: "answered" }));
      else this.#queue.add(this.nowMs + probeTimeoutMs, () => this.#tellProbed(cell, id));
    });
  }

  #tellProbed(cell: SimCell, id: CellId): void {
    this.tell(cell.id, { type: "probed", id, answer: this.cells.get(id)?.halted ?? "answered" });
  }

  /** Whether the sentence is just is judged by how things stood when it was first passed. */
  #noteConviction(id: CellId): void {
    if (!this.#haltedAtConviction.has(id)) this.#haltedAtConviction.set(id, this.cells.get(id)?.halted !== null);
  }

  #execute(cell: SimCell, { id, pid, startTicks }: Effect & { type: "kill" }): void {
    const other = this.cells.get(id);
    assert(other?.pid === pid && other.startTicks === startTicks, "only that very process is signalled");
    if (!other.runs) return;
    this.#note(cell.id, `executes ${id}`);
    const reason = cell.state?.condemned.get(id)?.reason ?? "unknown";
    const wasHalted = this.#haltedAtConviction.get(id);
    assert(wasHalted !== undefined, "nobody is ended without a certificate");
    this.executions.push({ id, reason, wasHalted });
    this.#end(other);
  }

  #divide(mother: SimCell, { id, class: cellClass }: Effect & { type: "divide" }): void {
    assert(mayDivideInto(mother.decidedAs, cellClass), "a specialised cell's daughters are of its own class");
    const daughter = this.#process(id, mother.id);
    this.#note(mother.id, `divides: ${id}`);
    this.#after("birth", () => {
      if (!daughter.runs) return;
      const { pid, startTicks } = daughter;
      this.tell(mother.id, { type: "conceived", id, pid, startTicks, publicKey: id, bornAt: "" });
      // A newborn whose mother has died before she could bear it finds nobody to talk to, and ends.
      this.#queue.add(this.nowMs + orphanedBirthMs, () => daughter.state === null && this.#end(daughter));
    });
  }

  #bear(certificate: OrganismRecord<CellBody>, records: readonly OrganismRecord[]): void {
    const daughter = this.cells.get(certificate.body.id);
    if (daughter?.runs !== true) return;
    this.#after(
      "message",
      () => daughter.runs && this.#begin(daughter, certificate, records, certificate.body.class === "egg"),
    );
  }

  #begin(
    cell: SimCell,
    certificate: OrganismRecord<CellBody>,
    records: readonly OrganismRecord[],
    urgent: boolean,
  ): void {
    const seed = [this.#word(), this.#word()] as const;
    const known = records.length === 0 ? [certificate] : records;
    const [state, effects] = beBorn({ certificate, records: known, dna: this.#options.dna, seed, urgent }, this.nowMs);
    cell.state = state;
    cell.decidedAs = certificate.body.class;
    const mailbox: Event[] = [];
    this.#performAll(cell, effects, mailbox);
    for (const event of mailbox) this.#dispatch(cell, event);
    this.#setWake(cell);
  }

  #connect(cell: SimCell, to: CellId): void {
    if (!cell.runs) return;
    const other = this.cells.get(to);
    const record = cell.state?.records.get(cellKey(cell.id));
    const others = other?.state?.records.get(cellKey(to));
    if (other?.runs !== true || others === undefined || record === undefined) {
      return this.tell(cell.id, { type: "connect-failed", peer: to });
    }
    cell.links.set(to, this.nowMs);
    other.links.set(cell.id, this.nowMs);
    this.tell(to, { type: "link-opened", peer: cell.id, record });
    this.tell(cell.id, { type: "link-opened", peer: to, record: others });
  }

  #send(cell: SimCell, { to, message }: Effect & { type: "send" }): void {
    const lastMs = cell.links.get(to);
    if (lastMs === undefined) return;
    const { attenuationMilli } = this.#options.dna;
    assert(
      message.type !== "pulse" || isPlausible(message.pulse, attenuationMilli),
      "no hormone is stronger than s0 * alpha^hops",
    );
    const arrivesMs = Math.max(lastMs, this.nowMs + this.#delay("message"));
    cell.links.set(to, arrivesMs);
    this.#queue.add(arrivesMs, () => {
      const other = this.cells.get(to);
      if (other?.links.has(cell.id) === true) this.tell(to, { type: "message", from: cell.id, message });
    });
  }

  #closeLink(cell: SimCell, peer: CellId): void {
    const other = this.cells.get(peer);
    if (cell.links.delete(peer)) this.tell(cell.id, { type: "link-closed", peer });
    if (other?.links.delete(cell.id) === true) this.tell(peer, { type: "link-closed", peer: cell.id });
  }

  #loadApp(cell: SimCell): void {
    const failure = { code: "CELLWS_E_APP_LOAD", message: "simulated", stack: "", files: ["app.js"] };
    const nothing = { code: "", message: "", stack: "", files: [] };
    this.tell(cell.id, { type: "app", health: { state: this.app, ...(this.app === "failed" ? failure : nothing) } });
  }

  #end(cell: SimCell): void {
    if (!cell.runs) return;
    cell.runs = false;
    this.#wakes.delete(cell.id);
    for (const peer of cell.links.keys()) this.#after("notice", () => this.#closeLink(cell, peer));
    const { mother } = cell;
    if (mother !== null) this.#after("notice", () => this.tell(mother, { type: "daughter-exited", id: cell.id }));
  }

  #setWake(cell: SimCell): void {
    const atMs = cell.state === null || !cell.runs ? null : nextWakeMs(cell.state);
    if (atMs === null || this.#wakes.get(cell.id) === atMs) return;
    this.#wakes.set(cell.id, atMs);
    this.#queue.add(atMs, () => {
      if (this.#wakes.get(cell.id) !== atMs) return;
      this.#wakes.delete(cell.id);
      this.tell(cell.id, { type: "wake" });
    });
  }

  #process(id: CellId, mother: CellId | null): SimCell {
    const cell: SimCell = {
      id,
      pid: this.#nextPid,
      startTicks: this.nowMs,
      state: null,
      runs: true,
      halted: null,
      decidedAs: "egg",
      inbox: [],
      links: new Map(),
      mother,
    };
    this.#nextPid += 1;
    this.cells.set(id, cell);
    return cell;
  }

  #after(kind: keyof WorldOptions["delaysMs"], deed: Deed): void {
    this.#queue.add(this.nowMs + this.#delay(kind), deed);
  }

  #delay(kind: keyof WorldOptions["delaysMs"]): number {
    const [min, max] = this.#options.delaysMs[kind];
    const [offset, next] = prngBelow(this.#prng, max - min + 1);
    this.#prng = next;
    return min + offset;
  }

  #word(): number {
    const [word, next] = prngNext(this.#prng);
    this.#prng = next;
    return word;
  }

  #note(cell: CellId, text: string): void {
    this.log.push({ atMs: this.nowMs, cell, text });
  }
}

/**
 * The rule of class: eggs and stem cells may bear any (a lone stem cell goes back to being an egg), a neuron stem cells while
 * none can hear it, and whoever is left when neither is there an egg.
 */
function mayDivideInto(mother: CellClass, daughter: CellClass): boolean {
  if (mother === "egg" || mother === "stem" || mother === daughter || daughter === "egg") return true;
  return mother === "neuron" && daughter === "stem";
}

const orphanedBirthMs = 20_000;
const probeTimeoutMs = 100;

function signed(origin: CellId, { key, version, body }: Effect & { type: "sign" }): OrganismRecord {
  assert(key === keyOf(body), "a record is filed under its body's key");
  const certified: RecordBody =
    body.kind === "cell" && body.certificate === "" ? { ...body, certificate: "simulated" } : body;
  return { key, version, origin, body: certified, signature: "simulated" };
}

function birthFacts({
  id,
  pid,
  startTicks,
}: SimCell): Pick<CellBody, "kind" | "id" | "pid" | "startTicks" | "publicKey" | "bornAt" | "certificate"> {
  return { kind: "cell", id, pid, startTicks, publicKey: id, bornAt: "", certificate: "simulated" };
}
