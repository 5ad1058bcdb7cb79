/**
 * TLS before HTTP: takes accepted, unread connections of one listener and gives them on, encrypted, once the handshake is
 * done. What HTTP is spoken then, the client has said in it (ALPN).
 *
 * It opens no socket. A tls.Server that never listens does the work; to inject connections into it is documented. Until
 * the first certificate is there, connections wait here; the B cell then does not listen on this listener either, so that others do.
 */
import { constants, randomBytes } from "node:crypto";
import type net from "node:net";
import tls from "node:tls";
import { Certificates, type CertificateNews, type CertificateTrouble } from "./certificates.ts";
import type { Dna } from "../../dna/dna.ts";

export type ListenerTls = NonNullable<Dna["listen"][number]["tls"]>;

export interface TlsFrontOptions {
  tls: ListenerTls;
  /** How long a client may take for its handshake. */
  handshakeMs: number;
  accept: (socket: tls.TLSSocket) => void;
  news: CertificateNews;
  /** Called once: there is a certificate to serve with. */
  ready: () => void;
}

export const tlsLimits = {
  /** Handshakes under way in one B cell and listener: each costs a private-key operation, and some 30 KB. */
  handshakesMax: 4_096,
  /** Of those from one address, so that a few machines cannot take all. Many people may share one, but shake hands in turn. */
  handshakesPerAddressMax: 512,
  /** Connections that wait for the first certificate to be mended. */
  waitingMax: 256,
} as const;

/** Session tickets are readable for whoever has their key: a new one each day bounds what a stolen one gives away. */
const ticketKeyMs = 24 * 3_600_000;
const ticketKeyBytes = 48;

export class TlsFront {
  readonly #options: TlsFrontOptions;
  readonly #certificates: Certificates;
  /** Under way, with the address that each is counted for. */
  readonly #handshakes = new Map<net.Socket, string>();
  readonly #byAddress = new Map<string, number>();
  #server: tls.Server | null = null;
  #waiting: net.Socket[] = [];
  #ticketTimer: NodeJS.Timeout | null = null;
  #onSettled: (() => void) | null = null;
  /** Handshakes that failed: scanners, old clients, plain HTTP. */
  failedCount = 0;

  constructor(options: TlsFrontOptions) {
    this.#options = options;
    const { tls: wanted, news } = options;
    this.#certificates = new Certificates([wanted, ...wanted.also], wanted.minVersion, {
      news,
      changed: () => this.#certificatesChanged(),
    });
  }

  start(): Promise<void> {
    return this.#certificates.start();
  }

  /** Takes a connection over, of which nothing has been read. */
  take(socket: net.Socket): void {
    // Its "close" has been: nothing would ever end its handshake, and `settled` wait for it.
    if (socket.destroyed) return;
    if (this.#server === null) {
      if (this.#waiting.length < tlsLimits.waitingMax) this.#waiting.push(socket);
      else socket.destroy();
      return;
    }
    if (this.#handshakes.size >= tlsLimits.handshakesMax || !this.#enter(socket)) {
      socket.destroy();
      return;
    }
    socket.once("close", () => this.#handshakeOver(socket));
    this.#server.emit("connection", socket);
  }

  /** Connections that wait for a certificate, or are in their handshake. */
  get openCount(): number {
    return this.#waiting.length + this.#handshakes.size;
  }

  /** Ends the handshakes of those who are meant. */
  cutWhere(isMeant: (address: string) => boolean): void {
    for (const [socket, address] of this.#handshakes) if (isMeant(address)) socket.destroy();
    for (const socket of this.#waiting) if (isMeant(socket.remoteAddress ?? "")) socket.destroy();
    this.#waiting = this.#waiting.filter(({ destroyed }) => !destroyed);
  }

  /** Looks at the files; by itself once a second. */
  look(): Promise<void> {
    return this.#certificates.look();
  }

  troubles(): CertificateTrouble[] {
    return this.#certificates.troubles(Date.now());
  }

  /** Resolves when no handshake is under way, and after `msMax` ends those that are. */
  async settled(msMax: number): Promise<void> {
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    if (this.#handshakes.size === 0) return;
    const timer = setTimeout(() => {
      for (const socket of this.#handshakes.keys()) socket.destroy();
    }, msMax);
    await new Promise<void>((resolve) => (this.#onSettled = resolve));
    clearTimeout(timer);
  }

  stop(): void {
    this.#certificates.stop();
    if (this.#ticketTimer !== null) clearInterval(this.#ticketTimer);
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }

  #certificatesChanged(): void {
    if (!this.#certificates.isReady) return;
    if (this.#server !== null) {
      this.#server.setSecureContext({
        ...this.#certificates.defaultOptions,
        secureOptions,
        // Who has visited before the change comes back by the short way.
        ticketKeys: this.#server.getTicketKeys(),
      });
      return;
    }
    this.#server = this.#makeServer();
    this.#ticketTimer = setInterval(() => this.#server?.setTicketKeys(randomBytes(ticketKeyBytes)), ticketKeyMs);
    this.#ticketTimer.unref();
    this.#options.ready();
    for (const socket of this.#waiting.splice(0)) this.take(socket);
  }

  #makeServer(): tls.Server {
    const { tls: wanted, handshakeMs, accept } = this.#options;
    const server = tls.createServer({
      ...this.#certificates.defaultOptions,
      secureOptions,
      ALPNProtocols: wanted.http2 ? ["h2", "http/1.1"] : ["http/1.1"],
      handshakeTimeout: handshakeMs,
      ticketKeys: randomBytes(ticketKeyBytes),
      SNICallback: (name, done) => done(null, this.#certificates.find(name)),
    });
    server.on("secureConnection", (socket) => {
      accept(socket);
      this.#handshakeOver(rawSocketOf(socket));
    });
    server.on("tlsClientError", (_error, socket) => {
      this.failedCount += 1;
      socket.destroy();
    });
    return server;
  }

  /** False: this address has too many under way. */
  #enter(socket: net.Socket): boolean {
    const address = socket.remoteAddress ?? "";
    const count = this.#byAddress.get(address) ?? 0;
    if (count >= tlsLimits.handshakesPerAddressMax) return false;
    this.#byAddress.set(address, count + 1);
    this.#handshakes.set(socket, address);
    return true;
  }

  #handshakeOver(socket: net.Socket | null): void {
    const address = socket === null ? undefined : this.#handshakes.get(socket);
    if (socket === null || address === undefined) return;
    this.#handshakes.delete(socket);
    const count = this.#byAddress.get(address) ?? 1;
    if (count > 1) this.#byAddress.set(address, count - 1);
    else this.#byAddress.delete(address);
    if (this.#handshakes.size > 0) return;
    this.#onSettled?.();
    this.#onSettled = null;
  }
}

/** Renegotiation is a way to have a server compute for nothing, and no browser needs it. */
const secureOptions = constants.SSL_OP_NO_RENEGOTIATION;

/** The connection beneath. Node keeps it as `_parent`; where that should fail one day, the socket's own "close" tells. */
function rawSocketOf(socket: tls.TLSSocket): net.Socket | null {
  return (socket as unknown as { _parent?: net.Socket })._parent ?? null;
}
