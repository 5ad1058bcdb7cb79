/**
 * A real IncomingMessage fed from an exchange, as Node's parser feeds one from a socket.
 *
 * Header rules (what is joined, what is dropped, what is a list) are Node's, applied lazily to the raw list.
 */
import type { IncomingMessage } from "node:http";
import type { HeaderList } from "../http/message.ts";
import type { ExchangeRequest } from "./exchange.ts";
import type { ExchangeSocket } from "./exchange-socket.ts";
import type { RequestInternals, ServerClasses } from "./node-internals.ts";

export type HostedRequest = IncomingMessage & RequestInternals;

export interface RequestParts {
  classes: ServerClasses;
  request: ExchangeRequest;
  socket: ExchangeSocket;
  joinDuplicateHeaders: boolean;
}

export function createRequest({ classes, request, socket, joinDuplicateHeaders }: RequestParts): HostedRequest {
  const message = new classes.IncomingMessage(socket);
  message.httpVersionMajor = 1;
  message.httpVersionMinor = request.versionMinor;
  message.httpVersion = request.versionMinor === 1 ? "1.1" : "1.0";
  message.joinDuplicateHeaders = joinDuplicateHeaders;
  message.method = request.method;
  message.url = request.target;
  message.upgrade = false;
  const headers = request.hasBody ? withFraming(request.headers) : request.headers;
  message._addHeaderLines(headers, headers.length);
  return message;
}

/** The whole body has come (or there is none). */
export function endRequest(message: HostedRequest, trailers: HeaderList): void {
  message.complete = true;
  if (trailers.length > 0) message._addHeaderLines(trailers, trailers.length);
  message.push(null);
}

/** As Node does once the response is out: what is left of the body is read and thrown away, unless the app reads it. */
export function dumpUnread(message: HostedRequest): void {
  if (message._consuming || message.readableFlowing === true) return;
  // Complete, never touched, and nobody to hear its 'end' and 'close': the state that these would leave it in, without
  // the five ticks that they take. Most GET requests end so.
  const heard = message.listenerCount("end") + message.listenerCount("close") > 0;
  const unheard = message.complete && message.readableFlowing === null && !heard;
  if (unheard && message._dumpAndCloseReadable !== undefined) message._dumpAndCloseReadable();
  else message._dump();
}

/** The error of a request whose client went away, as Node's. */
export function abortedError(): Error {
  return Object.assign(new Error("aborted"), { code: "ECONNRESET" });
}

/**
 * Body parsers look for Content-Length or Transfer-Encoding to learn that there is a body. The B cell takes the
 * chunked framing off, and may take its header with it.
 */
function withFraming(headers: HeaderList): HeaderList {
  if (headerOf(headers, "content-length") !== null || headerOf(headers, "transfer-encoding") !== null) return headers;
  return [...headers, "Transfer-Encoding", "chunked"];
}

/** The first value of a header in a raw list; `name` in lower case. */
export function headerOf(headers: HeaderList, name: string): string | null {
  for (let i = 0; i < headers.length; i += 2) {
    const key = headers[i] as string;
    if (key.length === name.length && key.toLowerCase() === name) return headers[i + 1] ?? "";
  }
  return null;
}
