/**
 * Which server of the app answers for which of the organism's listeners.
 *
 * An app says `listen(3000)`; the organism listens where the DNA says. Usually there is one of each and they
 * belong together whatever the numbers are. With several, the port decides where it can: a server that asks for
 * exactly a port of the organism gets that listener, even from a server that was there before and only
 * guessed. The first other server gets the first listener. What remains is unreachable, and the log says so.
 *
 * Requests of a listener without a server of its own go to the first that has one: a second listener of the
 * organism (another port, TLS) is another door to the same app.
 */
import type * as net from "node:net";
import type { OnAppEvent } from "./app-event.ts";
import type { HostedServer } from "./conversation.ts";
import type { AskedPort } from "./listen-hook.ts";
import { serverClasses } from "./node-internals.ts";

/** An address at which the organism listens. */
export interface ListenerAddress {
  host: string;
  port: number;
}

export type Place =
  /** The requests of an organism listener come to this server. */
  | { kind: "answers"; address: ListenerAddress }
  /** No request will come. `address` is what it asked for. */
  | { kind: "unreachable"; address: ListenerAddress }
  /** Another server of the app has that address, as it would have been in plain Node. */
  | { kind: "in-use" };

/** How well a server fits a listener; a better one takes it over. */
const fits = { standIn: 0, guess: 1, exact: 2 } as const;

interface Claim {
  hosted: HostedServer;
  asked: AskedPort;
  fit: number;
}

export class ServerRegistry {
  readonly listeners: readonly ListenerAddress[];
  private readonly onEvent: OnAppEvent;
  /** One for each organism listener. */
  private readonly claims: Array<Claim | null>;
  /** For each organism listener, the server that answers for it. Derived from `claims`. */
  private routes: Array<HostedServer | null>;
  private readonly open = new Map<net.Server, AskedPort>();
  private readonly listeningHandlers: Array<(server: net.Server) => void> = [];
  /** Set by the host: the connections of a server are its conversations. */
  destroyConnections: (server: net.Server) => void = () => {};

  constructor(listeners: readonly ListenerAddress[], onEvent: OnAppEvent) {
    this.listeners = listeners;
    this.onEvent = onEvent;
    this.claims = listeners.map(() => null);
    this.routes = listeners.map(() => null);
  }

  /** The server for a request that came in at the organism's listener `index`; null when the app has none open. */
  serverFor(index: number): HostedServer | null {
    return this.routes[index] ?? this.routes[0] ?? null;
  }

  /** Calls back for each server that the organism answers for, when it emits 'listening'. */
  onListening(handler: (server: net.Server) => void): void {
    this.listeningHandlers.push(handler);
  }

  claim(server: net.Server, asked: AskedPort): Place {
    if (this.isTaken(asked)) return { kind: "in-use" };
    this.open.set(server, asked);
    const found = this.placeFor(asked);
    if (found === null) return this.leaveOut(server, asked);
    const { index, fit } = found;
    const former = this.claims[index]?.hosted.server;
    // Fastify, asked for localhost, opens a second server for its other address, by the port that it was told.
    if (former !== undefined && sharesListeners(former, server)) return this.leaveOut(server, asked);
    this.displace(index);
    this.claims[index] = { hosted: hostedServer(server), asked, fit };
    this.route();
    const address = this.listeners[index] as ListenerAddress;
    this.report(asked, address);
    return { kind: "answers", address };
  }

  release(server: net.Server): void {
    this.open.delete(server);
    const index = this.claims.findIndex((claim) => claim?.hosted.server === server);
    if (index === -1) return;
    this.claims[index] = null;
    this.route();
    if (!this.claims.some((claim) => claim !== null)) {
      this.onEvent({
        level: "info",
        code: "APP_RELINQUISHED",
        message: "the app closed its server; requests get 503 until it listens again",
      });
    }
  }

  announceListening(server: net.Server): void {
    for (const handler of this.listeningHandlers) handler(server);
  }

  reportRealListen(server: net.Server, target: unknown): void {
    this.onEvent({
      level: "warn",
      code: "APP_REAL_LISTEN",
      message: `the app opens ${describeTarget(server, target)} itself; every drone does so, and ports and paths can be opened only once`,
    });
  }

  closeAllConnections(server: net.Server): void {
    this.destroyConnections(server);
  }

  /** The best listener for `asked` that is free or held by one that fits less. */
  private placeFor(asked: AskedPort): { index: number; fit: number } | null {
    if (asked.standIn) return this.claims[0] ? null : { index: 0, fit: fits.standIn };
    const exact = this.listeners.findIndex(({ port }) => port === asked.port && port !== 0);
    if (exact !== -1 && (this.claims[exact]?.fit ?? -1) < fits.exact) return { index: exact, fit: fits.exact };
    // A guess only where nothing has been guessed or known yet: a second server on another port is something else.
    const answered = this.claims.some((claim) => claim !== null && claim.fit > fits.standIn);
    if (answered || this.claims.length === 0) return null;
    return { index: 0, fit: fits.guess };
  }

  private displace(index: number): void {
    const former = this.claims[index];
    if (!former || former.fit === fits.standIn) return;
    this.onEvent({
      level: "warn",
      code: "APP_RELINQUISHED",
      message: `the app's server on ${describePort(former.asked)} no longer gets requests: another asked for the organism's own port`,
    });
  }

  private leaveOut(server: net.Server, asked: AskedPort): Place {
    const twin = [...this.open].some(([other, { port }]) => other !== server && port === asked.port && port !== 0);
    const known = this.listeners.some(({ port }) => port === asked.port);
    if (twin || known) {
      // The same port on a second address (Fastify does so for localhost): the organism has that already.
      this.onEvent({
        level: "info",
        code: "APP_LISTENS",
        message: `the app also asked for ${describePort(asked)}; the server that it opened first for that port answers`,
      });
    } else {
      this.onEvent({
        level: "warn",
        code: "APP_UNREACHABLE",
        message: `the app also listens on ${describePort(asked)}, where no request can reach it; add that port to the DNA's listen to serve it`,
      });
    }
    return { kind: "unreachable", address: { host: asked.host ?? "::", port: asked.port } };
  }

  /** As the kernel would: one server an address, and the unspecified address is all of them. */
  private isTaken(asked: AskedPort): boolean {
    if (asked.port === 0 || asked.standIn) return false;
    for (const other of this.open.values()) {
      if (other.standIn || other.port !== asked.port) continue;
      if (isUnspecified(other.host) || isUnspecified(asked.host) || other.host === asked.host) return true;
    }
    return false;
  }

  private report(asked: AskedPort, address: ListenerAddress): void {
    if (asked.standIn) return;
    const there = `${bracket(address.host)}:${address.port}`;
    const message =
      asked.port === address.port
        ? `the app listens on ${there}`
        : `the app asked for ${describePort(asked)}; the organism answers for it at ${there}`;
    this.onEvent({ level: "info", code: "APP_LISTENS", message });
  }

  private route(): void {
    const first = this.claims.find((claim) => claim !== null)?.hosted ?? null;
    this.routes = this.claims.map((claim) => claim?.hosted ?? first);
  }
}

function hostedServer(server: net.Server): HostedServer {
  const isTls = server.listenerCount("secureConnection") > 0;
  return {
    server: server as HostedServer["server"],
    classes: serverClasses(server),
    connectionEvent: isTls ? "secureConnection" : "connection",
  };
}

/** Two servers of one service. */
function sharesListeners(one: net.Server, other: net.Server): boolean {
  const listeners = one.rawListeners("request");
  const others = other.rawListeners("request");
  return listeners.length > 0 && listeners.every((listener, i) => listener === others[i]);
}

function isUnspecified(host: string | null): boolean {
  return host === null || host === "" || host === "::" || host === "0.0.0.0";
}

export function describePort({ host, port }: AskedPort): string {
  const where = port === 0 ? "any free port" : `port ${port}`;
  return isUnspecified(host) ? where : `${where} of ${host}`;
}

function bracket(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function describeTarget(server: net.Server, target: unknown): string {
  const what = /^Http/i.test(server.constructor.name) || "requestTimeout" in server ? "an HTTP server" : "a server";
  if (typeof target === "string") return `${what} on ${target}`;
  if (typeof target === "number") return `${what} on port ${target}`;
  if (typeof target === "object" && target !== null) {
    const { path, port, fd } = target as { path?: unknown; port?: number; fd?: number };
    if (typeof path === "string") return `${what} on ${path}`;
    if (port !== undefined) return `${what} on port ${port}`;
    if (fd !== undefined) return `${what} on file descriptor ${fd}`;
  }
  return what;
}
