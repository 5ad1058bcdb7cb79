/**
 * HTTP/2's heads in the terms of HTTP/1.1, in which the app, the filter and the axons think: both ways, pure.
 *
 * HTTP/2 has framing of its own, so most of what request smuggling lives on is not there. It comes back with the
 * translation: a `:path` with a line break, two hosts, a transfer-encoding where none can be. So what is translated is
 * judged by the very rules of the HTTP/1.1 reader, and by a few more.
 */
import { isAll, isFieldValue, TARGET, TOKEN } from "./charset.ts";
import { isHopByHop, isNamed } from "./field-names.ts";
import type { HttpErrorCode } from "./http-error.ts";
import type { HeaderList, ResponseHead } from "./message.ts";
import { isKnownMethod } from "./method.ts";
import { judgeHead, judgeTrailers, type ReadHead, type ReaderLimits } from "./request-reader.ts";
import { hasField, readConnection, readLength, type ResponseFault } from "./response-writer.ts";

/**
 * A request's fields as they came, pseudo-fields among them: name, value, name, value. `isWhole`: nothing follows them.
 * A string is the reason why it is refused.
 */
export function readHttp2Head(
  fields: HeaderList,
  { isWhole, limits }: { isWhole: boolean; limits: ReaderLimits },
): ReadHead | HttpErrorCode {
  const pseudo: Partial<Record<string, string>> = {};
  const headers: string[] = [];
  const cookies: string[] = [];
  let bytes = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    bytes += name.length + value.length;
    if (name.startsWith(":")) {
      if (pseudo[name] !== undefined) return "CELLWS_HTTP_REQUEST_LINE";
      pseudo[name] = value;
      continue;
    }
    const code = judgeField(name, value);
    if (code !== null) return code;
    // Sent one by one, so that they compress; in HTTP/1.1 they are one field (RFC 9113, 8.2.3).
    if (name === "cookie") cookies.push(value);
    else headers.push(name, value);
  }
  if (bytes > limits.headBytesMax) return "CELLWS_HTTP_HEAD_TOO_LARGE";
  // An empty one would leave a blank at the end, which no field may have.
  if (cookies.length > 0) headers.push("cookie", cookies.filter((cookie) => cookie !== "").join("; "));
  if (headers.length > 2 * limits.fieldsMax) return "CELLWS_HTTP_FIELDS_TOO_MANY";

  const line = judgeLine(pseudo, limits);
  if (typeof line === "string") return line;
  const hostCode = placeHost(pseudo[":authority"], headers);
  if (hostCode !== null) return hostCode;
  // The app's frameworks look for one of the two to know that there is a body.
  if (!isWhole && !hasField(headers, "content-length")) headers.push("transfer-encoding", "chunked");
  return judgeHead(line.method, line.target, 1, headers, limits);
}

function judgeField(name: string, value: string): HttpErrorCode | null {
  if (!isAll(name, TOKEN) || name !== name.toLowerCase()) return "CELLWS_HTTP_FIELD_NAME";
  if (!isFieldValue(value) || value !== value.trim()) return "CELLWS_HTTP_FIELD_VALUE";
  if (name === "te") return value.toLowerCase() === "trailers" ? null : "CELLWS_HTTP_FIELD_VALUE";
  // There is no such thing in HTTP/2; who writes one hopes that it will be believed in HTTP/1.1.
  return isHopByHop(name) ? "CELLWS_HTTP_FIELD_NAME" : null;
}

function judgeLine(
  pseudo: Partial<Record<string, string>>,
  limits: ReaderLimits,
): { method: string; target: string } | HttpErrorCode {
  const { ":method": method, ":path": target, ":scheme": scheme, ":authority": _authority, ...others } = pseudo;
  if (method === undefined || Object.keys(others).length > 0) return "CELLWS_HTTP_REQUEST_LINE";
  // Neither a forward proxy nor (RFC 8441) WebSocket over HTTP/2: browsers fall back to HTTP/1.1 for it, as they are not told of it.
  if (method === "CONNECT" || !isKnownMethod(method)) return "CELLWS_HTTP_METHOD_UNKNOWN";
  if (scheme !== "https" && scheme !== "http") return "CELLWS_HTTP_TARGET";
  if (target === undefined || !isAll(target, TARGET)) return "CELLWS_HTTP_TARGET";
  if (target.length > limits.targetBytesMax) return "CELLWS_HTTP_TARGET_TOO_LONG";
  return target.startsWith("/") || target === "*" ? { method, target } : "CELLWS_HTTP_TARGET";
}

/** `:authority` is what HTTP/1.1 has as Host. Where both are there they must say the same. */
function placeHost(authority: string | undefined, headers: string[]): HttpErrorCode | null {
  if (authority === undefined) return null;
  let hasHost = false;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== "host") continue;
    if ((headers[i + 1] as string).toLowerCase() !== authority.toLowerCase()) return "CELLWS_HTTP_HOST_CONFLICT";
    hasHost = true;
  }
  if (!hasHost) headers.unshift("host", authority);
  return null;
}

/** A string is the reason why they are refused. */
export function readHttp2Trailers(fields: HeaderList, limits: ReaderLimits): string[] | HttpErrorCode {
  const trailers: string[] = [];
  let bytes = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    bytes += name.length + value.length;
    if (name.startsWith(":") || judgeField(name, value) !== null) return "CELLWS_HTTP_TRAILER";
    trailers.push(name, value);
  }
  if (bytes > limits.trailerBytesMax || trailers.length > 2 * limits.fieldsMax) return "CELLWS_HTTP_TRAILERS_TOO_LARGE";
  return judgeTrailers(trailers) ?? trailers;
}

// ---------------------------------------------------------------------------------------------------------------
// Answers

export interface Http2AnswerContext {
  /** Of the request. */
  method: string;
  /** For answers without a Date field. */
  date: string;
  /** Added unless the answer has a field of that name. */
  added: HeaderList;
}

export type Http2Answer =
  | {
      ok: true;
      /** By names in lower case, `:status` among them; several fields of one name are a list. */
      fields: Record<string, string | string[]>;
      /** Null where the app gave none. */
      contentLength: number | null;
      isBodiless: boolean;
    }
  | { ok: false; fault: ResponseFault };

export function writeHttp2Answer(head: ResponseHead, context: Http2AnswerContext): Http2Answer {
  // HTTP/2 knows no other three digits than these; Node's stops at 599.
  if (!(Number.isInteger(head.status) && head.status >= 200 && head.status <= 599)) return wrong("status");
  const fields = emptyFields(head.status);
  const contentLength = addFields(head.headers, fields);
  if (typeof contentLength === "string") return wrong(contentLength);
  if (fields["date"] === undefined) fields["date"] = context.date;
  for (let i = 0; i < context.added.length; i += 2) {
    fields[(context.added[i] as string).toLowerCase()] ??= context.added[i + 1] as string;
  }
  const isBodiless = context.method === "HEAD" || head.status === 204 || head.status === 304;
  if (contentLength !== null && head.status !== 204) fields["content-length"] = String(contentLength);
  return { ok: true, fields, contentLength, isBodiless };
}

/** A 1xx answer. */
export function writeHttp2Information(head: ResponseHead): Http2Answer {
  if (!(head.status >= 100 && head.status <= 199 && head.status !== 101)) return wrong("status");
  const fields = emptyFields(head.status);
  const contentLength = addFields(head.headers, fields);
  if (typeof contentLength === "string") return wrong(contentLength);
  return { ok: true, fields, contentLength: null, isBodiless: true };
}

/** Null: they cannot be sent. What says where the message ends, or concerns the connection, is left out. */
export function writeHttp2Trailers(trailers: HeaderList): Record<string, string | string[]> | null {
  const fields: Record<string, string | string[]> = Object.create(null);
  const kept = trailers.flatMap((name, i) =>
    i % 2 === 0 && !isNamed(name, "content-length") && !isNamed(name, "trailer")
      ? [name, trailers[i + 1] as string]
      : [],
  );
  return typeof addFields(kept, fields) === "string" ? null : fields;
}

function wrong(fault: ResponseFault): Http2Answer {
  return { ok: false, fault };
}

function emptyFields(status: number): Record<string, string | string[]> {
  return Object.assign(Object.create(null), { ":status": String(status) }) as Record<string, string | string[]>;
}

/** Adds what may pass, and returns the Content-Length apart from it; a string is the fault. */
function addFields(headers: HeaderList, fields: Record<string, string | string[]>): number | null | ResponseFault {
  const connection = readConnection(headers);
  let contentLength: number | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    if (!isAll(name, TOKEN)) return "field-name";
    if (!isFieldValue(value)) return "field-value";
    if (name === "content-length") {
      const length = readLength(value);
      if (length === null || (contentLength !== null && contentLength !== length)) return "content-length";
      contentLength = length;
    } else if (!isHopByHop(name) && !connection.named.includes(name)) {
      const before = fields[name];
      fields[name] = before === undefined ? value : [before, value].flat();
    }
  }
  return contentLength;
}
