/**
 * From what an app said with setHeader and writeHead to the head that goes to the B cell.
 *
 * It takes the place of Node's `_storeHeader`, which makes HTTP/1.1 text, and decides as that does: which
 * headers are checked, how arrays are spread, when Date and Content-Length are added, when trailers may
 * follow. It leaves to the B cell what belongs to the client's connection: chunking, keep-alive, and the
 * hop-by-hop headers. So Transfer-Encoding and Keep-Alive are dropped, and Connection is passed on only
 * where the app meant something by it (`close`, `upgrade`).
 */
import * as http from "node:http";
import type { ResponseHead } from "../http/message.ts";
import { kOutHeaders, kUniqueHeaders, type ResponseInternals } from "./node-internals.ts";

export type ComposableResponse = http.ServerResponse &
  ResponseInternals & {
    [kOutHeaders]: Record<string, [name: string, value: unknown]> | null;
    [kUniqueHeaders]?: Set<string> | null;
  };

export interface ComposedHead extends ResponseHead {
  headers: string[];
  /** A body of unknown length follows: Node would chunk it, and only then sends trailers. */
  chunked: boolean;
}

/**
 * `headers` is what writeHead hands over: the response's own map, or what the app gave it (an object, a flat
 * list, a list of pairs).
 */
export function composeHead(response: ComposableResponse, headers: unknown): ComposedHead {
  const head: Composing = {
    status: response.statusCode,
    reason: response.statusMessage,
    headers: [],
    chunked: false,
    connection: false,
    contentLength: false,
    transferEncoding: false,
    date: false,
    trailer: false,
  };
  if (headers === response[kOutHeaders]) {
    if (headers !== null) addOwnHeaders(response, head, response[kOutHeaders]);
  } else if (Array.isArray(headers)) {
    addListed(response, head, headers);
  } else if (headers) {
    for (const [name, value] of Object.entries(headers)) addChecked(response, head, name, value);
  }
  addImplied(response, head);
  return { status: head.status, reason: head.reason, headers: head.headers, chunked: head.chunked };
}

/** The head in the making, with what has been seen in it. */
interface Composing extends ComposedHead {
  connection: boolean;
  contentLength: boolean;
  transferEncoding: boolean;
  date: boolean;
  trailer: boolean;
}

type OwnHeaders = ComposableResponse[typeof kOutHeaders];

/** setHeader has checked these. */
function addOwnHeaders(response: ComposableResponse, head: Composing, own: OwnHeaders): void {
  for (const key in own) {
    const entry = own[key];
    if (entry !== undefined) addHeader(response, head, { key, name: entry[0], value: entry[1] });
  }
}

function addListed(response: ComposableResponse, head: Composing, list: readonly unknown[]): void {
  if (Array.isArray(list[0])) {
    for (const pair of list as Array<[string, unknown]>) addChecked(response, head, pair[0], pair[1]);
    return;
  }
  if (list.length % 2 !== 0) {
    throw Object.assign(new TypeError("The argument 'headers' is invalid: a flat list needs a value for each name"), {
      code: "ERR_INVALID_ARG_VALUE",
    });
  }
  for (let i = 0; i < list.length; i += 2) addChecked(response, head, list[i] as string, list[i + 1]);
}

function addChecked(response: ComposableResponse, head: Composing, name: string, value: unknown): void {
  http.validateHeaderName(name);
  if (Array.isArray(value)) for (const one of value) http.validateHeaderValue(name, one as string);
  else http.validateHeaderValue(name, value as string);
  addHeader(response, head, { key: name.toLowerCase(), name, value });
}

interface Header {
  key: string;
  name: string;
  value: unknown;
}

function addHeader(response: ComposableResponse, head: Composing, header: Header): void {
  const { key, name, value } = header;
  if (Array.isArray(value)) {
    const joined = (key === "cookie" && value.length > 1) || response[kUniqueHeaders]?.has(key) === true;
    if (joined) addLine(response, head, { key, name, value: value.join("; ") });
    else for (const one of value as unknown[]) addLine(response, head, { key, name, value: one });
    return;
  }
  addLine(response, head, header);
}

function addLine(response: ComposableResponse, head: Composing, { key, name, value }: Header): void {
  let text = typeof value === "string" ? value : String(value);
  switch (key) {
    case "connection":
      head.connection = true;
      response._removedConnection = false;
      if (/^\s*keep-alive\s*$/i.test(text)) return;
      break;
    case "keep-alive":
      return;
    case "transfer-encoding":
      head.transferEncoding = true;
      response._removedTE = false;
      head.chunked = /(?:^|\W)chunked(?:$|\W)/i.test(text);
      assertOnlyChunked(text);
      return;
    case "content-length":
      head.contentLength = true;
      response._contentLength = Number(value);
      response._removedContLen = false;
      break;
    case "date":
      head.date = true;
      break;
    case "trailer":
      head.trailer = true;
      break;
    case "content-disposition":
      if (response._contentLength) text = readAsUtf8(text);
      break;
  }
  head.headers.push(name, text);
}

/** The B cell frames the answer; a coding below the framing would be lost on the way. */
function assertOnlyChunked(value: string): void {
  if (/^\s*(chunked|identity)\s*$/i.test(value)) return;
  throw Object.assign(
    new Error(`Transfer-Encoding: ${value} cannot be sent: the organism frames responses; use Content-Encoding`),
    { code: "CELLWS_E_TRANSFER_ENCODING" },
  );
}

function addImplied(response: ComposableResponse, head: Composing): void {
  if (response.sendDate && !head.date) head.headers.push("Date", dateNow());
  // A final answer in place of 100 Continue, or an app that said so: the connection should not be used again.
  if (!response.shouldKeepAlive && !head.connection && !response._removedConnection) {
    head.headers.push("Connection", "close");
  }
  if (!head.contentLength && !head.transferEncoding) {
    if (!response._hasBody) head.chunked = false;
    else if (!head.trailer && !response._removedContLen && typeof response._contentLength === "number") {
      head.headers.push("Content-Length", String(response._contentLength));
    } else head.chunked = response.useChunkedEncodingByDefault && !response._removedTE;
  }
  if (!response._hasBody) head.chunked = false;
  if (head.trailer && !head.chunked) {
    throw Object.assign(new Error("Trailers are invalid with this transfer encoding"), {
      code: "ERR_HTTP_TRAILER_INVALID",
    });
  }
}

let date: string | null = null;

function dateNow(): string {
  if (date !== null) return date;
  const now = new Date();
  date = now.toUTCString();
  const timer = setTimeout(forgetDate, 1000 - now.getMilliseconds());
  timer.unref();
  return date;
}

function forgetDate(): void {
  date = null;
}

/**
 * What the characters of header values become on the wire. Node writes the head together with the first piece
 * of the body, in that piece's encoding: UTF-8 with a string, Latin-1 with bytes. Apps have come to rely on
 * either, so it is kept. The result has one character for each byte.
 */
export function encodeHead(head: ComposedHead, encoding: "utf8" | "latin1"): ComposedHead {
  if (isAscii(head.reason)) {
    const { headers } = head;
    let i = 0;
    while (i < headers.length && isAscii(headers[i] as string)) i += 1;
    if (i === headers.length) return head;
  }
  const encode = (text: string): string =>
    isAscii(text) ? text : lineOf(Buffer.from(text, encoding).toString("latin1"));
  return { ...head, reason: encode(head.reason), headers: head.headers.map(encode) };
}

/** RFC 6266 file names: Node takes Content-Disposition for UTF-8 bytes when the length of the body is known. */
function readAsUtf8(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, "latin1").toString("utf8");
}

/** Characters beyond Latin-1 lose their high byte; what is left must not end the line. */
function lineOf(text: string): string {
  return text.replace(/[\0\r\n]/g, "?");
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 127) return false;
  return true;
}
