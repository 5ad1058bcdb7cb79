/**
 * The gate of a B cell: who is refused, delayed or limited because of what is known of his address.
 *
 * At accept, before a byte is read, a banned client's connection is reset, and one in the tarpit waits. Connections that are
 * open when a ban arrives are cut. Behind trusted proxies the address is known only when a request's head has been read, and is
 * judged then: the proxy's connection carries other people's requests and stays. A tunnel through a proxy is one client's, and is
 * cut with his ban.
 *
 * What is known comes as records over kin links, within milliseconds; out of the memory when the cell takes up its work;
 * and from there again now and then, so that nothing that was ever written is missed. Limits and delays are of this cell
 * alone: of several B cells each lets through as much.
 */
import type net from "node:net";
import { performance } from "node:perf_hooks";
import type { BanAction, BanBody } from "../../core/record.ts";
import { BanReader, rowsPerTurn } from "../../host/immune/ban-reader.ts";
import type { ExchangeRequest } from "../../http/message.ts";
import { Enforcement } from "../../immune/bans/enforcement.ts";
import type { BanPolicy } from "../../immune/bans/policy.ts";
import { addressGroup } from "../../lib/ip-range.ts";
import type { ClientSide } from "./carriage.ts";
import type { Convey, Conveyance } from "./conveyance.ts";
import type { Verdict } from "./http1-connection.ts";

export interface GateOptions {
  readonly policy: BanPolicy;
  readonly memoryFile: string;
  /** How long the tarpit holds a connection, or a request. */
  readonly tarpitMs: number;
  /** Requests a second of a source that is limited. */
  readonly limitPerSecond: number;
  /** Bans have come into force: what is open already may be theirs. */
  readonly onBans: () => void;
  /** A ban that the DNA does not allow. */
  readonly onUnlawful: (body: BanBody, why: string) => void;
}

export const gateLimits = {
  /** Connections and requests that the tarpit holds at a time; beyond it they are refused. */
  tarpitMax: 1_024,
  /** Sources whose requests are counted; the longest quiet is forgotten first. */
  limitedMax: 10_000,
  /** How often the memory is looked into without being asked. */
  lookEveryMs: 10_000,
  liftedMax: 10_000,
} as const;

export class Gate {
  readonly #options: GateOptions;
  readonly #enforcement: Enforcement;
  readonly #reader: BanReader;
  readonly #timer: NodeJS.Timeout;
  /** By range, when it was last lifted: an older ban that comes round again is over. */
  readonly #liftedMs = new Map<string, number>();
  /** By address group: requests that are left to it, and when that was. */
  readonly #allowances = new Map<string, { left: number; atMs: number }>();
  readonly #held = new Set<NodeJS.Timeout>();
  #isReading = false;
  #isClosed = false;
  readonly counters = { refused: 0, delayed: 0, limited: 0, cut: 0 };

  constructor(options: GateOptions) {
    this.#options = options;
    this.#enforcement = new Enforcement(options.policy);
    this.#reader = new BanReader(options.memoryFile);
    this.#timer = setInterval(() => {
      this.#enforcement.sweep(performance.now());
      this.recall();
    }, gateLimits.lookEveryMs);
    this.#timer.unref();
  }

  /** Takes up what is on record, and then all that is remembered: the memory has the last word. */
  open(bans: readonly BanBody[]): void {
    for (const ban of bans) this.#take(ban);
    for (const batch of this.#reader.readAll(Date.now())) for (const ban of batch) this.#take(ban);
  }

  /** Ranges that are in some way restricted. */
  get size(): number {
    return this.#enforcement.size;
  }

  /** News. */
  take(bans: readonly BanBody[]): void {
    for (const ban of bans) this.#take(ban);
    if (this.#enforcement.size > 0) this.#options.onBans();
  }

  /** Looks into the memory for what is new, some of it a turn. */
  recall(): void {
    if (this.#isReading || this.#isClosed) return;
    const bans = this.#reader.read();
    if (bans.length > 0) this.take(bans);
    if (bans.length < rowsPerTurn) return;
    this.#isReading = true;
    setImmediate(() => {
      this.#isReading = false;
      this.recall();
    });
  }

  isBanned(address: string): boolean {
    return this.#actionFor(address) === "ban";
  }

  /** At accept. `admitted` is called at once, later, or never. */
  admit(socket: net.Socket, admitted: () => void): void {
    const action = socket.remoteAddress === undefined ? null : this.#actionFor(socket.remoteAddress);
    if (action !== "ban" && action !== "tarpit") return admitted();
    if (action === "ban" || this.#held.size >= gateLimits.tarpitMax) {
      this.counters.refused += 1;
      // A reset: nothing of it is kept, here or in the kernel.
      socket.on("error", () => undefined);
      socket.resetAndDestroy();
      return;
    }
    this.counters.delayed += 1;
    socket.pause();
    socket.on("error", () => undefined);
    const timer = this.#hold(() => {
      // A ban may have come meanwhile, or the client have gone.
      if (!socket.destroyed && !this.isBanned(socket.remoteAddress ?? "")) admitted();
      else socket.destroy();
    });
    socket.once("close", () => this.#letGo(timer));
  }

  /** With the head of a request: who its client is, is known now, also behind a proxy. */
  readonly judge = ({ remoteAddress }: ExchangeRequest): Verdict => {
    if (this.#enforcement.size === 0) return { action: "pass" };
    const action = this.#actionFor(remoteAddress);
    if (action === "ban") {
      this.counters.refused += 1;
      return { action: "refuse", code: "CELLWS_HTTP_BANNED" };
    }
    if (action !== "rate-limit" || this.#allows(remoteAddress)) return { action: "pass" };
    this.counters.limited += 1;
    return { action: "refuse", code: "CELLWS_HTTP_RATE_LIMITED" };
  };

  /** Requests of clients in the tarpit wait before anything is done for them. */
  delaying(convey: Convey): Convey {
    return (request, client, carry, heard) => {
      const conveyance = convey(request, client, carry, heard);
      if (this.#enforcement.size === 0 || this.#actionFor(request.remoteAddress) !== "tarpit") return conveyance;
      this.counters.delayed += 1;
      return new Delayed(conveyance, client, this.#held.size < gateLimits.tarpitMax ? this.#holder : null);
    };
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const timer of this.#held) clearTimeout(timer);
    this.#held.clear();
    this.#reader.close();
  }

  readonly #holder: Holder = {
    hold: (deed) => this.#hold(deed),
    letGo: (timer) => this.#letGo(timer),
  };

  #hold(deed: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#held.delete(timer);
      deed();
    }, this.#options.tarpitMs);
    this.#held.add(timer);
    return timer;
  }

  #letGo(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#held.delete(timer);
  }

  #actionFor(address: string): Exclude<BanAction, "lifted"> | null {
    if (this.#enforcement.size === 0) return null;
    return this.#enforcement.actionFor(address, performance.now());
  }

  #take(body: BanBody): void {
    const { range, action, issuedAtMs } = body;
    if (action === "lifted") {
      this.#liftedMs.delete(range);
      this.#liftedMs.set(range, issuedAtMs);
      if (this.#liftedMs.size > gateLimits.liftedMax) this.#liftedMs.delete(this.#liftedMs.keys().next().value!);
    } else if (issuedAtMs <= (this.#liftedMs.get(range) ?? -Infinity)) return;
    const why = this.#enforcement.take(body, { nowMs: performance.now(), wallMs: Date.now() });
    if (why !== null) this.#options.onUnlawful(body, why);
  }

  /** A bucket that fills with what is allowed in two seconds. */
  #allows(address: string): boolean {
    const { limitPerSecond } = this.#options;
    const group = addressGroup(address);
    const nowMs = performance.now();
    const { left, atMs } = this.#allowances.get(group) ?? { left: 2 * limitPerSecond, atMs: nowMs };
    const refilled = Math.min(2 * limitPerSecond, left + ((nowMs - atMs) / 1_000) * limitPerSecond);
    this.#allowances.delete(group);
    this.#allowances.set(group, { left: Math.max(0, refilled - 1), atMs: nowMs });
    if (this.#allowances.size > gateLimits.limitedMax) this.#allowances.delete(this.#allowances.keys().next().value!);
    return refilled >= 1;
  }
}

interface Holder {
  hold(deed: () => void): NodeJS.Timeout;
  letGo(timer: NodeJS.Timeout): void;
}

/** A conveyance that begins later. What comes of the body meanwhile it keeps as it does while it waits for a drone. */
class Delayed implements Conveyance {
  readonly #inner: Conveyance;
  readonly #client: ClientSide;
  readonly #holder: Holder | null;
  #timer: NodeJS.Timeout | null = null;

  constructor(inner: Conveyance, client: ClientSide, holder: Holder | null) {
    this.#inner = inner;
    this.#client = client;
    this.#holder = holder;
  }

  start(): void {
    // Too many wait already.
    if (this.#holder === null) return this.#client.fail("CELLWS_HTTP_RATE_LIMITED", null);
    this.#timer = this.#holder.hold(() => this.#inner.start());
  }

  sendBody(chunk: Buffer): boolean {
    return this.#inner.sendBody(chunk);
  }

  sendEnd(trailers: Parameters<Conveyance["sendEnd"]>[0]): void {
    this.#inner.sendEnd(trailers);
  }

  consumed(bytes: number): void {
    this.#inner.consumed(bytes);
  }

  giveUp(): void {
    this.#stop();
    this.#inner.giveUp();
  }

  cancel(reason: string): void {
    this.#stop();
    this.#inner.cancel(reason);
  }

  #stop(): void {
    if (this.#timer !== null) this.#holder?.letGo(this.#timer);
  }
}
