/**
 * A B cell: it owns client connections. It accepts them from the inherited sockets, reads each request, and has it carried
 * to a drone over an axon. Which drones there are it learns from the roster; how they do, from themselves.
 */
import net from "node:net";
import type { CellId } from "../../core/cell.ts";
import type { BanBody } from "../../core/record.ts";
import { unreachable } from "../../lib/assert.ts";
import { httpErrors, type HttpErrorCode } from "../../http/http-error.ts";
import type { Body, BodyContext, OrganismView } from "../../host/body.ts";
import { machineNowMs } from "../../host/clock.ts";
import { banPolicyOf } from "../../host/immune/ban-policy.ts";
import { ownAddresses } from "../../host/immune/own-addresses.ts";
import { stateDir } from "../../host/immune/state-dir.ts";
import { listenBacklog } from "../../host/listeners.ts";
import { sharedKey } from "../../host/shared-key.ts";
import type { CarriedRequest } from "../../immune/report/infection.ts";
import type { Service, Unserved } from "../../wire/control.ts";
import { AddressAffinity, type Affinity, CookieAffinity } from "./affinity.ts";
import type { CertificateNews, CertificateTrouble } from "./certificates.ts";
import { DronePool, type DroneTrouble } from "./drone-pool.ts";
import type { IngressNote } from "./http1-connection.ts";
import { Gate } from "./gate.ts";
import { type Immunity, openImmunity } from "./immunity.ts";
import { Ingress } from "./ingress.ts";
import { lendReads } from "./lent-reads.ts";
import { makeConvey, type Ways } from "./make-convey.ts";
import { type ListenerTls, TlsFront } from "./tls-front.ts";

/** An axon that does not come about is tried again after this; the roster will tell when the drone is dead. */
const axonRetryMs = 100;
/** When this cell is to leave: a handshake takes two round trips, and a phone's take half a second each. */
const handshakeGraceMs = 2_000;
/** Of what goes wrong a line each is kept, up to so many a second: an attack must not become a flood of our own. */
const notesPerSecondMax = 20;

export async function makeBCell(context: BodyContext): Promise<Body> {
  const immunity = await openImmunity(context);
  const body = new BCell(context, await makeConvey(context.dna), immunity);
  await body.listen();
  return body;
}

class BCell implements Body {
  readonly #context: BodyContext;
  readonly #pool: DronePool;
  readonly #ingress: Ingress;
  readonly #immunity: Immunity | null;
  readonly #gate: Gate;
  readonly #axons = new Set<CellId>();
  /** By listener. */
  readonly #tlsFronts: ReadonlyArray<TlsFront | null>;
  #servers: net.Server[] = [];
  #isDraining = false;
  #trafficSeen = 0;
  /** When it last had something to do. A new one takes it that there was just a request: whom it replaces may have had one. */
  #busyMs = performance.now();
  #notesThisSecond = 0;
  #secondOfNotes = 0;

  constructor(context: BodyContext, { convey, fieldsOf }: Ways, immunity: Immunity | null) {
    this.#context = context;
    this.#immunity = immunity;
    const { headBytesMax, bodyBytesMax, timeouts, rates, connections, queue, retry, trustedProxies, announceClient } =
      context.dna.http;
    this.#pool = new DronePool({
      limits: {
        waitingCountMax: queue.countMax,
        waitingMsMax: queue.msMax,
        waitingMsTarget: queue.msTarget,
        droneUnansweredMax: context.dna.http.droneConcurrencyMax,
        blameMax: retry.countMax,
        retryShareMax: retry.share,
        replayBytesMax: retry.bodyBytesMax,
      },
      affinity: affinityOf(context),
      onTrouble: (drone, trouble) => this.#reportTrouble(drone, trouble),
    });
    this.#gate = this.#makeGate();
    this.#ingress = new Ingress({
      pool: this.#pool,
      readerLimits: { headBytesMax, bodyBytesMax },
      timeouts,
      rates,
      caps: {
        connectionsMax: connections.countMax,
        connectionsPerAddressMax: connections.perAddressMax,
        heldBytesMax: connections.bufferBytesMax,
      },
      trustedProxies,
      announce: announceClient,
      fieldsOf,
      judge: this.#gate.judge,
      convey: this.#gate.delaying(immunity === null ? convey : immunity.screened(convey, () => this.#ingress.held)),
      judgeRefused: immunity?.judgeRefused ?? null,
      note: (note) => this.#note(note),
      onFirstAnswer: () => this.#noteColdStart(),
    });
    this.#tellCounts();
    this.#tlsFronts = context.dna.listen.map(({ tls }, listener) =>
      tls === null ? null : this.#makeTlsFront(tls, listener),
    );
  }

  async listen(): Promise<void> {
    const { listeners, onHandedConnection, bans } = this.#context;
    // Before the first connection.
    this.#gate.open(bans());
    const plain = [...listeners.keys()].filter((listener) => (this.#tlsFronts[listener] ?? null) === null);
    this.#servers = await Promise.all(plain.map((listener) => this.#listenOn(listener)));
    for (const front of this.#tlsFronts) await front?.start();
    onHandedConnection(({ socket, listener }) => this.#accept(socket, listener));
  }

  inFlight(): number {
    return this.#pool.inFlight + this.#pool.waitingCount;
  }

  requestCount(): number {
    return this.#ingress.counters.requests;
  }

  /** Whatever comes or goes is work, and so is an answer or a tunnel that is open; a client that keeps its connection is not. */
  quietMs(): number {
    const { accepted, requests, bytesOut } = this.#ingress.counters;
    const traffic = accepted + requests + bytesOut;
    const nowMs = performance.now();
    if (traffic !== this.#trafficSeen || this.inFlight() > 0) this.#busyMs = nowMs;
    this.#trafficSeen = traffic;
    return nowMs - this.#busyMs;
  }

  queue(): { readonly queued: number; readonly queueMs: number } {
    return { queued: this.#pool.waitingCount, queueMs: this.#pool.waitingMs };
  }

  inform({ alive, app, isEnding }: OrganismView): void {
    this.#pool.setAppHealth(app.state === "none" ? null : app);
    for (const cell of alive.values()) {
      if (cell.class !== "drone") continue;
      if (cell.state === "draining") this.#retire(cell.id, isEnding);
      else if (cell.state === "live" && !this.#axons.has(cell.id)) void this.#openAxon(cell.id);
    }
  }

  enforce(bans: readonly BanBody[]): void {
    this.#gate.take(bans);
  }

  recall(): void {
    this.#gate.recall();
  }

  service(): Service & { unserved: Unserved | null } {
    const { drones, refusal, unableMs } = this.#pool.service;
    const { msMax } = this.#context.dna.http.queue;
    return { drones, refusal, unserved: unableMs === null ? null : { ms: unableMs, msMax } };
  }

  troubles(): CertificateTrouble[] {
    return this.#tlsFronts.flatMap((front) => front?.troubles() ?? []);
  }

  carriedTo(drone: CellId): CarriedRequest[] {
    return this.#pool.carried.of(drone);
  }

  async drain(drainMs: number): Promise<void> {
    this.#isDraining = true;
    for (const server of this.#servers) server.close();
    for (const front of this.#tlsFronts) front?.stop();
    const startedAtMs = performance.now();
    // Who is in the middle of a handshake has no answer yet, and no other cell can give it; who says nothing gets none.
    const handshakes = this.#tlsFronts.map(async (front) => front?.settled(Math.min(handshakeGraceMs, drainMs)));
    await Promise.all([this.#ingress.drain(drainMs), ...handshakes]);
    // What came out of the last handshakes.
    await this.#ingress.drain(Math.max(0, drainMs - (performance.now() - startedAtMs)));
    this.#pool.close();
    this.#gate.close();
    await this.#immunity?.close();
  }

  /** From the connection that woke the egg until now; all cells of a machine share the clock. */
  #noteColdStart(): void {
    const { awokenAtMs, counters } = this.#context;
    if (awokenAtMs === null) return;
    counters.histogram("cellws_cold_start_seconds").observe((machineNowMs() - awokenAtMs) / 1000);
  }

  /** What we count, and what others here count, for the admin listener. */
  #tellCounts(): void {
    const { counters: told } = this.#context;
    const { counters, latencies } = this.#ingress;
    told.read("cellws_http_requests_total", {}, () => counters.requests);
    for (const digit of [1, 2, 3, 4, 5] as const)
      told.read("cellws_http_responses_total", { status: `${digit}xx` }, () => counters.begun[digit]);
    for (const code of Object.keys(httpErrors) as HttpErrorCode[])
      told.read("cellws_http_refused_total", { code }, () => counters.refused[code] ?? 0);
    told.read("cellws_http_aborted_total", {}, () => counters.aborted);
    told.read("cellws_http_retries_total", {}, () => counters.retries);
    told.read("cellws_http_lost_total", {}, () => counters.lost);
    told.read("cellws_http_tunnels_total", {}, () => counters.tunnels);
    told.adopt("cellws_http_time_to_head_seconds", latencies.toHead);
    told.adopt("cellws_http_duration_seconds", latencies.toEnd);
    told.adopt("cellws_http_wait_seconds", this.#pool.waits);
    told.gauge("cellws_http_requests_in_flight", {}, () => this.inFlight());
    told.gauge("cellws_http_requests_waiting", {}, () => this.#pool.waitingCount);
    told.gauge("cellws_http_longest_wait_seconds", {}, () => this.#pool.waitingMs / 1000);
    told.gauge("cellws_http_open_connections", {}, () => this.#ingress.connectionCount);
    told.read("cellws_http_connections_total", {}, () => counters.accepted);
    told.read("cellws_http_connections_rejected_total", {}, () => counters.rejected);
    told.read("cellws_http_connections_cut_total", {}, () => counters.relieved);
    told.read("cellws_http_received_bytes_total", {}, () => counters.bytesIn);
    told.read("cellws_http_sent_bytes_total", {}, () => counters.bytesOut);
  }

  #listenOn(listener: number): Promise<net.Server> {
    const fd = this.#context.listeners[listener]?.workFd;
    return new Promise((resolve, reject) => {
      // Unread: what reads it is made for it (lent-reads.ts, tls-front.ts).
      const options = { noDelay: true, pauseOnConnect: true };
      const server = net.createServer(options, (socket) => this.#accept(socket, listener));
      server.once("error", reject);
      server.listen({ fd, backlog: listenBacklog }, () => {
        server.off("error", reject);
        // Out of descriptors, say: what is there goes on, and the kernel keeps the rest in its queue.
        server.on("error", (error) =>
          this.#context.log.error("accept-failed", { listener, err: error }, error.message),
        );
        resolve(server);
      });
    });
  }

  #accept(socket: net.Socket, listener: number): void {
    const front = this.#tlsFronts[listener] ?? null;
    this.#gate.admit(socket, () => {
      if (front === null) this.#ingress.accept(lendReads(socket), { listener, encrypted: false });
      else front.take(socket);
    });
  }

  #makeGate(): Gate {
    const { dna, name, log, counters } = this.#context;
    const { tarpitMs, limitPerSecond } = dna.immune.bans;
    const gate = new Gate({
      policy: banPolicyOf(dna, ownAddresses()),
      memoryFile: stateDir(name).memoryFile,
      tarpitMs,
      limitPerSecond,
      onBans: () => this.#cutBanned(),
      onUnlawful: ({ range }, why) =>
        log.warn("ban-unlawful", { range, why }, `does not carry out a ban on ${range}: ${why}`),
    });
    for (const action of ["refused", "delayed", "limited", "cut"] as const)
      counters.read("cellws_immune_gate_total", { action }, () => gate.counters[action]);
    counters.gauge("cellws_immune_bans", {}, () => gate.size);
    return gate;
  }

  /** What was open when the ban came. */
  #cutBanned(): void {
    const isBanned = (address: string): boolean => this.#gate.isBanned(address);
    this.#gate.counters.cut += this.#ingress.cutWhere(isBanned);
    for (const front of this.#tlsFronts) front?.cutWhere(isBanned);
  }

  #makeTlsFront(tls: ListenerTls, listener: number): TlsFront {
    const { log, dna } = this.#context;
    return new TlsFront({
      tls,
      handshakeMs: dna.http.timeouts.headMs,
      accept: (socket) => {
        const protocol = socket.alpnProtocol === "h2" ? "h2" : "http/1.1";
        this.#ingress.accept(socket, { listener, encrypted: true, protocol });
      },
      // Only now: whoever cannot do the handshake must not take connections from those that can.
      ready: () => void this.#listenForTls(listener),
      news: certificateNews(log, listener),
    });
  }

  async #listenForTls(listener: number): Promise<void> {
    if (this.#isDraining) return;
    try {
      const server = await this.#listenOn(listener);
      this.#servers.push(server);
      if (this.#isDraining) server.close();
    } catch (error) {
      this.#context.log.error("listen-failed", { listener, err: error }, `cannot accept on listener ${listener}`);
    }
  }

  /** When all end, the drones outlast us: what we have accepted still needs them. */
  #retire(drone: CellId, isEnding: boolean): void {
    if (!isEnding) this.#pool.retire(drone);
  }

  async #openAxon(to: CellId): Promise<void> {
    const { log, openAxon, dispatch, view, counters } = this.#context;
    this.#axons.add(to);
    const gone = (): void => {
      this.#axons.delete(to);
      dispatch({ type: "doubt", id: to });
    };
    try {
      const { socket, rest } = await openAxon(to);
      socket.once("close", gone);
      this.#pool.add(to, socket, {
        leftover: rest,
        onFault: (reason) => {
          counters.add("cellws_protocol_faults_total", { kind: "malformed" });
          log.warn("axon-fault", { peer: to, reason }, `cut the axon to drone ${to}: ${reason}`);
          // What its process looks like is worth a look.
          dispatch({ type: "unwell", id: to });
        },
      });
      // The handshake has left it paused.
      socket.resume();
      // It may have been told to leave while the axon was opened.
      const { alive, isEnding } = view();
      if (alive.get(to)?.state === "draining") this.#retire(to, isEnding);
    } catch (error) {
      log.debug("axon-failed", { to, reason: error instanceof Error ? error.message : String(error) });
      setTimeout(() => {
        gone();
        this.inform(view());
      }, axonRetryMs);
    }
  }

  /** What we see of a drone is evidence: its neighbours ask for themselves, and judge together. */
  #reportTrouble(drone: CellId, trouble: DroneTrouble): void {
    const { log, dispatch } = this.#context;
    log.warn(`drone-${trouble}`, { drone }, `drone ${drone} ${troubleTexts[trouble]}`);
    dispatch({ type: "unwell", id: drone });
  }

  #note(note: IngressNote): void {
    if (note.kind === "refused") this.#immunity?.refused(note.code, note.remoteAddress);
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#secondOfNotes) this.#notesThisSecond = 0;
    this.#secondOfNotes = second;
    this.#notesThisSecond += 1;
    if (this.#notesThisSecond > notesPerSecondMax) return;
    const { log } = this.#context;
    switch (note.kind) {
      case "app-fault": {
        const { requestId, fault } = note;
        log.warn("app-fault", { requestId, fault }, `the app's answer was not valid HTTP: ${fault}`);
        break;
      }
      case "refused": {
        const { code, requestId, remoteAddress, cut } = note;
        const { status } = httpErrors[code];
        const level = status >= 500 ? "warn" : "info";
        log[level]("refused", { code, status, requestId, remoteAddress, cut }, `refused a request: ${code}`);
        break;
      }
      case "rejected": {
        const { limit, remoteAddress } = note;
        log.warn("connection-rejected", { limit, remoteAddress }, rejectionTexts[limit](remoteAddress));
        break;
      }
      case "relieved": {
        const { remoteAddress } = note;
        log.warn(
          "connection-cut",
          { remoteAddress },
          "cut a client that did not read: http.connections.bufferBytesMax",
        );
        break;
      }
    }
  }
}

function certificateNews(log: BodyContext["log"], listener: number): CertificateNews {
  return {
    loaded: ({ cert }, { names, validToMs, warnings }) => {
      const validTo = new Date(validToMs).toISOString();
      log.info(
        "certificate-loaded",
        { listener, cert, names: names.slice(0, namesLoggedMax), validTo },
        `uses ${cert}`,
      );
      for (const { code, message, found } of warnings)
        log.warn("certificate", { code, listener }, `${message}: ${found}`);
    },
    refused: ({ cert, key }, { code, message, found, hint }, hasOld) => {
      const meanwhile = hasOld ? "the certificate in use stays" : "this cell does not serve with it";
      log.error(
        "certificate-refused",
        { code, listener, cert, key, found, hint },
        `${message}; ${meanwhile}: ${found}`,
      );
    },
  };
}

/** A certificate may have a hundred names; a line of the log is for people. */
const namesLoggedMax = 8;

const troubleTexts: Readonly<Record<DroneTrouble, string>> = {
  silent: "has not been heard for a while: its loop is blocked, or it is stopped; it gets no new requests",
  failing: "answers errors where others do not; it gets no new requests for a while",
};

const rejectionTexts = {
  all: () => "closed a connection: there are as many as there may be (http.connections.countMax)",
  address: (address: string) =>
    `closed a connection from ${address}, which has as many as it may have (http.connections.perAddressMax); a proxy of yours belongs into http.trustedProxies`,
} as const;

function affinityOf({ dna, run }: BodyContext): Affinity | null {
  switch (dna.http.sticky) {
    case "off":
      return null;
    case "cookie":
      return new CookieAffinity(sharedKey(run.affinityKeyFile));
    case "address":
      return new AddressAffinity();
    default:
      return unreachable(dna.http.sticky);
  }
}
