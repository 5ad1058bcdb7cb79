/**
 * One request of an HTTP/2 connection and its answer: between a stream and whatever answers it.
 *
 * The same as http1-connection.ts does for its request at hand, with less to do: where a message ends the frames say, and
 * windows hold up whoever is too fast. Each piece of an answer is granted anew to its drone once the session has sent it.
 */
import http2 from "node:http2";
import { errorAnswer } from "../../http/error-response.ts";
import { forwardRequest } from "../../http/forwarding.ts";
import {
  readHttp2Head,
  readHttp2Trailers,
  writeHttp2Answer,
  writeHttp2Information,
  writeHttp2Trailers,
} from "../../http/http2-head.ts";
import type { HttpErrorCode } from "../../http/http-error.ts";
import type { ExchangeRequest, HeaderList, ResponseHead } from "../../http/message.ts";
import type { ReadHead } from "../../http/request-reader.ts";
import type { ResponseFault } from "../../http/response-writer.ts";
import type { Enrolled } from "../../lib/roll.ts";
import type { ClientSide } from "./carriage.ts";
import type { Conveyance } from "./conveyance.ts";
import type { Http2Connection } from "./http2-connection.ts";
import { ingressLimits } from "./limits.ts";

const { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL } = http2.constants;
const NEVER = Number.POSITIVE_INFINITY;

export class Http2Exchange implements ClientSide, Enrolled {
  readonly #connection: Http2Connection;
  readonly #stream: http2.ServerHttp2Stream;
  readonly #rawHeaders: readonly string[];
  #head: ReadHead | null = null;
  #request: ExchangeRequest | null = null;
  #conveyance: Conveyance | null = null;
  #begunMs = 0;
  rollPlace = -1;
  #isRequestComplete: boolean;
  #isHeadSent = false;
  #isAnswerComplete = false;
  #isClosed = false;
  #hasContinued = false;
  #bodyBytes = 0;
  #requestTrailers: HeaderList = [];

  #isBodiless = false;
  /** Of the answer's body, as its Content-Length promised; null where it did not. */
  #bytesLeft: number | null = null;
  #trailers: HeaderList = [];
  #outstandingBytes = 0;
  #stuckSinceMs: number | null = null;

  /** Over which the rate of the request's body is judged. */
  #rateBytes = 0;
  #rateSinceMs = NEVER;
  #readDeadlineMs = NEVER;
  /** For the whole request, and for the whole answer. */
  #requestDeadlineMs = NEVER;
  #totalDeadlineMs = NEVER;
  #answerDeadlineMs = NEVER;
  #writeDeadlineMs = NEVER;

  constructor(
    connection: Http2Connection,
    stream: http2.ServerHttp2Stream,
    { rawHeaders, isWhole }: { rawHeaders: readonly string[]; isWhole: boolean },
  ) {
    this.#connection = connection;
    this.#stream = stream;
    this.#rawHeaders = rawHeaders;
    this.#isRequestComplete = isWhole;
  }

  start(): void {
    const { context, facts, limits } = this.#connection;
    const stream = this.#stream;
    context.counters.requests += 1;
    this.#begunMs = performance.now();
    stream.on("close", () => this.closed());
    stream.on("wantTrailers", () => this.#sendTrailers());
    const head = readHttp2Head(this.#rawHeaders, { isWhole: this.#isRequestComplete, limits });
    if (typeof head === "string") {
      stream.resume();
      this.#answerError(head, null);
      return;
    }
    this.#head = head;
    const request = forwardRequest(head, facts, context.forwarding, context.makeRequestId);
    this.#request = request;
    const verdict = context.judge?.(request, head) ?? { action: "pass" };
    if (verdict.action === "cut") {
      this.#noteRefusal("CELLWS_HTTP_REFUSED", true);
      this.#connection.cut();
      return;
    }
    if (verdict.action === "refuse") {
      stream.resume();
      this.#answerError(verdict.code, null);
      return;
    }
    const { headers, expectsContinue } = head;
    this.#conveyance = context.convey(request, this, { headers, protocol: "HTTP/2.0", expectsContinue });
    if (this.#isRequestComplete) this.#startAnswerClock();
    else this.#receiveBody();
    this.#updateAnswerDeadline();
    this.#conveyance.start();
  }

  /** Since when the client has not taken all that is there for it; null when it takes all. */
  get stuckSinceMs(): number | null {
    return this.#stuckSinceMs;
  }

  sweep(nowMs: number): void {
    if (nowMs >= this.#readDeadlineMs) this.#readOverdue();
    else if (this.#readDeadlineMs !== NEVER && !this.#isAnswerComplete) this.#judgeRate(nowMs);
    if (nowMs >= this.#requestDeadlineMs) this.#requestOverdue();
    if (nowMs >= this.#totalDeadlineMs) this.#answerLate();
    if (nowMs >= this.#writeDeadlineMs) this.#stream.close(NGHTTP2_CANCEL);
    if (nowMs >= this.#answerDeadlineMs) this.#answerOverdue();
  }

  /** The stream is over, or its session is. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { context } = this.#connection;
    this.#connection.hold(-this.#outstandingBytes);
    const wasAbandoned = !this.#isAnswerComplete;
    if (wasAbandoned && this.#conveyance !== null) context.counters.aborted += 1;
    if (wasAbandoned || !this.#isRequestComplete) this.#conveyance?.cancel("the client is gone");
    this.#conveyance = null;
    this.#connection.exchangeOver(this, wasAbandoned);
  }

  // -------------------------------------------------------------------------------------------------------------
  // From the client

  #receiveBody(): void {
    const stream = this.#stream;
    const { context } = this.#connection;
    const { requestMs } = context.timeouts;
    if (requestMs > 0) this.#requestDeadlineMs = context.deadlineMs(requestMs);
    this.#waitForBody();
    stream.on("data", (chunk: Buffer) => this.#takeBody(chunk));
    stream.on("trailers", (_fields: unknown, _flags: number, raw?: readonly string[]) => this.#takeTrailers(raw ?? []));
    stream.on("end", () => this.#endRequest());
  }

  #takeBody(chunk: Buffer): void {
    this.#bodyBytes += chunk.length;
    this.#rateBytes += chunk.length;
    if (this.#bodyBytes > this.#connection.limits.bodyBytesMax) {
      this.#requestRefused("CELLWS_HTTP_BODY_TOO_LARGE");
      return;
    }
    if (this.#conveyance === null) return;
    this.#waitForBody();
    if (this.#conveyance.sendBody(chunk)) return;
    this.#stream.pause();
    // It is the app that is slow now.
    this.#readDeadlineMs = NEVER;
  }

  #takeTrailers(raw: readonly string[]): void {
    const trailers = readHttp2Trailers(raw, this.#connection.limits);
    if (typeof trailers === "string") this.#requestRefused(trailers);
    else this.#requestTrailers = trailers;
  }

  #endRequest(): void {
    if (this.#isRequestComplete) return;
    this.#isRequestComplete = true;
    this.#readDeadlineMs = NEVER;
    this.#requestDeadlineMs = NEVER;
    this.#startAnswerClock();
    if (this.#request?.hasBody === true) this.#conveyance?.sendEnd(this.#requestTrailers);
    this.#updateAnswerDeadline();
  }

  #requestRefused(code: HttpErrorCode): void {
    this.#conveyance?.cancel("the request is malformed");
    this.#conveyance = null;
    if (this.#isHeadSent) this.#breakOff(code);
    else this.#answerError(code, null);
  }

  // -------------------------------------------------------------------------------------------------------------
  // To the client (ClientSide)

  inform(head: ResponseHead): void {
    if (this.#isClosed || this.#isHeadSent) return;
    if (head.status === 100) {
      if (this.#hasContinued) return;
      this.#hasContinued = true;
    }
    const information = writeHttp2Information(head);
    if (!information.ok) return this.#noteFault(information.fault);
    this.#stream.additionalHeaders(information.fields);
  }

  respond(head: ResponseHead): void {
    if (this.#isClosed) return;
    const fault = this.#sendHead(head, this.#head?.method ?? "GET", this.#request);
    if (fault === null) return;
    this.#noteFault(fault);
    this.#conveyance?.cancel("the answer is not valid HTTP");
    this.#conveyance = null;
    this.#answerError("CELLWS_HTTP_APP_RESPONSE", null);
  }

  body(chunk: Buffer): void {
    if (this.#isClosed || this.#isBodiless) {
      this.#conveyance?.consumed(chunk.length);
      return;
    }
    if (this.#bytesLeft !== null) {
      if (chunk.length > this.#bytesLeft) return this.#answerBroke("body-longer-than-its-content-length");
      this.#bytesLeft -= chunk.length;
    }
    this.#send(chunk);
  }

  end(trailers: HeaderList): void {
    if (this.#isClosed) return;
    if (this.#bytesLeft !== null && this.#bytesLeft > 0 && !this.#isBodiless) {
      this.#answerBroke("body-shorter-than-its-content-length");
      return;
    }
    this.#connection.context.counters.responses += 1;
    this.#trailers = trailers;
    this.#finish();
  }

  /** No request over HTTP/2 asks for an upgrade. */
  tunnel(): void {
    this.#conveyance?.cancel("there are no tunnels in HTTP/2");
    this.#conveyance = null;
    this.fail("CELLWS_HTTP_APP_RESPONSE", null);
  }

  writable(): void {
    if (this.#isClosed) return;
    if (!this.#isRequestComplete) this.#waitForBody();
    this.#stream.resume();
  }

  fail(code: HttpErrorCode, retryAfterSeconds: number | null, status?: number): void {
    if (this.#isClosed) return;
    this.#conveyance = null;
    if (this.#isHeadSent) this.#breakOff(code);
    else this.#answerError(code, retryAfterSeconds, status);
  }

  /** The other requests of the connection go on: on a proxy's they are other people's. */
  cut(): void {
    this.#conveyance = null;
    this.#stream.close(NGHTTP2_CANCEL);
  }

  #sendHead(head: ResponseHead, method: string, request: ExchangeRequest | null): ResponseFault | null {
    const { context } = this.#connection;
    const added = request === null ? [] : context.addedFields(request);
    const answer = writeHttp2Answer(head, { method, date: context.date, added });
    if (!answer.ok) return answer.fault;
    try {
      // "wantTrailers" comes where the body ends; what goes without a body ends with its head.
      const ending = answer.isBodiless ? { endStream: true } : { waitForTrailers: true };
      this.#stream.respond(answer.fields, ending);
    } catch {
      // Node knows fields that must not come twice.
      return "field-value";
    }
    this.#isHeadSent = true;
    context.answerBegun(head.status, this.#begunMs);
    this.#isBodiless = answer.isBodiless;
    this.#bytesLeft = answer.contentLength;
    this.#updateAnswerDeadline();
    return null;
  }

  #send(chunk: Buffer): void {
    const { length } = chunk;
    this.#outstandingBytes += length;
    this.#connection.hold(length);
    // Not anew with each piece: who takes none would never be found.
    if (this.#writeDeadlineMs === NEVER) this.#writeDeadlineMs = this.#slowReaderDeadline();
    this.#updateAnswerDeadline();
    const isTaking = this.#stream.write(chunk, () => this.#sent(length));
    if (!isTaking) this.#stuckSinceMs ??= this.#connection.context.nowMs;
  }

  #sent(bytes: number): void {
    if (this.#isClosed) return;
    this.#outstandingBytes -= bytes;
    this.#connection.hold(-bytes);
    this.#stuckSinceMs = this.#outstandingBytes > 0 ? this.#connection.context.nowMs : null;
    this.#writeDeadlineMs = this.#outstandingBytes > 0 ? this.#slowReaderDeadline() : NEVER;
    this.#conveyance?.consumed(bytes);
  }

  /** The answer is whole. What is left of the request nobody waits for. */
  #finish(): void {
    this.#isAnswerComplete = true;
    this.#connection.context.answerEnded(this.#begunMs);
    this.#answerDeadlineMs = NEVER;
    this.#totalDeadlineMs = NEVER;
    this.#requestDeadlineMs = NEVER;
    this.#writeDeadlineMs = this.#slowReaderDeadline();
    const stream = this.#stream;
    if (!this.#isRequestComplete) {
      this.#readDeadlineMs = this.#connection.context.deadlineMs(this.#connection.context.timeouts.afterAnswerMs);
    }
    if (!this.#isBodiless) stream.end();
  }

  #sendTrailers(): void {
    const fields = writeHttp2Trailers(this.#trailers) ?? {};
    try {
      this.#stream.sendTrailers(fields);
    } catch {
      this.#stream.close(NGHTTP2_INTERNAL_ERROR);
    }
  }

  /** cellws' own answer, for want of another. */
  #answerError(code: HttpErrorCode, retryAfterSeconds: number | null, status?: number): void {
    this.#noteRefusal(code, false);
    const { context } = this.#connection;
    this.#conveyance = null;
    const answer = errorAnswer(code, {
      requestHeaders: this.#head?.headers ?? null,
      requestId: this.#request?.requestId ?? context.makeRequestId(),
      retryAfterSeconds,
      status,
    });
    const fault = this.#sendHead(answer.head, this.#head?.method ?? "GET", this.#request);
    if (fault !== null) return this.#stream.close(NGHTTP2_INTERNAL_ERROR);
    if (!this.#isBodiless) this.#send(answer.body);
    this.#finish();
    if (this.#isRequestComplete) return;
    // The rest is not wanted; that the client must learn after the answer and not instead of it (RFC 9113, 8.1).
    this.#stream.once("finish", () => this.#stream.close(NGHTTP2_NO_ERROR));
  }

  /** What was begun cannot be completed, and is cut off visibly. */
  #breakOff(code: HttpErrorCode): void {
    this.#noteRefusal(code, true);
    this.#stream.close(NGHTTP2_INTERNAL_ERROR);
  }

  #answerBroke(fault: ResponseFault): void {
    this.#noteFault(fault);
    this.#conveyance?.cancel("the answer is not valid HTTP");
    this.#conveyance = null;
    this.#breakOff("CELLWS_HTTP_APP_RESPONSE");
  }

  // -------------------------------------------------------------------------------------------------------------
  // Time

  #waitForBody(): void {
    if (this.#isAnswerComplete) return;
    const { context } = this.#connection;
    // What it could not send while the app was slow is not held against it.
    if (this.#readDeadlineMs === NEVER) {
      this.#rateBytes = 0;
      this.#rateSinceMs = context.deadlineMs(0);
    }
    this.#readDeadlineMs = context.deadlineMs(context.timeouts.bodyIdleMs);
  }

  /** A body that comes in drops: every idle timeout is content with it. */
  #judgeRate(nowMs: number): void {
    const { requestBytesMin } = this.#connection.context.rates;
    const elapsedMs = nowMs - this.#rateSinceMs;
    if (requestBytesMin === 0 || elapsedMs < ingressLimits.requestRateMs) return;
    // It waits to be told to go on.
    if (this.#head?.expectsContinue === true && !this.#hasContinued && this.#rateBytes === 0) return;
    if (this.#rateBytes * 1000 < requestBytesMin * elapsedMs) return this.#requestRefused("CELLWS_HTTP_BODY_TOO_SLOW");
    this.#rateBytes = 0;
    this.#rateSinceMs = nowMs;
  }

  #requestOverdue(): void {
    this.#requestDeadlineMs = NEVER;
    this.#requestRefused("CELLWS_HTTP_REQUEST_TIMEOUT");
  }

  #startAnswerClock(): void {
    const { context } = this.#connection;
    const { answerTotalMs } = context.timeouts;
    if (answerTotalMs > 0 && !this.#isAnswerComplete) this.#totalDeadlineMs = context.deadlineMs(answerTotalMs);
  }

  #readOverdue(): void {
    this.#readDeadlineMs = NEVER;
    if (this.#isAnswerComplete) this.#stream.close(NGHTTP2_NO_ERROR);
    else this.#requestRefused("CELLWS_HTTP_BODY_TIMEOUT");
  }

  #slowReaderDeadline(): number {
    const { context } = this.#connection;
    return context.deadlineMs(context.timeouts.slowReaderMs);
  }

  #updateAnswerDeadline(): void {
    const { context } = this.#connection;
    const { answerMs, answerIdleMs } = context.timeouts;
    const ms = this.#isHeadSent ? answerIdleMs : this.#isRequestComplete ? answerMs : 0;
    const isWaiting = this.#conveyance !== null && !this.#isAnswerComplete && ms > 0;
    this.#answerDeadlineMs = isWaiting ? context.deadlineMs(ms) : NEVER;
  }

  #answerOverdue(): void {
    this.#answerDeadlineMs = NEVER;
    // The client is slow, not the app; that has a limit of its own.
    if (this.#outstandingBytes > 0) return this.#updateAnswerDeadline();
    this.#answerLate();
  }

  #answerLate(): void {
    this.#totalDeadlineMs = NEVER;
    this.#conveyance?.giveUp();
    this.fail("CELLWS_HTTP_RESPONSE_TIMEOUT", null);
  }

  // -------------------------------------------------------------------------------------------------------------
  // Telling

  #noteRefusal(code: HttpErrorCode, cut: boolean): void {
    const { counters, note } = this.#connection.context;
    counters.refused[code] = (counters.refused[code] ?? 0) + 1;
    note?.({
      kind: "refused",
      code,
      requestId: this.#request?.requestId ?? "",
      remoteAddress: this.#request?.remoteAddress ?? this.#connection.facts.remoteAddress,
      cut,
    });
  }

  #noteFault(fault: ResponseFault): void {
    this.#connection.context.note?.({ kind: "app-fault", fault, requestId: this.#request?.requestId ?? "" });
  }
}
