/**
 * Apps of the other kind: a default export with `fetch(request) -> Response`, as Hono, Bun, Deno and the
 * workers of the clouds have it. No server, no streams of Node; a web Request in, a web Response out.
 *
 * Both directions stream with backpressure, except where that would be waste: a small request body is
 * collected first, and a response whose whole body is there at once goes out in one piece with its length.
 *
 * The second argument answers to what apps expect there elsewhere: Deno's `info.remoteAddr`, Bun's
 * `server.requestIP(request)`. The third has the clouds' `waitUntil`.
 */
import { AsyncResource } from "node:async_hooks";
import * as net from "node:net";
import type { HeaderList } from "../http/message.ts";
import type { OnAppEvent } from "./app-event.ts";
import { describeThrown } from "./app-failure.ts";
import type { Exchange, ExchangeListener, ExchangeRequest } from "./exchange.ts";
import { headerOf } from "./request.ts";

export type FetchFunction = (request: Request, info: FetchInfo, context: FetchContext) => unknown;

export interface FetchInfo {
  /** Deno's way. */
  remoteAddr: { transport: "tcp"; hostname: string; port: number };
  /** Bun's way. */
  requestIP(request: Request): { address: string; port: number; family: "IPv4" | "IPv6" };
}

export interface FetchContext {
  waitUntil(promise: Promise<unknown>): void;
  passThroughOnException(): void;
}

export interface FetchHooks {
  fetch: FetchFunction;
  onEvent: OnAppEvent;
  /** Called once, when nothing of the exchange is left. */
  onOver(): void;
}

/**
 * A request body of a known length up to this is collected before the handler is called: one piece of memory
 * costs less than a stream, and the axon's window holds as much anyway.
 */
const BODY_COLLECT_BYTES_MAX = 64 * 1024;

/** Methods that the Fetch standard forbids a Request to have. */
const unknownToFetch: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);
const statusesWithoutBody: ReadonlySet<number> = new Set([204, 205, 304]);

export function answerByFetch(exchange: Exchange, hooks: FetchHooks): FetchConversation {
  const conversation = new FetchConversation(exchange, hooks);
  exchange.listen(conversation);
  conversation.scope.runInAsyncScope(() => conversation.start());
  return conversation;
}

export class FetchConversation implements ExchangeListener {
  /** What the app's code runs in: nothing that one request sets there is seen by another. */
  readonly scope = new AsyncResource("CELLWS_EXCHANGE");
  private readonly exchange: Exchange;
  private readonly hooks: FetchHooks;
  private readonly incoming: IncomingBody;
  private aborter: AbortController | null = null;
  private reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  private gone = false;
  private begun = false;
  private saidAll = false;
  private heardAll: boolean;
  private over = false;
  private whenWritable: (() => void) | null = null;

  constructor(exchange: Exchange, hooks: FetchHooks) {
    this.exchange = exchange;
    this.hooks = hooks;
    this.heardAll = !exchange.request.hasBody;
    this.incoming = new IncomingBody(exchange);
  }

  start(): void {
    const { request } = this.exchange;
    const url = urlOf(request);
    if (url === null) {
      this.answerPlainly(400, "Bad Request");
      return;
    }
    if (unknownToFetch.has(request.method.toUpperCase())) {
      this.answerPlainly(501, "Not Implemented");
      return;
    }
    if (!request.hasBody || !canHaveBody(request)) {
      this.callHandler(url, null);
      return;
    }
    if (/100-continue/i.test(headerOf(request.headers, "expect") ?? "")) {
      this.exchange.inform({ status: 100, reason: "Continue", headers: [] });
    }
    const length = Number(headerOf(request.headers, "content-length") ?? Number.POSITIVE_INFINITY);
    if (length <= BODY_COLLECT_BYTES_MAX) this.incoming.collect((bytes) => this.callHandler(url, bytes));
    else this.callHandler(url, this.incoming.stream());
  }

  // --- What the exchange calls.

  body(chunk: Buffer): void {
    this.scope.runInAsyncScope(() => this.incoming.push(chunk));
  }

  end(_trailers: HeaderList): void {
    this.heardAll = true;
    this.scope.runInAsyncScope(() => this.incoming.end());
    this.retire();
  }

  cancel(reason: string): void {
    this.gone = true;
    this.scope.runInAsyncScope(() => {
      const error = new DOMException(`the client is gone: ${reason}`, "AbortError");
      this.incoming.fail(error);
      this.aborter?.abort(error);
      this.reader?.cancel(error).catch(() => {});
      this.writable();
    });
    this.retire();
  }

  writable(): void {
    const { whenWritable } = this;
    this.whenWritable = null;
    whenWritable?.();
  }

  // --- The handler and its answer.

  private callHandler(url: string, body: RequestBody): void {
    this.answer(url, body).catch((error: unknown) => this.failed(error));
  }

  private async answer(url: string, body: RequestBody): Promise<void> {
    const { request } = this.exchange;
    const webRequest = new HostedWebRequest(url, requestInit(request, body), () => this.signal());
    const response: unknown = await this.hooks.fetch(webRequest, infoOf(request), this.context());
    if (this.gone) return;
    if (!isResponse(response)) {
      throw new TypeError(`fetch returned ${describeValue(response)} where a Response is needed`);
    }
    await this.respond(response);
  }

  private async respond(response: Response): Promise<void> {
    const { status, body } = response;
    const head = { status, reason: response.statusText, headers: headerListOf(response.headers) };
    if (status < 200) throw new RangeError(`fetch returned status ${status}, which is not final`);
    if (body === null || statusesWithoutBody.has(status) || this.exchange.request.method === "HEAD") {
      this.begin(body === null && !statusesWithoutBody.has(status) ? withLength(head, 0) : head);
      this.finish();
      await body?.cancel();
      return;
    }
    if (response.bodyUsed || body.locked) throw new TypeError("fetch returned a Response whose body was used before");
    const reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    this.reader = reader;
    await this.stream(reader, head);
  }

  private async stream(reader: ReadableStreamDefaultReader<Uint8Array>, head: Head): Promise<void> {
    const first = await reader.read();
    if (this.gone) return;
    if (first.done) {
      this.begin(withLength(head, 0));
      this.finish();
      return;
    }
    const next = reader.read();
    // A body made of a string or bytes ends within the same turn; then its length is known. Anything slower is a stream.
    if (await endsThisTurn(next)) {
      if (this.gone) return;
      this.begin(withLength(head, bytesOf(first.value).length));
      this.exchange.write(first.value);
      this.finish();
      return;
    }
    if (this.gone) return;
    this.begin(head);
    await this.writePiece(first.value);
    for (let piece = await next; !piece.done; piece = await reader.read()) {
      if (this.gone) return;
      await this.writePiece(piece.value);
    }
    if (!this.gone) this.finish();
  }

  private async writePiece(piece: unknown): Promise<void> {
    const hasRoom = this.gone || this.exchange.write(bytesOf(piece));
    if (hasRoom) return;
    await new Promise<void>((resolve) => {
      this.whenWritable = resolve;
    });
  }

  private begin(head: Head): void {
    this.begun = true;
    this.exchange.respond(head);
  }

  private finish(): void {
    this.saidAll = true;
    this.exchange.finish([]);
    this.incoming.discard();
    this.retire();
  }

  private answerPlainly(status: number, reason: string): void {
    const body = Buffer.from(reason);
    const headers = ["content-type", "text/plain;charset=UTF-8", "content-length", String(body.length)];
    this.begin({ status, reason, headers });
    if (this.exchange.request.method !== "HEAD") this.exchange.write(body);
    this.finish();
  }

  /** The handler or its body threw. One request is lost, not the drone: that is what this kind of app expects. */
  private failed(error: unknown): void {
    if (this.gone) return;
    const { method, target } = this.exchange.request;
    const { message, stack } = describeThrown(error);
    const text = `the app failed on ${method} ${target}: ${message}`;
    this.hooks.onEvent({ level: "error", code: "APP_HANDLER_FAILED", message: text, stack });
    if (this.saidAll) return;
    if (!this.begun) return this.answerPlainly(500, "Internal Server Error");
    this.gone = true;
    this.exchange.reset("APP_BODY_FAILED");
    this.incoming.discard();
    this.retire();
  }

  private signal(): AbortSignal {
    this.aborter ??= new AbortController();
    if (this.gone) this.aborter.abort();
    return this.aborter.signal;
  }

  private context(): FetchContext {
    return {
      waitUntil: (promise) => {
        Promise.resolve(promise).catch((error: unknown) => {
          const { message, stack } = describeThrown(error);
          const text = `what the app passed to waitUntil failed: ${message}`;
          this.hooks.onEvent({ level: "error", code: "APP_HANDLER_FAILED", message: text, stack });
        });
      },
      passThroughOnException: () => {},
    };
  }

  private retire(): void {
    if (this.over || !(this.gone || (this.saidAll && this.heardAll))) return;
    this.over = true;
    this.hooks.onOver();
  }
}

type RequestBody = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;

interface Head {
  status: number;
  reason: string;
  headers: string[];
}

/**
 * A true Request, but for its signal, which is made only when asked for: an AbortController in every request
 * would cost more than all the rest of it.
 */
class HostedWebRequest extends Request {
  readonly makeSignal: () => AbortSignal;

  constructor(url: string, init: RequestInit, makeSignal: () => AbortSignal) {
    super(url, init);
    this.makeSignal = makeSignal;
    Object.defineProperty(this, "makeSignal", { enumerable: false });
  }
}
// Not a class member: the types of Request declare a plain property.
Object.defineProperty(HostedWebRequest.prototype, "signal", {
  get(this: HostedWebRequest): AbortSignal {
    return this.makeSignal();
  },
  configurable: true,
  enumerable: true,
});

/** The request's body on its way from the exchange to whoever wants it. Bytes are granted as they are taken. */
class IncomingBody {
  private readonly exchange: Exchange;
  private readonly chunks: Buffer[] = [];
  private ended = false;
  private failure: Error | null = null;
  private discarding = false;
  private deliver: (() => void) | null = null;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  push(chunk: Buffer): void {
    if (this.discarding) return this.exchange.consumed(chunk.length);
    this.chunks.push(chunk);
    this.deliver?.();
  }

  end(): void {
    this.ended = true;
    this.deliver?.();
  }

  fail(error: Error): void {
    this.failure = error;
    this.deliver?.();
  }

  /** The whole body, once it is there. Bounded by BODY_COLLECT_BYTES_MAX through the Content-Length that the B cell enforces. */
  collect(done: (bytes: Uint8Array<ArrayBuffer>) => void): void {
    const collected: Buffer[] = [];
    this.deliver = () => {
      for (let chunk = this.take(); chunk !== undefined; chunk = this.take()) collected.push(chunk);
      if (!this.ended) return;
      this.deliver = null;
      done(Buffer.concat(collected));
    };
    this.deliver();
  }

  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream(
      {
        pull: (controller) => this.next(controller),
        cancel: () => this.discard(),
      },
      // Nothing is taken ahead of the reader: what waits, waits in the axon's window.
      { highWaterMark: 0 },
    );
  }

  /** Nobody will read it any more; it is taken off the client all the same. */
  discard(): void {
    this.discarding = true;
    this.deliver = null;
    while (this.take() !== undefined);
  }

  private next(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> | void {
    if (this.advance(controller)) return undefined;
    return new Promise((resolve) => {
      this.deliver = () => {
        if (!this.advance(controller)) return;
        this.deliver = null;
        resolve();
      };
    });
  }

  private advance(controller: ReadableStreamDefaultController<Uint8Array>): boolean {
    const chunk = this.take();
    // A copy-free view of plain Uint8Array type: web streams know no Buffer.
    if (chunk !== undefined) controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    else if (this.failure !== null) controller.error(this.failure);
    else if (this.ended) controller.close();
    else return false;
    return true;
  }

  private take(): Buffer | undefined {
    const chunk = this.chunks.shift();
    if (chunk !== undefined && this.failure === null) this.exchange.consumed(chunk.length);
    return chunk;
  }
}

/** Absolute, from what the client sent; null when that makes no URL. */
function urlOf(request: ExchangeRequest): string | null {
  const { target, headers, encrypted, localAddress, localPort } = request;
  if (!target.startsWith("/") && target !== "*") return URL.canParse(target) ? target : null;
  const own = net.isIPv6(localAddress) ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
  const host = headerOf(headers, "host") || own;
  const url = `${encrypted ? "https" : "http"}://${host}${target === "*" ? "/*" : target}`;
  // A Host with a slash, a user or a query in it would move the rest of the URL about.
  if (/[/?#@\\\s]/.test(host) || !URL.canParse(url)) return null;
  return url;
}

function canHaveBody({ method }: ExchangeRequest): boolean {
  return method !== "GET" && method !== "HEAD";
}

function requestInit(request: ExchangeRequest, body: RequestBody): RequestInit {
  const { method, headers: list } = request;
  const headers: Array<[string, string]> = [];
  for (let i = 0; i < list.length; i += 2) headers.push([list[i] as string, list[i + 1] as string]);
  if (body === null) return { method, headers };
  return { method, headers, body, duplex: "half" };
}

function infoOf({ remoteAddress, remotePort }: ExchangeRequest): FetchInfo {
  return {
    remoteAddr: { transport: "tcp", hostname: remoteAddress, port: remotePort },
    requestIP: () => ({
      address: remoteAddress,
      port: remotePort,
      family: net.isIPv6(remoteAddress) ? "IPv6" : "IPv4",
    }),
  };
}

/** Set-Cookie stays several; the framing is the B cell's. */
function headerListOf(headers: Headers): string[] {
  const list: string[] = [];
  for (const [name, value] of headers) {
    if (name !== "transfer-encoding" && name !== "connection" && name !== "keep-alive") list.push(name, value);
  }
  return list;
}

function withLength(head: Head, length: number): Head {
  if (headerOf(head.headers, "content-length") !== null) return head;
  return { ...head, headers: [...head.headers, "content-length", String(length)] };
}

/** Also Responses of another realm or of a polyfill: by what they have, not by their class. */
function isResponse(value: unknown): value is Response {
  if (value instanceof Response) return true;
  if (typeof value !== "object" || value === null) return false;
  const { status, headers } = value as { status?: unknown; headers?: unknown };
  return typeof status === "number" && headers instanceof Headers && "body" in value;
}

function bytesOf(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  throw new TypeError(`the body of a Response yielded ${describeValue(piece)} where bytes are needed`);
}

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? `an object (${value.constructor?.name ?? "no class"})` : `a ${typeof value}`;
}

/** True when `read` turns out to be the end before anything but promises has run. */
async function endsThisTurn(read: Promise<{ done: boolean }>): Promise<boolean> {
  let ended = false;
  read.then(
    ({ done }) => {
      ended = done;
    },
    () => {},
  );
  await new Promise<void>((resolve) => process.nextTick(resolve));
  return ended;
}
