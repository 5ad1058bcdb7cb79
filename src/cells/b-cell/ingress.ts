/**
 * The B cell's client side: takes accepted connections, has each read, judged and carried to a drone, and lets them go.
 *
 * It opens no socket and knows no TLS: whoever accepts hands connections over, unread. It decides nothing about drones,
 * which are the pool's, and nothing about malice, which is the judge's.
 */
import net from "node:net";
import { randomBytes } from "node:crypto";
import type { ForwardingPolicy } from "../../http/forwarding.ts";
import type { ReaderLimits } from "../../http/request-reader.ts";
import type { ExchangeRequest, HeaderList } from "../../http/message.ts";
import { Roll } from "../../lib/roll.ts";
import { emptyHistogram } from "../../wire/metrics.ts";
import { Carriage, type ClientSide } from "./carriage.ts";
import type { Convey, Conveyance, Heard } from "./conveyance.ts";
import type { DronePool } from "./drone-pool.ts";
import {
  type ClientConnection,
  Http1Connection,
  type IngressContext,
  type IngressCounters,
  type IngressNote,
  type Judge,
  type JudgeRefused,
} from "./http1-connection.ts";
import { Http2Connection } from "./http2-connection.ts";
import { ConnectionCount } from "./connection-count.ts";
import { HeldBytes } from "./held-bytes.ts";
import {
  ingressCapsDefault,
  ingressLimits,
  ingressRatesDefault,
  ingressTimeoutsDefault,
  type IngressCaps,
  type IngressRates,
  type IngressTimeouts,
} from "./limits.ts";

export interface IngressOptions {
  pool: DronePool;
  readerLimits?: Partial<ReaderLimits>;
  timeouts?: Partial<IngressTimeouts>;
  rates?: Partial<IngressRates>;
  caps?: Partial<IngressCaps>;
  /** Addresses and CIDR ranges whose forwarding fields are believed. They have been checked (src/dna). */
  trustedProxies?: readonly string[];
  trustedFields?: ForwardingPolicy["trustedFields"];
  announce?: boolean;
  /** Adds X-Request-Id to answers that have none, so that a client's complaint can be found. True by default. */
  requestIdInResponse?: boolean;
  /** Fields for the answers of one listener that have none of that name. */
  fieldsOf?: (listener: number) => HeaderList;
  /** What answers a request; a carriage by default. */
  convey?: Convey;
  judge?: Judge;
  judgeRefused?: JudgeRefused | null;
  note?: (note: IngressNote) => void;
  /** Once, when the first answer of all begins. */
  onFirstAnswer?: () => void;
}

/** What is known of a connection besides its addresses. */
export interface AcceptedConnection {
  /** Index into the DNA's `listen`. */
  listener: number;
  /** True for a tls.TLSSocket. */
  encrypted: boolean;
  /** What was agreed on in the handshake; without one it is HTTP/1.1. */
  protocol?: "h2" | "http/1.1";
}

export class Ingress implements IngressContext {
  readonly pool: DronePool;
  readonly readerLimits: Partial<ReaderLimits>;
  readonly timeouts: IngressTimeouts;
  readonly rates: IngressRates;
  /** What connections and carriages hold. */
  readonly held: HeldBytes;
  readonly forwarding: ForwardingPolicy;
  readonly judge: Judge | null;
  readonly judgeRefused: JudgeRefused | null;
  readonly note: ((note: IngressNote) => void) | null;
  readonly #requestIdInResponse: boolean;
  readonly #fieldsOf: (listener: number) => HeaderList;
  readonly #convey: Convey;
  readonly counters: IngressCounters = {
    accepted: 0,
    rejected: 0,
    relieved: 0,
    requests: 0,
    responses: 0,
    begun: { 1: 0, 2: 0, 3: 0, 4: 0, 5: 0 },
    aborted: 0,
    tunnels: 0,
    bytesIn: 0,
    bytesOut: 0,
    retries: 0,
    lost: 0,
    refused: {},
  };
  /** In seconds, from a request's head: until that of its answer, and until the end of its answer. */
  readonly latencies = {
    toHead: emptyHistogram("cellws_http_time_to_head_seconds"),
    toEnd: emptyHistogram("cellws_http_duration_seconds"),
  };
  isDraining = false;
  nowMs = 0;
  date = new Date().toUTCString();
  readonly #connections = new Roll<ClientConnection>();
  readonly #caps: IngressCaps;
  readonly #counted: ConnectionCount;
  #isReliefDue = false;
  readonly #sweepMs: number;
  #sweepTimer: NodeJS.Timeout | null = null;
  #sweptAtMs = 0;
  readonly #requestIdPrefix = randomBytes(6).toString("base64url");
  #requestIdCount = 0;
  #onEmpty: (() => void) | null = null;
  #onFirstAnswer: (() => void) | null;

  constructor(options: IngressOptions) {
    this.pool = options.pool;
    this.readerLimits = options.readerLimits ?? {};
    this.timeouts = { ...ingressTimeoutsDefault, ...options.timeouts };
    this.forwarding = {
      judgeAddress: addressJudge(options.trustedProxies ?? []),
      trustedFields: options.trustedFields ?? "x-forwarded",
      announce: options.announce ?? false,
    };
    this.rates = { ...ingressRatesDefault, ...options.rates };
    this.#caps = { ...ingressCapsDefault, ...options.caps };
    this.held = new HeldBytes(this.#caps.heldBytesMax, () => this.#relieveSoon());
    this.#counted = new ConnectionCount(
      this.#caps.connectionsPerAddressMax,
      (address) => this.forwarding.judgeAddress(address) === "trusted",
    );
    this.judge = options.judge ?? null;
    this.judgeRefused = options.judgeRefused ?? null;
    this.note = options.note ?? null;
    this.#onFirstAnswer = options.onFirstAnswer ?? null;
    this.#requestIdInResponse = options.requestIdInResponse ?? true;
    this.#fieldsOf = options.fieldsOf ?? (() => []);
    this.#convey = options.convey ?? ((_request, client, carry) => carry(client));
    this.#sweepMs = sweepInterval(this.timeouts);
  }

  /** Open connections, tunnels included. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Cuts the connections of those who are meant, tunnels included, and no proxy's; how many. */
  cutWhere(isMeant: (address: string) => boolean): number {
    const meant = [...this.#connections].filter(({ ownerAddress }) => isMeant(ownerAddress));
    for (const connection of meant) connection.cut();
    return meant.length;
  }

  /** Takes a connection over. It may be paused; nothing of it must have been read. */
  accept(socket: net.Socket, { listener, encrypted, protocol = "http/1.1" }: AcceptedConnection): void {
    this.counters.accepted += 1;
    const remoteAddress = socket.remoteAddress;
    // Without an address it has been reset already.
    if (remoteAddress === undefined) {
      this.counters.rejected += 1;
      socket.destroy();
      return;
    }
    if (this.#connections.size >= this.#caps.connectionsMax) return this.#reject(socket, remoteAddress, "all");
    if (!this.#counted.enter(remoteAddress)) return this.#reject(socket, remoteAddress, "address");
    this.#startSweeping();
    const Connection = protocol === "h2" ? Http2Connection : Http1Connection;
    const connection: ClientConnection = new Connection(this, socket, {
      remoteAddress,
      remotePort: socket.remotePort ?? 0,
      localAddress: socket.localAddress ?? "",
      localPort: socket.localPort ?? 0,
      encrypted,
      listener,
    });
    this.#connections.add(connection);
    if (this.isDraining) connection.drain();
  }

  /**
   * Lets every connection finish the request at hand and closes it; idle ones at once. Resolves when all are gone, and
   * after `deadlineMs` cuts those that are not: tunnels and endless streams, as a rule.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.isDraining = true;
    for (const connection of this.#connections) connection.drain();
    if (this.#connections.size === 0) return;
    const deadline = setTimeout(() => {
      for (const connection of this.#connections) connection.cut();
    }, deadlineMs);
    await new Promise<void>((resolve) => (this.#onEmpty = resolve));
    clearTimeout(deadline);
  }

  /** Unique in this organism: random by cell, counted within it. Cheap, and nobody's secret. */
  readonly makeRequestId = (): string => {
    this.#requestIdCount += 1;
    return `${this.#requestIdPrefix}-${this.#requestIdCount.toString(36)}`;
  };

  addedFields({ requestId, listener }: ExchangeRequest): HeaderList {
    const fields = this.#fieldsOf(listener);
    return this.#requestIdInResponse ? ["X-Request-Id", requestId, ...fields] : fields;
  }

  convey(request: ExchangeRequest, client: ClientSide, heard: Heard): Conveyance {
    return this.#convey(request, client, (side) => new Carriage(this.pool, request, side, this), heard);
  }

  /** `nowMs` is as old as the last sweep. */
  deadlineMs(ms: number): number {
    return this.nowMs + this.#sweepMs + ms;
  }

  connectionClosed(connection: ClientConnection): void {
    if (this.#connections.delete(connection)) this.#counted.leave(connection.remoteAddress);
    if (this.#connections.size > 0) return;
    if (this.#sweepTimer !== null) clearInterval(this.#sweepTimer);
    this.#sweepTimer = null;
    this.#onEmpty?.();
    this.#onEmpty = null;
  }

  answerBegun(status: number, sinceMs: number | null): void {
    const digit = Math.floor(status / 100);
    if (digit === 1 || digit === 2 || digit === 3 || digit === 4 || digit === 5) this.counters.begun[digit] += 1;
    // What was no request has taken no time.
    if (sinceMs !== null) this.latencies.toHead.observe((performance.now() - sinceMs) / 1000);
    if (this.#onFirstAnswer === null) return;
    this.#onFirstAnswer();
    this.#onFirstAnswer = null;
  }

  answerEnded(sinceMs: number | null): void {
    if (sinceMs !== null) this.latencies.toEnd.observe((performance.now() - sinceMs) / 1000);
  }

  /** Unanswered: an answer would cost what the limit is there to save. */
  #reject(socket: net.Socket, remoteAddress: string, limit: "all" | "address"): void {
    this.counters.rejected += 1;
    this.note?.({ kind: "rejected", limit, remoteAddress });
    socket.destroy();
  }

  /** After this turn: whoever writes now may be the one that is cut. */
  #relieveSoon(): void {
    if (this.#isReliefDue) return;
    this.#isReliefDue = true;
    setImmediate(() => {
      this.#isReliefDue = false;
      this.#relieve();
    });
  }

  /** Cuts those that have not read for longest, until what is held is under its limit. */
  #relieve(): void {
    if (!this.held.isExceeded) return;
    const enough = this.#caps.heldBytesMax * ingressLimits.heldShareAfterRelief;
    const stuck = [...this.#connections]
      .filter((connection) => connection.stuckSinceMs !== null)
      .toSorted((a, b) => (a.stuckSinceMs ?? 0) - (b.stuckSinceMs ?? 0));
    // A socket that is cut lets go of what it held only when it has closed.
    let bytes = this.held.bytes;
    for (const connection of stuck) {
      if (bytes <= enough) return;
      bytes -= connection.heldBytes;
      this.counters.relieved += 1;
      this.note?.({ kind: "relieved", remoteAddress: connection.remoteAddress });
      connection.cut();
    }
  }

  #startSweeping(): void {
    if (this.#sweepTimer !== null) return;
    this.#sweptAtMs = performance.now();
    this.date = new Date().toUTCString();
    this.#sweepTimer = setInterval(() => this.#sweep(), this.#sweepMs);
  }

  #sweep(): void {
    const now = performance.now();
    // When this process was suspended or busy, what clients sent meanwhile lies unread: the time was not theirs.
    this.nowMs += Math.min(now - this.#sweptAtMs, 2 * this.#sweepMs);
    this.#sweptAtMs = now;
    this.date = new Date().toUTCString();
    for (const connection of this.#connections) connection.sweep();
  }
}

/** A quarter of the shortest timeout is fine enough. */
function sweepInterval(timeouts: IngressTimeouts): number {
  const shortest = Math.min(...Object.values(timeouts).filter((ms) => ms > 0));
  return Math.min(ingressLimits.sweepMsMax, Math.max(ingressLimits.sweepMsMin, shortest / 4));
}

function addressJudge(trustedProxies: readonly string[]): ForwardingPolicy["judgeAddress"] {
  const ranges = new net.BlockList();
  for (const range of trustedProxies) {
    const [address = "", prefix] = range.split("/");
    const family = net.isIPv6(address) ? "ipv6" : "ipv4";
    if (prefix === undefined) ranges.addAddress(address, family);
    else ranges.addSubnet(address, Number(prefix), family);
  }
  const hasRanges = trustedProxies.length > 0;
  return (address) => {
    // The rule without proxies in front, and then worth no look-up.
    if (!hasRanges) return "untrusted";
    const family = net.isIP(address);
    if (family === 0) return "invalid";
    return ranges.check(address, family === 6 ? "ipv6" : "ipv4") ? "trusted" : "untrusted";
  };
}
