/**
 * Reads HTTP/1.1 requests: bytes in, events out. No sockets, no timers, no policy beyond the grammar and its limits.
 *
 * A server that people put in front of others must read every request in one way only. So this reader is strict
 * where RFC 9112 lets a server be lenient: a line ends with CR LF, a request has one Host, one length and at most the
 * chunked coding, and anything that two programs could read differently is refused rather than repaired. What is
 * refused ends the connection, because after it nobody knows where the next request begins.
 *
 * `feed` takes bytes, `next` gives the next event or null when it needs more. For each request: `head`, then `body`
 * any number of times, then `end`; or, instead of any of them, `error`, after which nothing comes. After `end` the
 * reader stands still, with whatever was pipelined kept unread, until `startNext` or `takeRest`.
 *
 * Time (408) is the caller's; so is whom to answer and how.
 */
import { assert } from "../lib/assert.ts";
import {
  BACKSLASH,
  classOf,
  COLON,
  CR,
  DEL,
  DIGIT,
  EQUALS,
  findOther,
  HEX,
  HOST,
  HTAB,
  isAll,
  LF,
  QUOTE,
  SEMICOLON,
  SPACE,
  TARGET,
  TOKEN,
  VALUE,
} from "./charset.ts";
import { isBlank, isNamed, listTokens } from "./field-names.ts";
import type { HttpErrorCode } from "./http-error.ts";
import type { HeaderList, RequestHead } from "./message.ts";
import { isKnownMethod } from "./method.ts";

export interface ReaderLimits {
  /** Request line and header lines together. */
  headBytesMax: number;
  /** Header fields, trailers included. */
  fieldsMax: number;
  targetBytesMax: number;
  bodyBytesMax: number;
  /** All chunk extensions of one request together. */
  chunkExtensionBytesMax: number;
  trailerBytesMax: number;
}

export const readerLimitsDefault: Readonly<ReaderLimits> = {
  // Node's own default, so that moving an app here neither breaks it nor lets in what it was safe from.
  headBytesMax: 16 * 1024,
  // Browsers behind proxies send about forty.
  fieldsMax: 128,
  // RFC 9112 recommends to support at least 8000 bytes of request line.
  targetBytesMax: 8 * 1024,
  // Bodies are streamed, so this guards the app's disk and not our memory; the DNA lowers it.
  bodyBytesMax: 4 * 1024 ** 3,
  // No client in use sends any. Node allows 16 KiB.
  chunkExtensionBytesMax: 4 * 1024,
  trailerBytesMax: 8 * 1024,
};

export type BodyFraming = "none" | "length" | "chunked";

export interface ReadHead extends RequestHead {
  framing: BodyFraming;
  /** With framing "length"; 0 otherwise. */
  contentLength: number;
  /** The Host field or the target's authority; empty when the request has neither. */
  host: string;
  /** The client wants to send another request on this connection. */
  keepAlive: boolean;
  /** The tokens of all Connection fields in lower case. */
  connectionTokens: readonly string[];
  /** Asks for another protocol (or CONNECT), has no body and may have it. */
  upgrade: boolean;
  /** The client waits for a 100 before it sends the body. */
  expectsContinue: boolean;
}

export type ReaderEvent =
  | { type: "head"; head: ReadHead }
  /** A view of the bytes that were fed, not a copy (but small chunks are gathered). */
  | { type: "body"; chunk: Buffer }
  | { type: "end"; trailers: HeaderList }
  | { type: "error"; code: HttpErrorCode };

type State =
  | "head"
  | "length-body"
  | "chunk-size"
  | "chunk-extension"
  | "chunk-size-lf"
  | "chunk-data"
  | "chunk-data-cr"
  | "chunk-data-lf"
  | "trailers"
  | "ending"
  | "done"
  | "closed";

/** What can be read in each state, and where it leads. A step that is not here is a bug and ends the cell. */
const transitions = {
  head: { "head-without-body": "ending", "head-with-length": "length-body", "head-with-chunks": "chunk-size" },
  "length-body": { "body-read": "ending" },
  "chunk-size": { "size-cr": "chunk-size-lf", "extension-begin": "chunk-extension" },
  "chunk-extension": { "size-cr": "chunk-size-lf" },
  "chunk-size-lf": { "chunk-begin": "chunk-data", "last-chunk": "trailers" },
  "chunk-data": { "chunk-read": "chunk-data-cr" },
  "chunk-data-cr": { "data-cr": "chunk-data-lf" },
  "chunk-data-lf": { "data-lf": "chunk-size" },
  trailers: { "trailers-read": "ending" },
  ending: { "message-end": "done" },
  done: { "start-next": "head", "take-rest": "closed" },
  closed: {},
} as const satisfies Record<State, Record<string, State>>;

type Step = { [S in State]: keyof (typeof transitions)[S] }[State];

/** Chunks under this size are copied together, or a body in chunks of one byte would cost an event for each. */
const GATHER_BYTES_MAX = 1024;
/** Leading zeros included. No client pads a chunk size beyond 16. */
const CHUNK_SIZE_DIGITS_MAX = 16;
const CONTENT_LENGTH_DIGITS_MAX = 16;

const NO_BYTES = Buffer.alloc(0);
const HEAD_END = Buffer.from("\r\n\r\n", "latin1");

export class RequestReader {
  readonly #limits: ReaderLimits;
  #refusedHead = "";
  #state: State = "head";
  #error: HttpErrorCode | null = null;
  /** Invariant: unread bytes are [#at, #end) of #input. Beyond #end only if #ownsInput. */
  #input: Buffer = NO_BYTES;
  #at = 0;
  #end = 0;
  /** #input was allocated here, and bytes beyond #end are free to write to. */
  #ownsInput = false;
  #isInputBorrowed = false;
  /** Bytes from #at on that were searched for the end of the head (or trailers) in vain. */
  #searchedBytes = 0;
  #mayHaveBlankLine = true;

  #bodyBytesLeft = 0;
  #bodyBytes = 0;
  #chunkDigits = 0;
  #extension: ExtensionState = "name-begin";
  #extensionBytes = 0;
  #gathered: Buffer | null = null;
  #gatheredBytes = 0;
  #fieldCount = 0;
  #trailers: HeaderList = [];

  constructor(limits: Partial<ReaderLimits> = {}) {
    this.#limits = { ...readerLimitsDefault, ...limits };
  }

  /** The reader keeps `chunk` and gives out views of it; the caller must not change it any more. */
  feed(chunk: Buffer): void {
    if (chunk.length === 0 || this.#error !== null) return;
    if (this.#at === this.#end) {
      this.#input = chunk;
      this.#at = 0;
      this.#end = chunk.length;
      this.#ownsInput = false;
    } else {
      this.#append(chunk);
    }
  }

  /** As `feed`, but until `giveBack` only: of such a chunk it gives out copies. */
  borrow(chunk: Buffer): void {
    this.feed(chunk);
    this.#isInputBorrowed = this.#input === chunk;
  }

  /** From now on the caller may change what was borrowed. */
  giveBack(): void {
    if (!this.#isInputBorrowed) return;
    this.#isInputBorrowed = false;
    if (this.#at === this.#end) this.#forgetInput();
    else this.#append(NO_BYTES);
  }

  /** The next event; null when more bytes (or `startNext`) are needed. After an error always null. */
  next(): ReaderEvent | null {
    switch (this.#state) {
      case "head":
        return this.#nextHead();
      case "length-body":
        return this.#nextOfLength();
      case "trailers":
        return this.#nextTrailers();
      case "ending":
        this.#go("message-end");
        return { type: "end", trailers: this.#trailers };
      case "done":
      case "closed":
        return null;
      default:
        return this.#nextOfChunks();
    }
  }

  /** Bytes fed and not yet given out. The caller stops feeding a reader that stands still. */
  get unreadBytes(): number {
    return this.#end - this.#at;
  }

  /** After an error within a head: what there was of it, as it came. What kind of attack it may have been is in it. */
  get refusedHead(): string {
    return this.#refusedHead;
  }

  /** True between requests, with nothing of the next one read: the connection may be closed without loss. */
  get isIdle(): boolean {
    return (this.#state === "head" && this.#at === this.#end) || this.#state === "done";
  }

  /** After `end`: goes on with the next request on this connection. */
  startNext(): void {
    this.#go("start-next");
    // An idle connection should not keep the bytes of its last request alive.
    if (this.#at === this.#end) this.#forgetInput();
    this.#mayHaveBlankLine = true;
    this.#bodyBytes = 0;
    this.#extensionBytes = 0;
    this.#fieldCount = 0;
    this.#trailers = [];
  }

  /** After the `end` of a request that became a tunnel: the bytes that already belong to it. Reads nothing more. */
  takeRest(): Buffer {
    this.#go("take-rest");
    return this.#giveOut(this.#end - this.#at);
  }

  /** The client will send no more. An error when that is in the middle of a request, otherwise null. */
  finish(): ReaderEvent | null {
    if (this.isIdle || this.#state === "ending" || this.#state === "closed") return null;
    return this.#fail("CELLWS_HTTP_INCOMPLETE");
  }

  #go(step: Step): void {
    const to = (transitions[this.#state] as Partial<Record<Step, State>>)[step];
    assert(to !== undefined, `the reader may ${step} in state ${this.#state}`);
    this.#state = to;
  }

  #fail(code: HttpErrorCode): ReaderEvent {
    this.#error = code;
    if (this.#state === "head") {
      this.#refusedHead = this.#input.latin1Slice(this.#at, Math.min(this.#end, this.#at + this.#limits.headBytesMax));
    }
    this.#state = "closed";
    this.#at = this.#end;
    this.#gathered = null;
    return { type: "error", code };
  }

  #forgetInput(): void {
    this.#input = NO_BYTES;
    this.#at = 0;
    this.#end = 0;
    this.#ownsInput = false;
  }

  /** Grows by doubling, so that a head that comes byte by byte is not copied for every byte. */
  #append(chunk: Buffer): void {
    const restBytes = this.#end - this.#at;
    if (!this.#ownsInput || this.#input.length - this.#end < chunk.length) {
      const grown = Buffer.allocUnsafe(Math.max(1024, 2 * (restBytes + chunk.length)));
      this.#input.copy(grown, 0, this.#at, this.#end);
      this.#input = grown;
      this.#at = 0;
      this.#end = restBytes;
      this.#ownsInput = true;
    }
    chunk.copy(this.#input, this.#end);
    this.#end += chunk.length;
  }

  /** The next unread bytes, for the caller to keep. */
  #giveOut(bytes: number): Buffer {
    const view = this.#input.subarray(this.#at, this.#at + bytes);
    this.#at += bytes;
    return this.#isInputBorrowed ? Buffer.from(view) : view;
  }

  // -------------------------------------------------------------------------------------------------------------
  // The head

  #nextHead(): ReaderEvent | null {
    if (this.#mayHaveBlankLine && !this.#skipBlankLine()) return null;
    if (this.#at === this.#end) return null;
    const limits = this.#limits;
    const headEnd = this.#findBlockEnd();
    if (headEnd < 0) return this.#judgePartialHead();
    if (headEnd - this.#at > limits.headBytesMax) return this.#fail(this.#tooLargeCode(headEnd));
    // With the CR LF of the last line, so that every line has one.
    const text = this.#input.latin1Slice(this.#at, headEnd - 2);
    const head = readHead(text, limits);
    if (typeof head === "string") return this.#fail(head);
    this.#at = headEnd;
    this.#fieldCount = head.headers.length >>> 1;
    this.#bodyBytesLeft = head.contentLength;
    if (head.framing === "chunked") this.#beginChunk("head-with-chunks");
    else this.#go(head.contentLength > 0 ? "head-with-length" : "head-without-body");
    return { type: "head", head };
  }

  /** One empty line before a request is forgiven, as RFC 9112 asks: old clients end a body with it. False: need more. */
  #skipBlankLine(): boolean {
    if (this.#at === this.#end) return false;
    if (this.#input[this.#at] === CR) {
      if (this.#end - this.#at === 1) return false;
      if (this.#input[this.#at + 1] === LF) this.#at += 2;
    }
    this.#mayHaveBlankLine = false;
    return true;
  }

  /** Index behind the next CR LF CR LF, or -1. Searches no byte twice. */
  #findBlockEnd(): number {
    const from = this.#at + Math.max(0, this.#searchedBytes - 3);
    const found = this.#input.indexOf(HEAD_END, from);
    // Beyond #end lies what was in memory before.
    if (found >= 0 && found + 4 <= this.#end) {
      this.#searchedBytes = 0;
      return found + 4;
    }
    return -1;
  }

  /**
   * A head that is not complete may already be wrong, and then its sender is told now and not by a timeout: a bare
   * LF never becomes the end that we wait for, and the first bytes of TLS or HTTP/2 are no request line.
   */
  #judgePartialHead(): ReaderEvent | null {
    const to = this.#end;
    if (to - this.#at > this.#limits.headBytesMax) return this.#fail(this.#tooLargeCode(to));
    const code = this.#findWrongByte(to) ?? this.#judgePartialTarget();
    this.#searchedBytes = to - this.#at;
    return code === null ? null : this.#fail(code);
  }

  #findWrongByte(to: number): HttpErrorCode | null {
    const input = this.#input;
    // One byte back: what follows a CR was not known when it was searched last.
    const from = this.#at + Math.max(0, this.#searchedBytes - 1);
    for (let i = from; i < to; i += 1) {
      const byte = input[i] as number;
      if (byte >= SPACE && byte !== DEL) continue;
      if (byte === LF) {
        if (i === this.#at || input[i - 1] !== CR) return "CELLWS_HTTP_BARE_LF";
      } else if (byte === CR) {
        if (i + 1 < to && input[i + 1] !== LF) return "CELLWS_HTTP_BARE_CR";
      } else if (byte !== HTAB) {
        return "CELLWS_HTTP_CONTROL_BYTE";
      }
    }
    return null;
  }

  #judgePartialTarget(): HttpErrorCode | null {
    // Method, target, version and two spaces; the longest method has 11 letters.
    const lineBytesMax = this.#limits.targetBytesMax + 32;
    if (this.#end - this.#at <= lineBytesMax) return null;
    return this.#isLineEndBefore(this.#at + lineBytesMax) ? null : "CELLWS_HTTP_TARGET_TOO_LONG";
  }

  /** 414 when not even the request line is complete within the limit, 431 otherwise. */
  #tooLargeCode(to: number): HttpErrorCode {
    return this.#isLineEndBefore(Math.min(to, this.#at + this.#limits.headBytesMax))
      ? "CELLWS_HTTP_HEAD_TOO_LARGE"
      : "CELLWS_HTTP_TARGET_TOO_LONG";
  }

  #isLineEndBefore(to: number): boolean {
    const lineEnd = this.#input.indexOf(LF, this.#at);
    return lineEnd >= 0 && lineEnd < to;
  }

  // -------------------------------------------------------------------------------------------------------------
  // The body

  #nextOfLength(): ReaderEvent | null {
    const bytes = Math.min(this.#bodyBytesLeft, this.#end - this.#at);
    if (bytes === 0) return null;
    const chunk = this.#giveOut(bytes);
    this.#bodyBytesLeft -= bytes;
    if (this.#bodyBytesLeft === 0) this.#go("body-read");
    return { type: "body", chunk };
  }

  #beginChunk(step: "head-with-chunks" | "data-lf"): void {
    this.#go(step);
    this.#bodyBytesLeft = 0;
    this.#chunkDigits = 0;
  }

  /** Goes on through sizes, extensions and data until there is an event, or no more input. */
  #nextOfChunks(): ReaderEvent | null {
    while (this.#at < this.#end) {
      if (this.#state === "chunk-data") {
        const event = this.#takeChunkData();
        if (event !== null) return event;
        continue;
      }
      if (this.#state === "trailers") return this.#giveGathered() ?? this.#nextTrailers();
      const code = this.#takeFramingByte(this.#input[this.#at] as number);
      if (code !== null) return this.#fail(code);
      this.#at += 1;
    }
    return this.#giveGathered();
  }

  /** A large chunk is given out as it is; small ones are gathered, and given out before a large one or at the end. */
  #takeChunkData(): ReaderEvent | null {
    const availableBytes = this.#end - this.#at;
    const bytes = Math.min(this.#bodyBytesLeft, availableBytes);
    const isWorthItsOwnEvent = bytes >= GATHER_BYTES_MAX || (bytes === availableBytes && this.#gathered === null);
    if (isWorthItsOwnEvent && this.#gathered !== null) return this.#giveGathered();
    this.#bodyBytesLeft -= bytes;
    if (this.#bodyBytesLeft === 0) this.#go("chunk-read");
    if (isWorthItsOwnEvent) return { type: "body", chunk: this.#giveOut(bytes) };
    this.#gathered ??= Buffer.allocUnsafe(availableBytes);
    this.#input.copy(this.#gathered, this.#gatheredBytes, this.#at, this.#at + bytes);
    this.#at += bytes;
    this.#gatheredBytes += bytes;
    return null;
  }

  #giveGathered(): ReaderEvent | null {
    if (this.#gathered === null) return null;
    const chunk = this.#gathered.subarray(0, this.#gatheredBytes);
    this.#gathered = null;
    this.#gatheredBytes = 0;
    return { type: "body", chunk };
  }

  /** One byte that is not data. Null: it was right. */
  #takeFramingByte(byte: number): HttpErrorCode | null {
    switch (this.#state) {
      case "chunk-size":
        return this.#takeSizeByte(byte);
      case "chunk-extension":
        return this.#takeExtensionByte(byte);
      case "chunk-size-lf":
        if (byte !== LF) return "CELLWS_HTTP_CHUNK_MALFORMED";
        this.#go(this.#bodyBytesLeft === 0 ? "last-chunk" : "chunk-begin");
        return null;
      case "chunk-data-cr":
        if (byte !== CR) return "CELLWS_HTTP_CHUNK_MALFORMED";
        this.#go("data-cr");
        return null;
      default:
        assert(this.#state === "chunk-data-lf", "only framing bytes are read as such");
        if (byte !== LF) return "CELLWS_HTTP_CHUNK_MALFORMED";
        this.#beginChunk("data-lf");
        return null;
    }
  }

  #takeSizeByte(byte: number): HttpErrorCode | null {
    if (((classOf[byte] as number) & HEX) !== 0) {
      this.#chunkDigits += 1;
      if (this.#chunkDigits > CHUNK_SIZE_DIGITS_MAX) return "CELLWS_HTTP_CHUNK_MALFORMED";
      this.#bodyBytesLeft = this.#bodyBytesLeft * 16 + hexValue(byte);
      const isTooLarge = this.#bodyBytes + this.#bodyBytesLeft > this.#limits.bodyBytesMax;
      return isTooLarge ? "CELLWS_HTTP_BODY_TOO_LARGE" : null;
    }
    if (this.#chunkDigits === 0) return "CELLWS_HTTP_CHUNK_MALFORMED";
    if (byte === CR) {
      this.#endSize();
      return null;
    }
    if (byte !== SEMICOLON) return "CELLWS_HTTP_CHUNK_MALFORMED";
    this.#go("extension-begin");
    this.#extension = "name-begin";
    return this.#countExtensionByte();
  }

  #takeExtensionByte(byte: number): HttpErrorCode | null {
    if (byte === CR && isExtensionEnd(this.#extension)) {
      this.#endSize();
      return null;
    }
    const state = nextExtensionState(this.#extension, byte);
    if (state === null) return "CELLWS_HTTP_CHUNK_EXTENSION";
    this.#extension = state;
    return this.#countExtensionByte();
  }

  #endSize(): void {
    this.#bodyBytes += this.#bodyBytesLeft;
    this.#go("size-cr");
  }

  #countExtensionByte(): HttpErrorCode | null {
    this.#extensionBytes += 1;
    return this.#extensionBytes > this.#limits.chunkExtensionBytesMax ? "CELLWS_HTTP_CHUNK_EXTENSION" : null;
  }

  #nextTrailers(): ReaderEvent | null {
    if (this.#end - this.#at < 2) return this.#judgePartialTrailers();
    if (this.#input[this.#at] === CR && this.#input[this.#at + 1] === LF) {
      this.#at += 2;
      this.#searchedBytes = 0;
      this.#go("trailers-read");
      return this.next();
    }
    const blockEnd = this.#findBlockEnd();
    if (blockEnd < 0) return this.#judgePartialTrailers();
    if (blockEnd - this.#at > this.#limits.trailerBytesMax) return this.#fail("CELLWS_HTTP_TRAILERS_TOO_LARGE");
    const text = this.#input.latin1Slice(this.#at, blockEnd - 2);
    const trailers: string[] = [];
    const code = readFields(text, 0, trailers, this.#limits.fieldsMax - this.#fieldCount) ?? judgeTrailers(trailers);
    if (code !== null) return this.#fail(code);
    this.#at = blockEnd;
    this.#trailers = trailers;
    this.#go("trailers-read");
    return this.next();
  }

  #judgePartialTrailers(): ReaderEvent | null {
    const to = this.#end;
    if (to - this.#at > this.#limits.trailerBytesMax) return this.#fail("CELLWS_HTTP_TRAILERS_TOO_LARGE");
    const code = this.#findWrongByte(to);
    this.#searchedBytes = to - this.#at;
    return code === null ? null : this.#fail(code);
  }
}

// ---------------------------------------------------------------------------------------------------------------
// The head as text. Every line, the last included, ends with CR LF.

function readHead(text: string, limits: ReaderLimits): ReadHead | HttpErrorCode {
  const methodEnd = findOther(text, TOKEN, 0);
  if (methodEnd === 0 || text.charCodeAt(methodEnd) !== SPACE) return lineError(text, methodEnd);
  const targetEnd = findOther(text, TARGET, methodEnd + 1);
  if (targetEnd === methodEnd + 1 || text.charCodeAt(targetEnd) !== SPACE) return lineError(text, targetEnd);
  if (targetEnd - methodEnd - 1 > limits.targetBytesMax) return "CELLWS_HTTP_TARGET_TOO_LONG";
  const versionMinor = readVersion(text, targetEnd + 1);
  if (typeof versionMinor === "string") return versionMinor;
  const method = text.substring(0, methodEnd);
  if (!isKnownMethod(method)) return "CELLWS_HTTP_METHOD_UNKNOWN";
  const target = text.substring(methodEnd + 1, targetEnd);
  const headers: string[] = [];
  const code = readFields(text, targetEnd + 1 + VERSION_LINE_BYTES, headers, limits.fieldsMax);
  if (code !== null) return code;
  return judgeHead(method, target, versionMinor, headers, limits);
}

/** `HTTP/1.1` and CR LF. */
const VERSION_LINE_BYTES = 10;

function readVersion(text: string, at: number): 0 | 1 | HttpErrorCode {
  if (text.startsWith("HTTP/1.1\r\n", at)) return 1;
  if (text.startsWith("HTTP/1.0\r\n", at)) return 0;
  const lineEnd = text.indexOf("\r\n", at);
  const version = text.substring(at, lineEnd);
  if (/^HTTP\/[0-9]\.[0-9]$/.test(version)) return "CELLWS_HTTP_VERSION";
  return lineError(text, at + version.search(/[^\x21-\x7e]|$/));
}

/** What is wrong with the request line, given where it stopped to make sense. */
function lineError(text: string, at: number): HttpErrorCode {
  return byteError(text, at) ?? "CELLWS_HTTP_REQUEST_LINE";
}

function byteError(text: string, at: number): HttpErrorCode | null {
  const byte = text.charCodeAt(at);
  if (byte === LF) return "CELLWS_HTTP_BARE_LF";
  if (byte === CR) return text.charCodeAt(at + 1) === LF ? null : "CELLWS_HTTP_BARE_CR";
  if ((byte < SPACE && byte !== HTAB) || byte === DEL) return "CELLWS_HTTP_CONTROL_BYTE";
  return null;
}

/** Appends names and values to `fields`. Null: all of `text` from `from` on was read. */
function readFields(text: string, from: number, fields: string[], fieldsMax: number): HttpErrorCode | null {
  let at = from;
  while (at < text.length) {
    const nameEnd = findOther(text, TOKEN, at);
    if (nameEnd === at || text.charCodeAt(nameEnd) !== COLON) return fieldError(text, at, nameEnd);
    let valueFrom = nameEnd + 1;
    while (isBlank(text.charCodeAt(valueFrom))) valueFrom += 1;
    const lineEnd = findOther(text, VALUE, valueFrom);
    if (text.charCodeAt(lineEnd) !== CR || text.charCodeAt(lineEnd + 1) !== LF) {
      return byteError(text, lineEnd) ?? "CELLWS_HTTP_FIELD_VALUE";
    }
    let valueEnd = lineEnd;
    while (valueEnd > valueFrom && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd -= 1;
    if (valueEnd < lineEnd && isNamed(text.substring(at, nameEnd), "transfer-encoding")) {
      // Allowed by the grammar, written by nobody, and not seen as chunked by some readers, Node's among them.
      return "CELLWS_HTTP_CODING_MALFORMED";
    }
    if (fields.length >= fieldsMax * 2) return "CELLWS_HTTP_FIELDS_TOO_MANY";
    fields.push(text.substring(at, nameEnd), text.substring(valueFrom, valueEnd));
    at = lineEnd + 2;
  }
  return null;
}

function fieldError(text: string, lineFrom: number, stoppedAt: number): HttpErrorCode {
  if (isBlank(text.charCodeAt(lineFrom))) return "CELLWS_HTTP_OBS_FOLD";
  return byteError(text, stoppedAt) ?? "CELLWS_HTTP_FIELD_NAME";
}

// ---------------------------------------------------------------------------------------------------------------
// What the head means

/** For HTTP/2 too, whose heads come as fields and not as text: one judgement for both. */
export function judgeHead(
  method: string,
  target: string,
  versionMinor: 0 | 1,
  headers: readonly string[],
  limits: ReaderLimits,
): ReadHead | HttpErrorCode {
  let host: string | null = null;
  let length: string | null = null;
  let coding: string | null = null;
  let connection: string | null = null;
  let expect: string | null = null;
  let hasUpgrade = false;
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1] as string;
    switch (specialField(headers[i] as string)) {
      case "host":
        if (host !== null) return "CELLWS_HTTP_HOST_DUPLICATE";
        host = value;
        break;
      case "content-length":
        if (length !== null) return "CELLWS_HTTP_LENGTH_DUPLICATE";
        length = value;
        break;
      case "transfer-encoding":
        // A list over several lines is a list all the same; judgeCoding refuses what is not one chunked.
        coding = coding === null ? value : `${coding},${value}`;
        break;
      case "connection":
        connection = connection === null ? value : `${connection},${value}`;
        break;
      case "expect":
        expect = expect === null ? value : `${expect},${value}`;
        break;
      case "upgrade":
        hasUpgrade = true;
        break;
      default:
        break;
    }
  }
  if (host === null && versionMinor === 1) return "CELLWS_HTTP_HOST_MISSING";
  if (host !== null && !isHost(host)) return "CELLWS_HTTP_HOST_MALFORMED";
  const authority = judgeTarget(method, target);
  if (authority.code !== null) return authority.code;
  if (authority.host !== null && host !== null && !isSameHost(authority, host)) return "CELLWS_HTTP_HOST_CONFLICT";
  const framing = judgeFraming(length, coding, versionMinor, limits);
  if (typeof framing === "string") return framing;
  const expectsContinue = expect !== null && expect.toLowerCase() === "100-continue";
  if (expect !== null && !expectsContinue && versionMinor === 1) return "CELLWS_HTTP_EXPECTATION";
  const connectionTokens = connection === null ? noTokens : listTokens(connection);
  const hasBody = framing.framing === "chunked" || framing.contentLength > 0;
  if (method === "CONNECT" && hasBody) return "CELLWS_HTTP_FRAMING_CONFLICT";
  const asksForUpgrade = hasUpgrade && versionMinor === 1 && !hasBody && connectionTokens.includes("upgrade");
  return {
    method,
    target,
    versionMinor,
    headers,
    framing: framing.framing,
    contentLength: framing.contentLength,
    host: authority.host ?? host ?? "",
    keepAlive: isKeepAlive(versionMinor, connectionTokens),
    connectionTokens,
    upgrade: asksForUpgrade || method === "CONNECT",
    expectsContinue: expectsContinue && versionMinor === 1 && hasBody,
  };
}

const noTokens: readonly string[] = [];

type SpecialField = "host" | "content-length" | "transfer-encoding" | "connection" | "expect" | "upgrade";

/** By length first: most names need no more than that to be known as none of these. */
function specialField(name: string): SpecialField | null {
  switch (name.length) {
    case 4:
      return name === "Host" || name === "host" || name.toLowerCase() === "host" ? "host" : null;
    case 6:
      return name.toLowerCase() === "expect" ? "expect" : null;
    case 7:
      return name.toLowerCase() === "upgrade" ? "upgrade" : null;
    case 10:
      return name.toLowerCase() === "connection" ? "connection" : null;
    case 14:
      return name.toLowerCase() === "content-length" ? "content-length" : null;
    case 17:
      return name.toLowerCase() === "transfer-encoding" ? "transfer-encoding" : null;
    default:
      return null;
  }
}

function isKeepAlive(versionMinor: 0 | 1, connectionTokens: readonly string[]): boolean {
  if (connectionTokens.includes("close")) return false;
  return versionMinor === 1 || connectionTokens.includes("keep-alive");
}

interface Framing {
  framing: BodyFraming;
  contentLength: number;
}

const framingNone: Framing = { framing: "none", contentLength: 0 };
const framingChunked: Framing = { framing: "chunked", contentLength: 0 };

/** RFC 9112, section 6, with every freedom that it leaves taken away. */
function judgeFraming(
  length: string | null,
  coding: string | null,
  versionMinor: 0 | 1,
  limits: ReaderLimits,
): Framing | HttpErrorCode {
  if (coding !== null) {
    if (length !== null) return "CELLWS_HTTP_FRAMING_CONFLICT";
    // HTTP/1.0 has no transfer codings; a client that uses one is confused or hopes that somebody is.
    if (versionMinor === 0) return "CELLWS_HTTP_CODING_MALFORMED";
    return judgeCoding(coding) ?? framingChunked;
  }
  if (length === null) return framingNone;
  if (!isAll(length, DIGIT)) return "CELLWS_HTTP_LENGTH_MALFORMED";
  const contentLength = Number(length);
  if (length.length > CONTENT_LENGTH_DIGITS_MAX || contentLength > limits.bodyBytesMax) {
    return "CELLWS_HTTP_BODY_TOO_LARGE";
  }
  return { framing: "length", contentLength };
}

function judgeCoding(coding: string): HttpErrorCode | null {
  const codings = listTokens(coding);
  if (codings.length === 1 && codings[0] === "chunked" && !coding.includes(",")) return null;
  // Known to be wrong: chunked twice, or not last. What is left is a coding of which we know nothing.
  const chunkedAt = codings.indexOf("chunked");
  if (codings.length === 0 || (chunkedAt >= 0 && chunkedAt !== codings.length - 1)) {
    return "CELLWS_HTTP_CODING_MALFORMED";
  }
  return codings.length === 1 && chunkedAt === 0 ? "CELLWS_HTTP_CODING_MALFORMED" : "CELLWS_HTTP_CODING_UNKNOWN";
}

interface TargetAuthority {
  code: HttpErrorCode | null;
  /** Of absolute-form and authority-form. */
  host: string | null;
  defaultPort: string;
}

const originForm: TargetAuthority = { code: null, host: null, defaultPort: "" };
const wrongForm: TargetAuthority = { code: "CELLWS_HTTP_TARGET", host: null, defaultPort: "" };

/** The four forms of RFC 9112, section 3.2. The bytes have been checked. */
function judgeTarget(method: string, target: string): TargetAuthority {
  if (method === "CONNECT") {
    const isAuthority = isHost(target) && /:[0-9]{1,5}$/.test(target);
    return isAuthority ? { code: null, host: target, defaultPort: "" } : wrongForm;
  }
  if (target.charCodeAt(0) === SLASH) return originForm;
  if (target === "*") return method === "OPTIONS" ? originForm : wrongForm;
  const match = /^(https?):\/\/([^/?]+)(?:[/?]|$)/i.exec(target);
  const host = match?.[2];
  if (match === null || host === undefined || !isHost(host)) return wrongForm;
  return { code: null, host, defaultPort: match[1]?.toLowerCase() === "https" ? ":443" : ":80" };
}

const SLASH = 0x2f;

/** Empty (a client without a name for the server may send that), or a host and an optional port. */
function isHost(host: string): boolean {
  if (host === "") return true;
  if (findOther(host, HOST, 0) !== host.length) return false;
  const bracketEnd = host.charCodeAt(0) === OPEN_BRACKET ? host.indexOf("]") : 0;
  if (bracketEnd < 0) return false;
  const rest = host.substring(bracketEnd === 0 ? 0 : bracketEnd + 1);
  if (rest.includes("[") || rest.includes("]")) return false;
  const colon = rest.indexOf(":");
  if (bracketEnd > 0 && rest !== "" && colon !== 0) return false;
  if (bracketEnd === 0 && colon === 0) return false;
  if (colon < 0) return true;
  const port = rest.substring(colon + 1);
  return port === "" || (port.length <= 5 && isAll(port, DIGIT));
}

const OPEN_BRACKET = 0x5b;

/** Host and target must agree, or filter and app could be talking of different sites. */
function isSameHost(authority: TargetAuthority, host: string): boolean {
  const named = (authority.host ?? "").toLowerCase();
  const claimed = host.toLowerCase();
  if (named === claimed) return true;
  return named + authority.defaultPort === claimed || named === claimed + authority.defaultPort;
}

/** Fields that say where a message ends, whom it is for or who sent it mean nothing after its end but mischief. */
const forbiddenTrailers: ReadonlySet<string> = new Set([
  "transfer-encoding",
  "content-length",
  "host",
  "connection",
  // Node's parser, for one, obeys these two even here, and closes.
  "proxy-connection",
  "keep-alive",
  "trailer",
  "te",
  "upgrade",
  "expect",
  "content-encoding",
  "content-type",
  "authorization",
  "cookie",
  "set-cookie",
  "forwarded",
]);

export function judgeTrailers(trailers: readonly string[]): HttpErrorCode | null {
  for (let i = 0; i < trailers.length; i += 2) {
    const name = (trailers[i] as string).toLowerCase();
    if (forbiddenTrailers.has(name) || name.startsWith("x-forwarded-")) return "CELLWS_HTTP_TRAILER";
  }
  return null;
}

// ---------------------------------------------------------------------------------------------------------------
// Chunk extensions: *( ";" name [ "=" ( token / quoted-string ) ] ). They are checked and then ignored.

type ExtensionState = "name-begin" | "name" | "value-begin" | "value" | "quoted" | "escaped" | "quote-end";

function isExtensionEnd(state: ExtensionState): boolean {
  return state === "name" || state === "value" || state === "quote-end";
}

function nextExtensionState(state: ExtensionState, byte: number): ExtensionState | null {
  const isToken = ((classOf[byte] as number) & TOKEN) !== 0;
  switch (state) {
    case "name-begin":
      return isToken ? "name" : null;
    case "name":
      if (isToken) return "name";
      if (byte === EQUALS) return "value-begin";
      return byte === SEMICOLON ? "name-begin" : null;
    case "value-begin":
      if (byte === QUOTE) return "quoted";
      return isToken ? "value" : null;
    case "value":
      if (isToken) return "value";
      return byte === SEMICOLON ? "name-begin" : null;
    case "quoted":
      if (byte === QUOTE) return "quote-end";
      if (byte === BACKSLASH) return "escaped";
      return ((classOf[byte] as number) & VALUE) !== 0 ? "quoted" : null;
    case "escaped":
      return ((classOf[byte] as number) & VALUE) !== 0 ? "quoted" : null;
    case "quote-end":
      return byte === SEMICOLON ? "name-begin" : null;
    default:
      return state;
  }
}

/** Of a byte that is known to be a hexadecimal digit. */
function hexValue(byte: number): number {
  return byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57;
}
