/**
 * The transport of an axon, both ends: frames over any duplex stream, with windows, batching and cancellation.
 *
 * Each stream has a window in either direction: that many bytes may be on their way and unconsumed, so a slow
 * client holds up its own download and nobody else's, and memory is bounded by windows and not by goodwill.
 * The link has a backlog limit on top: while the other end reads slowly, bodies wait in their streams and take
 * turns, frame by frame; heads, credits and ends are small, are bounded by the number of streams, and go ahead.
 *
 * The delicate part is the death of a link. A B cell may give a request to another drone only if it is
 * harmless to run it twice or if the app never saw it. So the drone says `begun`, and has it in the kernel's
 * hands, before the app sees a request that is not idempotent; and the B cell reads everything that the drone
 * wrote before it judges. Where it cannot (its own write failed first and the rest is unreadable), it assumes
 * the worst of what had been handed over.
 *
 * Not here: who connects to whom and the preamble (the cell's socket), choice and retry (cells/b-cell).
 */
import { readSync } from "node:fs";
import type { Duplex } from "node:stream";
import type { Exchange, ExchangeListener } from "../app/exchange.ts";
import type { ExchangeRequest, HeaderList, ResponseHead } from "../http/message.ts";
import { isIdempotent } from "../http/method.ts";
import { assert } from "../lib/assert.ts";
import { NumberTable } from "../lib/number-table.ts";
import {
  BODY_PAYLOAD_BYTES_MAX,
  FrameDecoder,
  FrameWriter,
  RESET_REFUSED,
  type DroneStatus,
  type Frame,
} from "../wire/axon.ts";
import { flushAfterTurn, type Flushable } from "./turn-batch.ts";

export interface AxonOptions {
  /** What was read from the duplex together with the preamble and belongs to the axon. */
  leftover?: Buffer;
  /** Both ends must use the same; only tests change it. */
  windowBytes?: number;
  backlogBytesMax?: number;
  /** The other end breaks the protocol; `closed` follows. */
  onFault?: (reason: string) => void;
}

export const axonLimits = {
  /** Per stream and direction. At 1 ms between a drone and its B cell this still moves 256 MB/s per stream. */
  windowBytes: 256 * 1024,
  /** Written and not yet taken by the kernel; beyond it bodies wait in their streams. Four full windows. */
  backlogBytesMax: 1024 * 1024,
  /** Requests at a time on one link that a drone accepts; more are refused for another drone to take. */
  streamsMax: 16_384,
} as const;

// ---------------------------------------------------------------------------------------------------------------
// The B cell's end

/** How a request ended when its link died. */
export interface LostStream {
  /** The app was given the request, or may have been. False is certain. */
  begun: boolean;
  /** The final response's head (or the tunnel) had arrived. */
  responded: boolean;
  /** How many of this link's requests were unanswered when it died, this one included: one of them may be the cause. */
  unansweredCount: number;
}

/** Called by the AxonClient. After `reset` and `lost` nothing more comes; nor after the owner's own `cancel`. */
export interface StreamHandlers {
  begun(): void;
  inform(head: ResponseHead): void;
  respond(head: ResponseHead): void;
  /** The callee must later call `consumed`. */
  body(chunk: Buffer): void;
  end(trailers: HeaderList): void;
  tunnel(): void;
  /** There is room again after `write` returned false. */
  writable(): void;
  reset(code: string): void;
  lost(how: LostStream): void;
}

/** One request on its way through a drone. */
export interface AxonStream {
  /** False: the window or the link is full; wait for `writable`. The chunk is accepted all the same. */
  write(chunk: Buffer): boolean;
  end(trailers: HeaderList): void;
  /** Grants the drone `bytes` more of response body. */
  consumed(bytes: number): void;
  /** Nobody wants the answer. The stream is gone. */
  cancel(reason: string): void;
}

export interface AxonClientEvents {
  status?(status: DroneStatus): void;
  /** A stream is gone, whichever way, or its answer has begun: there is room for another. */
  streamMoved?(): void;
  /** The link is gone; every stream has been told before. */
  closed?(reason: string): void;
}

export class AxonClient implements LinkOwner, StreamOwner {
  readonly #link: Link;
  readonly #events: AxonClientEvents;
  readonly #streams = new NumberTable<ClientStream>();
  #streamLast = 0;
  #answeringCount = 0;
  #status: DroneStatus | null = null;

  constructor(duplex: Duplex, events: AxonClientEvents, options: AxonOptions = {}) {
    this.#events = events;
    this.#link = new Link(duplex, this, options);
  }

  /** Streams that are open on this link. */
  get inFlight(): number {
    return this.#streams.size;
  }

  /** Of these, those whose answer has not begun: what the app still has to think about. */
  get unanswered(): number {
    return this.#streams.size - this.#answeringCount;
  }

  get isOpen(): boolean {
    return this.#link.isOpen;
  }

  /** What the drone last said of itself. */
  get status(): DroneStatus | null {
    return this.#status;
  }

  /** Begins a request. With `hasBody` false, `end` must not be called (before a tunnel). */
  request(request: ExchangeRequest, handlers: StreamHandlers): AxonStream {
    assert(this.#link.isOpen, "a request is given to an open axon");
    const id = this.#nextId();
    const fits = this.#link.writer.request(id, request);
    assert(fits, "a request head that the reader let through fits into a frame");
    this.#link.scheduleFlush();
    const stream = new ClientStream(this.#link, id, request.hasBody, handlers, this);
    this.#streams.set(id, stream);
    return stream;
  }

  /** Ends the link. Open streams are told `lost`. */
  close(reason: string): void {
    this.#link.close(reason);
  }

  linkFrames(frames: Frame[]): void {
    for (const frame of frames) {
      if (!this.#link.isOpen) return;
      this.#frame(frame);
    }
  }

  linkClosed(reason: string, isReadToEnd: boolean): void {
    const streams = this.#streams.values();
    this.#streams.clear();
    const unansweredCount = streams.length - this.#answeringCount;
    this.#answeringCount = 0;
    for (const stream of streams) stream.lose(isReadToEnd, unansweredCount);
    this.#events.closed?.(reason);
  }

  #frame(frame: Frame): void {
    if (frame.kind === "status") {
      this.#status = frame.status;
      this.#events.status?.(frame.status);
      return;
    }
    const stream = this.#streams.get(frame.stream);
    // Cancelled here while the drone was still writing: an ordinary crossing, and not worth an answer.
    if (stream === undefined) return;
    if (!stream.handle(frame)) this.#link.fail(`a drone's ${frame.kind} frame out of order`);
  }

  /** Numbers are used again only after 2^32 requests, and never while their stream is open. */
  #nextId(): number {
    do this.#streamLast = this.#streamLast >= 0xffff_ffff ? 1 : this.#streamLast + 1;
    while (this.#streams.has(this.#streamLast));
    return this.#streamLast;
  }

  streamAnswering(): void {
    this.#answeringCount += 1;
    this.#events.streamMoved?.();
  }

  streamGone(stream: ClientStream): void {
    if (!this.#streams.delete(stream.id)) return;
    if (stream.responded) this.#answeringCount -= 1;
    this.#events.streamMoved?.();
  }
}

interface StreamOwner {
  streamAnswering(): void;
  streamGone(stream: ClientStream): void;
}

class ClientStream implements AxonStream {
  readonly id: number;
  readonly #link: Link;
  readonly #handlers: StreamHandlers;
  readonly #owner: StreamOwner;
  readonly #send: SendHalf;
  readonly #receive: ReceiveHalf;
  /** The flush that carries the head: until it has happened, the drone cannot have seen anything. */
  readonly #headFlush: number;
  #begun = false;
  #responded = false;
  #answered = false;

  constructor(link: Link, id: number, hasBody: boolean, handlers: StreamHandlers, owner: StreamOwner) {
    this.id = id;
    this.#link = link;
    this.#handlers = handlers;
    this.#owner = owner;
    this.#headFlush = link.flushCount;
    this.#send = new SendHalf(link, id, () => handlers.writable());
    this.#receive = new ReceiveHalf(link, id);
    if (!hasBody) this.#send.endSilently();
  }

  /** The final response's head, or the tunnel, has come. */
  get responded(): boolean {
    return this.#responded;
  }

  write(chunk: Buffer): boolean {
    return this.#send.write(chunk);
  }

  end(trailers: HeaderList): void {
    const fits = this.#send.end(trailers);
    assert(fits, "trailers that the reader let through fit into a frame");
    this.#closeWhenComplete();
  }

  consumed(bytes: number): void {
    this.#receive.consumed(bytes);
  }

  cancel(reason: string): void {
    if (this.#send.isDropped) return;
    if (this.#link.isOpen) {
      this.#link.writer.cancel(this.id, reason);
      this.#link.scheduleFlush();
    }
    this.#drop();
  }

  /** False: the drone breaks the protocol. */
  handle(frame: Exclude<Frame, { kind: "status" }>): boolean {
    switch (frame.kind) {
      case "begun":
        this.#begun = true;
        this.#handlers.begun();
        return true;
      case "inform":
        if (this.#responded) return false;
        this.#begun = true;
        this.#handlers.inform(frame.head);
        return true;
      case "respond":
        if (this.#responded) return false;
        this.#begun = true;
        this.#responded = true;
        this.#owner.streamAnswering();
        this.#handlers.respond(frame.head);
        return true;
      case "tunnel":
        if (this.#responded) return false;
        this.#begun = true;
        this.#responded = true;
        this.#owner.streamAnswering();
        this.#send.reopen();
        this.#handlers.tunnel();
        return true;
      case "body":
        if (!this.#responded || this.#answered || !this.#receive.accept(frame.chunk.length)) return false;
        this.#handlers.body(frame.chunk);
        return true;
      case "end":
        if (!this.#responded || this.#answered) return false;
        this.#answered = true;
        this.#receive.end();
        this.#handlers.end(frame.trailers);
        this.#closeWhenComplete();
        return true;
      case "credit":
        return this.#send.credit(frame.bytes);
      case "reset":
        this.#drop();
        this.#handlers.reset(frame.code);
        return true;
      case "request":
      case "cancel":
        return false;
      default:
        return unreachableFrame(frame);
    }
  }

  lose(isReadToEnd: boolean, unansweredCount: number): void {
    this.#send.drop();
    this.#receive.end();
    const headMayHaveArrived = this.#link.flushCount > this.#headFlush;
    this.#handlers.lost({
      begun: this.#begun || (headMayHaveArrived && !isReadToEnd),
      responded: this.#responded,
      unansweredCount,
    });
  }

  #closeWhenComplete(): void {
    if (this.#answered && this.#send.isEnded) this.#drop();
  }

  #drop(): void {
    this.#send.drop();
    this.#receive.end();
    this.#owner.streamGone(this);
  }
}

// ---------------------------------------------------------------------------------------------------------------
// The drone's end

export interface AxonServerEvents {
  /** The app's side takes the request; it must call `exchange.listen` before it returns. */
  exchange(exchange: Exchange): void;
  /** The link is gone; every exchange has been told `cancel` before. */
  closed?(reason: string): void;
}

export class AxonServer implements LinkOwner {
  readonly #link: Link;
  readonly #events: AxonServerEvents;
  readonly #exchanges = new NumberTable<ServerExchange>();
  /** Streams of the batch at hand whose begin the B cell has been told of. */
  readonly #announced = new NumberTable<true>();
  #isRefusing = false;

  constructor(duplex: Duplex, events: AxonServerEvents, options: AxonOptions = {}) {
    this.#events = events;
    this.#link = new Link(duplex, this, options);
  }

  /** Exchanges that are open on this link. */
  get inFlight(): number {
    return this.#exchanges.size;
  }

  get isOpen(): boolean {
    return this.#link.isOpen;
  }

  /** Tells the B cell how this drone does. A stack trace too long for a frame is cut. */
  sendStatus(status: DroneStatus): void {
    if (!this.#link.isOpen) return;
    const isSent =
      this.#link.writer.status(status) || this.#link.writer.status({ ...status, app: withoutDetails(status.app) });
    assert(isSent, "a status without the app's error text fits into a frame");
    this.#link.scheduleFlush();
  }

  /** From here new requests are refused unseen, for the B cell to give to another drone. */
  refuseNew(): void {
    this.#isRefusing = true;
  }

  close(reason: string): void {
    this.#link.close(reason);
  }

  linkFrames(frames: Frame[]): void {
    // The B cell must know what the app has been given before the app can have done anything with it. So all
    // requests of this batch that are not harmless to repeat are announced first, in one write, and the batch
    // waits in the rare case that the kernel does not take that write at once.
    this.#announceBegun(frames);
    if (this.#announced.size === 0) this.#dispatch(frames);
    else this.#link.flushThen(() => this.#dispatch(frames));
  }

  linkClosed(reason: string): void {
    const exchanges = this.#exchanges.values();
    this.#exchanges.clear();
    for (const exchange of exchanges) exchange.cancelled("CELLWS_AXON_LINK_LOST");
    this.#events.closed?.(reason);
  }

  #announceBegun(frames: Frame[]): void {
    for (const frame of frames) {
      if (frame.kind !== "request" || this.#mustRefuse() || isIdempotent(frame.request.method)) continue;
      this.#link.writer.begun(frame.stream);
      this.#announced.set(frame.stream, true);
    }
  }

  #dispatch(frames: Frame[]): void {
    for (const frame of frames) {
      if (!this.#link.isOpen) return;
      if (!this.#frame(frame)) this.#link.fail(`a B cell's ${frame.kind} frame out of order`);
    }
    this.#announced.clear();
  }

  #frame(frame: Frame): boolean {
    if (frame.kind === "status") return false;
    if (frame.kind === "request") return this.#request(frame.stream, frame.request);
    const exchange = this.#exchanges.get(frame.stream);
    // Answered or reset here while the B cell was still sending: an ordinary crossing.
    return exchange === undefined || exchange.handle(frame);
  }

  #request(stream: number, request: ExchangeRequest): boolean {
    if (this.#exchanges.has(stream)) return false;
    const mayBegin = this.#announced.has(stream) || isIdempotent(request.method);
    if (!mayBegin || this.#mustRefuse()) {
      this.#link.writer.reset(stream, RESET_REFUSED);
      this.#link.scheduleFlush();
      return true;
    }
    const exchange = new ServerExchange(this.#link, stream, request, () => this.#exchanges.delete(stream));
    this.#exchanges.set(stream, exchange);
    this.#events.exchange(exchange);
    assert(exchange.isHeard, "the app's side listens to an exchange before it returns");
    return true;
  }

  #mustRefuse(): boolean {
    return this.#isRefusing || this.#exchanges.size >= axonLimits.streamsMax;
  }
}

class ServerExchange implements Exchange {
  readonly request: ExchangeRequest;
  readonly #link: Link;
  readonly #id: number;
  readonly #forget: () => void;
  readonly #send: SendHalf;
  readonly #receive: ReceiveHalf;
  #listener: ExchangeListener | null = null;
  /** "waiting" until `respond` or `tunnel`; "closed" once nothing that is written reaches anybody. */
  #answer: "waiting" | "begun" | "finished" | "closed" = "waiting";
  #requestEnded: boolean;

  constructor(link: Link, id: number, request: ExchangeRequest, forget: () => void) {
    this.request = request;
    this.#link = link;
    this.#id = id;
    this.#forget = forget;
    this.#requestEnded = !request.hasBody;
    this.#receive = new ReceiveHalf(link, id);
    this.#send = new SendHalf(link, id, () => this.#listener?.writable());
  }

  get isHeard(): boolean {
    return this.#listener !== null || this.#answer === "closed";
  }

  listen(listener: ExchangeListener): void {
    assert(this.#listener === null, "an exchange has one listener");
    this.#listener = listener;
  }

  consumed(bytes: number): void {
    this.#receive.consumed(bytes);
  }

  inform(head: ResponseHead): void {
    if (this.#answer === "closed") return;
    assert(this.#answer === "waiting", "an informational response precedes the final one");
    if (this.#link.writer.inform(this.#id, head)) this.#link.scheduleFlush();
    else this.reset("CELLWS_AXON_HEAD_TOO_LARGE");
  }

  respond(head: ResponseHead): void {
    if (this.#answer === "closed") return;
    assert(this.#answer === "waiting", "an exchange is responded to once");
    this.#answer = "begun";
    if (this.#link.writer.respond(this.#id, head)) this.#link.scheduleFlush();
    else this.reset("CELLWS_AXON_HEAD_TOO_LARGE");
  }

  tunnel(): void {
    if (this.#answer === "closed") return;
    assert(this.#answer === "waiting" && this.request.upgrade, "a tunnel answers a request for an upgrade");
    this.#answer = "begun";
    this.#requestEnded = false;
    this.#link.writer.tunnel(this.#id);
    this.#link.scheduleFlush();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#answer === "closed") return true;
    assert(this.#answer === "begun", "a body follows its head and precedes its end");
    return this.#send.write(chunk);
  }

  finish(trailers: HeaderList): void {
    if (this.#answer === "closed") return;
    assert(this.#answer === "begun", "a response is finished once, after its head");
    this.#answer = "finished";
    if (!this.#send.end(trailers)) this.reset("CELLWS_AXON_HEAD_TOO_LARGE");
    else if (this.#requestEnded) this.#forgetWhenSent();
  }

  reset(code: string): void {
    if (this.#answer === "closed") return;
    this.#close();
    this.#link.writer.reset(this.#id, code);
    this.#link.scheduleFlush();
  }

  /** False: the B cell breaks the protocol. */
  handle(frame: Exclude<Frame, { kind: "status" | "request" }>): boolean {
    const listener = this.#listener;
    assert(listener !== null, "an exchange is listened to before its frames come");
    switch (frame.kind) {
      case "body":
        if (this.#requestEnded || !this.#receive.accept(frame.chunk.length)) return false;
        listener.body(frame.chunk);
        return true;
      case "end":
        if (this.#requestEnded) return false;
        this.#requestEnded = true;
        this.#receive.end();
        listener.end(frame.trailers);
        if (this.#answer === "finished") this.#forgetWhenSent();
        return true;
      case "credit":
        return this.#send.credit(frame.bytes);
      case "cancel":
        this.cancelled(frame.reason);
        return true;
      case "begun":
      case "inform":
      case "respond":
      case "tunnel":
      case "reset":
        return false;
      default:
        return unreachableFrame(frame);
    }
  }

  cancelled(reason: string): void {
    if (this.#answer === "closed") return;
    this.#close();
    this.#listener?.cancel(reason);
  }

  /** Both halves are complete; the last bytes may still wait for the window, and their credit must find us. */
  #forgetWhenSent(): void {
    this.#send.whenSent(() => this.#close());
  }

  #close(): void {
    this.#answer = "closed";
    this.#send.drop();
    this.#receive.end();
    this.#forget();
  }
}

function withoutDetails(app: DroneStatus["app"]): DroneStatus["app"] {
  const { error, ...rest } = app;
  return error === undefined ? rest : { ...rest, error: { code: error.code, message: error.message.slice(0, 1000) } };
}

function unreachableFrame(frame: never): never {
  throw new TypeError(`unexpected frame ${JSON.stringify(frame)}`);
}

// ---------------------------------------------------------------------------------------------------------------
// What both ends share

/** One direction of one stream, outgoing: what waits for window or link, and the end that follows it. */
class SendHalf {
  readonly #link: Link;
  readonly #id: number;
  readonly #onWritable: () => void;
  #windowBytes: number;
  /** Waiting chunks are #queue[#queueAt...]. */
  #queue: Uint8Array[] = [];
  #queueAt = 0;
  #trailers: HeaderList | null = null;
  #state: "open" | "ended" | "dropped" = "open";
  /** `write` returned false and `writable` is owed. */
  #owesWritable = false;
  #onSent: (() => void) | null = null;

  constructor(link: Link, id: number, onWritable: () => void) {
    this.#link = link;
    this.#id = id;
    this.#onWritable = onWritable;
    this.#windowBytes = link.windowBytes;
  }

  get isEnded(): boolean {
    return this.#state !== "open";
  }

  get isDropped(): boolean {
    return this.#state === "dropped";
  }

  write(chunk: Uint8Array): boolean {
    if (this.#state === "dropped") return true;
    assert(this.#state === "open", "nothing is written after the end");
    if (chunk.length > 0) this.#queue.push(chunk);
    this.#pump();
    if (this.#hasRoom()) return true;
    this.#owesWritable = true;
    if (!this.#link.isRoomy) this.#link.waitForRoom(this);
    return false;
  }

  /** False: the trailers do not fit into a frame, nothing was sent. */
  end(trailers: HeaderList): boolean {
    if (this.#state === "dropped") return true;
    assert(this.#state === "open", "a half ends once");
    if (!FrameWriter.fitsEnd(trailers)) return false;
    this.#state = "ended";
    this.#owesWritable = false;
    this.#trailers = trailers;
    this.#pump();
    return true;
  }

  /** There is nothing to send and the other end knows. */
  endSilently(): void {
    this.#state = "ended";
  }

  /** A tunnel begins: what ended as a request without a body goes on as raw bytes. */
  reopen(): void {
    if (this.#state === "ended") this.#state = "open";
  }

  /** False: more than was ever taken from the window. */
  credit(bytes: number): boolean {
    this.#windowBytes += bytes;
    if (this.#windowBytes > this.#link.windowBytes) return false;
    this.#pump();
    this.#payWritable();
    return true;
  }

  /** The link has room again: one frame, then others have their turn. True: there is more to send. */
  takeTurn(): boolean {
    if (this.#isWaiting() && this.#windowBytes > 0) this.#sendFrame();
    if (this.#isWaiting() && this.#windowBytes > 0) return true;
    this.#sendEnd();
    this.#payWritable();
    return false;
  }

  /** Calls back when everything including the end has been given to the link; at once if it has been already. */
  whenSent(onSent: () => void): void {
    if (this.#isWaiting() || this.#trailers !== null) this.#onSent = onSent;
    else onSent();
  }

  drop(): void {
    this.#state = "dropped";
    this.#queue = [];
    this.#queueAt = 0;
    this.#trailers = null;
    this.#owesWritable = false;
    this.#onSent = null;
    this.#link.forgetWaiting(this);
  }

  #isWaiting(): boolean {
    return this.#queueAt < this.#queue.length;
  }

  #hasRoom(): boolean {
    return !this.#isWaiting() && this.#windowBytes > 0 && this.#link.isRoomy;
  }

  #pump(): void {
    while (this.#isWaiting() && this.#windowBytes > 0) {
      if (!this.#link.isRoomy) {
        this.#link.waitForRoom(this);
        return;
      }
      this.#sendFrame();
    }
    this.#sendEnd();
  }

  #sendFrame(): void {
    const chunk = this.#queue[this.#queueAt];
    assert(chunk !== undefined, "there is a chunk to send");
    const bytes = Math.min(chunk.length, this.#windowBytes, BODY_PAYLOAD_BYTES_MAX);
    if (bytes === chunk.length) {
      this.#link.writer.body(this.#id, chunk);
      this.#advance();
    } else {
      this.#link.writer.body(this.#id, chunk.subarray(0, bytes));
      this.#queue[this.#queueAt] = chunk.subarray(bytes);
    }
    this.#windowBytes -= bytes;
    this.#link.scheduleFlush();
  }

  #advance(): void {
    this.#queueAt += 1;
    if (this.#queueAt < this.#queue.length && this.#queueAt < 1024) return;
    this.#queue = this.#queue.slice(this.#queueAt);
    this.#queueAt = 0;
  }

  #sendEnd(): void {
    if (this.#trailers === null || this.#isWaiting()) return;
    this.#link.writer.end(this.#id, this.#trailers);
    this.#link.scheduleFlush();
    this.#trailers = null;
    const onSent = this.#onSent;
    this.#onSent = null;
    onSent?.();
  }

  #payWritable(): void {
    if (!this.#owesWritable || this.#isWaiting() || this.#windowBytes === 0) return;
    if (!this.#link.isRoomy) {
      this.#link.waitForRoom(this);
      return;
    }
    this.#owesWritable = false;
    this.#onWritable();
  }
}

/** One direction of one stream, incoming: holds the sender to its window and grants it more, in few frames. */
class ReceiveHalf {
  readonly #link: Link;
  readonly #id: number;
  /** Invariant: #unconsumedBytes + #ungrantedBytes <= the link's window. */
  #unconsumedBytes = 0;
  #ungrantedBytes = 0;
  #isEnded = false;

  constructor(link: Link, id: number) {
    this.#link = link;
    this.#id = id;
  }

  /** False: the sender exceeds its window. */
  accept(bytes: number): boolean {
    this.#unconsumedBytes += bytes;
    return this.#unconsumedBytes + this.#ungrantedBytes <= this.#link.windowBytes;
  }

  consumed(bytes: number): void {
    assert(bytes <= this.#unconsumedBytes, "only what came is consumed");
    this.#unconsumedBytes -= bytes;
    if (this.#isEnded || !this.#link.isOpen) return;
    this.#ungrantedBytes += bytes;
    // A quarter: late enough for few frames, early enough that a fast sender never waits.
    if (this.#ungrantedBytes * 4 < this.#link.windowBytes) return;
    this.#link.writer.credit(this.#id, this.#ungrantedBytes);
    this.#link.scheduleFlush();
    this.#ungrantedBytes = 0;
  }

  end(): void {
    this.#isEnded = true;
  }
}

/** How long the other end may take to read what is left when a link is closed. */
const CLOSE_MS_MAX = 1000;

interface LinkOwner {
  linkFrames(frames: Frame[]): void;
  /** Last call. `isReadToEnd`: everything that the other end ever wrote has been delivered. */
  linkClosed(reason: string, isReadToEnd: boolean): void;
}

/** The duplex with its frame writer and reader. Knows nothing of requests. */
class Link implements Flushable {
  readonly writer = new FrameWriter();
  readonly windowBytes: number;
  readonly #duplex: Duplex;
  readonly #owner: LinkOwner;
  readonly #onFault: (reason: string) => void;
  readonly #backlogBytesMax: number;
  readonly #decoder = new FrameDecoder();
  /** Streams with bytes to send that wait for the backlog to shrink, in turn. */
  readonly #waiting = new Set<SendHalf>();
  /** "ending": nothing more is written or believed; `linkClosed` is still to come. */
  #state: "open" | "ending" | "closed" = "open";
  #isFlushScheduled = false;
  #isReadToEnd = false;
  #closeReason: string | null = null;
  #flushCount = 0;

  constructor(duplex: Duplex, owner: LinkOwner, options: AxonOptions) {
    this.#duplex = duplex;
    this.#owner = owner;
    this.windowBytes = options.windowBytes ?? axonLimits.windowBytes;
    this.#onFault = options.onFault ?? (() => undefined);
    this.#backlogBytesMax = options.backlogBytesMax ?? axonLimits.backlogBytesMax;
    const leftover = options.leftover;
    if (leftover !== undefined && leftover.length > 0) duplex.unshift(leftover);
    duplex.on("data", (chunk: Buffer) => this.#receive(chunk));
    // A handshake may have left it paused.
    duplex.resume();
    duplex.on("end", () => this.#ended());
    duplex.on("error", (error: NodeJS.ErrnoException) => this.#failed(error));
    duplex.on("close", () => this.#closed());
    // Died between its handshake and here: its events have been.
    if (duplex.destroyed) process.nextTick(() => this.#closed());
  }

  get isOpen(): boolean {
    return this.#state === "open" && !this.#duplex.destroyed;
  }

  /** Flushes so far. What was written before the n-th flush has been handed over once this exceeds n. */
  get flushCount(): number {
    return this.#flushCount;
  }

  get isRoomy(): boolean {
    return this.#duplex.writableLength + this.writer.byteLength < this.#backlogBytesMax;
  }

  scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    flushAfterTurn(this);
  }

  flush(): void {
    this.#isFlushScheduled = false;
    this.#write();
  }

  /**
   * Writes now, and goes on once the kernel has it: at once as a rule, since an empty socket takes a small
   * write synchronously. Until then nothing more is read, so that the order of frames is kept.
   */
  flushThen(next: () => void): void {
    let isPaused = false;
    this.#write(() => {
      if (!isPaused || !this.isOpen) return;
      next();
      this.#duplex.resume();
    });
    if (this.#duplex.writableLength === 0) {
      next();
      return;
    }
    isPaused = true;
    this.#duplex.pause();
  }

  waitForRoom(half: SendHalf): void {
    this.#waiting.add(half);
  }

  forgetWaiting(half: SendHalf): void {
    this.#waiting.delete(half);
  }

  /** The other end makes no sense, or breaks its window: no word of it can be trusted any more. */
  fail(reason: string): void {
    if (this.#state === "open") this.#onFault(reason);
    this.#closeReason ??= reason;
    if (this.#state === "open") this.#state = "ending";
    this.#duplex.destroy();
  }

  /** Sends what is written, then ends. */
  close(reason: string): void {
    this.#closeReason ??= reason;
    if (!this.isOpen) return;
    this.#write();
    this.#state = "ending";
    const giveUp = setTimeout(() => this.#duplex.destroy(), CLOSE_MS_MAX);
    this.#duplex.once("close", () => clearTimeout(giveUp));
    this.#duplex.end(() => this.#duplex.destroy());
  }

  #write(onWritten?: () => void): void {
    if (!this.isOpen || this.writer.byteLength === 0) return;
    const parts = this.writer.take();
    this.#flushCount += 1;
    const last = parts.length - 1;
    if (last > 0) this.#duplex.cork();
    for (let i = 0; i < last; i += 1) this.#duplex.write(parts[i]);
    this.#duplex.write(parts[last], (error) => {
      this.#written(error ?? null);
      onWritten?.();
    });
    if (last > 0) this.#duplex.uncork();
  }

  #written(error: Error | null): void {
    if (error !== null) {
      this.#readWhatIsLeft();
      return;
    }
    // Round-robin: a Set keeps the order of insertion, and who has more to send goes to the back.
    for (const half of this.#waiting) {
      if (!this.isRoomy) return;
      this.#waiting.delete(half);
      if (half.takeTurn()) this.#waiting.add(half);
    }
  }

  #receive(chunk: Buffer): void {
    if (!this.isOpen) return;
    const { frames, error } = this.#decoder.decode(chunk);
    if (frames.length > 0) this.#owner.linkFrames(frames);
    if (error !== null) this.fail(`malformed frame: ${error}`);
  }

  /**
   * A write to a dead peer fails while what the peer wrote before it died may still lie unread in our socket;
   * the stream would throw that away. It may say which requests had begun, so it is read by hand.
   */
  #readWhatIsLeft(): void {
    const handle = (this.#duplex as { _handle?: { fd?: number } })._handle;
    const fd = handle?.fd;
    if (fd === undefined || fd < 0 || this.#isReadToEnd || !this.isOpen) return;
    const buffer = Buffer.allocUnsafe(64 * 1024);
    // A socket's receive queue is bounded by the kernel; this bound is far above it.
    for (let reads = 0; reads < 1024; reads += 1) {
      const bytes = readOrNull(fd, buffer);
      if (bytes === null) return;
      if (bytes === 0) {
        this.#isReadToEnd = true;
        return;
      }
      this.#receive(Buffer.from(buffer.subarray(0, bytes)));
    }
  }

  #ended(): void {
    this.#isReadToEnd = true;
    this.#closeReason ??= "the other end closed the link";
    this.#duplex.destroy();
  }

  #failed(error: NodeJS.ErrnoException): void {
    // A reset that comes while reading comes after all that had been written before.
    if (error.syscall === "read") this.#isReadToEnd = true;
    this.#closeReason ??= `${error.code ?? error.name}: ${error.message}`;
  }

  #closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#waiting.clear();
    this.#owner.linkClosed(this.#closeReason ?? "closed", this.#isReadToEnd);
  }
}

/** Bytes read; 0 at the end (also by reset: it follows what was written); null when it cannot be known. */
function readOrNull(fd: number, buffer: Buffer): number | null {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ECONNRESET" ? 0 : null;
  }
}
