/**
 * The socket that an app sees: `req.socket`, `res.socket`, and the duplex of an upgrade.
 *
 * There is one for each exchange, and no connection behind it, since the connection is the B cell's. It is a
 * net.Socket all the same (`instanceof` holds, timeouts and event order are Node's own); what would touch the
 * operating system is answered from what the B cell told about the client.
 *
 * It has two lives. Under HTTP the message bodies pass it by: request.ts pushes into the IncomingMessage,
 * response.ts writes to the exchange, and the socket is asked only to read more or less (`resume`, `pause`) and
 * to end everything (`destroy`). Raw bytes have no place there, and writing them fails with a reason. After an
 * upgrade it is a tunnel: a real Duplex whose bytes are the client's.
 */
import { Duplex, Readable } from "node:stream";
import * as net from "node:net";
import type { SocketInternals } from "./node-internals.ts";

/** What the socket asks of the conversation that it belongs to. */
export interface SocketOwner {
  readonly client: ClientEnds;
  bytesRead: number;
  bytesWritten: number;
  /** Bytes of the response that the B cell has not asked for yet; 0 while there is room. */
  bytesBlocked: number;
  /** The app reads again, or wants to. */
  readOn(): void;
  /** The app wants no more for now. */
  readNoMore(): void;
  /** No byte has passed for as long as setTimeout said. */
  timedOut(): void;
  /** Tunnel only. `done` is called when there is room for more. */
  writeRaw(chunk: Uint8Array, done: () => void): void;
  /** The app ended its half: of the tunnel, or, under HTTP, of a connection whose response it still owes. */
  ended(): void;
  /** Something was written below HTTP. Returns the error for it. */
  refuseRaw(): Error;
  /** Called once, synchronously with destroy(). Returns the error to emit, if any. */
  destroyed(error: Error | null): Error | null;
}

/** Both ends of the client's connection, as the B cell sees them. */
export interface ClientEnds {
  remoteAddress: string;
  remotePort: number;
  localAddress: string;
  localPort: number;
  encrypted: boolean;
}

// A server's sockets in Node may be half-open: a client that has said all still wants its answer.
const socketOptions = { allowHalfOpen: true };

export class ExchangeSocket extends net.Socket {
  readonly owner: SocketOwner;
  /** True under TLS; absent otherwise, as on a plain net.Socket. Express and Koa derive `req.protocol` from it. */
  declare encrypted: true | undefined;
  declare authorized: boolean | undefined;
  declare server: SocketInternals["server"];
  declare _server: SocketInternals["_server"];
  declare _httpMessage: SocketInternals["_httpMessage"];
  tunnelling = false;
  private timed = false;

  constructor(owner: SocketOwner) {
    super(socketOptions);
    this.owner = owner;
  }

  override setTimeout(milliseconds: number, callback?: () => void): this {
    if (!this.timed) {
      this.timed = true;
      this.on("timeout", onTimeout);
    }
    return super.setTimeout(milliseconds, callback);
  }

  override resume(): this {
    if (this.tunnelling) return super.resume();
    this.owner.readOn();
    return this;
  }

  override pause(): this {
    if (this.tunnelling) return super.pause();
    this.owner.readNoMore();
    return this;
  }

  /** Nothing comes by itself: bytes are pushed as they arrive, and this only says that there is room. */
  override _read(): void {
    if (this.tunnelling) this.owner.readOn();
  }

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, done: Done): void {
    if (!this.tunnelling) return done(this.owner.refuseRaw());
    this.owner.writeRaw(bytesOf(chunk, encoding), done);
  }

  override _writev(chunks: Array<{ chunk: string | Uint8Array; encoding: BufferEncoding }>, done: Done): void {
    if (!this.tunnelling) return done(this.owner.refuseRaw());
    const parts = chunks.map(({ chunk, encoding }) => bytesOf(chunk, encoding));
    this.owner.writeRaw(Buffer.concat(parts), done);
  }

  override _final(done: Done): void {
    this.owner.ended();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const emitted = this.owner.destroyed(error);
    // Node's own: clears the timeout, emits 'close', and takes the connection off the server's count.
    super._destroy(emitted, done);
  }

  override address(): net.AddressInfo {
    const { localAddress, localPort } = this.owner.client;
    return { address: localAddress, port: localPort, family: familyOf(localAddress) };
  }

  override ref(): this {
    return this;
  }

  override unref(): this {
    return this;
  }

  override resetAndDestroy(): this {
    return this.destroy();
  }

  override connect(): this {
    throw Object.assign(new Error("this socket belongs to a client's request; open another with net.connect()"), {
      code: "ERR_SOCKET_ALREADY_OPEN",
    });
  }

  /** As a TLS socket answers when the client showed no certificate: TLS ends at the B cell. */
  getPeerCertificate(): Record<string, never> {
    return {};
  }
}

function onTimeout(this: ExchangeSocket): void {
  this.owner.timedOut();
}

type Done = (error?: Error | null) => void;
type Getter = (this: ExchangeSocket) => unknown;

function writableLengthOfStream(socket: ExchangeSocket): unknown {
  return Reflect.get(Duplex.prototype, "writableLength", socket);
}

// Accessors and not class members: the types of net.Socket declare these as plain properties.
const accessors: Record<string, Getter> = {
  remoteAddress(): string {
    return this.owner.client.remoteAddress;
  },
  remotePort(): number {
    return this.owner.client.remotePort;
  },
  remoteFamily(): string {
    return familyOf(this.owner.client.remoteAddress);
  },
  localAddress(): string {
    return this.owner.client.localAddress;
  },
  localPort(): number {
    return this.owner.client.localPort;
  },
  localFamily(): string {
    return familyOf(this.owner.client.localAddress);
  },
  pending(): boolean {
    return false;
  },
  bytesRead(): number {
    return this.owner.bytesRead;
  },
  bytesWritten(): number {
    return this.owner.bytesWritten;
  },
  writableLength(): unknown {
    return this.tunnelling ? writableLengthOfStream(this) : this.owner.bytesBlocked;
  },
};
for (const [name, get] of Object.entries(accessors)) {
  Object.defineProperty(ExchangeSocket.prototype, name, { get, configurable: true, enumerable: true });
}

// Apps behind a proxy that speaks TLS are known to set `req.socket.encrypted = true` themselves: so these can be set.
const settable: Record<string, Getter> = {
  encrypted(): true | undefined {
    return this.owner.client.encrypted ? true : undefined;
  },
  authorized(): boolean | undefined {
    return this.owner.client.encrypted ? false : undefined;
  },
};
for (const [name, get] of Object.entries(settable)) {
  function set(this: ExchangeSocket, value: unknown): void {
    Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true });
  }
  Object.defineProperty(ExchangeSocket.prototype, name, { get, set, configurable: true, enumerable: true });
}

/** From here on the socket carries raw bytes both ways. */
export function becomeTunnel(socket: ExchangeSocket): void {
  socket.tunnelling = true;
  // Whatever the app did to it as the side of a request is no choice about the tunnel.
  Reflect.set(socket, "readableFlowing", null);
}

/** Pushes past a subclass or an app that replaced `push`. */
export function pushToTunnel(socket: ExchangeSocket, chunk: Buffer): boolean {
  return Readable.prototype.push.call(socket, chunk);
}

/** The client has said all. As from a real socket, 'end' comes also when nobody reads, once nothing is left to read. */
export function endTunnel(socket: ExchangeSocket): void {
  Readable.prototype.push.call(socket, null);
  socket.read(0);
}

function bytesOf(chunk: string | Uint8Array, encoding: BufferEncoding): Uint8Array {
  return typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk;
}

function familyOf(address: string): "IPv4" | "IPv6" {
  return net.isIPv6(address) ? "IPv6" : "IPv4";
}
