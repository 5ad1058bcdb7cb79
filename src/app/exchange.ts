/**
 * One request and its answer, as the drone's app side sees them: the seam between the axon (which
 * carries frames) and the hosted app (which wants IncomingMessage and ServerResponse).
 *
 * Flow control is credit-based in both directions. What arrives has been granted by `consumed`; what
 * is written counts against the B cell's window, and `write` says when to wait for `writable`.
 * Nothing here knows about sockets, so the app side is tested with a plain object.
 */
import type { ExchangeRequest, HeaderList, ResponseHead } from "../http/message.ts";

export type { ExchangeRequest };

/** Called by the exchange. All calls come in order and none after `cancel`. */
export interface ExchangeListener {
  /** Bytes of the request body, or of the tunnel once `tunnel` was called. The callee must later call `consumed`. */
  body(chunk: Buffer): void;
  /** The request body (or the client's half of the tunnel) has ended. */
  end(trailers: HeaderList): void;
  /** The client is gone, or the B cell gave up. Nothing that is written any more reaches anybody. */
  cancel(reason: string): void;
  /** The window has room again after `write` returned false. */
  writable(): void;
}

/** Implemented by the axon's drone end; called by the app side. */
export interface Exchange {
  readonly request: ExchangeRequest;
  /** Must be called once, synchronously with receipt, before any other method. */
  listen(listener: ExchangeListener): void;
  /** Grants the B cell `bytes` more of request body. */
  consumed(bytes: number): void;
  /** An informational response: 100, 102, 103. Any number of times before `respond`. */
  inform(head: ResponseHead): void;
  /**
   * The final response's head, once. The B cell decides the framing towards the client: with a
   * Content-Length it is kept and enforced, without one the body is chunked (HTTP/1.1) or ended by closing (1.0).
   */
  respond(head: ResponseHead): void;
  /** Bytes of the response body or of the tunnel. False: the window is full, wait for `writable`. Still accepted. */
  write(chunk: Uint8Array): boolean;
  /** The response (or the app's half of the tunnel) is complete. */
  finish(trailers: HeaderList): void;
  /**
   * The answer cannot be completed. Before `respond`: the client gets 502; after: its connection is cut. After
   * `finish`, while the client is still sending: the app has closed its end, and no more is wanted from the client.
   */
  reset(code: string): void;
  /**
   * Instead of `respond`, for a request with `upgrade`: from here `write` carries raw bytes, beginning with the
   * app's own "HTTP/1.1 101 ..." head, and `body` delivers the client's raw bytes.
   */
  tunnel(): void;
}
