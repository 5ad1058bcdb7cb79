/**
 * Whatever answers one request: a carriage to a drone, a static file, a redirect; or something in between that changes the
 * answer on its way, such as compression. A client connection speaks to it, and is spoken to as a ClientSide, and
 * neither knows what the other is.
 */
import type { ExchangeRequest, HeaderList } from "../../http/message.ts";
import type { ClientSide } from "./carriage.ts";

export interface Conveyance {
  /** Called once. May call the client back at once. */
  start(): void;
  /** Bytes of the request's body (or the tunnel). False: wait for the client's `writable`. */
  sendBody(chunk: Buffer): boolean;
  sendEnd(trailers: HeaderList): void;
  /** So many bytes of the answer are on their way to the client. */
  consumed(bytes: number): void;
  /** The client was told that the answer took too long; who works on it hears of that, too. */
  giveUp(): void;
  /** The client is gone, or wants nothing more; it is not called back any more. */
  cancel(reason: string): void;
}

/** Of a request, what its client really sent: `ExchangeRequest` is what goes on. */
export interface Heard {
  readonly headers: HeaderList;
  /** As rules name it: HTTP/1.0, HTTP/1.1, HTTP/2.0. */
  readonly protocol: string;
  /** The client waits for a 100 before it sends the body. */
  readonly expectsContinue: boolean;
}

/** Makes what carries a request on to the app. */
export type Carry = (client: ClientSide) => Conveyance;

/** Decides what answers a request; `carry` where it is the app. */
export type Convey = (request: ExchangeRequest, client: ClientSide, carry: Carry, heard: Heard) => Conveyance;
