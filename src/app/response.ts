/**
 * A real ServerResponse whose head and bytes go to an exchange.
 *
 * Everything that an app calls is Node's own code: writeHead with all its signatures, implicit headers,
 * strictContentLength, HEAD and 204, corking, callbacks, 'finish'. Only where that code would turn to text and
 * socket does it turn to the exchange instead, through four replaced methods (see node-internals.ts for why
 * these and why on the instance). Libraries that wrap writeHead, write, end or flush find what they expect.
 */
import { STATUS_CODES } from "node:http";
import type { HeaderList, ResponseHead } from "../http/message.ts";
import { kNeedDrain, kUniqueHeaders, type ServerClasses, type WriteCallback } from "./node-internals.ts";
import type { ExchangeSocket } from "./exchange-socket.ts";
import { composeHead, encodeHead, type ComposableResponse, type ComposedHead } from "./response-head.ts";
import type { HostedRequest } from "./request.ts";

/** Where a response's output goes. */
export interface ResponseSink {
  /** False once nothing can be sent any more. */
  readonly open: boolean;
  respond(head: ResponseHead): void;
  inform(head: ResponseHead): void;
  /** False: full. The callback is called when the bytes have been taken on. */
  send(bytes: Uint8Array | null, callback: WriteCallback | null): boolean;
  finish(trailers: HeaderList): void;
  refuseRaw(): Error;
}

const kSink: unique symbol = Symbol("cellws.sink");
const kHead: unique symbol = Symbol("cellws.head");

export interface HostedResponse extends ComposableResponse {
  [kSink]: ResponseSink;
  [kHead]: ComposedHead | null;
  [kNeedDrain]: boolean;
}

export interface ResponseParts {
  classes: ServerClasses;
  request: HostedRequest;
  socket: ExchangeSocket;
  sink: ResponseSink;
  rejectNonStandardBodyWrites: boolean;
}

export function createResponse(parts: ResponseParts): HostedResponse {
  const { classes, request, socket, sink, rejectNonStandardBodyWrites } = parts;
  const response = new classes.ServerResponse(request, {
    highWaterMark: socket.writableHighWaterMark,
    rejectNonStandardBodyWrites,
  }) as HostedResponse;
  response[kSink] = sink;
  response[kHead] = null;
  response._storeHeader = storeHeader;
  response._send = send;
  response._writeRaw = writeRaw;
  response._finish = finish;
  // Keep-alive is between client and B cell. False from here on means that the app wants the connection closed.
  response.shouldKeepAlive = true;
  if (classes.uniqueHeaders !== null) response[kUniqueHeaders] = classes.uniqueHeaders;
  response.assignSocket(socket);
  return response;
}

/** The app's writes have been taken on: tells it to go on, if it was told to wait. */
export function drain(response: HostedResponse): void {
  if (!response.writableNeedDrain) return;
  response[kNeedDrain] = false;
  response.emit("drain");
}

/** As Node does when a response is over, or its connection is. */
export function closeResponse(response: HostedResponse): void {
  if (response._closed) return;
  response.destroyed = true;
  response._closed = true;
  response.emit("close");
}

/** Called by writeHead, with the status already in statusCode and statusMessage. */
function storeHeader(this: HostedResponse, statusLine: string, headers: unknown): void {
  if (this.statusCode < 200) refuseInformational(this);
  this[kHead] = composeHead(this, headers);
  // Not the whole head as text, which nothing here needs; a string that is not empty means "headers sent".
  this._header = `${statusLine}\r\n`;
  this._headerSent = false;
}

function refuseInformational(response: HostedResponse): never {
  const status = response.statusCode;
  const instead =
    status === 101
      ? "an upgrade is answered in the server's 'upgrade' event"
      : "use writeContinue, writeProcessing or writeEarlyHints";
  // writeHead has taken the body away on account of that status; the app may go on to answer with another.
  response._hasBody = response.req.method !== "HEAD";
  throw Object.assign(new RangeError(`${status} ${STATUS_CODES[status] ?? ""} is not a final status: ${instead}`), {
    code: "ERR_HTTP_INVALID_STATUS_CODE",
  });
}

/** Called with each piece of the body, and with "" to flush the head or to learn when all is flushed. */
function send(
  this: HostedResponse,
  data: string | Uint8Array,
  encoding?: BufferEncoding | WriteCallback | null,
  callback: WriteCallback | null = null,
): boolean {
  if (typeof encoding === "function") return send.call(this, data, null, encoding);
  const sink = this[kSink];
  if (!sink.open) return false;
  const isText = typeof data === "string";
  const head = this[kHead];
  if (!this._headerSent && head !== null) {
    this._headerSent = true;
    sink.respond(encodeHead(head, isText && (!encoding || encoding === "utf8") ? "utf8" : "latin1"));
  }
  if (data.length === 0) return sink.send(null, callback);
  return sink.send(isText ? Buffer.from(data, encoding ?? "utf8") : data, callback);
}

/** Called with the text of an informational response, the only text that is still made; with anything else only by an app. */
function writeRaw(
  this: HostedResponse,
  data: string | Uint8Array,
  encoding?: BufferEncoding | WriteCallback | null,
  callback?: WriteCallback | null,
): boolean {
  const done = (typeof encoding === "function" ? encoding : callback) ?? null;
  const sink = this[kSink];
  if (!sink.open) return false;
  const head = typeof data === "string" ? parseInformational(data) : null;
  if (head === null) {
    const error = sink.refuseRaw();
    if (done !== null) process.nextTick(done, error);
    return false;
  }
  sink.inform(head);
  return sink.send(null, done);
}

function parseInformational(text: string): ResponseHead | null {
  const [first = "", ...lines] = text.split("\r\n");
  const match = /^HTTP\/1\.1 (1\d\d) (.*)$/.exec(first);
  if (match === null) return null;
  const headers: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(": ");
    if (colon > 0) headers.push(line.slice(0, colon), line.slice(colon + 2));
  }
  return { status: Number(match[1]), reason: match[2] ?? "", headers };
}

/** Called by end(), once, when the last byte has been sent. */
function finish(this: HostedResponse): void {
  const prototype = Object.getPrototypeOf(this) as HostedResponse;
  prototype._finish.call(this);
  this[kSink].finish(this[kHead]?.chunked === true ? parseTrailers(this._trailer) : noTrailers);
}

const noTrailers: HeaderList = [];

/** addTrailers has checked them and made them text. */
function parseTrailers(text: string): HeaderList {
  if (text === "") return noTrailers;
  const trailers: string[] = [];
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) trailers.push(line.slice(0, colon), line.slice(colon + 2));
  }
  return trailers;
}
