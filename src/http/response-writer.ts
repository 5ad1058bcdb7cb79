/**
 * Writes HTTP/1.1 responses: heads and chunks in, bytes out. No sockets and no timers.
 *
 * The app says what it answers; how that is framed on this connection is decided here: by the Content-Length that it
 * gave, which is then enforced, in chunks, or by closing (HTTP/1.0). An app is not trusted with the connection: fields
 * that concern only the connection are dropped, and a byte that would begin a new line is refused, because the next
 * client on a shared connection would pay for it.
 *
 * Faults come back as a word. Before the head is written nothing has left and the client can be given another answer;
 * after it, all that is left is to cut the connection, so that the client sees that the answer is not whole.
 */
import { assert } from "../lib/assert.ts";
import type { ByteBatch } from "../lib/byte-batch.ts";
import { DIGIT, isAll, isFieldValue, TOKEN } from "./charset.ts";
import { isHopByHop, isNamed, listTokens } from "./field-names.ts";
import type { HeaderList, ResponseHead } from "./message.ts";

export interface ResponseContext {
  /** Of the request. */
  method: string;
  versionMinor: 0 | 1;
  /** The client and this server both want the connection to go on. */
  keepAlive: boolean;
  /** For responses without a Date field. */
  date: string;
  /** Added to the final response, unless it has a field of that name. */
  added: HeaderList;
}

/** What is wrong with the app's answer. */
export type ResponseFault =
  | "status"
  | "reason"
  | "field-name"
  | "field-value"
  | "content-length"
  | "body-longer-than-its-content-length"
  | "body-shorter-than-its-content-length";

type Framing = "none" | "length" | "chunked" | "close";

export class ResponseWriter {
  readonly #out: ByteBatch;
  readonly #context: ResponseContext;
  #state: "head" | "body" | "done" = "head";
  #framing: Framing = "none";
  #bytesLeft = 0;
  #keepAlive: boolean;

  constructor(out: ByteBatch, context: ResponseContext) {
    this.#out = out;
    this.#context = context;
    this.#keepAlive = context.keepAlive;
  }

  /** After `respond`: whether the connection can carry another request once this response is complete. */
  get keepAlive(): boolean {
    return this.#keepAlive;
  }

  get isHeadWritten(): boolean {
    return this.#state !== "head";
  }

  /** Only the end of the connection tells the client where the answer ends. */
  get endsByClosing(): boolean {
    return this.#framing === "close";
  }

  /** From here the connection ends with this response. Only before `respond`. */
  closeAfter(): void {
    if (this.#state === "head") this.#keepAlive = false;
  }

  /** A 1xx response. HTTP/1.0 knows none, so there it is left out. */
  inform(head: ResponseHead): ResponseFault | null {
    assert(this.#state === "head", "an informational response precedes the final one");
    // 101 would end HTTP on this connection, which only a tunnel may.
    if (!(head.status >= 100 && head.status <= 199 && head.status !== 101)) return "status";
    if (this.#context.versionMinor === 0) return null;
    const fields = this.#fields(head, { isFinal: false });
    if (!fields.ok) return fields.fault;
    this.#out.text(`HTTP/1.1 ${head.status} ${head.reason}\r\n${fields.text}\r\n`);
    return null;
  }

  respond(head: ResponseHead): ResponseFault | null {
    assert(this.#state === "head", "a response has one head");
    if (!(Number.isInteger(head.status) && head.status >= 200 && head.status <= 999)) return "status";
    const fields = this.#fields(head, { isFinal: true });
    if (!fields.ok) return fields.fault;
    const { method, versionMinor } = this.#context;
    const isBodiless = method === "HEAD" || head.status === 204 || head.status === 304;
    // The app is this server's own: when it says that the connection should end, as it may in plain Node, it ends.
    if (fields.isClosing) this.#keepAlive = false;
    const hasLength = fields.contentLength !== null && head.status !== 204;
    this.#framing = isBodiless ? "none" : hasLength ? "length" : versionMinor === 1 ? "chunked" : "close";
    if (this.#framing === "length") this.#bytesLeft = fields.contentLength ?? 0;
    if (this.#framing === "close") this.#keepAlive = false;
    let text = `HTTP/1.1 ${head.status} ${head.reason}\r\n${fields.text}`;
    if (hasLength) text += `Content-Length: ${fields.contentLength}\r\n`;
    if (this.#framing === "chunked") text += "Transfer-Encoding: chunked\r\n";
    text += this.#connectionLine(head.status);
    this.#out.text(`${text}\r\n`);
    this.#state = "body";
    return null;
  }

  /** Bytes where the response has no body (HEAD, 204, 304) are left out, as Node does. */
  body(chunk: Uint8Array): ResponseFault | null {
    assert(this.#state === "body", "a body follows its head");
    if (chunk.length === 0) return null;
    switch (this.#framing) {
      case "none":
        return null;
      case "length":
        if (chunk.length > this.#bytesLeft) {
          // What was promised is whole for the client; what is too much would be read as another response.
          this.#out.bytes(chunk.subarray(0, this.#bytesLeft));
          this.#bytesLeft = 0;
          return "body-longer-than-its-content-length";
        }
        this.#bytesLeft -= chunk.length;
        this.#out.bytes(chunk);
        return null;
      case "chunked":
        this.#out.text(`${chunk.length.toString(16)}\r\n`);
        this.#out.bytes(chunk);
        this.#out.text("\r\n");
        return null;
      default:
        this.#out.bytes(chunk);
        return null;
    }
  }

  /** Trailers are sent where there is a place for them, after chunks, and are left out elsewhere. */
  end(trailers: HeaderList): ResponseFault | null {
    assert(this.#state === "body", "a response ends once, after its head");
    if (this.#framing === "length" && this.#bytesLeft > 0) return "body-shorter-than-its-content-length";
    if (this.#framing === "chunked") {
      const fields = trailerLines(trailers);
      if (!fields.ok) return fields.fault;
      this.#out.text(`0\r\n${fields.text}\r\n`);
    }
    this.#state = "done";
    return null;
  }

  #connectionLine(status: number): string {
    // 426 must say what to upgrade to, and Upgrade must be named by Connection.
    const tokens = status === 426 ? ["upgrade"] : [];
    if (!this.#keepAlive) tokens.push("close");
    else if (this.#context.versionMinor === 0) tokens.push("keep-alive");
    return tokens.length === 0 ? "" : `Connection: ${tokens.join(", ")}\r\n`;
  }

  /** The lines of a head without those about connection and framing. */
  #fields(head: ResponseHead, { isFinal }: { isFinal: boolean }): FieldLines {
    if (!isFieldValue(head.reason)) return { ok: false, fault: "reason" };
    const { headers } = head;
    const connection = readConnection(headers);
    let text = "";
    let contentLength: number | null = null;
    let hasDate = false;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      const value = headers[i + 1] as string;
      if (!isAll(name, TOKEN)) return { ok: false, fault: "field-name" };
      if (!isFieldValue(value)) return { ok: false, fault: "field-value" };
      if (isNamed(name, "content-length")) {
        const length = readLength(value);
        if (length === null || (contentLength !== null && contentLength !== length)) {
          return { ok: false, fault: "content-length" };
        }
        contentLength = length;
        continue;
      }
      if (isHopByHop(name) && !(head.status === 426 && isNamed(name, "upgrade"))) continue;
      if (connection.named.length > 0 && connection.named.includes(name.toLowerCase())) continue;
      if (name.length === 4 && isNamed(name, "date")) hasDate = true;
      text += `${name}: ${value}\r\n`;
    }
    if (isFinal) {
      if (!hasDate) text += `Date: ${this.#context.date}\r\n`;
      text += missingLines(this.#context.added, headers);
    }
    return { ok: true, text, contentLength, isClosing: connection.isClosing };
  }
}

type FieldLines =
  | { ok: true; text: string; contentLength: number | null; isClosing: boolean }
  | { ok: false; fault: ResponseFault };

interface ConnectionOptions {
  /** Fields that concern only the connection, too, because the app's Connection field names them. In lower case. */
  named: readonly string[];
  isClosing: boolean;
}

const plainConnection: ConnectionOptions = { named: [], isClosing: false };

/** These describe the message, and are kept whatever the app's Connection field says. */
const neverNamed: ReadonlySet<string> = new Set([
  "close",
  "keep-alive",
  "upgrade",
  "content-type",
  "set-cookie",
  "date",
]);

export function readConnection(headers: HeaderList): ConnectionOptions {
  let options = plainConnection;
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1] as string;
    if (!isNamed(headers[i] as string, "connection") || value === "keep-alive") continue;
    const tokens = listTokens(value);
    options = {
      named: [...options.named, ...tokens.filter((token) => !neverNamed.has(token))],
      isClosing: options.isClosing || tokens.includes("close"),
    };
  }
  return options;
}

/** One number; or the same several times in a list, which Node lets an app write. */
export function readLength(value: string): number | null {
  const first = value.includes(",") ? oneOfSame(listTokens(value)) : value;
  if (first === null || !isAll(first, DIGIT) || first.length > 16) return null;
  const length = Number(first);
  return Number.isSafeInteger(length) ? length : null;
}

function oneOfSame(tokens: readonly string[]): string | null {
  const first = tokens[0];
  return first !== undefined && tokens.every((token) => token === first) ? first : null;
}

function missingLines(added: HeaderList, headers: HeaderList): string {
  let text = "";
  for (let i = 0; i < added.length; i += 2) {
    const name = added[i] as string;
    if (!hasField(headers, name.toLowerCase())) text += `${name}: ${added[i + 1] as string}\r\n`;
  }
  return text;
}

export function hasField(headers: HeaderList, lower: string): boolean {
  for (let i = 0; i < headers.length; i += 2) if (isNamed(headers[i] as string, lower)) return true;
  return false;
}

/** A trailer that says where the message ends is left out: it comes too late to be true. */
function trailerLines(trailers: HeaderList): { ok: true; text: string } | { ok: false; fault: ResponseFault } {
  let text = "";
  for (let i = 0; i < trailers.length; i += 2) {
    const name = trailers[i] as string;
    const value = trailers[i + 1] as string;
    if (!isAll(name, TOKEN)) return { ok: false, fault: "field-name" };
    if (!isFieldValue(value)) return { ok: false, fault: "field-value" };
    if (isHopByHop(name) || isNamed(name, "content-length") || isNamed(name, "trailer")) continue;
    text += `${name}: ${value}\r\n`;
  }
  return { ok: true, text };
}
