/**
 * The listening sockets, which every cell but the drones inherits, so that connections wait in the kernel's queue, and
 * none is refused, while the organism heals.
 *
 * A cell gets each socket twice: one descriptor to keep and pass on to its daughters, untouched, and one to listen on
 * when it is the egg or a B cell. Node closes what it listened on and cannot duplicate a descriptor; a birth can, since
 * a daughter's stdio may name the same descriptor twice (docs/decisions/0002).
 */
import fs from "node:fs";
import net from "node:net";
import { assert } from "../lib/assert.ts";
import { CellwsError } from "../lib/cellws-error.ts";
import { listeningPort, matchSockets } from "./socket-activation.ts";

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A listening socket as a cell holds it. */
export interface InheritedListener extends ListenAddress {
  /** Kept for the daughters. */
  readonly keepFd: number;
  /** For this cell's own use. */
  readonly workFd: number;
}

export interface OpenListeners {
  /** As asked, with the kernel's choice where the port was 0. */
  readonly addresses: readonly ListenAddress[];
  /** One per address. */
  readonly fds: readonly number[];
  /**
   * Closes the opener's own descriptors at once; whoever inherited them is not concerned. Returns the connections that
   * came in between, unread: they belong to the heir as well.
   */
  handOver(): readonly TakenConnection[];
}

/** A connection that was accepted but not read. */
export interface TakenConnection {
  readonly socket: net.Socket;
  /** Which of the listeners it came in by. */
  readonly listener: number;
}

/** An address that somebody chose, and where. */
export interface WantedAddress extends ListenAddress {
  /** How to choose another on the command line. */
  readonly flag?: string;
}

/**
 * Binds and listens; or listens on what a service manager has bound (`passed`: its descriptors, socket-activation.ts).
 *
 * @throws CellwsError CELLWS_E_PORT_IN_USE, CELLWS_E_PORT_DENIED, CELLWS_E_HOST_UNKNOWN, CELLWS_E_LISTEN or CELLWS_E_LISTEN_FDS;
 * none stays open then.
 */
export async function openListeners(
  wanted: readonly WantedAddress[],
  passed: readonly number[] = [],
): Promise<OpenListeners> {
  const servers: net.Server[] = [];
  const taken: TakenConnection[] = [];
  const handOver = (): readonly TakenConnection[] => {
    for (const server of servers) server.close();
    return taken;
  };
  try {
    const addresses: ListenAddress[] = [];
    const fds = passed.length === 0 ? [] : matchSockets(wanted, passed, listeningPort);
    for (const [listener, address] of wanted.entries()) {
      const server = await open(address, fds[listener]);
      server.on("connection", (socket) => taken.push({ socket, listener }));
      servers.push(server);
      addresses.push({ host: fds.length === 0 ? address.host : hostOf(server), port: portOf(server) });
    }
    return { addresses, fds: servers.map(fdOf), handOver };
  } catch (error) {
    for (const { socket } of handOver()) socket.destroy();
    throw error;
  }
}

/** The descriptor of a listening server. Node has no documented name for it; where this one fails we must know at once. */
function fdOf(server: net.Server): number {
  const fd = (server as unknown as { _handle?: { fd?: unknown } })._handle?.fd;
  assert(typeof fd === "number" && fd > 2, "Node tells the descriptor of a listening socket");
  return fd;
}

/** Drops what a drone must not hold. */
export function dropListeners(listeners: readonly InheritedListener[]): void {
  for (const { keepFd, workFd } of listeners) {
    for (const fd of [keepFd, workFd]) {
      try {
        fs.closeSync(fd);
      } catch {
        // Closed before: what was wanted.
      }
    }
  }
}

function open({ host, port, flag = "--port" }: WantedAddress, fd: number | undefined): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ pauseOnConnect: true });
    server.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, { host, port, flag })));
    const place = fd === undefined ? { host, port } : { fd };
    realListen.call(server, { ...place, backlog: listenBacklog }, () => resolve(server));
  });
}

/** Taken before an app is hosted, whose `listen` is answered by the organism: a lone drone opens real sockets beside it. */
const realListen = Reflect.get(net.Server.prototype, "listen") as (this: net.Server, ...args: unknown[]) => net.Server;

/** Connections that the kernel keeps for us while we heal; capped by net.core.somaxconn. */
export const listenBacklog = 4_096;

function portOf(server: net.Server): number {
  return addressOf(server).port;
}

function hostOf(server: net.Server): string {
  return addressOf(server).address;
}

function addressOf(server: net.Server): net.AddressInfo {
  const address = server.address();
  assert(typeof address === "object" && address !== null, "a TCP server has an address");
  return address;
}

function explain(error: NodeJS.ErrnoException, { host, port, flag }: Required<WantedAddress>): CellwsError {
  const where = `port ${port} on ${host}`;
  switch (error.code) {
    case "EADDRINUSE":
      return new CellwsError("CELLWS_E_PORT_IN_USE", 1, `${where} is in use by another program`, {
        hint: `Stop it (\`ss -ltnp 'sport = :${port}'\` shows which), or choose another port with ${flag}.`,
        cause: error,
      });
    case "EACCES":
      return new CellwsError("CELLWS_E_PORT_DENIED", 1, `no permission to listen on ${where}`, {
        hint: `Ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher one with ${flag}.`,
        cause: error,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new CellwsError("CELLWS_E_HOST_UNKNOWN", 1, `${host} is not an address of this machine`, {
        hint: "Use 127.0.0.1 for this machine alone, 0.0.0.0 or :: for all its addresses.",
        cause: error,
      });
    default:
      return new CellwsError("CELLWS_E_LISTEN", 1, `cannot listen on ${where}: ${error.message}`, { cause: error });
  }
}
