/**
 * The frames that B cell and drone exchange over an axon: one Unix-socket link, many requests at a time.
 *
 *     u32 length of what follows | u8 kind | u32 stream | payload
 *
 * A request crosses with its head already read, so that nobody parses HTTP twice and no two parsers can
 * disagree about where a request ends. Everything textual in a head is Latin-1 and is carried as such: the
 * whole payload is one string to build and one to cut, which in JavaScript is several times as fast as
 * writing field by field.
 *
 * Both ends are cells of one organism and of one version; a frame that makes no sense is therefore a bug
 * or an infected drone, never a client's doing. The decoder says so with a value and throws nothing: the
 * link is given up, the drone is lost, its requests are retried or answered with 502.
 *
 * Who may send which frame when, windows and retries: not here (src/host/axon-link.ts).
 */
import type { ExchangeRequest, HeaderList, ResponseHead } from "../http/message.ts";
import { unreachable } from "../lib/assert.ts";
import type { AppHealth } from "./control.ts";

/** How a drone does, told to every B cell it serves, whenever it changes and from time to time. */
export interface DroneStatus {
  /** Event-loop utilization over the last window, 0..1. */
  load: number;
  /** Requests that the drone is working on, from all B cells. */
  inFlight: number;
  /** True: finish what is there, give it nothing new. */
  draining: boolean;
  app: AppHealth;
}

export type Frame =
  /** B -> drone: a request begins. Its stream number was not in use. */
  | { kind: "request"; stream: number; request: ExchangeRequest }
  /** Either way: bytes of the body or of the tunnel. A long frame may be delivered in several pieces. */
  | { kind: "body"; stream: number; chunk: Buffer }
  /** Either way: this half is complete. */
  | { kind: "end"; stream: number; trailers: HeaderList }
  /** B -> drone: nobody waits for the answer any more. The stream is gone. */
  | { kind: "cancel"; stream: number; reason: string }
  /** Either way: so many more bytes of body may be sent. */
  | { kind: "credit"; stream: number; bytes: number }
  /** Drone -> B: the app has been given the request; from here it may have had effects. */
  | { kind: "begun"; stream: number }
  /** Drone -> B: a 1xx response. */
  | { kind: "inform"; stream: number; head: ResponseHead }
  /** Drone -> B: the final response's head. */
  | { kind: "respond"; stream: number; head: ResponseHead }
  /** Drone -> B: from here the stream carries raw bytes both ways. */
  | { kind: "tunnel"; stream: number }
  /** Drone -> B: there will be no (complete) answer. The stream is gone. */
  | { kind: "reset"; stream: number; code: string }
  /** Drone -> B, about the link and not a stream. */
  | { kind: "status"; status: DroneStatus };

export type FrameKind = Frame["kind"];

/** The reset code of a drone that refuses a request before the app saw it: another drone may have it. */
export const RESET_REFUSED = "CELLWS_AXON_REFUSED";

/** A head of 64 KiB is eight times what Node accepts by default; with the other fields it fits here. */
const HEAD_PAYLOAD_BYTES_MAX = 256 * 1024;
/** What senders put into one body frame at most, so that streams take turns on the link. */
export const BODY_PAYLOAD_BYTES_MAX = 64 * 1024;
const TEXT_PAYLOAD_BYTES_MAX = 4 * 1024;
/** An app's stack trace is in the status while it fails. */
const STATUS_PAYLOAD_BYTES_MAX = 256 * 1024;
/** More names than this in one head is no HTTP that the reader or Node would have let through. */
const HEADERS_MAX = 4096;

interface FrameShape {
  code: number;
  payloadBytesMin: number;
  payloadBytesMax: number;
}

/** The whole protocol at a glance. Codes are never reused for another meaning. */
const shapes = {
  request: { code: 1, payloadBytesMin: 14, payloadBytesMax: HEAD_PAYLOAD_BYTES_MAX },
  body: { code: 2, payloadBytesMin: 0, payloadBytesMax: BODY_PAYLOAD_BYTES_MAX },
  end: { code: 3, payloadBytesMin: 2, payloadBytesMax: HEAD_PAYLOAD_BYTES_MAX },
  cancel: { code: 4, payloadBytesMin: 1, payloadBytesMax: TEXT_PAYLOAD_BYTES_MAX },
  credit: { code: 5, payloadBytesMin: 4, payloadBytesMax: 4 },
  begun: { code: 6, payloadBytesMin: 0, payloadBytesMax: 0 },
  inform: { code: 7, payloadBytesMin: 5, payloadBytesMax: HEAD_PAYLOAD_BYTES_MAX },
  respond: { code: 8, payloadBytesMin: 5, payloadBytesMax: HEAD_PAYLOAD_BYTES_MAX },
  tunnel: { code: 9, payloadBytesMin: 0, payloadBytesMax: 0 },
  reset: { code: 10, payloadBytesMin: 1, payloadBytesMax: TEXT_PAYLOAD_BYTES_MAX },
  status: { code: 11, payloadBytesMin: 2, payloadBytesMax: STATUS_PAYLOAD_BYTES_MAX },
} as const satisfies Record<FrameKind, FrameShape>;

const kindByCode: ReadonlyArray<FrameKind | undefined> = Object.entries(shapes).reduce<Array<FrameKind | undefined>>(
  (table, [kind, shape]) => {
    table[shape.code] = kind as FrameKind;
    return table;
  },
  [],
);

/** u32 length, u8 kind, u32 stream. */
const PREFIX_BYTES = 9;
/** kind and stream are counted in the length. */
const PREFIX_COUNTED_BYTES = 5;

// ---------------------------------------------------------------------------------------------------------------
// Writing

/** Small frames share a block; one block serves many turns of the event loop. */
const BLOCK_BYTES = 64 * 1024;
/** Longer bodies are passed on by reference: copying costs more than one more entry in writev's list. */
const COPY_BYTES_MAX = 4 * 1024;

/**
 * Collects frames until `take` hands them over for writing. A body longer than COPY_BYTES_MAX is kept by
 * reference and must not be changed before it has been written.
 *
 * @example writer.respond(7, head); writer.body(7, chunk); writer.end(7, []); socket.write(Buffer.concat(writer.take()));
 */
export class FrameWriter {
  #parts: Uint8Array[] = [];
  #block: Buffer = Buffer.alloc(0);
  /** Invariant: #start <= #at <= #block.length; [#start, #at) is written and not yet in #parts. */
  #start = 0;
  #at = 0;
  #byteLength = 0;

  /** Bytes waiting to be taken. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Everything written since the last call, in order. */
  take(): Uint8Array[] {
    this.#closeSlice();
    const parts = this.#parts;
    this.#parts = [];
    this.#byteLength = 0;
    return parts;
  }

  /** False: the head is too large for a frame; nothing was written. */
  request(stream: number, request: ExchangeRequest): boolean {
    return this.#text(shapes.request, stream, requestText(request));
  }

  /** At most BODY_PAYLOAD_BYTES_MAX bytes. */
  body(stream: number, chunk: Uint8Array): void {
    this.#prefix(shapes.body, stream, chunk.length);
    if (chunk.length <= COPY_BYTES_MAX) {
      this.#reserve(chunk.length);
      this.#block.set(chunk, this.#at);
      this.#at += chunk.length;
    } else {
      this.#closeSlice();
      this.#parts.push(chunk);
    }
    this.#byteLength += chunk.length;
  }

  /** Whether `end` would write these trailers. */
  static fitsEnd(trailers: HeaderList): boolean {
    return trailers.length === 0 || headersText(trailers).length <= shapes.end.payloadBytesMax;
  }

  /** False: the trailers are too large for a frame; nothing was written. */
  end(stream: number, trailers: HeaderList): boolean {
    return this.#text(shapes.end, stream, headersText(trailers));
  }

  cancel(stream: number, reason: string): void {
    this.#text(shapes.cancel, stream, lengthText(reason.slice(0, 1000)));
  }

  credit(stream: number, bytes: number): void {
    this.#prefix(shapes.credit, stream, 4);
    this.#reserve(4);
    this.#block.writeUInt32BE(bytes, this.#at);
    this.#at += 4;
    this.#byteLength += 4;
  }

  begun(stream: number): void {
    this.#prefix(shapes.begun, stream, 0);
  }

  /** False: the head is too large for a frame; nothing was written. */
  inform(stream: number, head: ResponseHead): boolean {
    return this.#text(shapes.inform, stream, responseText(head));
  }

  /** False: the head is too large for a frame; nothing was written. */
  respond(stream: number, head: ResponseHead): boolean {
    return this.#text(shapes.respond, stream, responseText(head));
  }

  tunnel(stream: number): void {
    this.#prefix(shapes.tunnel, stream, 0);
  }

  reset(stream: number, code: string): void {
    this.#text(shapes.reset, stream, lengthText(code.slice(0, 1000)));
  }

  /** False: the status (an app's stack trace, most likely) is too large for a frame; nothing was written. */
  status(status: DroneStatus): boolean {
    const json = Buffer.from(JSON.stringify(status), "utf8");
    if (json.length > shapes.status.payloadBytesMax) return false;
    this.#prefix(shapes.status, 0, json.length);
    this.#closeSlice();
    this.#parts.push(json);
    this.#byteLength += json.length;
    return true;
  }

  #text(shape: FrameShape, stream: number, text: string): boolean {
    if (text.length > shape.payloadBytesMax) return false;
    this.#prefix(shape, stream, text.length);
    this.#reserve(text.length);
    this.#block.latin1Write(text, this.#at, text.length);
    this.#at += text.length;
    this.#byteLength += text.length;
    return true;
  }

  #prefix(shape: FrameShape, stream: number, payloadBytes: number): void {
    this.#reserve(PREFIX_BYTES);
    const block = this.#block;
    block.writeUInt32BE(PREFIX_COUNTED_BYTES + payloadBytes, this.#at);
    block[this.#at + 4] = shape.code;
    block.writeUInt32BE(stream, this.#at + 5);
    this.#at += PREFIX_BYTES;
    this.#byteLength += PREFIX_BYTES;
  }

  #reserve(bytes: number): void {
    if (this.#block.length - this.#at >= bytes) return;
    this.#closeSlice();
    this.#block = Buffer.allocUnsafe(Math.max(BLOCK_BYTES, bytes));
    this.#start = 0;
    this.#at = 0;
  }

  #closeSlice(): void {
    if (this.#at > this.#start) this.#parts.push(this.#block.subarray(this.#start, this.#at));
    this.#start = this.#at;
  }
}

// The payloads as text. Numbers are characters too: one string operation costs less than many small writes.

function requestText(request: ExchangeRequest): string {
  const flags =
    request.versionMinor | (request.encrypted ? 2 : 0) | (request.hasBody ? 4 : 0) | (request.upgrade ? 8 : 0);
  return (
    shortText(request.listener * 256 + flags) +
    shortText(request.remotePort) +
    shortText(request.localPort) +
    lengthText(request.method) +
    lengthText(request.target) +
    lengthText(request.remoteAddress) +
    lengthText(request.localAddress) +
    lengthText(request.requestId) +
    headersText(request.headers)
  );
}

function responseText(head: ResponseHead): string {
  return shortText(head.status) + lengthText(head.reason) + headersText(head.headers);
}

function headersText(headers: HeaderList): string {
  let text = shortText(headers.length >>> 1);
  for (const field of headers) text += lengthText(field);
  return text;
}

function shortText(value: number): string {
  return String.fromCharCode((value >>> 8) & 0xff, value & 0xff);
}

const LONG_LENGTH = 255;
const lengthChars: readonly string[] = Array.from({ length: LONG_LENGTH }, (_, length) => String.fromCharCode(length));

/** One byte of length, or 255 and four bytes; then the text. */
function lengthText(text: string): string {
  const length = text.length;
  if (length < LONG_LENGTH) return lengthChars[length] + text;
  return (
    String.fromCharCode(LONG_LENGTH, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff) + text
  );
}

// ---------------------------------------------------------------------------------------------------------------
// Reading

/** What is wrong with the bytes that came. Stable words, for logs and for evidence against the sender. */
export type FrameError =
  | "unknown-kind"
  | "payload-too-short"
  | "payload-too-long"
  | "stream-missing"
  | "stream-on-link-frame"
  | "malformed-payload";

export interface Decoded {
  /** In order; those before an error are sound. */
  frames: Frame[];
  /** Once set, the decoder reads nothing more. */
  error: FrameError | null;
}

/** Bytes in, frames out, however the bytes are cut. Body chunks are views of the given buffer, not copies. */
export class FrameDecoder {
  /** A frame's beginning that ended with the last chunk. Never holds body bytes. */
  #rest: Buffer | null = null;
  #bodyStream = 0;
  #bodyBytesLeft = 0;
  #error: FrameError | null = null;

  decode(chunk: Buffer): Decoded {
    const frames: Frame[] = [];
    if (this.#error !== null) return { frames, error: this.#error };
    const input = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    let at = 0;
    while (at < input.length) {
      if (this.#bodyBytesLeft > 0) {
        at = this.#bodyPiece(input, at, frames);
        continue;
      }
      const next = this.#frame(input, at, frames);
      if (this.#error !== null) break;
      if (next === at) {
        this.#rest = input.subarray(at);
        break;
      }
      at = next;
    }
    return { frames, error: this.#error };
  }

  /** Reads one frame, or the prefix of a body frame. Returns where it ended, or `at` when more bytes are needed. */
  #frame(input: Buffer, at: number, frames: Frame[]): number {
    if (input.length - at < PREFIX_BYTES) return at;
    const payloadBytes = input.readUInt32BE(at) - PREFIX_COUNTED_BYTES;
    const kind = kindByCode[input.readUInt8(at + 4)];
    const stream = input.readUInt32BE(at + 5);
    const error = prefixError(kind, stream, payloadBytes);
    if (kind === undefined || error !== null) {
      this.#error = error;
      return at;
    }
    const from = at + PREFIX_BYTES;
    if (kind === "body") {
      this.#bodyStream = stream;
      this.#bodyBytesLeft = payloadBytes;
      return from;
    }
    const to = from + payloadBytes;
    if (input.length < to) return at;
    const frame = readPayload(kind, stream, input, from, to);
    if (frame === null) this.#error = "malformed-payload";
    else frames.push(frame);
    return to;
  }

  #bodyPiece(input: Buffer, at: number, frames: Frame[]): number {
    const to = Math.min(input.length, at + this.#bodyBytesLeft);
    this.#bodyBytesLeft -= to - at;
    frames.push({ kind: "body", stream: this.#bodyStream, chunk: input.subarray(at, to) });
    return to;
  }
}

function prefixError(kind: FrameKind | undefined, stream: number, payloadBytes: number): FrameError | null {
  if (kind === undefined) return "unknown-kind";
  if (payloadBytes < shapes[kind].payloadBytesMin) return "payload-too-short";
  if (payloadBytes > shapes[kind].payloadBytesMax) return "payload-too-long";
  if (kind === "status") return stream === 0 ? null : "stream-on-link-frame";
  return stream === 0 ? "stream-missing" : null;
}

function readPayload(
  kind: Exclude<FrameKind, "body">,
  stream: number,
  input: Buffer,
  from: number,
  to: number,
): Frame | null {
  switch (kind) {
    case "credit":
      return { kind, stream, bytes: input.readUInt32BE(from) };
    case "begun":
    case "tunnel":
      return { kind, stream };
    case "status": {
      const status = readStatus(input.utf8Slice(from, to));
      return status === null ? null : { kind, status };
    }
    case "request":
    case "end":
    case "cancel":
    case "inform":
    case "respond":
    case "reset":
      return readText(kind, stream, new TextCursor(input.latin1Slice(from, to)));
    default:
      return unreachable(kind);
  }
}

function readText(
  kind: "request" | "end" | "cancel" | "inform" | "respond" | "reset",
  stream: number,
  cursor: TextCursor,
): Frame | null {
  let frame: Frame;
  switch (kind) {
    case "request":
      frame = { kind, stream, request: readRequest(cursor) };
      break;
    case "inform":
    case "respond":
      frame = { kind, stream, head: { status: cursor.short(), reason: cursor.text(), headers: cursor.headers() } };
      break;
    case "end":
      frame = { kind, stream, trailers: cursor.headers() };
      break;
    case "cancel":
      frame = { kind, stream, reason: cursor.text() };
      break;
    case "reset":
      frame = { kind, stream, code: cursor.text() };
      break;
  }
  return cursor.isExactlyAtEnd() ? frame : null;
}

function readRequest(cursor: TextCursor): ExchangeRequest {
  const listenerAndFlags = cursor.short();
  const remotePort = cursor.short();
  const localPort = cursor.short();
  const method = cursor.text();
  const target = cursor.text();
  const remoteAddress = cursor.text();
  const localAddress = cursor.text();
  const requestId = cursor.text();
  const headers = cursor.headers();
  return {
    method,
    target,
    versionMinor: (listenerAndFlags & 1) === 1 ? 1 : 0,
    headers,
    remoteAddress,
    remotePort,
    localAddress,
    localPort,
    encrypted: (listenerAndFlags & 2) !== 0,
    listener: listenerAndFlags >>> 8,
    requestId,
    hasBody: (listenerAndFlags & 4) !== 0,
    upgrade: (listenerAndFlags & 8) !== 0,
  };
}

/** Walks a payload. Reading past its end yields empty values and is remembered, so that callers check once. */
class TextCursor {
  readonly #text: string;
  #at = 0;
  #overrun = false;

  constructor(text: string) {
    this.#text = text;
  }

  isExactlyAtEnd(): boolean {
    return !this.#overrun && this.#at === this.#text.length;
  }

  short(): number {
    return this.#byte() * 256 + this.#byte();
  }

  text(): string {
    let length = this.#byte();
    if (length === LONG_LENGTH) length = this.short() * 65536 + this.short();
    const from = this.#at;
    this.#at = from + length;
    if (this.#at > this.#text.length) {
      this.#overrun = true;
      return "";
    }
    return this.#text.substring(from, this.#at);
  }

  headers(): string[] {
    const count = this.short();
    if (count > HEADERS_MAX) this.#overrun = true;
    const headers: string[] = [];
    for (let left = count * 2; left > 0 && !this.#overrun; left -= 1) headers.push(this.text());
    return headers;
  }

  #byte(): number {
    if (this.#at >= this.#text.length) {
      this.#overrun = true;
      return 0;
    }
    const byte = this.#text.charCodeAt(this.#at);
    this.#at += 1;
    return byte;
  }
}

const appStates = ["none", "loading", "ready", "failed"] as const satisfies ReadonlyArray<AppHealth["state"]>;

function readStatus(json: string): DroneStatus | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return null;
  }
  return isStatus(value) ? value : null;
}

function isStatus(value: unknown): value is DroneStatus {
  if (!isRecord(value) || !isRecord(value["app"])) return false;
  const state = value["app"]["state"];
  const retryInMs = value["app"]["retryInMs"];
  return (
    typeof value["load"] === "number" &&
    typeof value["inFlight"] === "number" &&
    typeof value["draining"] === "boolean" &&
    appStates.some((known) => known === state) &&
    (retryInMs === undefined || typeof retryInMs === "number")
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
