/**
 * The axon's end of an exchange, in memory: what a B cell would send and see. It asserts what the seam
 * promises (src/app/exchange.ts), so that every test of the app side is a test of its manners too.
 */
import assert from "node:assert/strict";
import type { Exchange, ExchangeListener, ExchangeRequest } from "../../src/app/exchange.ts";
import type { HeaderList, ResponseHead } from "../../src/http/message.ts";

export interface FakeOptions {
  /** How much of the response may be unread before `write` says false. */
  windowBytes?: number;
  /** How much of the request body may be under way without being granted. */
  bodyWindowBytes?: number;
  /** Reads the response by itself, on the next turn. Off: `drain` must be called. */
  reads?: boolean;
}

export class FakeExchange implements Exchange {
  readonly request: ExchangeRequest;
  readonly informed: ResponseHead[] = [];
  head: ResponseHead | null = null;
  readonly chunks: Buffer[] = [];
  trailers: HeaderList | null = null;
  resetCode: string | null = null;
  tunnelled = false;
  cancelled = false;
  consumedBytes = 0;
  unreadBytes = 0;
  /** Resolves when the answer is complete or was given up. */
  readonly done: Promise<void>;

  private readonly options: Required<FakeOptions>;
  private listener: ExchangeListener | null = null;
  private resolveDone: () => void = () => {};
  private readonly outgoing: Array<Buffer | HeaderList> = [];
  private credit: number;
  private bodyEnded = false;
  private delivering = false;

  constructor(request: Partial<ExchangeRequest> = {}, options: FakeOptions = {}) {
    this.request = {
      method: "GET",
      target: "/",
      versionMinor: 1,
      headers: ["Host", "example.test"],
      remoteAddress: "203.0.113.7",
      remotePort: 51234,
      localAddress: "192.0.2.1",
      localPort: 8080,
      encrypted: false,
      listener: 0,
      requestId: "r1",
      hasBody: false,
      upgrade: false,
      ...request,
    };
    this.options = { windowBytes: 64 * 1024, bodyWindowBytes: 64 * 1024, reads: true, ...options };
    this.credit = this.options.bodyWindowBytes;
    this.done = new Promise((resolve) => {
      this.resolveDone = resolve;
    });
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.body.toString();
  }

  /** The values of a response header. */
  header(name: string): string[] {
    const values: string[] = [];
    const headers = this.head?.headers ?? [];
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i]?.toLowerCase() === name.toLowerCase()) values.push(headers[i + 1] as string);
    }
    return values;
  }

  get finished(): boolean {
    return this.trailers !== null;
  }

  /** Bytes that wait for the app to grant room for them. */
  get heldBackBytes(): number {
    return this.outgoing.reduce((sum, item) => sum + (Buffer.isBuffer(item) ? item.length : 0), 0);
  }

  // --- What a test does in the client's place.

  send(chunk: Buffer | string): void {
    assert(this.request.hasBody || this.tunnelled, "only a request with a body sends one");
    this.outgoing.push(Buffer.from(chunk));
    this.deliver();
  }

  end(trailers: HeaderList = []): void {
    this.outgoing.push(trailers);
    this.deliver();
  }

  cancel(reason = "client closed"): void {
    this.cancelled = true;
    this.listener?.cancel(reason);
  }

  /** The client reads `bytes` of the response. */
  drain(bytes: number = this.unreadBytes): void {
    const wasFull = this.unreadBytes >= this.options.windowBytes;
    this.unreadBytes -= Math.min(bytes, this.unreadBytes);
    if (wasFull && this.unreadBytes < this.options.windowBytes && this.live) this.listener?.writable();
  }

  private get live(): boolean {
    return !this.cancelled && this.resetCode === null;
  }

  private deliver(): void {
    if (this.delivering || this.listener === null) return;
    this.delivering = true;
    while (this.outgoing.length > 0 && this.live) {
      const item = this.outgoing[0] as Buffer | HeaderList;
      if (!Buffer.isBuffer(item)) {
        this.outgoing.shift();
        this.bodyEnded = true;
        this.listener.end(item);
        continue;
      }
      if (this.credit <= 0) break;
      const part = item.subarray(0, this.credit);
      if (part.length === item.length) this.outgoing.shift();
      else this.outgoing[0] = item.subarray(part.length);
      this.credit -= part.length;
      this.listener.body(part);
    }
    this.delivering = false;
  }

  // --- What the app side does.

  listen(listener: ExchangeListener): void {
    assert(this.listener === null, "listen is called once");
    this.listener = listener;
    this.deliver();
  }

  consumed(bytes: number): void {
    assert(this.listener !== null, "listen comes first");
    assert(bytes > 0 && Number.isInteger(bytes), "a grant is of some bytes");
    this.consumedBytes += bytes;
    this.credit += bytes;
    assert(this.credit <= this.options.bodyWindowBytes, "no more is granted than has come");
    setImmediate(() => this.deliver());
  }

  inform(head: ResponseHead): void {
    this.assertOpen();
    assert(this.head === null, "an informational response comes before the final one");
    assert(head.status >= 100 && head.status < 200 && head.status !== 101, `${head.status} is informational`);
    this.informed.push(head);
  }

  respond(head: ResponseHead): void {
    this.assertOpen();
    assert(this.head === null, "one response");
    assert(!this.tunnelled, "no response in a tunnel");
    assert(head.status >= 200 && head.status <= 999, `${head.status} is final`);
    assert(head.headers.length % 2 === 0);
    for (const text of head.headers) assert.match(text, /^[^\0\r\n]*$/);
    this.head = head;
  }

  write(chunk: Uint8Array): boolean {
    this.assertOpen();
    assert(this.head !== null || this.tunnelled, "the head comes before the body");
    this.chunks.push(Buffer.from(chunk));
    this.unreadBytes += chunk.length;
    if (this.options.reads) setImmediate(() => this.drain());
    return this.unreadBytes < this.options.windowBytes;
  }

  finish(trailers: HeaderList): void {
    this.assertOpen();
    assert(this.head !== null || this.tunnelled, "the head comes before the end");
    this.trailers = trailers;
    this.resolveDone();
  }

  reset(code: string): void {
    assert(this.resetCode === null, "one reset");
    assert(!this.cancelled, "nothing is reset that was cancelled");
    assert(!this.finished || !this.bodyEnded, "nothing is reset that is complete");
    this.resetCode = code;
    this.resolveDone();
  }

  tunnel(): void {
    this.assertOpen();
    assert(this.request.upgrade && this.head === null && !this.tunnelled, "a tunnel takes the place of a response");
    this.tunnelled = true;
    this.bodyEnded = false;
  }

  private assertOpen(): void {
    assert(this.listener !== null, "listen comes first");
    assert(!this.finished, "nothing comes after finish");
    assert(this.resetCode === null, "nothing comes after reset");
    assert(!this.cancelled, "nothing is sent to a client that is gone");
  }
}
