/**
 * Carries one request to a drone and its answer back, to whatever kind of client connection asked for it.
 *
 * This is the seam between a protocol that clients speak (HTTP/1.1 now) and the axons: the connection calls `sendBody`,
 * `sendEnd`, `consumed` and `cancel`, and is called back as a ClientSide. Between the two lies what neither should know: waiting for a
 * drone, and what happens when the drone dies.
 *
 * Who is with a drone when it dies may be the cause of its death, or a bystander, and is blamed in equal shares: a
 * request that kills drones is alone with the last of them soon, and found out; those that it took with it are
 * tried again.
 *
 * A request goes to another drone if not one byte of an answer has come, its body is still here, and running it
 * again is harmless (the method is idempotent) or known to be the first time (the app was never given it). Otherwise
 * the client is told 502: never is a request run twice that might not bear it.
 */
import type { AxonStream, LostStream, StreamHandlers } from "../../host/axon-link.ts";
import type { HttpErrorCode } from "../../http/http-error.ts";
import type { ExchangeRequest, HeaderList, ResponseHead } from "../../http/message.ts";
import { isIdempotent } from "../../http/method.ts";
import { RESET_REFUSED } from "../../wire/axon.ts";
import type { Wish } from "./affinity.ts";
import type { Given } from "./carried.ts";
import type { HeldBytes } from "./held-bytes.ts";
import type { DronePool, Member, Waiter } from "./drone-pool.ts";

export const carriageLimits = {
  /** However little it may be the cause of what its drones die of. */
  triesMax: 16,
  /** Refusals by drones that are about to go. Harmless, but not without end. */
  refusalsMax: 16,
} as const;

/** The client's end of one request. Called in order; after `end` and `fail` nothing more comes. */
export interface ClientSide {
  inform(head: ResponseHead): void;
  respond(head: ResponseHead): void;
  /** Must be answered by `consumed` once the bytes are on their way to the client. */
  body(chunk: Buffer): void;
  end(trailers: HeaderList): void;
  /** The request's upgrade was taken: raw bytes from here, both ways. */
  tunnel(): void;
  /** There is room again after `sendBody` returned false. */
  writable(): void;
  /**
   * No (complete) answer will come. If none has begun the client can be told why, otherwise it is cut off. `status`: to
   * be told instead of the code's own.
   */
  fail(code: HttpErrorCode, retryAfterSeconds: number | null, status?: number): void;
  /** Ends this request without a word, and where the protocol knows no other way, the connection. */
  cut?(): void;
}

/** What carriages share, of one B cell. */
export interface CarriageContext {
  readonly counters: CarriageCounters;
  readonly held: HeldBytes;
}

/** What carriages count, together for a B cell. */
export interface CarriageCounters {
  retries: number;
  /** Requests whose drone died under them and that could not be retried. */
  lost: number;
}

export class Carriage implements StreamHandlers, Waiter {
  readonly #pool: DronePool;
  readonly #request: ExchangeRequest;
  readonly #client: ClientSide;
  readonly #context: CarriageContext;
  readonly wish: Wish | null;
  /** "answered": all has come, but the request may still go on. "closed": nothing is passed on in either direction. */
  #state: "new" | "waiting" | "sent" | "answering" | "answered" | "closed" = "new";
  #member: Member | null = null;
  #stream: AxonStream | null = null;
  /** In the pool's book of what each drone has. */
  #given: Given | null = null;
  /** The body from its beginning; null once it has become too long to be kept, or needs not be kept any more. */
  #kept: Buffer[] | null = [];
  #keptBytes = 0;
  #trailers: HeaderList | null = null;
  #owesWritable = false;
  #tries = 1;
  /** Of the drones that died with it, the shares that it may be the cause of. */
  #blame = 0;
  #refusals = 0;
  /** When the drone had the whole request: from there on the time is the app's. NaN before. */
  #handedOverMs = Number.NaN;

  constructor(pool: DronePool, request: ExchangeRequest, client: ClientSide, context: CarriageContext) {
    this.#pool = pool;
    this.#request = request;
    this.#client = client;
    this.#context = context;
    this.wish = pool.affinity?.wishOf(request) ?? null;
  }

  /** Finds a drone, or waits for one. May call the client back at once. */
  start(): void {
    this.#pool.noteRequest();
    this.#state = "waiting";
    this.#pool.acquire(this);
  }

  /** Bytes of the body (or the tunnel). False: wait for `writable`. */
  sendBody(chunk: Buffer): boolean {
    if (this.#state === "closed") return true;
    this.#keep(chunk);
    // While nobody takes it, what would be kept for replay may wait here, and no more.
    const hasRoom = this.#stream?.write(chunk) ?? this.#keptBytes < this.#pool.limits.replayBytesMax;
    if (!hasRoom) this.#owesWritable = true;
    return hasRoom;
  }

  sendEnd(trailers: HeaderList): void {
    if (this.#state === "closed") return;
    this.#trailers = trailers;
    if (this.#stream === null) return;
    this.#handedOverMs = performance.now();
    this.#stream.end(trailers);
  }

  /** Grants the drone `bytes` more. */
  consumed(bytes: number): void {
    this.#stream?.consumed(bytes);
  }

  /** The app has not answered in time: that is the drone's doing, as far as we can tell. */
  giveUp(): void {
    if (this.#state === "sent") this.#noteOutcome(true);
    this.cancel("the app took too long");
  }

  /** The client is gone, or wants nothing more. */
  cancel(reason: string): void {
    if (this.#state === "waiting") this.#pool.abandon(this);
    this.#stream?.cancel(reason);
    this.#close();
  }

  // From the pool.

  given(member: Member): void {
    this.#state = "sent";
    this.#member = member;
    this.#given = this.#pool.carried.note(member.droneId, this.#request);
    const stream = member.client.request(this.#request, this);
    this.#stream = stream;
    const isWhole = !this.#request.hasBody || this.#trailers !== null;
    this.#handedOverMs = isWhole ? performance.now() : Number.NaN;
    let hasRoom = true;
    for (const chunk of this.#kept ?? []) hasRoom = stream.write(chunk);
    if (this.#keptBytes > this.#pool.limits.replayBytesMax) this.#forgetKept();
    if (this.#trailers !== null) stream.end(this.#trailers);
    else if (hasRoom) this.writable();
  }

  refused(code: HttpErrorCode, retryAfterSeconds: number): void {
    this.#close();
    this.#client.fail(code, retryAfterSeconds);
  }

  // From the axon.

  begun(): void {
    // The link remembers it, and says so when it matters.
  }

  inform(head: ResponseHead): void {
    this.#client.inform(head);
  }

  respond(head: ResponseHead): void {
    this.#state = "answering";
    this.#forgetKept();
    this.#noteLatency();
    this.#noteOutcome(isDronesFault(head.status));
    this.#client.respond(this.#withAffinity(head));
  }

  body(chunk: Buffer): void {
    this.#client.body(chunk);
  }

  tunnel(): void {
    this.#state = "answering";
    this.#forgetKept();
    this.#noteLatency();
    this.#noteOutcome(false);
    this.#client.tunnel();
  }

  writable(): void {
    if (!this.#owesWritable) return;
    this.#owesWritable = false;
    this.#client.writable();
  }

  /** The rest of the request may still be on its way; it goes on to the drone until it ends or is cancelled. */
  end(trailers: HeaderList): void {
    this.#state = "answered";
    this.#letGo();
    this.#client.end(trailers);
  }

  reset(code: string): void {
    if (this.#state === "answered") return this.#endAnswered();
    if (code !== RESET_REFUSED) this.#noteOutcome(true);
    else if (this.#member !== null) this.#pool.noteRefusal(this.#member);
    this.#stream = null;
    if (code === RESET_REFUSED && this.#refusals < carriageLimits.refusalsMax && this.#kept !== null) {
      this.#refusals += 1;
      this.#tryAgain();
      return;
    }
    this.#close();
    this.#client.fail(code === RESET_REFUSED ? "CELLWS_HTTP_NO_DRONE" : "CELLWS_HTTP_APP_RESET", null);
  }

  lost(how: LostStream): void {
    if (this.#state === "answered") return this.#endAnswered();
    this.#stream = null;
    if (this.#mayRetry(how)) {
      this.#tries += 1;
      this.#context.counters.retries += 1;
      this.#tryAgain();
      return;
    }
    this.#context.counters.lost += 1;
    this.#close();
    this.#client.fail("CELLWS_HTTP_DRONE_LOST", null);
  }

  /** The answer is whole; what is left of the request goes nowhere, and nothing waits for it to be taken. */
  #endAnswered(): void {
    this.#close();
    this.writable();
  }

  #noteLatency(): void {
    if (Number.isNaN(this.#handedOverMs)) return;
    const now = performance.now();
    this.#member?.health.noteLatency(now - this.#handedOverMs, now);
  }

  /** Once for each drone that has the request; what follows the head of an answer is not judged. */
  #noteOutcome(failed: boolean): void {
    this.#member?.health.noteOutcome(failed);
  }

  #withAffinity(head: ResponseHead): ResponseHead {
    const { affinity } = this.#pool;
    if (affinity === null || this.#member === null) return head;
    const fields = affinity.fieldsFor(this.#request, head, this.wish, this.#member.droneId);
    return fields === null ? head : { ...head, headers: [...head.headers, ...fields] };
  }

  #mayRetry(how: LostStream): boolean {
    this.#blame += 1 / Math.max(1, how.unansweredCount);
    const isSpent = this.#blame > this.#pool.limits.blameMax || this.#tries >= carriageLimits.triesMax;
    if (how.responded || this.#kept === null || isSpent) return false;
    return (!how.begun || isIdempotent(this.#request.method)) && this.#pool.takeRetry();
  }

  #tryAgain(): void {
    this.#letGo();
    this.#state = "waiting";
    this.#pool.acquire(this);
  }

  #keep(chunk: Buffer): void {
    if (this.#kept === null) return;
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    this.#context.held.add(chunk.length);
    const isTooMuch = this.#keptBytes > this.#pool.limits.replayBytesMax || this.#context.held.isExceeded;
    // What no drone has been given yet is needed, and bounded by `sendBody`.
    if (this.#stream !== null && isTooMuch) this.#forgetKept();
  }

  #forgetKept(): void {
    if (this.#kept !== null) this.#context.held.add(-this.#keptBytes);
    this.#kept = null;
    this.#keptBytes = 0;
  }

  /** The drone has it no more. */
  #letGo(): void {
    if (this.#given !== null) this.#given.isOpen = false;
    this.#given = null;
  }

  #close(): void {
    this.#state = "closed";
    this.#letGo();
    this.#stream = null;
    this.#forgetKept();
  }
}

/** 501 and 505 say something of the request; the other errors of a server are its own. */
function isDronesFault(status: number): boolean {
  return status >= 500 && status !== 501 && status !== 505;
}
