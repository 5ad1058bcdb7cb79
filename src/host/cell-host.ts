/**
 * The cell's hands and ears: the only performer of effects. It runs the mind (core/step.ts) on what happens, and does what
 * the mind wishes: births, links, signatures, questions to the kernel, the body of a class. It decides nothing.
 *
 * Events are taken one at a time from a mailbox, and all effects of one are performed before the next is looked at, so
 * the order of the log is the order of the decisions.
 */
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { unreachable } from "../lib/assert.ts";
import type { CellClass, CellId } from "../core/cell.ts";
import type { Effect } from "../core/effect.ts";
import type { Event, Happening } from "../core/event.ts";
import type { KinMessage } from "../core/message.ts";
import { electorate, jury } from "../core/ballot.ts";
import type { BanBody, CellBody, CertificateBody, Charge, OrganismRecord } from "../core/record.ts";
import { quietMsMax } from "../core/limits.ts";
import { cellKey, certificateKey, deathKey } from "../core/record.ts";
import type { Move } from "../core/move.ts";
import { decayed, isPlausible } from "../core/hormone.ts";
import { isShunned } from "../core/kinship.ts";
import { cellOfProcess, ownerOfProcess } from "../core/roster.ts";
import { isStranger } from "../core/solitude.ts";
import type { State } from "../core/state.ts";
import { assertInvariants } from "../core/invariant.ts";
import type { Birth } from "../core/step.ts";
import { beBorn, nextWakeMs, step } from "../core/step.ts";
import { wayToTCell } from "../core/testimony.ts";
import { coreDna } from "../dna/core-dna.ts";
import type { Dna } from "../dna/dna.ts";
import { ancestryOf, hear, whyNotMet } from "../wire/belief.ts";
import { votePayload } from "../wire/kin.ts";
import type { AppHealth, CellSummary, CellVitals, ControlReply, ControlRequest } from "../wire/control.ts";
import type { Testified } from "../wire/testimony.ts";
import { birthsFor, deathCertificateFormat } from "../wire/death-certificate.ts";
import type { BirthPackage } from "./birth.ts";
import { Womb } from "./birth.ts";
import type { Body, BodyContext, MakeBody, OpenAxon, OrganismView } from "./body.ts";
import type { Callers } from "./cell-socket.ts";
import { CellSocket } from "./cell-socket.ts";
import { Chores } from "./chores.ts";
import { machineNowMs } from "./clock.ts";
import { keepCertificate } from "./certificates.ts";
import type { AdminFront } from "./admin/front.ts";
import { AdminDoor } from "./admin/door.ts";
import { CellMetrics } from "./cell-metrics.ts";
import type { Obituary } from "./counts-left.ts";
import { buryTheDead } from "./counts-left.ts";
import { EventRecorder } from "./event-recorder.ts";
import { beTakenIn, greet } from "./handshake.ts";
import { BanNews } from "./immune/ban-news.ts";
import { Relay } from "./immune/relay.ts";
import { Testimony } from "./immune/testimony.ts";
import type { InfectionStage } from "../immune/report/infection.ts";
import type { Credentials } from "./handshake.ts";
import type { Acquaintance, KeyPair } from "./identity.ts";
import { seals, sign, signRecord } from "./identity.ts";
import { stateBase } from "./immune/state-dir.ts";
import type { LinkFault } from "./kin-link.ts";
import { KinLink } from "./kin-link.ts";
import type { InheritedListener, TakenConnection } from "./listeners.ts";
import { dropListeners, openListeners } from "./listeners.ts";
import type { CellLog } from "./log.ts";
import { descendantsOf } from "./membrane/look.ts";
import { linkRates, Misconduct, Rate } from "./misconduct.ts";
import { askDrone } from "./membrane/canary-asker.ts";
import { CanaryWatch } from "./membrane/canary-watch.ts";
import { isGuest } from "./membrane/guest.ts";
import { beReborn, HalfReborn } from "./membrane/rebirth.ts";
import type { MembraneRules } from "./membrane/rules.ts";
import { membraneRules, openFlags, permissionFlags } from "./membrane/rules.ts";
import type { Finding } from "./membrane/watch.ts";
import { MembraneWatch } from "./membrane/watch.ts";
import { PingLines } from "./ping-lines.ts";
import type { ProcessIdentity, ProcStat } from "./proc.ts";
import { processLives, readLife, readProc, readSleeps, signalProcess } from "./proc.ts";
import type { RunDir } from "./run-dir.ts";
import {
  cellRecordPath,
  cellSocketPath,
  isAlive,
  ownCellFile,
  readDna,
  recordCell,
  removeRunDir,
  whoLives,
} from "./run-dir.ts";
import { isSupervised, ServicePulse } from "./service-manager.ts";
import { seekStrangers } from "./strangers.ts";
import { TallyThrift } from "./tally-thrift.ts";
import { watchFiles } from "./watch-files.ts";
import { WearGauge } from "./wear-gauge.ts";

export interface CellHostOptions {
  readonly birth: BirthPackage & { readonly certificate: OrganismRecord<CellBody> };
  readonly keys: KeyPair;
  readonly run: RunDir;
  readonly log: CellLog;
  readonly listeners: readonly InheritedListener[];
  readonly admin: InheritedListener | null;
  /** The environment that this cell was born with, which its daughters get: not what an app has made of it since. */
  readonly env: NodeJS.ProcessEnv;
  /** Loads the body of a class. */
  readonly bodies: Readonly<Record<CellClass, () => Promise<MakeBody>>>;
  /** Ends the process; called once, last. */
  readonly exit: (code: number) => void;
}

/** The kernel may need a moment to bury a process whose socket has just closed. */
const inspectAgainMs = [5, 20, 80] as const;
/** How long an end waits for the last words to leave. */
const farewellMs = 150;

export class CellHost {
  readonly #options: CellHostOptions;
  readonly #id: CellId;
  readonly #organism: string;
  readonly #dna: Dna;
  readonly #log: CellLog;
  #state: State;
  readonly #mailbox: Event[] = [];
  #isRunning = false;
  readonly #chores = new Chores();
  #wakeTimer: NodeJS.Timeout | null = null;
  /** When it goes off, by the machine's clock; null: there is none. */
  #wakeAtMs: number | null = null;
  #leaving: string | null = null;

  readonly #links = new Map<CellId, KinLink>();
  readonly #wombs = new Map<CellId, Womb>();
  /** How cells looked at the last probe that they did not answer. */
  readonly #silent = new Map<CellId, Look>();
  readonly #misconduct: Misconduct;
  readonly #membrane: MembraneRules;
  readonly #watchers: MembraneWatch;
  /** Where the DNA names pages for it. */
  readonly #canaries: CanaryWatch | null;
  /** Drones that we have found infected, and have said so. */
  readonly #accused = new Set<CellId>();
  readonly #socket: CellSocket;
  readonly #pings: PingLines;
  readonly #wear = new WearGauge();
  readonly #thrift = new TallyThrift();
  #unwatch: (() => void) | null = null;
  /** Where a service manager wants to know how we do. */
  readonly #pulse: ServicePulse | null;
  /** What this cell has seen of attackers, and has not told yet. */
  readonly #testimony = new Testimony();
  readonly #relay: Relay;
  readonly #banNews: BanNews;
  /** Whether this is a drone that is another user than the cells about it. */
  readonly #isGuest: boolean;
  /** Where daughters' native output goes: the log itself. */
  readonly #outputFd: number;

  readonly #metrics: CellMetrics;
  readonly #admin: AdminDoor | null;
  #buriedAtMs = Number.NEGATIVE_INFINITY;
  /** Since when we know of no B cell. */
  #closedSinceMs: number | null = null;
  /** When a client woke us as an egg. */
  #awokenAtMs: number | null = null;
  #body: Promise<Body> | null = null;
  #presentBody: Body | null = null;
  /** None any more in a drone. */
  #listeners: readonly InheritedListener[];
  /** Accepted unread by the egg, for the first B cell. */
  readonly #held: TakenConnection[] = [];
  /** Handed to us before our body was there to take them. */
  readonly #handed: TakenConnection[] = [];
  #takeHanded: ((connection: TakenConnection) => void) | null = null;

  #loadAtLook = performance.eventLoopUtilization();
  #load = 0;
  #loadLookedAtMs = performance.now();
  #settlingSinceMs = performance.now();
  #flowAtLook = { count: 0, inFlight: 0 };

  constructor(options: CellHostOptions) {
    this.#options = options;
    const { birth, log, run } = options;
    this.#id = birth.id;
    this.#organism = birth.organism;
    this.#dna = birth.dna;
    this.#log = log;
    this.#listeners = options.listeners;
    this.#isGuest = isGuest(birth.guest);
    // A guest may not open it, and has it as its own output.
    this.#outputFd = this.#isGuest ? 1 : fs.openSync(run.logFile, "a", 0o600);
    this.#membrane = membraneRules(birth.dna, birth.guest);
    this.#watchers = new MembraneWatch(this.#membrane, {
      isCell: ({ pid, startTicks }) => cellOfProcess(this.#state, pid, startTicks) !== undefined,
      areDronesAlone: () => this.#state.alive.values().every(({ class: cellClass }) => cellClass === "drone"),
      runDir: run.path,
      events: birth.dna.logs.events,
    });
    this.#canaries = birth.dna.membrane.canary.paths.length === 0 ? null : this.#makeCanaryWatch();
    const born: Birth = {
      certificate: birth.certificate,
      records: birth.records,
      dna: coreDna(birth.dna),
      seed: [crypto.randomInt(2 ** 32 - 1), crypto.randomInt(2 ** 32 - 1)],
      urgent: birth.urgent,
    };
    const bornMs = machineNowMs();
    const [state, effects] = beBorn(born, bornMs);
    this.#state = state;
    this.#relay = new Relay({
      self: birth.id,
      testimony: this.#testimony,
      way: () => wayToTCell(this.#state, machineNowMs()),
      send: (to, batches) => this.#sendOn(to, batches),
    });
    this.#banNews = new BanNews(birth.name, this.#isGuest ? true : null);
    this.#metrics = this.#makeMetrics();
    this.#misconduct = new Misconduct(this.#metrics.counters);
    this.#admin = this.#makeAdminDoor();
    this.#recorder = this.#makeRecorder();
    this.#recorder?.born(born, bornMs, [state, effects]);
    const socketPath = ownCellFile(run, path.basename(cellSocketPath(run, birth.id)));
    const callers: Callers = {
      control: (request) => this.#control(request),
      kin: (met) => this.#linked(met.record, met.socket, met.rest),
      axon: (met) => void this.#axonOpened({ peer: met.record.body.id, socket: met.socket, rest: met.rest }),
      refused: (reason) => {
        if (this.#misconduct.note("stranger", performance.now()))
          log.warn("link-refused", { reason }, `refused a link: ${reason}`);
      },
    };
    this.#socket = new CellSocket(socketPath, this.#credentials, callers, birth.guest);
    this.#pings = new PingLines((id) => cellSocketPath(run, id));
    this.#firstEffects = effects;
    this.#pulse = isSupervised(options.env) ? this.#makePulse() : null;
  }

  #makeCanaryWatch(): CanaryWatch {
    const { paths, headers, host, everyMs } = this.#dna.membrane.canary;
    const compared = headers.map((name) => name.toLowerCase());
    const openAxon = (drone: CellId): Promise<OpenAxon> => this.#openAxon(drone);
    const asker = { openAxon, host, makeId: () => crypto.randomUUID() };
    return new CanaryWatch({
      requests: paths.map((target) => ({ path: target, headers: compared })),
      everyMs,
      ask: (drone, request) => askDrone(asker, drone, request),
      self: this.#id,
      drones: () =>
        [...this.#state.alive.values()].flatMap((cell) =>
          cell.state === "live" && this.#isToBeWatched(cell) && !this.#accused.has(cell.id) ? [cell.id] : [],
        ),
      onFound: (id, found) => this.#accuseByCanary(id, found),
      wait: sleep,
    });
  }

  #makePulse(): ServicePulse {
    const { env, log } = this.#options;
    return new ServicePulse({
      env,
      id: this.#id,
      view: () => this.#view(),
      onFailed: (reason) =>
        log.warn("service-manager-unreached", { reason }, `the service manager cannot be told how we do: ${reason}`),
    });
  }

  readonly #firstEffects: readonly Effect[];
  /** Where the DNA asks for a record of all events. */
  readonly #recorder: EventRecorder | null;

  #makeRecorder(): EventRecorder | null {
    const { events: folder, eventBytesMax: bytesMax } = this.#dna.logs;
    if (folder === null) return null;
    const onFailed = (reason: string): void =>
      this.#log.warn("recording-ended", { folder, reason }, `no further event is recorded: ${reason}`);
    const { name } = this.#options.birth;
    return new EventRecorder({ folder, bytesMax, organism: this.#organism, name, cell: this.#id, onFailed });
  }

  #makeMetrics(): CellMetrics {
    const { run, log, birth } = this.#options;
    const { id, pid, startTicks, class: bornAs } = birth.certificate.body;
    const metrics = new CellMetrics({
      run,
      id,
      process: { pid, startTicks },
      bornAs,
      keeps: birth.admin !== null,
      linesLost: () => log.linesLost(),
      levelOf: (hormone) =>
        decayed(this.#state.hormones.levels[hormone], machineNowMs(), this.#state.dna.hormoneHalfLifeMs),
    });
    const { lost } = this.#testimony;
    for (const what of ["marks", "sightings", "infections"] as const)
      metrics.counters.read("cellws_immune_untold_total", { what }, () => lost[what]);
    return metrics;
  }

  #makeAdminDoor(): AdminDoor | null {
    const { admin, log, run } = this.#options;
    if (admin === null) return null;
    const loadFront = async (): Promise<AdminFront> => {
      const [{ AdminFront }, { AdminAnswers }] = await Promise.all([
        import("./admin/front.ts"),
        import("./admin/answers.ts"),
      ]);
      const answers = new AdminAnswers(run, this.#id, (id) => this.#obituaryOf(id));
      return new AdminFront({ answers, tokenFile: run.adminTokenFile, log });
    };
    return new AdminDoor({ listener: admin, log, loadFront });
  }

  /** Begins to live. Resolves when others can reach the cell; rejects where its socket cannot be opened. */
  async start(): Promise<void> {
    this.#recordForAdministrators();
    await this.#socket.listen();
    this.#isRunning = true;
    this.#performAll(this.#firstEffects);
    this.#isRunning = false;
    this.#run();
    await this.#body;
  }

  /** A connection that the mother had accepted. */
  takeHanded(connection: TakenConnection): void {
    // The listeners of the app come first.
    if (connection.listener >= this.#options.birth.listeners.length) return this.#takeCaller(connection);
    if (this.#takeHanded === null) this.#handed.push(connection);
    else this.#takeHanded(connection);
  }

  #takeCaller({ socket }: TakenConnection): void {
    if (this.#admin === null) socket.destroy();
    else this.#admin.accept(socket);
  }

  /** For signals: this cell is to leave; the organism goes on. */
  retire(): void {
    this.dispatch({ type: "retire", drainMs: this.#dna.drain.msMax });
  }

  dispatch(happening: Happening): void {
    this.#metrics.happened(happening);
    if (happening.type === "first-connection" && this.#state.phase === "dormant") this.#awokenAtMs = machineNowMs();
    this.#mailbox.push({ nowMs: machineNowMs(), ...happening });
    this.#run();
  }

  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (let event = this.#mailbox.shift(); event !== undefined; event = this.#mailbox.shift()) {
      const [next, effects] = this.#step(event);
      this.#recorder?.stepped(event, next, effects);
      const before = this.#state;
      this.#state = next;
      if (next.condemned !== before.condemned) {
        this.#testifySentences(before);
        this.#keepCertificates(before, event.nowMs);
      }
      this.#performAll(effects, event.type === "wake");
    }
    this.#isRunning = false;
    if (this.#leaving === null) this.#setWake();
    else void this.#leave(this.#leaving);
  }

  #step(event: Event): Move {
    try {
      const move = step(this.#state, event);
      assertInvariants(move[0]);
      return move;
    } catch (error) {
      this.#recorder?.refused(event, error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  /** What the mind hears of this cell's own work, each time before it looks around. */
  #wake(): void {
    this.#wakeTimer = null;
    this.#wakeAtMs = null;
    const { queued, queueMs } = this.#presentBody?.queue?.() ?? { queued: 0, queueMs: 0 };
    const inFlight = this.#presentBody?.inFlight() ?? 0;
    const isSettled = this.#isSettled();
    const loadMilli = isSettled ? Math.round(this.#measureLoad() * 1000) : 0;
    const { memoryMilli = 0, throttledMilli = 0 } = this.#presentBody?.pressure?.() ?? {};
    const vitals = {
      loadMilli,
      inFlight,
      queued,
      queueMs: Math.round(queueMs),
      ...this.#measureFlow(inFlight),
      quietMs: Math.min(quietMsMax, Math.round(this.#presentBody?.quietMs?.() ?? quietMsMax)),
      unready: isSettled && this.#isReady() ? 0 : 1,
      memoryMilli,
      throttledMilli,
      marks: this.#testimony.takeEvidence(),
    };
    this.dispatch({ type: "vitals", vitals });
    const old = this.#banNews.old(this.#state, machineNowMs(), Date.now());
    if (old.length > 0) this.dispatch({ type: "bans-old", keys: old });
    this.dispatch({ type: "wake" });
    this.#relay.flush();
    this.#chores.add(() => this.#glanceAround());
    this.#tend();
  }

  /** Testimony for a relative. False: it cannot take any. */
  #sendOn(to: CellId, batches: readonly Testified[]): boolean {
    const link = this.#links.get(to);
    if (link === undefined || link.isBehind) return false;
    for (const batch of batches) link.send(batch);
    return true;
  }

  /** The neighbours' processes, from outside. What is found is no answer to a question, but it answers one. */
  #glanceAround(): void {
    const nowMs = performance.now();
    for (const [id, finding] of this.#watchers.glance(this.#watchedDrones(), nowMs)) this.#accuse(id, finding);
    if (this.#canaries === null || this.#leaving !== null) return;
    this.#canaries.pursue(nowMs);
    if (this.#state.class !== "b-cell") return;
    // Where no client asks anything, nor do we: the organism may want to sleep.
    const quietMs = this.#presentBody?.quietMs?.() ?? Number.POSITIVE_INFINITY;
    if (quietMs < Math.max(canaryQuietMsMin, this.#dna.membrane.canary.everyMs)) this.#canaries.look(nowMs);
  }

  #watchedDrones(): CellBody[] {
    return [...this.#state.alive.values()].filter((cell) => cell.id !== this.#id && this.#isToBeWatched(cell));
  }

  /** It stands from now on as what was seen from outside does: that it answers our questions makes it no better. */
  #accuseByCanary(id: CellId, found: string): void {
    const cell = this.#state.alive.get(id);
    if (cell === undefined || !this.#isToBeWatched(cell)) return;
    const finding = { check: "canary", found } as const;
    this.#watchers.note(cell, finding, performance.now());
    this.#accuse(id, finding);
  }

  /** What a drone of another revision may do is in another DNA. */
  #isToBeWatched({ class: cellClass, state, revision }: CellBody): boolean {
    return cellClass === "drone" && state !== "gestating" && revision === this.#options.birth.revision;
  }

  #accuse(id: CellId, { check, found }: Finding): void {
    if (!this.#accused.has(id)) {
      for (const other of this.#accused) if (!this.#state.alive.has(other)) this.#accused.delete(other);
      this.#accused.add(id);
      this.#log.warn("infected", { infected: id, check, found }, `drone ${id} is infected: ${found}`);
      this.#metrics.counters.add("cellws_infections_seen_total", { check });
      const cell = this.#state.alive.get(id);
      if (cell !== undefined) this.#testifyInfection({ ...cell, stage: "seen", votes: 0, finding: { check, found } });
    }
    this.dispatch({ type: "probed", id, answer: "infected" });
  }

  /** To the T cells, for people: what we see or know of a drone, and what it had to answer. */
  #testifyInfection(known: {
    readonly id: CellId;
    readonly pid: number;
    readonly startTicks: number;
    readonly stage: InfectionStage;
    readonly votes: number;
    readonly finding: Finding | null;
  }): void {
    const { id: drone, pid, startTicks, stage, votes, finding } = known;
    this.#testimony.infection({
      drone,
      pid,
      startTicks,
      stage,
      check: finding?.check ?? null,
      found: finding?.found ?? null,
      votes,
      cell: this.#id,
      atMs: machineNowMs(),
      requests: this.#presentBody?.carriedTo?.(drone) ?? [],
    });
  }

  /** What is wrong with a drone, seen from outside, or null. */
  #lookAt(id: CellId): Finding | null {
    const cell = this.#state.alive.get(id);
    if (cell === undefined || !this.#isToBeWatched(cell)) return null;
    return this.#watchers.look(cell, performance.now());
  }

  /** What is done now and then besides the mind's work. */
  #tend(): void {
    this.#heedCallers();
    this.#pings.keep((id) => this.#state.alive.has(id));
    this.#wear.keep((id) => this.#state.alive.has(id));
    this.#metrics.keepSometimes();
    if (this.#options.admin === null || this.#state.class !== "neuron") return;
    if (performance.now() - this.#buriedAtMs < buryEveryMs) return;
    this.#buriedAtMs = performance.now();
    buryTheDead(this.#options.run, (id) => this.#obituaryOf(id));
  }

  /** Who looks after administrators' questions, and whether clients have anybody at all. */
  #heedCallers(): void {
    const { alive, class: cellClass, suspects } = this.#state;
    const isAbout = ({ id, state }: CellBody): boolean => id !== this.#id && state === "live" && !suspects.has(id);
    const others = [...alive.values()].filter(isAbout);
    this.#admin?.heed(
      cellClass,
      others.some((other) => other.class !== "b-cell" && other.class !== "drone"),
    );
    const hasBCell = cellClass === "b-cell" || others.some((other) => other.class === "b-cell");
    if (hasBCell || this.#state.phase === "dormant") this.#closedSinceMs = null;
    else this.#closedSinceMs ??= performance.now();
  }

  /** What is known of a death, for the counts of the dead. */
  #obituaryOf(id: CellId): Obituary | null {
    const death = this.#state.records.get(deathKey(id))?.body;
    if (death?.kind !== "death") return null;
    const certificate = this.#state.records.get(certificateKey(id))?.body;
    return { cause: death.cause, reason: certificate?.kind === "certificate" ? certificate.charge.reason : null };
  }

  /** Since the last look. What came and is not in hand any more is done with, however it ended. */
  #measureFlow(inFlight: number): { readonly came: number; readonly done: number } {
    const count = this.#presentBody?.requestCount?.() ?? 0;
    const before = this.#flowAtLook;
    this.#flowAtLook = { count, inFlight };
    // Another body counts anew.
    const came = Math.max(0, count - before.count);
    return { came, done: Math.max(0, came - (inFlight - before.inFlight)) };
  }

  /** Whether the body does what its class is for. */
  #isReady(): boolean {
    const { state } = this.#presentBody?.appHealth?.() ?? { state: "none" };
    return this.#presentBody !== null && (state === "none" || state === "ready");
  }

  /** Taking up a class and loading an app keep a cell busy, and call for nobody's help. */
  #isSettled(): boolean {
    const nowMs = performance.now();
    if (this.#presentBody === null || this.#presentBody.appHealth?.().state === "loading")
      this.#settlingSinceMs = nowMs;
    if (nowMs - this.#settlingSinceMs < settlingMs) this.#loadAtLook = performance.eventLoopUtilization();
    return nowMs - this.#settlingSinceMs >= settlingMs;
  }

  #setWake(): void {
    const atMs = nextWakeMs(this.#state);
    // As a rule nothing that has happened changes it.
    if (atMs === this.#wakeAtMs) return;
    this.#wakeAtMs = atMs;
    if (this.#wakeTimer !== null) clearTimeout(this.#wakeTimer);
    this.#wakeTimer = atMs === null ? null : setTimeout(() => this.#wake(), Math.max(1, atMs - machineNowMs()));
  }

  /** `isOnRound`: nothing has happened, it is but time to look around. Most of what follows from that is in no hurry. */
  #performAll(effects: readonly Effect[], isOnRound = false): void {
    for (const effect of effects) {
      this.#metrics.wished(effect);
      if (isOnRound && isChore(effect)) this.#chores.add(() => this.#perform(effect, true));
      else this.#perform(effect, isOnRound);
    }
  }

  #perform(effect: Effect, isOnRound: boolean): void {
    switch (effect.type) {
      case "divide":
        return void this.#divide(effect);
      case "bear":
        return this.#bear(effect);
      case "sign":
        return this.#sign(effect);
      case "sign-vote":
        return this.#signVote(effect.charge);
      case "probe":
        return void this.#probe(effect.id, effect.pid);
      case "kill":
        return this.#kill(effect);
      case "connect":
        return void this.#connect(effect.to);
      case "disconnect":
        return this.#links.get(effect.from)?.close();
      case "send":
        return this.#send(effect);
      case "become":
        return this.#become(effect.class);
      case "seek-strangers":
        return void this.#seekStrangers();
      case "inspect":
        // On the round nobody but the condemned is doubted for a reason, and it comes by again.
        return isOnRound && !this.#state.condemned.has(effect.id)
          ? void this.#inspectNow(effect, { isLast: true })
          : void this.#inspect(effect);
      case "inform":
        this.#heedCallers();
        return this.#presentBody?.inform?.(this.#view());
      case "enforce":
        return this.#presentBody?.enforce?.(effect.bans);
      case "recall":
        return this.#presentBody?.recall?.();
      case "watch":
        return this.#watch(effect.files);
      case "drain":
        return void this.#drain(effect.drainMs, effect.alone);
      case "exit":
        this.#leaving = effect.reason;
        return;
      case "log":
        return this.#log[effect.level](effect.event, effect.fields, effect.message);
      default:
        return unreachable(effect);
    }
  }

  // Births.

  async #divide({ id, class: cellClass, fresh }: Effect & { type: "divide" }): Promise<void> {
    const failed = (reason: string): void => {
      this.#metrics.birthFailed(cellClass);
      this.dispatch({ type: "birth-failed", id, reason });
    };
    const { birth, admin, log } = this.#options;
    if (this.#isGuest) return this.#endBarren(failed, "it is another user, who cannot bear cells that are root");
    if (this.#isBehindMembrane() && !this.#membrane.children)
      return this.#endBarren(failed, "the membrane forbids children");
    if (fresh && birth.socketsAreKept) return this.#leaveToServiceManager();
    const wanted = [...birth.listeners, ...(birth.admin === null ? [] : [birth.admin])];
    // A drone has let go of all of them.
    const held = this.#state.class === "drone" || admin === null ? this.#listeners : [...this.#listeners, admin];
    const opened = fresh ? await openListeners(wanted).catch((error: Error) => failed(error.message)) : null;
    if (opened === undefined) return;
    try {
      const womb = new Womb(
        {
          listenFds: opened?.fds ?? held.map((l) => l.keepFd),
          // A drone goes behind its membrane itself. Without this a confined mother's flags would be handed down.
          flags: process.permission === undefined ? [] : openFlags,
          outputFd: this.#outputFd,
          cwd: this.#dna.cwd,
          env: this.#options.env,
          ownSession: false,
        },
        {
          conceived: (conception) => this.dispatch({ type: "conceived", id, ...conception }),
          born: () => undefined,
          failed,
          exited: () => {
            this.#wombs.delete(id);
            this.dispatch({ type: "daughter-exited", id });
          },
        },
      );
      this.#wombs.set(id, womb);
      for (const connection of opened?.handOver() ?? []) womb.hand(connection);
      log.info("dividing", { daughter: id, daughterClass: cellClass }, "divides");
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
  }

  /** Under which a drone of this organism runs. */
  #ownFlags(): string[] {
    const { logs, envFile } = this.#dna;
    const { birth, run } = this.#options;
    const ownDir = birth.guest === null ? run.path : birth.guest.doors;
    return permissionFlags(this.#membrane, { runDir: ownDir, events: logs.events, envFile });
  }

  #isBehindMembrane(): boolean {
    const flags = this.#ownFlags();
    const isConfined = flags.length > 0 && flags.every((flag) => process.execArgv.includes(flag));
    return this.#options.birth.guest === null ? isConfined : this.#isGuest;
  }

  /** The last of all cells is a drone, and may not start processes: whoever watches over the organism must start it again. */
  #endBarren(failed: (reason: string) => void, why: string): void {
    const reason = `${why}, and nobody else is left who could bear any`;
    this.#log.error("barren", { reason }, `cannot regrow the organism: ${reason}`);
    failed(reason);
    this.dispatch({ type: "body-failed", class: "drone", reason });
  }

  /**
   * A lone drone holds no listening socket, and those of a service manager can be had from nobody else. It starts the
   * organism anew once no cell lives, and connections wait in its sockets meanwhile.
   */
  #leaveToServiceManager(): void {
    const why =
      "only drones are left, and the listening sockets are the service manager's, which starts the organism anew";
    this.#log.error("left-to-service-manager", {}, why);
    this.#options.exit(1);
  }

  #bear({ certificate, records, class: cellClass, urgent }: Effect & { type: "bear" }): void {
    const { id, revision } = certificate.body;
    const womb = this.#wombs.get(id);
    if (womb === undefined) return;
    const { birth, run } = this.#options;
    const dna = revision === birth.revision ? birth.dna : readDna(run, revision);
    if (dna === null) {
      this.dispatch({ type: "birth-failed", id, reason: `the DNA ${revision} cannot be read` });
      return womb.abort();
    }
    const awokenAtMs = cellClass === "b-cell" && this.#held.length > 0 ? this.#awokenAtMs : null;
    womb.bear({ ...birth, dna, revision, id, class: cellClass, urgent, awokenAtMs, certificate, records });
    if (cellClass !== "b-cell") return;
    for (const connection of this.#held.splice(0)) womb.hand(connection);
  }

  #sign({ key, version, body }: Effect & { type: "sign" }): void {
    const { keys } = this.#options;
    const record = signRecord(this.#organism, { key, version, origin: this.#id, body }, keys.privateKey);
    this.#mailbox.unshift({ type: "signed", record, nowMs: machineNowMs() });
  }

  #signVote(charge: Charge): void {
    const { keys } = this.#options;
    const signature = sign(votePayload(this.#organism, charge), keys.privateKey);
    this.#mailbox.unshift({ type: "voted", vote: { charge, voter: this.#id, signature }, nowMs: machineNowMs() });
  }

  // Evidence.

  /** An answer within the time limit, or what the process looks like from outside. */
  async #probe(id: CellId, pid: number): Promise<void> {
    const finding = this.#lookAt(id);
    if (finding !== null) return this.#accuse(id, finding);
    const { probeTimeoutMs: timeoutMs } = this.#dna.vote;
    const before = readProc(pid);
    const askedMs = performance.now();
    const answer = await this.#pings.ask(id, timeoutMs);
    // Where our own loop stood still the answer may lie there unread: that says nothing of the other.
    if (answer === "silent" && performance.now() - askedMs > 2 * timeoutMs) return;
    // A refusal is the kernel's, whose word on the dead comes another way; a garbled answer is an answer.
    if (answer !== "silent") {
      this.#silent.delete(id);
      return this.dispatch({ type: "probed", id, answer: answer === "refused" ? "absent" : "answered" });
    }
    const after: Look = { stat: readProc(pid), sleeps: readSleeps(pid), atMs: performance.now() };
    // Another question to it may have ended just before ours: between then and now nobody gets anything done.
    const known = this.#silent.get(id);
    const last = known !== undefined && known.atMs <= askedMs ? known : { stat: before, sleeps: null, atMs: askedMs };
    this.#silent.set(id, after);
    for (const other of this.#silent.keys()) if (!this.#state.alive.has(other)) this.#silent.delete(other);
    this.dispatch({ type: "probed", id, answer: silenceOf(last, after) });
  }

  async #seekStrangers(): Promise<void> {
    const { run, birth } = this.#options;
    const found = await seekStrangers(run, {
      organism: this.#organism,
      id: this.#id,
      hasGuests: birth.guest !== null,
      timeoutMs: this.#dna.vote.probeTimeoutMs,
      isStranger: (id) => isStranger(this.#state, id),
    });
    this.dispatch({ type: "strangers", found });
  }

  #kill({ id, pid, startTicks }: Effect & { type: "kill" }): void {
    // What an infected drone has started is the infection. Listed before, for orphans are nobody's children any more.
    const started = this.#state.condemned.get(id)?.reason === "infected" ? this.#startedBy({ pid, startTicks }) : [];
    const outcome = signalProcess({ pid, startTicks }, "SIGKILL");
    for (const process_ of started) {
      const ended = signalProcess(process_, "SIGKILL");
      this.#log.warn(
        "executed",
        { startedBy: id, executedPid: process_.pid, outcome: ended },
        `ended what ${id} had started`,
      );
    }
    this.#log.warn("executed", { executed: id, executedPid: pid, outcome }, `ended ${id} by the organism's vote`);
  }

  /** Its children and theirs, but for cells. */
  #startedBy(process_: ProcessIdentity): ProcessIdentity[] {
    return descendantsOf(process_, ({ pid, startTicks }) => cellOfProcess(this.#state, pid, startTicks) !== undefined);
  }

  /** Sentences on the infected that are new to us. Drones leave that to those who are looked at by nobody. */
  #testifySentences({ condemned: before }: State): void {
    if (this.#state.class === "drone") return;
    for (const [id, { reason, pid, startTicks }] of this.#state.condemned) {
      if (reason !== "infected" || before.has(id) || id === this.#id) continue;
      const body = this.#state.records.get(certificateKey(id))?.body;
      const votes = body?.kind === "certificate" ? body.votes.length : 0;
      const finding = this.#watchers.findingOn(id);
      this.#testifyInfection({ id, pid, startTicks, stage: "condemned", votes, finding });
    }
  }

  /** Writes down the sentences that are new to us, with who might vote as we knew it before. */
  #keepCertificates(before: State, nowMs: number): void {
    const { name } = this.#options.birth;
    for (const [id, { reason }] of this.#state.condemned) {
      const record = this.#state.records.get(certificateKey(id));
      if (reason === "left" || before.condemned.has(id) || record?.body.kind !== "certificate") continue;
      // A drone holds others' files open to nobody's good, and behind a membrane it may not.
      if (this.#state.class === "drone" || id === this.#id) continue;
      const certificate = record as OrganismRecord<CertificateBody>;
      const electors = jury(electorate(before, nowMs), certificate.body.charge);
      const births = birthsFor([id, ...electors], (key) => before.records.get(key));
      const cell = before.alive.get(id);
      const found = cell === undefined ? null : this.#watchers.findingOn(id);
      try {
        keepCertificate(
          {
            cellws: "death-certificate",
            format: deathCertificateFormat,
            organism: this.#organism,
            name,
            at: new Date().toISOString(),
            writtenBy: this.#id,
            class: cell?.class ?? "drone",
            certificate,
            electors,
            births,
            finding: found,
          },
          stateBase(this.#options.env),
        );
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        this.#log.warn(
          "certificate-lost",
          { condemned: id, why },
          `cannot keep the death certificate of ${id}: ${why}`,
        );
      }
    }
  }

  // Links.

  get #credentials(): Credentials {
    return {
      organism: this.#options.birth.organism,
      id: this.#options.birth.id,
      privateKey: this.#options.keys.privateKey,
      record: () => this.#ownRecord(),
      ancestry: () => ancestryOf(this.#ownRecord().body, (key) => this.#state.records.get(key)),
      whyNotMet: (record, ancestry) =>
        isShunned(this.#state, record.origin)
          ? "it is dead, infected or voted out"
          : this.#misconduct.isShunned(record.origin, performance.now())
            ? "it has broken the protocol"
            : whyNotMet(record, ancestry, this.#acquaintance, seals),
    };
  }

  get #acquaintance(): Acquaintance {
    return {
      organism: this.#options.birth.organism,
      cell: (id) => {
        const body = this.#state.records.get(cellKey(id))?.body;
        return body?.kind === "cell" ? body : undefined;
      },
      held: (key) => this.#state.records.get(key),
      ownerOfProcess: (pid, startTicks) => ownerOfProcess(this.#state, pid, startTicks),
      runs: (pid, startTicks) => processLives({ pid, startTicks }),
      // A guest cannot look where they are; of its own it knows.
      hasDna: (revision) =>
        this.#isGuest ? revision === this.#options.birth.revision : readDna(this.#options.run, revision) !== null,
    };
  }

  #ownRecord(): OrganismRecord<CellBody> {
    const record = this.#state.records.get(cellKey(this.#id)) ?? this.#options.birth.certificate;
    return record as OrganismRecord<CellBody>;
  }

  #send({ to, message }: Effect & { type: "send" }): void {
    const link = this.#links.get(to);
    if (link === undefined) return;
    if (message.type !== "tally" || this.#thrift.isNews(to, message, performance.now())) link.send(message);
  }

  async #connect(to: CellId): Promise<void> {
    const met = await beTakenIn(await this.#greet(to, "kin"));
    if (met.ok) return this.#linked(met.record, met.socket, met.rest);
    this.#log.debug("link-failed", { to, reason: met.reason }, `no link to ${to}: ${met.reason}`);
    this.dispatch({ type: "connect-failed", peer: to });
  }

  #greet(to: CellId, purpose: "kin" | "axon"): ReturnType<typeof greet> {
    return greet(net.connect(cellSocketPath(this.#options.run, to)), purpose, this.#credentials);
  }

  #linked(record: OrganismRecord<CellBody>, socket: net.Socket, rest: Buffer): void {
    const peer = record.body.id;
    // A cell that links anew has lost the old link, whether or not we have noticed.
    const stale = this.#links.get(peer);
    this.#links.delete(peer);
    this.#thrift.forget(peer);
    stale?.close();
    const nowMs = performance.now();
    const rates = { pulse: new Rate(linkRates.pulse, nowMs), message: new Rate(linkRates.message, nowMs) };
    const link: KinLink = new KinLink(peer, socket, rest, {
      message: (message) => {
        const wrong = this.#whyNotHeard(message, rates);
        if (wrong === null) this.#heard(peer, message);
        else if (wrong !== "lost") link.cut(wrong.kind, wrong.reason);
      },
      closed: (fault) => {
        if (fault !== null) this.#breaksTheProtocol(peer, fault);
        if (this.#links.get(peer) !== link) return;
        this.#links.delete(peer);
        this.#thrift.forget(peer);
        this.dispatch({ type: "link-closed", peer });
      },
    });
    this.#links.set(peer, link);
    this.dispatch({ type: "link-opened", peer, record });
    // It was not there when it was said. Whom a canary has found nobody sees who does not ask.
    for (const id of this.#accused) if (this.#state.alive.has(id)) link.send({ type: "suspect", id, by: this.#id });
  }

  /** What no honest cell sends; or that a hormone is one too many, which may be lost. */
  #whyNotHeard(message: KinMessage, rates: Readonly<Record<"pulse" | "message", Rate>>): LinkFault | "lost" | null {
    const nowMs = performance.now();
    if (!rates.message.take(nowMs)) return { kind: "flood", reason: "more messages than an organism has to say" };
    if (message.type !== "pulse") return null;
    if (message.pulse.hops < 1 || !isPlausible(message.pulse, this.#state.dna.attenuationMilli))
      return { kind: "hormone", reason: "a hormone that is stronger than its hops allow" };
    if (rates.pulse.take(nowMs)) return null;
    this.#misconduct.note("flood", nowMs);
    return "lost";
  }

  /** Counted, told, and not linked with again for a while. */
  #breaksTheProtocol(peer: CellId, { kind, reason }: LinkFault): void {
    const nowMs = performance.now();
    // Who is slow may only be busy.
    if (kind !== "slow") this.#misconduct.shun(peer, nowMs);
    if (this.#misconduct.note(kind, nowMs))
      this.#log.warn("link-fault", { peer, kind, fault: reason }, `cut the link to ${peer}: ${reason}`);
  }

  #heard(from: CellId, message: KinMessage): void {
    if (message.type === "testimony") {
      // Its shape was checked where it came in.
      if (this.#state.kin.has(from)) this.#relay.receive(message as Testified);
      return;
    }
    hear(message, this.#acquaintance, seals, {
      take: (believed) => {
        if (believed.type === "suspect") this.#canaries?.followUp(believed.id, performance.now());
        this.dispatch({ type: "message", from, message: believed });
      },
      refuse: (refused, reason) => {
        if (this.#misconduct.note("word", performance.now()))
          this.#log.info("word-refused", { from, refused, reason }, `did not believe ${refused}: ${reason}`);
      },
    });
  }

  async #openAxon(to: CellId): Promise<OpenAxon> {
    const met = await this.#greet(to, "axon");
    if (!met.ok) throw new Error(met.reason);
    return { peer: to, socket: met.socket, rest: met.rest };
  }

  async #axonOpened(axon: OpenAxon): Promise<void> {
    const body = this.#presentBody ?? (await this.#body?.catch(() => null));
    if (body?.axonOpened === undefined) axon.socket.destroy();
    else body.axonOpened(axon);
  }

  /** Something gives reason to doubt the cell: it is looked at until the kernel had the time to bury it. */
  async #inspect(cell: Effect & { type: "inspect" }): Promise<void> {
    for (const waitMs of inspectAgainMs) {
      if (!this.#inspectNow(cell, { isLast: false })) return;
      await sleep(waitMs);
    }
    this.#inspectNow(cell, { isLast: true });
  }

  /** One look. It is told if the process is gone, or if there is to be no other look. True: the process runs. */
  #inspectNow({ id, pid, startTicks }: Effect & { type: "inspect" }, { isLast }: { isLast: boolean }): boolean {
    const { lives, stat } = readLife({ pid, startTicks });
    if (!lives) this.dispatch({ type: "inspected", id, running: false, wear: null });
    else if (isLast) {
      const wear = stat === null ? null : this.#wear.read(id, stat, performance.now());
      this.dispatch({ type: "inspected", id, running: true, wear });
    }
    return lives;
  }

  // The body.

  #become(cellClass: CellClass): void {
    this.#log.setClass(cellClass);
    this.#log.info("became", {}, `is ${cellClass === "egg" ? "an" : "a"} ${cellClass} now`);
    this.#metrics.became(cellClass);
    this.#heedCallers();
    process.title = `cellws: ${cellClass} ${this.#options.birth.name} ${this.#id}`;
    this.#presentBody?.release?.();
    this.#presentBody = null;
    this.#relay.deliverTo(null);
    this.#flowAtLook = { count: 0, inFlight: 0 };
    this.#settlingSinceMs = performance.now();
    this.#takeHanded = null;
    if (cellClass === "drone") this.#dropListeners();
    this.#recordForAdministrators();
    if (cellClass === "drone") {
      const flags = this.#ownFlags();
      const isOpen = flags.length === 0 && this.#options.birth.guest === null;
      if (!isOpen && !this.#isBehindMembrane()) {
        setTimeout(() => void this.#goBehindTheMembrane(flags), farewellMs);
        return;
      }
    }
    this.#body = this.#makeBody(cellClass);
    this.#body.catch((error: unknown) => {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#log.error("body-failed", { failed: cellClass, reason }, `cannot work as a ${cellClass}`);
      this.dispatch({ type: "body-failed", class: cellClass, reason });
    });
  }

  /** Begins anew as a drone, once what it has told the others has left. They find a new link, or a cell that is away for a moment. */
  async #goBehindTheMembrane(flags: readonly string[]): Promise<void> {
    if (this.#leaving !== null) return;
    const { birth, keys, run, env } = this.#options;
    const records = [...this.#state.records.values()];
    this.#log.info("reborn", {}, "goes behind the membrane");
    await this.#socket.close();
    try {
      beReborn({
        birth: { ...birth, class: "drone", urgent: false, certificate: this.#ownRecord(), records },
        keys,
        run,
        flags,
        env,
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.error("body-failed", { failed: "drone", reason }, `cannot go behind the membrane: ${reason}`);
      // It is the guest by now, with root's memory: no app is to get at that.
      if (error instanceof HalfReborn) return this.#options.exit(1);
      this.dispatch({ type: "body-failed", class: "drone", reason });
    }
  }

  /** Before the app is loaded: it must not get at them. And a lone drone could not open them anew while it held the old ones. */
  #dropListeners(): void {
    dropListeners(this.#listeners);
    this.#listeners = [];
  }

  async #makeBody(cellClass: CellClass): Promise<Body> {
    const makeBody = await this.#options.bodies[cellClass]();
    const body = await makeBody(this.#bodyContext());
    // Another class may have been taken on in the meantime; then this body is one too many.
    if (this.#state.class === cellClass) this.#presentBody = body;
    else body.release?.();
    body.inform?.(this.#view());
    return body;
  }

  #bodyContext(): BodyContext {
    const { run, log, birth } = this.#options;
    return {
      id: this.#id,
      organism: this.#organism,
      name: birth.name,
      dna: this.#dna,
      run,
      log,
      counters: this.#metrics.counters,
      listeners: this.#listeners,
      addresses: birth.listeners,
      awokenAtMs: birth.awokenAtMs,
      view: () => this.#view(),
      dispatch: (happening) => this.dispatch(happening),
      hold: (connection) => void this.#held.push(connection),
      onHandedConnection: (take) => {
        this.#takeHanded = take;
        for (const connection of this.#handed.splice(0)) take(connection);
      },
      witness: this.#testimony,
      onTestimony: (take) => this.#relay.deliverTo(take),
      bans: () => this.#bans(),
      openAxon: (to) => this.#openAxon(to),
    };
  }

  #bans(): BanBody[] {
    return this.#state.bans.flatMap((key) => {
      const body = this.#state.records.get(key)?.body;
      return body?.kind === "ban" ? [body] : [];
    });
  }

  async #drain(drainMs: number, alone: boolean): Promise<void> {
    const body = await this.#body?.catch(() => null);
    await body?.drain(drainMs, alone);
    this.dispatch({ type: "drained" });
  }

  #watch(files: readonly string[]): void {
    this.#unwatch?.();
    this.#unwatch = files.length === 0 ? null : watchFiles(files, () => this.dispatch({ type: "files-changed" }));
  }

  // What others ask.

  #view(): OrganismView {
    return { alive: this.#state.alive, app: this.#appHealth(), isEnding: this.#state.stop?.alone === false };
  }

  #appHealth(): AppHealth {
    const { known, retryAtMs } = this.#state.app;
    if (known === null) return { state: "none" };
    if (known.state === "ready") return { state: "ready" };
    const { code, message, stack, attempts } = known;
    const error = stack === "" ? { code, message } : { code, message, stack };
    return { state: "failed", error, attempts, retryInMs: Math.max(0, retryAtMs - machineNowMs()) };
  }

  #control(request: ControlRequest): ControlReply {
    switch (request.op) {
      case "vitals":
        return {
          ok: true,
          op: "vitals",
          organism: this.#organism,
          name: this.#options.birth.name,
          revision: this.#options.birth.revision,
          self: this.#vitals(),
          others: [...this.#state.alive.values()].filter((cell) => cell.id !== this.#id).map((c) => this.#summary(c)),
          appHealth: this.#appHealth(),
          ...(request.metrics === true ? { metrics: this.#metrics.tell() } : {}),
        };
      case "ping":
        return { ok: true, op: "ping" };
      case "memory-changed":
        this.dispatch({ type: "memory-changed", seq: request.seq });
        return { ok: true, op: "memory-changed" };
      case "stop":
        this.dispatch({ type: "stop", drainMs: request.drainMs ?? this.#dna.drain.msMax });
        return { ok: true, op: "stop" };
      default:
        return { ok: false, code: "CELLWS_E_CONTROL", message: "this cell does not know that question" };
    }
  }

  #vitals(): CellVitals {
    const troubles = this.#presentBody?.troubles?.() ?? [];
    return {
      ...(troubles.length === 0 ? {} : { troubles: [...troubles] }),
      ...this.#summary(this.#state.alive.get(this.#id) ?? this.#options.birth.certificate.body),
      class: this.#state.class,
      load: this.#measureLoad(),
      rssBytes: process.memoryUsage.rss(),
      inFlight: this.#presentBody?.inFlight() ?? 0,
      app: this.#presentBody?.appHealth?.() ?? { state: "none" },
      ...this.#service(),
    };
  }

  #service(): Pick<CellVitals, "service" | "unserved"> {
    const told = this.#presentBody?.service?.();
    if (told !== undefined) {
      const { unserved, ...service } = told;
      return unserved === null ? { service } : { service, unserved };
    }
    if (this.#closedSinceMs === null) return {};
    const ms = Math.round(performance.now() - this.#closedSinceMs);
    return { unserved: { ms, msMax: this.#dna.http.queue.msMax } };
  }

  #summary(cell: CellBody): CellSummary {
    const { id, class: cellClass, pid, startTicks, mother, generation, bornAt } = cell;
    const state =
      cell.state === "draining"
        ? "draining"
        : this.#state.doubted.has(id) || this.#state.suspects.has(id)
          ? "suspected"
          : "live";
    return { id, class: cellClass, pid, startTicks, mother, generation, bornAt, state };
  }

  /** Event-loop utilization since the last look, or over the last second where that was just now. */
  #measureLoad(): number {
    const nowMs = performance.now();
    if (nowMs - this.#loadLookedAtMs >= loadWindowMsMin) {
      const look = performance.eventLoopUtilization();
      this.#load = performance.eventLoopUtilization(look, this.#loadAtLook).utilization;
      this.#loadAtLook = look;
      this.#loadLookedAtMs = nowMs;
    }
    return Math.round(this.#load * 1000) / 1000;
  }

  #recordForAdministrators(): void {
    const { id, pid, startTicks, mother, generation, bornAt } = this.#options.birth.certificate.body;
    recordCell(this.#options.run, { id, class: this.#state.class, pid, startTicks, mother, generation, bornAt });
  }

  // The end.

  async #leave(reason: string): Promise<void> {
    this.#leaving = null;
    this.#chores.drop();
    if (this.#wakeTimer !== null) clearTimeout(this.#wakeTimer);
    this.#log.info("leaving", { reason }, `leaving: ${reason}`);
    this.#unwatch?.();
    this.#relay.stop();
    this.#admin?.close();
    this.#metrics.keep();
    this.#pulse?.stop();
    for (const womb of this.#wombs.values()) womb.abort();
    for (const link of this.#links.values()) link.close();
    this.#pings.close();
    const [, lastOfAll] = await Promise.all([sleep(this.#links.size === 0 ? 0 : farewellMs), this.#closeSocket()]);
    if (lastOfAll) this.#log.info("organism-ended", {}, "the last cell has left");
    this.#options.exit(0);
  }

  /** Takes our traces away; and, where nobody else lives and an end was asked for, the organism's. True for the last cell. */
  async #closeSocket(): Promise<boolean> {
    const { run } = this.#options;
    await this.#socket.close();
    fs.rmSync(ownCellFile(run, path.basename(cellRecordPath(run, this.#id))), { force: true });
    // What is root's a guest leaves to root's cells, which leave after it, or to whoever watches.
    if (this.#state.stop === null || this.#isGuest) return false;
    const living = await whoLives(run);
    const others = living.records.filter((record) => record.id !== this.#id);
    if (isAlive({ ...living, records: others, launcher: null })) return false;
    // The launcher only watches: it ends when the directory is gone.
    const launcherPid = living.launcher?.pid;
    await removeRunDir(run, launcherPid === undefined ? {} : { exceptPid: launcherPid });
    return true;
  }
}

/** Longer than clients' usual pauses; shorter than any sleep. */
const canaryQuietMsMin = 10_000;
const loadWindowMsMin = 1_000;
const settlingMs = 2_000;
/** Dead cells' counts lie in a file each until then. */
const buryEveryMs = 60_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Questions, looks and tallies: a moment later they are worth as much. */
function isChore(effect: Effect): boolean {
  return (
    effect.type === "probe" || effect.type === "inspect" || (effect.type === "send" && effect.message.type === "tally")
  );
}

/** A process as it looked when it had not answered. */
interface Look {
  readonly stat: ProcStat | null;
  readonly sleeps: number | null;
  readonly atMs: number;
}

/** What it is that a process is silent for. */
function silenceOf(before: Look, after: Look): "busy" | "stopped" | "stuck" {
  if (after.stat?.state === "T") return "stopped";
  return makesProgress(before, after) ? "busy" : "stuck";
}

/**
 * Whether a process that does not answer goes on between two looks: it used the CPU (a tick is 10 ms; a probe's time has ten),
 * or its event loop turned, and only the way to it is broken. One that is blocked, or traced, does neither.
 */
function makesProgress(before: Look, after: Look): boolean {
  if (before.stat === null || after.stat === null || after.stat.state === "t") return false;
  const turned = before.sleeps !== null && after.sleeps !== null && after.sleeps > before.sleeps;
  return turned || after.stat.userTicks + after.stat.systemTicks > before.stat.userTicks + before.stat.systemTicks;
}
