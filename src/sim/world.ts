/**
 * The simulator's world: the same cells as in production (core/step.ts), under a virtual clock, with a host made of plain
 * data. A seed gives one history, and only one.
 *
 * What production does with processes and sockets happens here by entries in a queue: a birth takes a while, a message takes
 * a latency and arrives in order on its link, a killed process falls silent and its links close a moment later. What comes
 * over a link is judged by the same rules as in production (wire/belief.ts), with keys of the simulator's own.
 *
 * Faults of the network, and what they stand for:
 *   a cut         a link breaks, and what is under way on it is lost
 *   disturbance   messages are lost, arrive twice, or overtake each other on links that stay open. No stream socket does that;
 *                 the mind must bear it all the same, for then it also bears what its host drops or refuses
 *   partition     between two sets of cells no socket works: links break, none opens, questions go unanswered. The kernel's
 *                 word (who runs, who computes) still reaches both
 */
import { assert, InvariantError, unreachable } from "../lib/assert.ts";
import type { Prng } from "../lib/prng.ts";
import { prngBelow, prngFrom, prngNext } from "../lib/prng.ts";
import { hash32 } from "../lib/hash.ts";
import type { Vote } from "../core/ballot.ts";
import { chargeId } from "../core/ballot.ts";
import type { CellClass, CellId } from "../core/cell.ts";
import { cellClasses } from "../core/cell.ts";
import type { CoreDna } from "../core/dna.ts";
import type { Effect } from "../core/effect.ts";
import type { KinMessage } from "../core/message.ts";
import type { Event, Happening } from "../core/event.ts";
import { assertInvariants } from "../core/invariant.ts";
import type { CellBody, Charge, OrganismRecord } from "../core/record.ts";
import { cellKey, certificateKey, deathKey, keyOf } from "../core/record.ts";
import { isPlausible } from "../core/hormone.ts";
import { ballotWindowMs, testimonyHopsMax, tickMs } from "../core/limits.ts";
import { isShunned } from "../core/kinship.ts";
import type { Move } from "../core/move.ts";
import { isElder, ownerOfProcess } from "../core/roster.ts";
import type { Stranger } from "../core/solitude.ts";
import { isStranger, strangerOf } from "../core/solitude.ts";
import type { State } from "../core/state.ts";
import type { Suspect } from "../core/suspicion.ts";
import { beBorn, nextWakeMs, step } from "../core/step.ts";
import { wayToTCell } from "../core/testimony.ts";
import type { Wear } from "../core/wear.ts";
import type { Acquaintance } from "../wire/belief.ts";
import { ancestryOf, hear, signRecord, whyNotMet } from "../wire/belief.ts";
import { votePayload } from "../wire/kin.ts";
import { Keyring } from "./keyring.ts";
import { TimeQueue } from "./time-queue.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly dna: CoreDna;
  /** Milliseconds of each kind of delay, chosen evenly between the two. */
  readonly delaysMs: Readonly<
    Record<"birth" | "message" | "appLoad" | "drain" | "notice", readonly [min: number, max: number]>
  >;
  /** Process ids in use at most; a freed one is soon somebody else's. Linux's own maximum where absent. */
  readonly pidMax?: number;
}

/** How links misbehave while they are open: thousandths of messages lost and doubled, and how late one may come. */
export interface Disturbance {
  readonly lossMilli: number;
  readonly duplicateMilli: number;
  readonly lateMsMax: number;
}

/** What has got into a cell: it sees what its mind wishes done, and says what is done instead. */
export interface Infection {
  twist(cell: SimCell, effects: readonly Effect[]): readonly Effect[];
}

/** One end's view of an open link. A link that is opened again is another one: what was under way on the old is lost. */
interface SimLink {
  readonly number: number;
  /** When the last message put on it arrives: links keep order. */
  lastMs: number;
}

/** Why a cell does nothing: no CPU is to be had ("stuck"), SIGSTOP ("stopped"), or an app that blocks its loop ("busy"). */
export type Halt = Exclude<Suspect["answer"], "infected">;

/** A process of the simulated machine, and the mind that runs in it once it was born. */
export interface SimCell {
  readonly id: CellId;
  readonly pid: number;
  readonly startTicks: number;
  state: State | null;
  runs: boolean;
  /** It does nothing, and what comes for it waits. Null: it is well. */
  halted: Halt | null;
  /** Its class before the event whose effects are being performed: an egg divides as an egg, though it is a neuron after. */
  decidedAs: CellClass;
  /** When it last went on, or -Infinity. */
  resumedMs: number;
  /** What came while it was halted. */
  readonly inbox: Happening[];
  /** Open links, by their other ends. */
  readonly links: Map<CellId, SimLink>;
  mother: CellId | null;
  /** Marks that wait here for a way to a T cell, and the most hops that any of them has made. */
  testimony: { marks: number; hops: number };
  /** Whether it inherited the listening sockets, and has kept them. */
  listens: boolean;
  readonly publicKey: string;
  readonly acquaintance: Acquaintance;
  /** What its process uses, as the kernel tells. */
  wear: Wear;
  /** When it last let go of what was too much, or -Infinity. */
  relievedMs: number;
  infection: Infection | null;
  /** Whether its infection can be seen from outside by now. */
  isFoundOut: boolean;
  /** As which class it is counted among those that work, or null. */
  countedAs: CellClass | null;
}

export interface Execution {
  readonly id: CellId;
  readonly reason: string;
  /** Whether it was halted, or infected, when the first certificate was made. */
  readonly wasHalted: boolean;
  readonly wasInfected: boolean;
  /** Whether it held too much, or was too old, or of another DNA than the one that holds. */
  readonly wasWorn: boolean;
  readonly wasOutdated: boolean;
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
  /** Cells that were voted out, whether or not they left by themselves then. */
  readonly convictions: Execution[] = [];
  eventCount = 0;
  nowMs = 0;
  /** How links misbehave now, or null. */
  disturbance: Disturbance | null = null;
  /** Messages that were lost, doubled, and overtaken; words that were not believed. */
  readonly mishaps = { lost: 0, doubled: 0, overtaken: 0, refused: 0 };
  /** A digest of every event in order: two runs of one seed must agree on it. */
  history = 0;
  readonly keyring = new Keyring();
  /** Marks that B cells made, and what became of them. What is in none of the others waits, or is under way. */
  readonly marks = { made: 0, arrived: 0, lost: 0, underWay: 0 };
  /** The DNA that the administrator has brought, by name; the last one holds. */
  readonly revisions = new Set(["first"]);
  /** Cells that run and do what they should, by class. */
  readonly working = Object.fromEntries(cellClasses.map((c) => [c, 0])) as Record<CellClass, number>;
  readonly #options: WorldOptions;
  readonly #queue = new TimeQueue<Deed>();
  readonly #wakes = new Map<CellId, number>();
  /** Votes that a healthy cell cast against one that did not hang, by charge and voter. */
  readonly #unfairVotes = new Set<string>();
  readonly #atConviction = new Map<CellId, Omit<Execution, "id" | "reason">>();
  /** The kernel's table: who has which pid. Null: a process that is none of ours. */
  readonly #processes = new Map<number, { readonly startTicks: number; readonly cell: CellId | null }>();
  #organism = "";
  /** The cells on the far side of a partition, or null. */
  #farSide: Set<CellId> | null = null;
  #linkCount = 0;
  readonly #births = new Map<CellId, () => void>();
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
    this.#organism = this.keyring.organismId(cell.publicKey);
    const body: CellBody = {
      ...birthFacts(cell),
      mother: null,
      lineage: [],
      generation: 0,
      birthOrder: 0,
      class: "egg",
      state: "gestating",
    };
    const record = this.sign(cell, { key: cellKey(id), version: 0, origin: id, body });
    this.#begin(cell, record as OrganismRecord<CellBody>, [], false);
    return id;
  }

  tell(id: CellId, happening: Happening): void {
    const cell = this.cells.get(id);
    if (cell?.state === null || cell?.runs !== true) return;
    if (cell.halted !== null) cell.inbox.push(happening);
    else if (happening.type === "message") this.#hear(cell, happening);
    else this.#dispatch(cell, happening);
  }

  /** A cell has refused so many requests, and marks them. */
  mark(id: CellId, count: number): void {
    const cell = this.cells.get(id);
    if (cell?.runs !== true || cell.state === null || cell.halted !== null) return;
    this.marks.made += count;
    this.#keepMarks(cell, count, 0);
    this.tell(id, { type: "vitals", vitals: { ...cell.state.vitals, marks: count + cell.testimony.marks } });
    this.#relay(cell);
  }

  /** Signs as that cell, which need not mean what it says. */
  sign(cell: SimCell, unsigned: Omit<OrganismRecord, "signature">): OrganismRecord {
    return signRecord(this.#organism, unsigned, (payload) => this.keyring.sign(payload, cell.publicKey));
  }

  signVote(cell: SimCell, charge: Charge): Vote {
    const signature = this.keyring.sign(votePayload(this.#organism, charge), cell.publicKey);
    return { charge, voter: cell.id, signature };
  }

  infect(cell: SimCell, infection: Infection): void {
    cell.infection = infection;
    this.#count(cell);
  }

  /** Has a cell do what its mind did not think of. */
  possess(id: CellId, deed: (state: State) => Move): void {
    const cell = this.cells.get(id);
    if (cell?.runs !== true || cell.state === null || cell.halted !== null) return;
    const mailbox: Event[] = [];
    const [state, effects] = deed(cell.state);
    cell.state = state;
    cell.decidedAs = state.class;
    this.#performAll(cell, effects, mailbox);
    for (const event of mailbox) this.#dispatch(cell, event);
  }

  /** Calls back when that cell's mind begins. */
  whenBorn(id: CellId, deed: () => void): void {
    this.#births.set(id, deed);
  }

  /** From now on no socket works between these cells, their future daughters included, and all others. */
  partition(farSide: readonly CellId[]): void {
    this.#note("", `partition: ${farSide.length} cells apart`);
    this.#farSide = new Set(farSide);
    for (const cell of this.cells.values()) {
      for (const peer of cell.links.keys()) if (this.#areApart(cell.id, peer)) this.#closeLink(cell, peer);
    }
  }

  heal(): void {
    if (this.#farSide !== null) this.#note("", "the partition heals");
    this.#farSide = null;
  }

  /** Another process, none of ours, gets the pid of one that has ended. */
  reusePid(pid: number): void {
    if (this.#processes.has(pid)) return;
    this.#processes.set(pid, { startTicks: this.#ticks(), cell: null });
  }

  halt(id: CellId, how: Halt): void {
    const cell = this.cells.get(id);
    if (cell === undefined || !cell.runs) return;
    this.#note(id, `halted: ${how}`);
    cell.halted = how;
    this.#count(cell);
  }

  /** SIGCONT: what came meanwhile comes now, and the timer that was due fires once. */
  resume(id: CellId): void {
    const cell = this.cells.get(id);
    if (cell === undefined || cell.halted === null) return;
    this.#note(id, "resumed");
    cell.halted = null;
    cell.resumedMs = this.nowMs;
    this.#count(cell);
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

  /** Whether a cell uses more than its class may, or is too old. */
  isWorn(cell: SimCell): boolean {
    const { ageMsMax } = this.#options.dna.wear;
    return this.leaks(cell) || (ageMsMax > 0 && this.nowMs - cell.startTicks * tickMs >= ageMsMax);
  }

  leaks({ state, wear }: SimCell): boolean {
    if (state === null) return false;
    const { rssBytesMax, descriptorMilliMax } = this.#options.dna.wear;
    const over = (value: number, max: number): boolean => max > 0 && value > max;
    return over(wear.rssBytes, rssBytesMax[state.class]) || over(wear.descriptorMilli, descriptorMilliMax[state.class]);
  }

  isOutdated({ state }: SimCell): boolean {
    const own = state?.alive.get(state.self);
    return own !== undefined && own.revision !== [...this.revisions].at(-1);
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

  /** What comes over a link is let in as far as it is to be believed. */
  #hear(cell: SimCell, { message: said, from }: Happening & { type: "message" }): void {
    const message = cell.infection === null ? said : withoutWordOf(cell.id, said);
    hear(message, cell.acquaintance, this.keyring, {
      take: (believed) => {
        if (cell.runs) this.#dispatch(cell, { type: "message", from, message: believed });
      },
      refuse: () => {
        this.mishaps.refused += 1;
      },
    });
  }

  /** As the host's relay does: kept within bounds, and sent on as soon as there is a way. */
  #relay(cell: SimCell): void {
    const { marks, hops } = cell.testimony;
    if (!cell.runs || cell.state === null || marks === 0) return;
    const way = wayToTCell(cell.state, this.nowMs);
    if (way === null) return;
    cell.testimony = { marks: 0, hops: 0 };
    if (way === cell.id) {
      this.marks.arrived += marks;
      return;
    }
    assert(cell.state.kin.has(way), "testimony goes over kin links only");
    const link = cell.links.get(way);
    if (link === undefined || hops >= testimonyHopsMax) {
      this.marks.lost += marks;
      return;
    }
    this.marks.underWay += marks;
    link.lastMs = Math.max(link.lastMs, this.nowMs + this.#delay("message"));
    this.#queue.add(link.lastMs, () => {
      this.marks.underWay -= marks;
      const other = this.cells.get(way);
      // A link that has broken meanwhile has lost what was on it; so has a cell that died.
      if (other?.runs !== true || other.state === null || other.links.get(cell.id)?.number !== link.number) {
        this.marks.lost += marks;
        return;
      }
      this.#keepMarks(other, marks, hops + 1);
      if (other.halted === null) this.#relay(other);
    });
  }

  #keepMarks(cell: SimCell, count: number, hops: number): void {
    const kept = Math.min(count, marksWaitingMax - cell.testimony.marks);
    this.marks.lost += count - kept;
    cell.testimony = { marks: cell.testimony.marks + kept, hops: Math.max(cell.testimony.hops, hops) };
  }

  /** Marks that wait in cells that run. */
  marksWaiting(): number {
    let sum = 0;
    for (const cell of this.cells.values()) if (cell.runs) sum += cell.testimony.marks;
    return sum;
  }

  /** At any time: each mark has arrived, waits, is under way, or is counted as lost. */
  assertMarksAccounted(): void {
    const { made, arrived, lost, underWay } = this.marks;
    assert(made === arrived + lost + underWay + this.marksWaiting(), "every mark is accounted for");
  }

  #dispatch(cell: SimCell, happening: Happening): void {
    const mailbox: Event[] = [{ nowMs: this.nowMs, ...happening }];
    for (let event = mailbox.shift(); event !== undefined && cell.runs; event = mailbox.shift()) {
      assert(cell.state !== null, "a cell that hears has been born");
      this.eventCount += 1;
      cell.decidedAs = cell.state.class;
      this.history = hash32(`${this.history}/${this.nowMs}/${cell.id}/${event.type}`);
      const move = this.#think(cell, cell.state, event);
      if (move === null) return;
      const [next, effects] = move;
      if (next.kin !== cell.state.kin && cell.infection === null) this.#assertKinIsOlder(next);
      const { class: before } = cell.state;
      cell.state = next;
      if (next.class !== before) this.#tookRole(cell, before);
      this.#performAll(cell, effects, mailbox);
    }
    this.#relay(cell);
    this.#setWake(cell);
  }

  /** Null: an infected cell's mind broke down, for what it said of itself came back to it. */
  #think(cell: SimCell, state: State, event: Event): Move | null {
    try {
      const move = step(state, event);
      assertInvariants(move[0]);
      return move;
    } catch (error) {
      if (cell.infection === null || !(error instanceof InvariantError)) throw error;
      this.#note(cell.id, `broke down: ${error.message}`);
      this.#end(cell);
      return null;
    }
  }

  /** A role, once taken, stays. */
  #tookRole(cell: SimCell, before: CellClass): void {
    assert(before === "stem" || before === "egg", `a ${before} stays one`);
    this.#count(cell);
    // A drone runs what users wrote: it keeps no listening socket.
    if (cell.state?.class === "drone") cell.listens = false;
  }

  /** Every kin edge leads from a cell to a strictly older one, by their certificates: so there is no cycle at any time. */
  #assertKinIsOlder(state: State): void {
    const own = state.alive.get(state.self);
    let elders = 0;
    for (const peer of state.kin) {
      const body = state.alive.get(peer);
      const certificate = this.cells.get(peer)?.state?.alive.get(peer);
      if (own === undefined || body === undefined || certificate === undefined) continue;
      assert(body.birthOrder === certificate.birthOrder, "all agree who is older");
      if (isElder(certificate, own)) elders += 1;
    }
    assert(elders <= 1, "kin links to more than one elder could close a cycle");
  }

  #performAll(cell: SimCell, wished: readonly Effect[], mailbox: Event[]): void {
    let ends = false;
    const effects = cell.infection === null ? wished : cell.infection.twist(cell, wished);
    for (const effect of effects) {
      if (effect.type === "sign") {
        const { key, version, body } = effect;
        assert(key === keyOf(body), "a record is filed under its body's key");
        const record = this.sign(cell, { key, version, origin: cell.id, body });
        mailbox.unshift({ type: "signed", record, nowMs: this.nowMs });
      } else if (effect.type === "sign-vote") {
        this.#noteVote(cell, effect.charge);
        mailbox.unshift({ type: "voted", vote: this.signVote(cell, effect.charge), nowMs: this.nowMs });
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
        return this.#bear(effect);
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
          this.tell(cell.id, {
            type: "inspected",
            id: effect.id,
            running: this.#runs(effect.pid, effect.startTicks),
            wear: this.cells.get(effect.id)?.wear ?? null,
          }),
        );
      case "probe":
        return this.#probe(cell, effect.id);
      case "seek-strangers":
        return this.#seekStrangers(cell);
      case "kill":
        return this.#execute(cell, effect);
      case "drain":
        return this.#after("drain", () => this.tell(cell.id, { type: "drained" }));
      case "log":
        if (effect.event === "condemned") this.#noteConviction(cell, effect.fields);
        return this.#note(cell.id, effect.message);
      case "inform":
      case "watch":
      case "enforce":
      case "recall":
        return;
      default:
        return unreachable(effect);
    }
  }

  /** An answer comes within a few messages' time, or after the probe's timeout it is known that none comes. */
  #probe(cell: SimCell, id: CellId): void {
    this.#after("message", () => {
      const other = this.cells.get(id);
      if (other === undefined) return this.tell(cell.id, { type: "probed", id, answer: "absent" });
      const { halted } = other;
      if (other.isFoundOut && other.runs) this.tell(cell.id, { type: "probed", id, answer: "infected" });
      else if (halted === null && !this.#areApart(cell.id, id))
        this.#after("message", () => this.tell(cell.id, { type: "probed", id, answer: "answered" }));
      else this.#queue.add(this.nowMs + probeTimeoutMs, () => this.#tellProbed(cell, id));
    });
  }

  #tellProbed(cell: SimCell, id: CellId): void {
    // Who is well but out of reach is seen to go about its work.
    const otherwise = this.#areApart(cell.id, id) ? "busy" : "answered";
    this.tell(cell.id, { type: "probed", id, answer: this.cells.get(id)?.halted ?? otherwise });
  }

  /** All sockets are in one folder: who answers is found, whether anybody knows it or not. */
  #seekStrangers(cell: SimCell): void {
    this.#after("message", () => {
      const found: Stranger[] = [];
      for (const { id, runs, halted, state } of this.cells.values()) {
        if (!runs || halted !== null || state === null || cell.state === null) continue;
        if (!isStranger(cell.state, id) || this.#areApart(cell.id, id)) continue;
        found.push(strangerOf(id, [...state.alive.values()], cell.id));
      }
      this.#after("message", () => this.tell(cell.id, { type: "strangers", found }));
    });
  }

  #hangsNow(cell: SimCell): boolean {
    return cell.halted !== null || this.nowMs - cell.resumedMs < votesInFlightMs;
  }

  #noteVote(voter: SimCell, charge: Charge): void {
    const target = this.cells.get(charge.target);
    if (charge.reason !== "hung" || voter.infection !== null || target === undefined || this.#hangsNow(target)) return;
    this.#unfairVotes.add(`${chargeId(charge)}/${voter.id}`);
  }

  /** Whether all healthy cells that voted on this did so while it hung. A vote may wait in the mailbox of one that hangs itself. */
  #wereVotesFair(judge: SimCell, id: CellId): boolean {
    const body = judge.state?.records.get(certificateKey(id))?.body;
    if (body?.kind !== "certificate" || body.charge.reason !== "hung") return false;
    const isHealthy = (voter: CellId): boolean => this.cells.get(voter)?.infection === null;
    const honest = body.votes.map(({ voter }) => voter).filter(isHealthy);
    return honest.length > 0 && honest.every((voter) => !this.#unfairVotes.has(`${chargeId(body.charge)}/${voter}`));
  }

  /** Whether the sentence is just is judged by how things stood when it was first passed. */
  #noteConviction(judge: SimCell, { condemned, reason }: Readonly<Record<string, unknown>>): void {
    const id = String(condemned);
    const cell = this.cells.get(id);
    if (cell === undefined || judge.infection !== null) return;
    this.#assertMajority(judge, id);
    if (this.#atConviction.has(id)) return;
    const wasHalted = this.#hangsNow(cell) || this.#wereVotesFair(judge, id);
    const standing = {
      wasHalted,
      wasInfected: cell.infection !== null,
      // A vote counts in its window and the next.
      wasWorn: this.isWorn(cell) || this.nowMs - cell.relievedMs < 2 * ballotWindowMs,
      wasOutdated: this.isOutdated(cell),
    };
    this.#atConviction.set(id, standing);
    this.convictions.push({ id, reason: String(reason), ...standing });
  }

  /**
   * Whoever takes a sentence for valid holds genuine votes of different cells, more than half of those that it has known
   * for long. (Newer ones may count too; by how many is the mind's to say. Counted apart from core/ballot.ts on purpose.)
   */
  #assertMajority(judge: SimCell, id: CellId): void {
    const { state } = judge;
    const body = state?.records.get(certificateKey(id))?.body;
    if (state === null || body?.kind !== "certificate") return;
    const payload = votePayload(this.#organism, body.charge);
    const genuine = new Set<CellId>();
    for (const { voter, signature } of body.votes) {
      const key = this.cells.get(voter)?.publicKey ?? "";
      if (voter !== id && this.keyring.isSignedBy(payload, signature, key)) genuine.add(voter);
    }
    let long = 0;
    for (const { id: other, state: its } of state.alive.values()) {
      const knownMs = this.nowMs - (state.heardMs.get(other) ?? this.nowMs);
      const isOut = state.condemned.has(other) || state.suspects.get(other)?.answer === "infected";
      if (its !== "gestating" && knownMs >= 30_000 && !isOut) long += 1;
    }
    assert(genuine.size >= Math.floor(Math.min(long, 31) / 2) + 1, `a majority has voted ${id} out`);
  }

  #execute(cell: SimCell, { id, pid, startTicks }: Effect & { type: "kill" }): void {
    const other = this.cells.get(id);
    const holder = this.#processes.get(pid);
    // As signalProcess does: whoever has this pid now and began at another time is not signalled.
    if (holder?.startTicks !== startTicks) return;
    assert(other?.pid === pid && holder.cell === id, "only that very process is signalled");
    if (!other.runs) return;
    this.#note(cell.id, `executes ${id}`);
    const reason = cell.state?.condemned.get(id)?.reason ?? "unknown";
    const farewell = cell.state?.records.get(deathKey(id));
    const hasLeft = farewell?.origin === id;
    const leaver = { wasHalted: false, wasInfected: true, wasWorn: false, wasOutdated: false };
    const standing = this.#atConviction.get(id) ?? (hasLeft ? leaver : undefined);
    // What an infected cell takes for a sentence nobody else does: it may not signal here (sim/infection.ts).
    if (standing === undefined && cell.infection !== null) return;
    assert(standing !== undefined, "nobody is ended without a certificate");
    this.executions.push({ id, reason, ...standing });
    this.#end(other);
  }

  #divide(mother: SimCell, { id, class: cellClass, fresh }: Effect & { type: "divide" }): void {
    assert(mayDivideInto(mother.decidedAs, cellClass), "a specialised cell's daughters are of its own class");
    assert(mother.listens || fresh || cellClass === "drone", "whoever is no drone is born with the listening sockets");
    // Not counted: those who hang. Two cells cannot end one of them (decision 0004).
    const isTaken = fresh && [...this.cells.values()].some((cell) => cell.runs && cell.listens && cell.halted === null);
    if (isTaken) {
      this.#after("birth", () => this.tell(mother.id, { type: "birth-failed", id, reason: "the port is in use" }));
      return;
    }
    const daughter = this.#process(id, mother.id);
    daughter.listens = cellClass !== "drone";
    this.#note(mother.id, `divides: ${id}`);
    this.#after("birth", () => {
      if (!daughter.runs) return;
      const { pid, startTicks, publicKey } = daughter;
      this.tell(mother.id, { type: "conceived", id, pid, startTicks, publicKey, bornAt: "" });
      // A newborn whose mother has died before she could bear it finds nobody to talk to, and ends.
      this.#queue.add(this.nowMs + orphanedBirthMs, () => daughter.state === null && this.#end(daughter));
    });
  }

  #bear({ certificate, records, urgent }: Effect & { type: "bear" }): void {
    const daughter = this.cells.get(certificate.body.id);
    if (daughter?.runs !== true) return;
    assert(this.revisions.has(certificate.body.revision), "whoever is born has a DNA that there is");
    this.#after("message", () => daughter.runs && this.#begin(daughter, certificate, records, urgent));
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
    this.#count(cell);
    this.#births.get(cell.id)?.();
    this.#births.delete(cell.id);
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
    // A stopped process's socket still takes connections, but nobody answers there: the handshake fails in time.
    const isOpen = other?.runs === true && !this.#areApart(cell.id, to) && other.state !== null;
    if (!isOpen || others === undefined || record === undefined || !this.#greet(cell, other)) {
      return this.tell(cell.id, { type: "connect-failed", peer: to });
    }
    this.#linkCount += 1;
    cell.links.set(to, { number: this.#linkCount, lastMs: this.nowMs });
    other.links.set(cell.id, { number: this.#linkCount, lastMs: this.nowMs });
    this.tell(to, { type: "link-opened", peer: cell.id, record });
    this.tell(cell.id, { type: "link-opened", peer: to, record: others });
  }

  #send(cell: SimCell, { to, message }: Effect & { type: "send" }): void {
    const link = cell.links.get(to);
    if (link === undefined) return;
    const { attenuationMilli } = this.#options.dna;
    assert(
      message.type !== "pulse" || cell.infection !== null || isPlausible(message.pulse, attenuationMilli),
      "no hormone is stronger than s0 * alpha^hops",
    );
    const arrive = (): void => {
      const other = this.cells.get(to);
      if (other?.links.get(cell.id)?.number === link.number) this.tell(to, { type: "message", from: cell.id, message });
    };
    const soonestMs = this.nowMs + this.#delay("message");
    if (this.disturbance === null) {
      link.lastMs = Math.max(link.lastMs, soonestMs);
      return this.#queue.add(link.lastMs, arrive);
    }
    const { lossMilli, duplicateMilli, lateMsMax } = this.disturbance;
    if (this.#below(1000) < lossMilli) {
      this.mishaps.lost += 1;
      return;
    }
    const arrivesMs = soonestMs + this.#below(lateMsMax + 1);
    if (arrivesMs < link.lastMs) this.mishaps.overtaken += 1;
    link.lastMs = Math.max(link.lastMs, arrivesMs);
    this.#queue.add(arrivesMs, arrive);
    if (this.#below(1000) >= duplicateMilli) return;
    this.mishaps.doubled += 1;
    this.#queue.add(soonestMs + this.#below(lateMsMax + 1), arrive);
  }

  /** Both ends of a new link judge whom they have before them. */
  #greet(cell: SimCell, other: SimCell): boolean {
    const welcome = (host: SimCell, guest: SimCell): boolean => {
      const record = guest.state?.records.get(cellKey(guest.id));
      if (record?.body.kind !== "cell" || host.state === null || isShunned(host.state, guest.id)) return false;
      const ancestry = ancestryOf(record.body, (key) => guest.state?.records.get(key));
      return whyNotMet(record, ancestry, host.acquaintance, this.keyring) === null;
    };
    return welcome(other, cell) && welcome(cell, other);
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
    this.marks.lost += cell.testimony.marks;
    cell.testimony = { marks: 0, hops: 0 };
    this.#processes.delete(cell.pid);
    this.#count(cell);
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
    const pid = this.#freePid();
    const startTicks = this.#ticks();
    const publicKey = this.keyring.makeKey(id, this.#word());
    const cell: SimCell = {
      id,
      pid,
      startTicks,
      state: null,
      runs: true,
      halted: null,
      decidedAs: "egg",
      resumedMs: Number.NEGATIVE_INFINITY,
      inbox: [],
      links: new Map(),
      mother,
      testimony: { marks: 0, hops: 0 },
      listens: true,
      publicKey,
      acquaintance: {
        organism: this.#organism === "" ? this.keyring.organismId(publicKey) : this.#organism,
        cell: (other) => {
          const body = cell.state?.records.get(cellKey(other))?.body;
          return body?.kind === "cell" ? body : undefined;
        },
        held: (key) => cell.state?.records.get(key),
        ownerOfProcess: (ofPid, ticks) => (cell.state === null ? undefined : ownerOfProcess(cell.state, ofPid, ticks)),
        runs: (ofPid, ticks) => this.#runs(ofPid, ticks),
        hasDna: (revision) => this.revisions.has(revision),
      },
      wear: { rssBytes: 0, descriptorMilli: 0 },
      relievedMs: Number.NEGATIVE_INFINITY,
      infection: null,
      isFoundOut: false,
      countedAs: null,
    };
    if (mother !== null && this.#farSide?.has(mother) === true) this.#farSide.add(id);
    this.#processes.set(pid, { startTicks, cell: id });
    this.cells.set(id, cell);
    return cell;
  }

  /** The next pid in turn that nobody has, as the kernel gives them out. */
  #freePid(): number {
    const pidMax = this.#options.pidMax ?? linuxPidMax;
    assert(this.#processes.size < pidMax - firstPid, "a pid is free");
    while (this.#processes.has(this.#nextPid)) this.#nextPid = this.#nextPid >= pidMax ? firstPid : this.#nextPid + 1;
    const pid = this.#nextPid;
    this.#nextPid = pid >= pidMax ? firstPid : pid + 1;
    return pid;
  }

  #ticks(): number {
    return 1 + Math.floor(this.nowMs / tickMs);
  }

  #runs(pid: number, startTicks: number): boolean {
    return this.#processes.get(pid)?.startTicks === startTicks;
  }

  #areApart(a: CellId, b: CellId): boolean {
    return this.#farSide !== null && this.#farSide.has(a) !== this.#farSide.has(b);
  }

  #count(cell: SimCell): void {
    const now = cell.runs && cell.halted === null && cell.infection === null ? (cell.state?.class ?? null) : null;
    if (cell.countedAs !== null) this.working[cell.countedAs] -= 1;
    if (now !== null) this.working[now] += 1;
    cell.countedAs = now;
  }

  #below(bound: number): number {
    const [value, next] = prngBelow(this.#prng, bound);
    this.#prng = next;
    return value;
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

/** What an infected cell has said of itself in vain does not confuse its own mind when it comes back. */
function withoutWordOf(id: CellId, message: KinMessage): KinMessage {
  if (message.type !== "records") return message;
  return { ...message, records: message.records.filter(({ key }) => key !== cellKey(id) && key !== deathKey(id)) };
}

/**
 * The rule of class: eggs and stem cells may bear any (a lone stem cell goes back to being an egg), a neuron stem cells while
 * none can hear it, and whoever is left when neither is there an egg.
 */
function mayDivideInto(mother: CellClass, daughter: CellClass): boolean {
  if (mother === "egg" || mother === "stem" || mother === daughter || daughter === "egg") return true;
  return mother === "neuron" && daughter === "stem";
}

/** As in production (host/immune/testimony.ts). */
const marksWaitingMax = 2_048;
const firstPid = 100;
const linuxPidMax = 4_194_304;
const orphanedBirthMs = 20_000;
const probeTimeoutMs = 100;
/** Votes that were cast while a cell hung may meet after it went on: a last probe's time, and some messages'. */
const votesInFlightMs = 500;

function birthFacts({
  id,
  pid,
  startTicks,
  publicKey,
}: SimCell): Pick<
  CellBody,
  "kind" | "id" | "pid" | "startTicks" | "publicKey" | "bornAt" | "revision" | "certificate"
> {
  return { kind: "cell", id, pid, startTicks, publicKey, bornAt: "", revision: "first", certificate: "" };
}
