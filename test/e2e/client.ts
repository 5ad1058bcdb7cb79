/**
 * The clients of the tests: one request on a connection of its own, and a raw connection for everything that a
 * well-behaved client would not do. No pool and no keep-alive unless a test asks for them, so that what a test sees is
 * the doing of the server alone.
 */
import http from "node:http";
import net from "node:net";
import type { Readable } from "node:stream";
import { within } from "./wait.ts";

export interface Address {
  host: string;
  port: number;
  /** Whence; any by default. */
  localAddress?: string;
}

export interface ClientRequest {
  method?: string;
  path?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string | Uint8Array | Readable;
  agent?: http.Agent;
}

export interface ClientResponse {
  status: number;
  headers: http.IncomingHttpHeaders;
  rawHeaders: string[];
  trailers: NodeJS.Dict<string>;
  body: Buffer;
  text: string;
}

/** A whole exchange. Rejects when the connection fails or ends before the answer is complete. */
export async function request(at: Address, wanted: ClientRequest = {}): Promise<ClientResponse> {
  const response = await open(at, wanted);
  const body = await within(`the body of ${label(wanted)}`, readAll(response));
  const { statusCode = 0, headers, rawHeaders, trailers } = response;
  return { status: statusCode, headers, rawHeaders, trailers, body, text: body.toString() };
}

/** Until the head of the answer; the body is the caller's to read, or to destroy. */
export async function open(
  at: Address,
  { method = "GET", path = "/", headers = {}, body, agent }: ClientRequest = {},
): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const outgoing = http.request({ ...at, method, path, headers, agent: agent ?? false }, resolve);
  outgoing.on("error", reject);
  if (typeof body === "object" && "pipe" in body) body.on("error", reject).pipe(outgoing);
  else outgoing.end(body);
  try {
    return await within(`an answer to ${label({ method, path })}`, promise);
  } catch (error) {
    outgoing.destroy();
    throw error;
  }
}

export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A TCP connection with everything that was received on it. */
export class RawConnection {
  readonly socket: net.Socket;
  received = "";
  /** How it ended: "end" (they closed), "error ECONNRESET", or null while it is open. */
  ending: string | null = null;
  #waiting = new Set<() => void>();

  static async open(at: Address): Promise<RawConnection> {
    const socket = net.connect(at);
    const connection = new RawConnection(socket);
    await within(
      `a connection to port ${at.port}`,
      new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject)),
    );
    return connection;
  }

  constructor(socket: net.Socket) {
    this.socket = socket.setNoDelay(true).setEncoding("latin1");
    const changed = () => {
      for (const look of this.#waiting) look();
    };
    socket.on("data", (text: string) => {
      this.received += text;
      changed();
    });
    socket.on("end", () => {
      this.ending ??= "end";
      changed();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.ending ??= `error ${error.code}`;
      changed();
    });
    socket.on("close", () => {
      this.ending ??= "closed";
      changed();
    });
  }

  write(bytes: string): void {
    this.socket.write(bytes, "latin1");
  }

  /** Waits until what was received satisfies `enough`. */
  async until(what: string, enough: (received: string) => boolean): Promise<string> {
    await this.#when(what, () => enough(this.received));
    return this.received;
  }

  /** Waits until the other side has closed, and says how. */
  async ended(): Promise<string> {
    await this.#when("the end of the connection", () => this.ending !== null);
    return this.ending ?? "closed";
  }

  async #when(what: string, reached: () => boolean): Promise<void> {
    if (reached()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (reached()) resolve();
      else if (this.ending !== null)
        reject(new Error(`connection over (${this.ending}) before ${what}; received: ${this.received}`));
    };
    this.#waiting.add(look);
    try {
      look();
      await within(`${what}; received so far: ${JSON.stringify(this.received.slice(-2000))}`, promise);
    } finally {
      this.#waiting.delete(look);
    }
  }

  close(): void {
    this.socket.destroy();
  }
}

function label({ method = "GET", path = "/" }: ClientRequest): string {
  return `${method} ${path}`;
}
