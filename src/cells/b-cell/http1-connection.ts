/**
 * One client connection that speaks HTTP/1.1: between its socket and, one after the other, the carriages of its requests.
 *
 * Requests are answered in order, one at a time: a pipelined one stays unread until the one before it is complete. Both
 * directions are held up by whoever is slower: the socket is paused while the app's window is full, and the drone gets no
 * more credit while the client does not read. Reading never stops for any other reason, because a socket that is not
 * read does not tell that the client has gone.
 *
 * Time is not kept here by timers, of which a busy server would need many thousands, but by two deadlines, one for what
 * the client should send and one for what it should be sent; the ingress looks at them now and then (`sweep`).
 */
import type net from "node:net";
import type { Flushable } from "../../host/turn-batch.ts";
import { flushAfterTurn } from "../../host/turn-batch.ts";
import { errorAnswer } from "../../http/error-response.ts";
import { forwardRequest, type ConnectionFacts, type ForwardingPolicy } from "../../http/forwarding.ts";
import type { HttpErrorCode } from "../../http/http-error.ts";
import type { ExchangeRequest, HeaderList, ResponseHead } from "../../http/message.ts";
import { RequestReader, type ReadHead, type ReaderLimits } from "../../http/request-reader.ts";
import { ResponseWriter, type ResponseFault } from "../../http/response-writer.ts";
import { ByteBatch } from "../../lib/byte-batch.ts";
import type { Enrolled } from "../../lib/roll.ts";
import type { CarriageCounters, ClientSide } from "./carriage.ts";
import type { Conveyance, Heard } from "./conveyance.ts";
import type { DronePool } from "./drone-pool.ts";
import type { HeldBytes } from "./held-bytes.ts";
import { lent } from "./lent-reads.ts";
import { ingressLimits, type IngressRates, type IngressTimeouts } from "./limits.ts";

/** What the immune side says of a request, before anything of it goes on. */
export type Verdict =
  | { action: "pass" }
  /** Answered with 403, or with what else the code stands for. */
  | { action: "refuse"; code: HttpErrorCode }
  /** The connection is closed without a word. */
  | { action: "cut" };

export type Judge = (request: ExchangeRequest, head: ReadHead) => Verdict;

/** Looks at a head that was refused, as it came: the answer is given, but what it was may be worth a mark. */
export type JudgeRefused = (head: string, connection: ConnectionFacts, requestId: string) => void;

/** For the log and for the immune side. */
export type IngressNote =
  /** cellws answered with an error of its own, or cut the connection. */
  | { kind: "refused"; code: HttpErrorCode; requestId: string; remoteAddress: string; cut: boolean }
  /** A connection was closed at once: there are as many as there may be, in all or from its address. */
  | { kind: "rejected"; limit: "all" | "address"; remoteAddress: string }
  /** A connection was cut because too much is held for clients that do not read, and it had not for longest. */
  | { kind: "relieved"; remoteAddress: string }
  /** The app's answer was not valid HTTP. */
  | { kind: "app-fault"; fault: ResponseFault; requestId: string };

export interface IngressCounters extends CarriageCounters {
  accepted: number;
  /** Closed unanswered because there are too many. */
  rejected: number;
  /** Cut because too much was held for them. */
  relieved: number;
  /** Heads read. */
  requests: number;
  /** Answers of apps completed. */
  responses: number;
  /** Answers that were begun, by the first digit of their status; ours too. */
  begun: Record<1 | 2 | 3 | 4 | 5, number>;
  /** Requests whose client left before its answer was complete. */
  aborted: number;
  tunnels: number;
  bytesIn: number;
  bytesOut: number;
  /** cellws' own error answers and cuts. */
  refused: Partial<Record<HttpErrorCode, number>>;
}

/** What all connections of an ingress share. */
export interface IngressContext {
  readonly pool: DronePool;
  readonly readerLimits: Partial<ReaderLimits>;
  readonly timeouts: IngressTimeouts;
  readonly rates: IngressRates;
  readonly held: HeldBytes;
  readonly forwarding: ForwardingPolicy;
  readonly judge: Judge | null;
  readonly judgeRefused: JudgeRefused | null;
  readonly note: ((note: IngressNote) => void) | null;
  readonly counters: IngressCounters;
  readonly isDraining: boolean;
  /** Monotonic, and standing still while this process does: a late sweep is our fault and not the client's. */
  readonly nowMs: number;
  /** IMF-fixdate. */
  readonly date: string;
  readonly makeRequestId: () => string;
  /** Fields for answers that have none of that name. */
  addedFields(request: ExchangeRequest): HeaderList;
  /** What answers the request; not started yet. */
  convey(request: ExchangeRequest, client: ClientSide, heard: Heard): Conveyance;
  /** When `ms` from now have certainly passed, by `nowMs`. */
  deadlineMs(ms: number): number;
  connectionClosed(connection: ClientConnection): void;
  /** The head of an answer is on its way. `sinceMs`: when that of its request was read; null where there was none. */
  answerBegun(status: number, sinceMs: number | null): void;
  /** An answer is whole. */
  answerEnded(sinceMs: number | null): void;
}

/** A client's connection, whichever HTTP it speaks. */
export interface ClientConnection extends Enrolled {
  /** No more requests than those at hand. */
  drain(): void;
  /** Ends it now, whatever it is doing. */
  cut(): void;
  /** Looks at the deadlines. */
  sweep(): void;
  readonly remoteAddress: string;
  /**
   * Whose it is: the address at its other end, and of a tunnel through a trusted proxy that of the client behind it, for nobody
   * else's requests go over that.
   */
  readonly ownerAddress: string;
  /** Since when the client has not taken all that is there for it; null when it takes all. */
  readonly stuckSinceMs: number | null;
  /** What is kept for it of answers: so much a cut frees, once the socket has closed. */
  readonly heldBytes: number;
}

/** What the client should do next, and when it should have. */
type ReadWait = "first-byte" | "head" | "body" | "next-request" | "half-closed" | "after-answer" | "linger" | "nothing";

const NEVER = Number.POSITIVE_INFINITY;

export class Http1Connection implements ClientConnection, ClientSide, Flushable {
  readonly #context: IngressContext;
  readonly #socket: net.Socket;
  readonly #facts: ConnectionFacts;
  readonly #reader: RequestReader;
  readonly #out = new ByteBatch();
  /** "http" until the last answer; "tunnel" after an upgrade; "lingering" when all is said; "closed" at the end. */
  #state: "http" | "tunnel" | "lingering" | "closed" = "http";

  // The request at hand; null between requests.
  #head: ReadHead | null = null;
  #request: ExchangeRequest | null = null;
  #carriage: Conveyance | null = null;
  #writer: ResponseWriter | null = null;
  #begunMs = 0;
  #isRequestComplete = false;
  #isAnswerComplete = false;
  #hasContinued = false;
  #afterAnswerBytes = 0;

  #isPumping = false;
  /** The app's window is full. */
  #isBlocked = false;
  #isPaused = false;
  #hasClientEnded = false;
  #isFlushScheduled = false;
  /** Of the answer's body: given to the socket, and not yet granted anew to the drone. */
  #unconsumedBytes = 0;
  #isSocketFull = false;
  #requestCount = 0;
  /** Of a request whose head was refused. */
  #refusedRequestId: string | null = null;
  #lingerBytes = 0;

  #readWait: ReadWait = "first-byte";
  #readDeadlineMs: number;
  #writeDeadlineMs = NEVER;
  /** From the first byte of a request until its last. */
  #requestDeadlineMs = NEVER;
  /** From the end of a request until the end of its answer. */
  #answerDeadlineMs = NEVER;
  /** Of the body, since the client last was the one waited for. */
  #rateBytes = 0;
  #rateSinceMs = 0;
  /** What had been written and taken when the client began not to take all, and when that was. Null: it takes all. */
  #stuck: { takenBytes: number; sinceMs: number } | null = null;
  #writtenBytes = 0;

  rollPlace = -1;

  constructor(context: IngressContext, socket: net.Socket, facts: ConnectionFacts) {
    this.#context = context;
    this.#socket = socket;
    this.#facts = facts;
    this.#reader = new RequestReader(context.readerLimits);
    this.#readDeadlineMs = context.deadlineMs(context.timeouts.headMs);
    // A client may close its half and wait for the answer; Node would close the other half for us.
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on(lent, (chunk: Buffer) => this.#receiveLent(chunk));
    socket.on("drain", () => this.#drained());
    socket.on("end", () => this.#clientEnded());
    socket.on("finish", () => this.#flushedToTheEnd());
    // "close" follows and says all that matters.
    socket.on("error", () => {});
    socket.on("close", () => this.#closed());
    // It may have been handed over paused.
    socket.resume();
  }

  get remoteAddress(): string {
    return this.#facts.remoteAddress;
  }

  get ownerAddress(): string {
    const client = this.#state === "tunnel" ? this.#request?.remoteAddress : undefined;
    return client ?? this.#facts.remoteAddress;
  }

  /** Since when the client has not taken all that is there for it; null when it takes all. */
  get stuckSinceMs(): number | null {
    return this.#stuck?.sinceMs ?? null;
  }

  get heldBytes(): number {
    return this.#unconsumedBytes;
  }

  get isTunnel(): boolean {
    return this.#state === "tunnel";
  }

  /** No more requests than the one at hand. */
  drain(): void {
    if (this.#state !== "http") return;
    this.#writer?.closeAfter();
    if (this.#head !== null || this.#readWait === "head") return;
    if (this.#requestCount > 0) this.#finishConnection();
    else this.#waitFor("first-byte", this.#context.timeouts.drainFreshMs);
  }

  /** Ends it now, whatever it is doing. */
  cut(): void {
    this.#socket.destroy();
  }

  /** Looks at the deadlines. */
  sweep(): void {
    const now = this.#context.nowMs;
    if (now >= this.#readDeadlineMs) this.#readOverdue();
    else if (this.#readWait === "body") this.#judgeRate(now);
    if (now >= this.#requestDeadlineMs) this.#requestOverdue();
    if (now >= this.#writeDeadlineMs) this.#writeOverdue();
    if (now >= this.#answerDeadlineMs) this.#answerOverdue();
  }

  // -------------------------------------------------------------------------------------------------------------
  // From the client

  #receive(chunk: Buffer): void {
    this.#context.counters.bytesIn += chunk.length;
    switch (this.#state) {
      case "http":
        this.#reader.feed(chunk);
        this.#pump();
        break;
      case "tunnel":
        if (this.#carriage?.sendBody(chunk) === false) this.#isBlocked = true;
        this.#updateReading();
        break;
      case "lingering":
        this.#lingerBytes += chunk.length;
        if (this.#lingerBytes > ingressLimits.lingerBytesMax) this.cut();
        break;
      default:
        break;
    }
  }

  /** What lies in a buffer that the next read of any client overwrites. */
  #receiveLent(chunk: Buffer): void {
    if (this.#state !== "http") return this.#receive(Buffer.from(chunk));
    this.#context.counters.bytesIn += chunk.length;
    this.#reader.borrow(chunk);
    this.#pump();
    this.#reader.giveBack();
  }

  /** Takes the reader's events as far as they go. What happens on the way may call it again: the loop then goes on. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#state === "http" && !this.#isBlocked) {
      const event = this.#reader.next();
      if (event === null) {
        if (!this.#startNextRequest()) break;
        continue;
      }
      switch (event.type) {
        case "head":
          this.#beginRequest(event.head);
          break;
        case "body":
          this.#takeBody(event.chunk);
          break;
        case "end":
          this.#endRequest(event.trailers);
          break;
        case "error":
          this.#readerRefused(event.code);
          break;
      }
    }
    this.#isPumping = false;
    this.#updateReading();
  }

  /** Null came from the reader: it needs bytes, or stands still behind a request. True: it may go on with another. */
  #startNextRequest(): boolean {
    if (this.#head !== null) {
      if (!this.#isRequestComplete) this.#judgeEnd();
      if (!this.#isRequestComplete || !this.#isAnswerComplete) return false;
      this.#head = null;
      this.#request = null;
      this.#carriage = null;
      const keepAlive = this.#writer?.keepAlive === true && !this.#context.isDraining;
      this.#writer = null;
      if (!keepAlive || this.#context.timeouts.keepAliveIdleMs === 0) {
        this.#finishConnection();
        return false;
      }
      this.#reader.startNext();
      this.#waitFor("next-request", this.#context.timeouts.keepAliveIdleMs);
      return true;
    }
    if (this.#reader.unreadBytes > 0 && this.#readWait !== "head") this.#waitForHead();
    this.#judgeEnd();
    return false;
  }

  /** The reader wants more; if the client will send no more, that is the end: in order, or within a request. */
  #judgeEnd(): void {
    if (!this.#hasClientEnded) return;
    const event = this.#reader.finish();
    if (event?.type === "error") this.#readerRefused(event.code);
    else if (this.#head === null) this.#finishConnection();
  }

  #beginRequest(head: ReadHead): void {
    const context = this.#context;
    context.counters.requests += 1;
    this.#requestCount += 1;
    this.#begunMs = performance.now();
    this.#head = head;
    this.#isRequestComplete = false;
    this.#isAnswerComplete = false;
    this.#hasContinued = false;
    this.#afterAnswerBytes = 0;
    // The answer before this one is complete; its drone needs no more credit.
    this.#setUnconsumed(0);
    if (this.#requestDeadlineMs === NEVER) this.#startRequestClock();
    const request = forwardRequest(head, this.#facts, context.forwarding, context.makeRequestId);
    this.#request = request;
    this.#writer = new ResponseWriter(this.#out, {
      method: head.method,
      versionMinor: head.versionMinor,
      keepAlive: head.keepAlive && !context.isDraining && context.timeouts.keepAliveIdleMs > 0,
      date: context.date,
      added: context.addedFields(request),
    });
    if (request.hasBody) this.#waitForBody();
    else this.#waitFor("nothing", 0);
    const verdict = context.judge?.(request, head) ?? { action: "pass" };
    if (verdict.action === "cut") {
      this.#noteRefusal("CELLWS_HTTP_REFUSED", true);
      this.cut();
    } else if (verdict.action === "refuse") {
      this.#answerError(verdict.code, null);
    } else {
      this.#carriage = context.convey(request, this, heardBy(head));
      this.#carriage.start();
    }
  }

  #takeBody(chunk: Buffer): void {
    if (this.#isAnswerComplete) {
      this.#afterAnswerBytes += chunk.length;
      if (this.#afterAnswerBytes > ingressLimits.afterAnswerBytesMax) {
        this.#carriage?.cancel("the answer is complete and the request does not end");
        this.#finishConnection();
        return;
      }
    } else {
      this.#rateBytes += chunk.length;
      this.#waitForBody();
    }
    if (this.#carriage?.sendBody(chunk) !== false) return;
    this.#isBlocked = true;
    // It is the app that is slow now.
    if (!this.#isAnswerComplete) this.#waitFor("nothing", 0);
  }

  #endRequest(trailers: HeaderList): void {
    this.#isRequestComplete = true;
    this.#requestDeadlineMs = NEVER;
    const { answerTotalMs } = this.#context.timeouts;
    if (answerTotalMs > 0 && !this.#isAnswerComplete) this.#answerDeadlineMs = this.#context.deadlineMs(answerTotalMs);
    if (this.#request?.hasBody === true) this.#carriage?.sendEnd(trailers);
    if (this.#hasClientEnded) this.#waitFor("half-closed", this.#context.timeouts.halfClosedMs);
    else this.#waitFor("nothing", 0);
    this.#updateWriteDeadline();
  }

  #readerRefused(code: HttpErrorCode): void {
    this.#carriage?.cancel("the request is malformed");
    if (this.#writer?.isHeadWritten === true) {
      this.#noteRefusal(code, true);
      this.#breakOff();
      return;
    }
    const { refusedHead } = this.#reader;
    if (refusedHead !== "" && this.#request === null) this.#judgeRefused(refusedHead);
    this.#answerError(code, null);
  }

  #judgeRefused(head: string): void {
    this.#refusedRequestId = this.#context.makeRequestId();
    this.#context.judgeRefused?.(head, this.#facts, this.#refusedRequestId);
  }

  #clientEnded(): void {
    this.#hasClientEnded = true;
    switch (this.#state) {
      case "tunnel":
        this.#carriage?.sendEnd([]);
        if (this.#isAnswerComplete) this.#finishConnection();
        break;
      case "http":
        if (this.#isRequestComplete) this.#waitFor("half-closed", this.#context.timeouts.halfClosedMs);
        this.#pump();
        break;
      case "lingering":
        this.#socket.destroySoon();
        break;
      case "closed":
        break;
    }
  }

  /** Pauses and resumes the socket. Not read are: a body that the app does not take, and pipelined requests. */
  #updateReading(): void {
    const isBehind = this.#state === "http" && this.#isRequestComplete && this.#head !== null;
    const mustPause = this.#isBlocked || (isBehind && this.#reader.unreadBytes > 0);
    if (mustPause === this.#isPaused) return;
    this.#isPaused = mustPause;
    if (mustPause) this.#socket.pause();
    else this.#socket.resume();
  }

  // -------------------------------------------------------------------------------------------------------------
  // To the client (ClientSide)

  inform(head: ResponseHead): void {
    if (head.status === 100) {
      // A retried request is continued by its second drone, too; the client knows already.
      if (this.#hasContinued) return;
      this.#hasContinued = true;
    }
    const fault = this.#writer?.inform(head) ?? null;
    if (fault !== null) this.#noteFault(fault);
    this.#scheduleFlush();
  }

  respond(head: ResponseHead): void {
    const writer = this.#writer;
    if (writer === null) return;
    // Whether a client that was never told to continue sends its body now, nobody can know.
    const isBodyUncertain = this.#head?.expectsContinue === true && !this.#hasContinued && !this.#isRequestComplete;
    const isLastRequest = this.#hasClientEnded && this.#reader.unreadBytes === 0;
    if (isBodyUncertain || isLastRequest || this.#context.isDraining) writer.closeAfter();
    const fault = writer.respond(head);
    if (fault !== null) {
      this.#noteFault(fault);
      this.#carriage?.cancel("the answer is not valid HTTP");
      this.#answerError("CELLWS_HTTP_APP_RESPONSE", null);
      return;
    }
    this.#context.answerBegun(head.status, this.#sinceMs());
    this.#scheduleFlush();
    this.#updateWriteDeadline();
  }

  body(chunk: Buffer): void {
    this.#setUnconsumed(this.#unconsumedBytes + chunk.length);
    if (this.#state === "tunnel") this.#out.bytes(chunk);
    else {
      const fault = this.#writer?.body(chunk) ?? null;
      if (fault !== null) return this.#answerBroke(fault);
    }
    this.#scheduleFlush();
    this.#updateWriteDeadline();
  }

  end(trailers: HeaderList): void {
    const fault = this.#state === "tunnel" ? null : (this.#writer?.end(trailers) ?? null);
    if (fault !== null) return this.#answerBroke(fault);
    this.#context.counters.responses += 1;
    if (this.#state !== "tunnel") this.#context.answerEnded(this.#sinceMs());
    this.#answerComplete();
  }

  tunnel(): void {
    this.#state = "tunnel";
    this.#context.counters.tunnels += 1;
    this.#context.answerBegun(101, this.#sinceMs());
    this.#writeDeadlineMs = NEVER;
    this.#answerDeadlineMs = NEVER;
    this.#waitFor("nothing", 0);
    // Dead peers of silent tunnels are found by the kernel, since nobody else would.
    this.#socket.setKeepAlive(true, 60_000);
    const rest = this.#reader.takeRest();
    if (rest.length > 0 && this.#carriage?.sendBody(rest) === false) this.#isBlocked = true;
    if (this.#hasClientEnded) this.#carriage?.sendEnd([]);
    this.#updateReading();
  }

  writable(): void {
    this.#isBlocked = false;
    if (this.#state !== "http") {
      this.#updateReading();
      return;
    }
    if (!this.#isRequestComplete && !this.#isAnswerComplete) this.#waitForBody();
    this.#pump();
  }

  fail(code: HttpErrorCode, retryAfterSeconds: number | null, status?: number): void {
    if (this.#state === "tunnel" || this.#writer?.isHeadWritten === true) {
      this.#noteRefusal(code, true);
      this.#breakOff();
      return;
    }
    this.#answerError(code, retryAfterSeconds, status);
  }

  #answerComplete(): void {
    this.#isAnswerComplete = true;
    this.#answerDeadlineMs = NEVER;
    this.#scheduleFlush();
    this.#updateWriteDeadline();
    if (this.#state === "tunnel") {
      if (this.#hasClientEnded) this.#finishConnection();
      // Our half ends once it is flushed; the client's half may go on.
      else this.#scheduleFlush();
      return;
    }
    if (!this.#isRequestComplete && this.#writer?.keepAlive !== true) {
      // As in Node: who answers and closes does not want the rest.
      this.#carriage?.cancel("the answer is complete");
      this.#finishConnection();
      return;
    }
    if (!this.#isRequestComplete) this.#waitFor("after-answer", this.#context.timeouts.afterAnswerMs);
    this.#pump();
  }

  /** cellws' own answer, for want of another. */
  #answerError(code: HttpErrorCode, retryAfterSeconds: number | null, status?: number): void {
    this.#noteRefusal(code, false);
    this.#carriage = null;
    const answer = errorAnswer(code, {
      requestHeaders: this.#head?.headers ?? null,
      requestId: this.#request?.requestId ?? this.#refusedRequestId ?? this.#context.makeRequestId(),
      retryAfterSeconds,
      status,
    });
    this.#writer ??= new ResponseWriter(this.#out, {
      method: "GET",
      versionMinor: 1,
      keepAlive: false,
      date: this.#context.date,
      added: [],
    });
    // After a malformed request nobody knows where the next begins; the rest of a refused one is not worth reading.
    const isWhole = this.#request !== null && (this.#isRequestComplete || !this.#request.hasBody);
    if (!isWhole) this.#writer.closeAfter();
    this.#writer.respond(answer.head);
    this.#writer.body(answer.body);
    this.#writer.end([]);
    this.#context.answerBegun(answer.head.status, this.#sinceMs());
    this.#context.answerEnded(this.#sinceMs());
    this.#isAnswerComplete = true;
    this.#answerDeadlineMs = NEVER;
    this.#scheduleFlush();
    if (!this.#writer.keepAlive) this.#finishConnection();
    else this.#pump();
  }

  /** The answer cannot be completed; what there is of it is sent, and the end of the connection says that it is not whole. */
  #answerBroke(fault: ResponseFault): void {
    this.#noteFault(fault);
    this.#noteRefusal("CELLWS_HTTP_APP_RESPONSE", true);
    this.#carriage?.cancel("the answer is not valid HTTP");
    this.#breakOff();
  }

  /** What was begun ends here, visibly. Where only the end of the connection ends the answer, that takes a reset. */
  #breakOff(): void {
    if (this.#writer?.endsByClosing !== true || this.#state === "tunnel") {
      this.#finishConnection();
      return;
    }
    this.#flushNow();
    this.#state = "lingering";
    resetConnection(this.#socket);
  }

  /** All has been said: end our half once it is flushed, and wait a little for the client to have read it. */
  #finishConnection(): void {
    if (this.#state === "closed" || this.#state === "lingering") return;
    this.#state = "lingering";
    this.#requestDeadlineMs = NEVER;
    this.#answerDeadlineMs = NEVER;
    this.#isBlocked = false;
    this.#updateReading();
    if (this.#socket.writableFinished) this.#waitFor("linger", this.#context.timeouts.lingerMs);
    else this.#waitFor("nothing", 0);
    this.#scheduleFlush();
  }

  /** All that we said is in the kernel's hands. */
  #flushedToTheEnd(): void {
    this.#isSocketFull = false;
    this.#stuck = null;
    this.#writeDeadlineMs = NEVER;
    if (this.#state !== "lingering") return;
    if (this.#hasClientEnded) this.#socket.destroy();
    else this.#waitFor("linger", this.#context.timeouts.lingerMs);
  }

  // -------------------------------------------------------------------------------------------------------------
  // The socket

  #scheduleFlush(): void {
    if (this.#isFlushScheduled || this.#state === "closed") return;
    this.#isFlushScheduled = true;
    flushAfterTurn(this);
  }

  flush(): void {
    this.#isFlushScheduled = false;
    this.#flushNow();
    if (this.#socket.writableEnded) return;
    const isTunnelDone = this.#state === "tunnel" && this.#isAnswerComplete;
    if (this.#state !== "lingering" && !isTunnelDone) return;
    this.#socket.end();
    // Until "finish" the client may be slow to take the last of it.
    this.#isSocketFull = true;
    this.#updateWriteDeadline();
  }

  #flushNow(): void {
    const { counters } = this.#context;
    const parts = this.#out.byteLength === 0 ? [] : this.#out.take();
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    if (parts.length > 1) this.#socket.cork();
    for (const part of parts) {
      counters.bytesOut += part.length;
      this.#writtenBytes += part.length;
      if (!this.#socket.write(part)) this.#isSocketFull = true;
    }
    if (parts.length > 1) this.#socket.uncork();
    if (!this.#isSocketFull) this.#consume();
    this.#updateWriteDeadline();
  }

  #drained(): void {
    this.#isSocketFull = false;
    this.#consume();
    this.#updateWriteDeadline();
  }

  #consume(): void {
    const bytes = this.#unconsumedBytes;
    if (bytes === 0) return;
    this.#setUnconsumed(0);
    this.#carriage?.consumed(bytes);
  }

  #setUnconsumed(bytes: number): void {
    this.#context.held.add(bytes - this.#unconsumedBytes);
    this.#unconsumedBytes = bytes;
  }

  #closed(): void {
    if (this.#state === "closed") return;
    const wasAnswering = this.#head !== null && !this.#isAnswerComplete && this.#state !== "tunnel";
    if (wasAnswering && this.#carriage !== null) this.#context.counters.aborted += 1;
    this.#state = "closed";
    this.#setUnconsumed(0);
    this.#out.clear();
    this.#carriage?.cancel("the client is gone");
    this.#carriage = null;
    this.#context.connectionClosed(this);
  }

  // -------------------------------------------------------------------------------------------------------------
  // Time

  /** 0 ms: no limit. */
  #waitFor(what: ReadWait, ms: number): void {
    this.#readWait = what;
    this.#readDeadlineMs = ms === 0 ? NEVER : this.#context.deadlineMs(ms);
  }

  #waitForHead(): void {
    this.#waitFor("head", this.#context.timeouts.headMs);
    this.#startRequestClock();
  }

  #startRequestClock(): void {
    const { requestMs } = this.#context.timeouts;
    this.#requestDeadlineMs = requestMs > 0 ? this.#context.deadlineMs(requestMs) : NEVER;
  }

  #waitForBody(): void {
    // What it could not send while the app was slow is not held against it.
    if (this.#readWait !== "body") {
      this.#rateBytes = 0;
      this.#rateSinceMs = this.#context.deadlineMs(0);
    }
    this.#waitFor("body", this.#context.timeouts.bodyIdleMs);
  }

  /** A body that comes in drops: every idle timeout is content with it. */
  #judgeRate(nowMs: number): void {
    const { requestBytesMin } = this.#context.rates;
    const elapsedMs = nowMs - this.#rateSinceMs;
    if (requestBytesMin === 0 || elapsedMs < ingressLimits.requestRateMs) return;
    // It waits to be told to go on.
    if (this.#head?.expectsContinue === true && !this.#hasContinued && this.#rateBytes === 0) return;
    if (this.#rateBytes * 1000 < requestBytesMin * elapsedMs) return this.#readerRefused("CELLWS_HTTP_BODY_TOO_SLOW");
    this.#rateBytes = 0;
    this.#rateSinceMs = nowMs;
  }

  #requestOverdue(): void {
    this.#requestDeadlineMs = NEVER;
    if (this.#isAnswerComplete) this.#finishConnection();
    else this.#readerRefused("CELLWS_HTTP_REQUEST_TIMEOUT");
  }

  #answerOverdue(): void {
    this.#answerDeadlineMs = NEVER;
    this.#answerLate();
  }

  #readOverdue(): void {
    switch (this.#readWait) {
      case "head":
        this.#answerError("CELLWS_HTTP_HEAD_TIMEOUT", null);
        break;
      case "body":
        this.#readerRefused("CELLWS_HTTP_BODY_TIMEOUT");
        break;
      case "first-byte":
      case "next-request":
        // Not a word: browsers open connections in advance, and would take a 408 for the answer to what they ask next.
        this.#finishConnection();
        break;
      case "after-answer":
        this.#carriage?.cancel("the answer is complete and the request does not end");
        this.#finishConnection();
        break;
      case "half-closed":
      case "linger":
        this.cut();
        break;
      case "nothing":
        break;
    }
  }

  /** What we wait for on the way out: that the client reads, or that the app goes on. */
  #updateWriteDeadline(): void {
    const { timeouts } = this.#context;
    if (this.#state === "closed") return;
    if (this.#isSocketFull) {
      // Not anew with each piece: who takes a little of each would never be found.
      this.#stuck ??= { takenBytes: this.#takenBytes(), sinceMs: this.#context.nowMs };
      this.#writeDeadlineMs =
        this.#stuck.sinceMs + this.#context.deadlineMs(timeouts.slowReaderMs) - this.#context.nowMs;
      return;
    }
    if (this.#stuck !== null && this.#isFastEnough(this.#stuck)) this.#stuck = null;
    const isWaitingForApp = this.#state === "http" && this.#carriage !== null && !this.#isAnswerComplete;
    const hasBegun = this.#writer?.isHeadWritten === true;
    const ms = hasBegun ? timeouts.answerIdleMs : this.#isRequestComplete ? timeouts.answerMs : 0;
    this.#writeDeadlineMs = isWaitingForApp && ms > 0 ? this.#context.deadlineMs(ms) : NEVER;
  }

  #writeOverdue(): void {
    if (this.#isSocketFull) {
      if (this.#stuck === null || !this.#isFastEnough(this.#stuck)) return this.cut();
      this.#stuck = null;
      this.#updateWriteDeadline();
      return;
    }
    this.#answerLate();
  }

  #answerLate(): void {
    this.#carriage?.giveUp();
    if (this.#writer?.isHeadWritten === true) {
      this.#noteRefusal("CELLWS_HTTP_RESPONSE_TIMEOUT", true);
      this.#breakOff();
    } else {
      this.#answerError("CELLWS_HTTP_RESPONSE_TIMEOUT", null);
    }
  }

  /** Whether the client has taken something since then, and as fast as it must. */
  #isFastEnough({ takenBytes, sinceMs }: { takenBytes: number; sinceMs: number }): boolean {
    const bytes = this.#takenBytes() - takenBytes;
    const elapsedMs = this.#context.nowMs - sinceMs;
    return bytes > 0 && bytes * 1000 >= this.#context.rates.answerBytesMin * elapsedMs;
  }

  /** Of what was ever written to the socket, what the kernel has taken. */
  #takenBytes(): number {
    return this.#writtenBytes - this.#outstandingBytes();
  }

  /** What the client has not taken. libuv's own count sees parts of a long write leave; the stream's sees it whole. */
  #outstandingBytes(): number {
    const handle = (this.#socket as { _handle?: { writeQueueSize?: number } })._handle;
    return this.#socket.writableLength + (handle?.writeQueueSize ?? 0);
  }

  // -------------------------------------------------------------------------------------------------------------
  // Telling

  /** When the head of the request at hand was read; null where it was none. */
  #sinceMs(): number | null {
    return this.#head === null ? null : this.#begunMs;
  }

  #noteRefusal(code: HttpErrorCode, cut: boolean): void {
    const { counters, note } = this.#context;
    counters.refused[code] = (counters.refused[code] ?? 0) + 1;
    note?.({
      kind: "refused",
      code,
      requestId: this.#request?.requestId ?? this.#refusedRequestId ?? "",
      remoteAddress: this.#request?.remoteAddress ?? this.#facts.remoteAddress,
      cut,
    });
  }

  #noteFault(fault: ResponseFault): void {
    this.#context.note?.({ kind: "app-fault", fault, requestId: this.#request?.requestId ?? "" });
  }
}

function heardBy({ headers, versionMinor, expectsContinue }: ReadHead): Heard {
  return { headers, protocol: versionMinor === 0 ? "HTTP/1.0" : "HTTP/1.1", expectsContinue };
}

/** A reset drops what the kernel has not sent; of the kinds of sockets only TCP knows it. */
function resetConnection(socket: net.Socket): void {
  try {
    socket.resetAndDestroy();
  } catch {
    socket.destroy();
  }
}
