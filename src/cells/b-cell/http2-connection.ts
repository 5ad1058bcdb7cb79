/**
 * One client connection that speaks HTTP/2: its session, and whatever requests are open on it.
 *
 * Frames, windows and header compression are node:http2's, over nghttp2. What is decided here is what a client may do with
 * them: how often it may think better of a request, how much it may leave untaken, how the connection ends without
 * losing a request. What a single request does is in http2-exchange.ts; to drones it is one like any other.
 */
import http2 from "node:http2";
import type net from "node:net";
import type { ConnectionFacts } from "../../http/forwarding.ts";
import { readerLimitsDefault, type ReaderLimits } from "../../http/request-reader.ts";
import { Roll } from "../../lib/roll.ts";
import type { ClientConnection, IngressContext } from "./http1-connection.ts";
import { Http2Exchange } from "./http2-exchange.ts";
import { http2Limits, sessionOptions } from "./http2-limits.ts";

const { NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM, NGHTTP2_ENHANCE_YOUR_CALM } = http2.constants;
const NEVER = Number.POSITIVE_INFINITY;
/** A client may still send with any number: the notice that no more should come (RFC 9113, 6.8). */
const ANY_STREAM = 2 ** 31 - 1;

export class Http2Connection implements ClientConnection {
  readonly context: IngressContext;
  readonly facts: ConnectionFacts;
  readonly limits: ReaderLimits;
  readonly #session: http2.ServerHttp2Session;
  readonly #socket: net.Socket;
  readonly #exchanges = new Roll<Http2Exchange>();
  #state: "open" | "noticed" | "closing" | "closed" = "open";
  #deadlineMs: number;
  #bytesRead = 0;
  #bytesWritten = 0;
  /** Of all answers: given to the session and not taken by the client. */
  outstandingBytes = 0;
  rollPlace = -1;
  readonly #abandoned: Allowance;
  readonly #chatter: Allowance;

  constructor(context: IngressContext, socket: net.Socket, facts: ConnectionFacts) {
    this.context = context;
    this.facts = facts;
    this.limits = { ...readerLimitsDefault, ...context.readerLimits };
    this.#socket = socket;
    this.#abandoned = new Allowance(http2Limits.abandonedAtOnce, http2Limits.abandonedPerSecond);
    this.#chatter = new Allowance(http2Limits.chatterAtOnce, http2Limits.chatterPerSecond);
    this.#deadlineMs = context.deadlineMs(context.timeouts.headMs);
    const session = http2.performServerHandshake(socket, sessionOptions(this.limits));
    this.#session = session;
    session.setLocalWindowSize(http2Limits.connectionWindowBytes);
    session.on("stream", (stream, _headers, flags, rawHeaders) => this.#opened(stream, flags, rawHeaders));
    session.on("ping", () => this.#chatted());
    session.on("remoteSettings", () => this.#chatted());
    // "close" follows and says all that matters.
    session.on("error", () => {});
    session.on("close", () => this.#sessionClosed());
    socket.on("error", () => {});
  }

  get remoteAddress(): string {
    return this.facts.remoteAddress;
  }

  /** There are no tunnels in HTTP/2 here. */
  get ownerAddress(): string {
    return this.facts.remoteAddress;
  }

  get stuckSinceMs(): number | null {
    let since: number | null = null;
    for (const exchange of this.#exchanges) {
      const its = exchange.stuckSinceMs;
      if (its !== null && (since === null || its < since)) since = its;
    }
    return since;
  }

  get heldBytes(): number {
    return this.outstandingBytes;
  }

  /** Of an answer's body: more was given to the session, or (negative) the session has sent it. */
  hold(bytes: number): void {
    this.outstandingBytes += bytes;
    this.context.held.add(bytes);
  }

  drain(): void {
    if (this.#state !== "open") return;
    this.#state = "noticed";
    if (!this.#session.destroyed) this.#session.goaway(NGHTTP2_NO_ERROR, ANY_STREAM);
    const { goawayMs } = http2Limits;
    this.#deadlineMs = this.context.deadlineMs(Math.min(goawayMs, this.context.timeouts.drainFreshMs));
  }

  cut(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  sweep(): void {
    this.#count();
    const now = this.context.nowMs;
    for (const exchange of this.#exchanges) exchange.sweep(now);
    if (now < this.#deadlineMs) return;
    if (this.#state === "closing") this.cut();
    else this.#close();
  }

  /** From an exchange whose stream is closed. */
  exchangeOver(exchange: Http2Exchange, wasAbandoned: boolean): void {
    this.#exchanges.delete(exchange);
    if (wasAbandoned && !this.#abandoned.take(this.context.nowMs)) this.#calm();
    if (this.#exchanges.size > 0 || this.#state !== "open") return;
    const { keepAliveIdleMs } = this.context.timeouts;
    if (keepAliveIdleMs === 0) this.#close();
    else this.#deadlineMs = this.context.deadlineMs(keepAliveIdleMs);
  }

  #opened(stream: http2.ServerHttp2Stream, flags: number, rawHeaders: readonly string[]): void {
    stream.on("error", () => {});
    // Taken back in the same packet: nothing was begun, but it counts.
    if (stream.destroyed || stream.closed) {
      if (!this.#abandoned.take(this.context.nowMs)) this.#calm();
      return;
    }
    if (this.outstandingBytes > http2Limits.outstandingBytesMax || this.#state === "closing") {
      stream.close(NGHTTP2_REFUSED_STREAM);
      return;
    }
    if (this.#state === "open") this.#deadlineMs = NEVER;
    const isWhole = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const exchange = new Http2Exchange(this, stream, { rawHeaders, isWhole });
    this.#exchanges.add(exchange);
    exchange.start();
  }

  #chatted(): void {
    if (!this.#chatter.take(this.context.nowMs)) this.#calm();
  }

  /** Enough. */
  #calm(): void {
    if (this.#session.destroyed) return;
    this.context.note?.({
      kind: "refused",
      code: "CELLWS_HTTP_HTTP2_ABUSE",
      requestId: "",
      remoteAddress: this.facts.remoteAddress,
      cut: true,
    });
    const { refused } = this.context.counters;
    refused["CELLWS_HTTP_HTTP2_ABUSE"] = (refused["CELLWS_HTTP_HTTP2_ABUSE"] ?? 0) + 1;
    this.#session.destroy(undefined, NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** No more requests; the session ends itself when those at hand are answered. */
  #close(): void {
    this.#state = "closing";
    this.#deadlineMs = this.#exchanges.size === 0 ? this.context.deadlineMs(http2Limits.closingMs) : NEVER;
    this.#session.close(() => {
      this.#deadlineMs = this.context.deadlineMs(http2Limits.closingMs);
    });
  }

  #sessionClosed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#count();
    // Streams are closed with their session; those whose event is still to come are over all the same.
    for (const exchange of this.#exchanges) exchange.closed();
    this.#socket.destroySoon();
    this.context.connectionClosed(this);
  }

  #count(): void {
    const { counters } = this.context;
    const { bytesRead, bytesWritten } = this.#socket;
    counters.bytesIn += Math.max(0, bytesRead - this.#bytesRead);
    counters.bytesOut += Math.max(0, bytesWritten - this.#bytesWritten);
    this.#bytesRead = bytesRead;
    this.#bytesWritten = bytesWritten;
  }
}

/** So much at once, and so much a second after that. */
class Allowance {
  readonly #max: number;
  readonly #perSecond: number;
  #left: number;
  #atMs = 0;

  constructor(max: number, perSecond: number) {
    this.#max = max;
    this.#perSecond = perSecond;
    this.#left = max;
  }

  /** False when there is none left. */
  take(nowMs: number): boolean {
    this.#left = Math.min(this.#max, this.#left + ((nowMs - this.#atMs) / 1000) * this.#perSecond);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
