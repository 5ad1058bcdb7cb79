/**
 * Answers the app's own `listen`: no socket is opened, and the organism's requests come in its place.
 *
 * `net.Server.prototype.listen` is where every framework ends, CommonJS or ES module, http or https, so that is
 * the one thing replaced (and `cluster.fork`, whose work is the organism's). The server gets a handle that is
 * no socket, as Node itself gives to the servers of a cluster worker; with it `listening`, `address()`,
 * `close()`, a second listen's ERR_SERVER_ALREADY_LISTEN and the 'close' event after the last connection are
 * Node's own code.
 *
 * Which server answers for which organism listener is decided in server-registry.ts. Only what speaks HTTP over
 * a port is answered; Unix sockets, inherited descriptors and plain TCP servers really listen, in each drone.
 */
import cluster from "node:cluster";
import { addAbortListener } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import { syncBuiltinESMExports } from "node:module";
import * as net from "node:net";
import { AppFault } from "./app-failure.ts";
import type { ServerInternals } from "./node-internals.ts";
import type { ListenerAddress, ServerRegistry } from "./server-registry.ts";

type HookedServer = net.Server & ServerInternals;

/**
 * From here on servers that listen belong to `registry`. `mayReallyListen` false: what nobody answers for is refused, as by a
 * kernel that does not let it. Returns what undoes it.
 */
export function hookListen(registry: ServerRegistry, mayReallyListen = true): () => void {
  const undo = [
    replaceMethod<HookedServer>(net.Server.prototype, "listen", (original) => {
      return function listen(this: HookedServer, ...args) {
        const asked = this._handle === null ? askedPort(args) : null;
        if (asked !== null && isHttpServer(this)) return answer(registry, this, asked);
        if (!mayReallyListen && this._handle === null) return refuse(this);
        // Among them a second listen and arguments that Node refuses: it says so itself, by throwing.
        original.apply(this, args);
        registry.reportRealListen(this, args[0]);
        return this;
      };
    }),
    ...[http.Server.prototype, https.Server.prototype].map((prototype) =>
      replaceMethod<HookedServer>(prototype, "closeAllConnections", (original) => {
        return function closeAllConnections(this: HookedServer, ...args) {
          registry.closeAllConnections(this);
          return original.apply(this, args);
        };
      }),
    ),
    replaceMethod<typeof cluster>(cluster, "fork", () => refuseFork),
  ];
  syncBuiltinESMExports();
  return () => {
    for (const restore of undo) restore();
    syncBuiltinESMExports();
  };
}

function refuse(server: HookedServer): HookedServer {
  const error = Object.assign(new Error("listen EACCES: the DNA's membrane.listen is false"), {
    code: "EACCES",
    syscall: "listen",
  });
  process.nextTick(() => server.emit("error", error));
  return server;
}

type Method<T> = (this: T, ...args: unknown[]) => unknown;

function replaceMethod<T>(target: object, name: string, make: (original: Method<T>) => Method<T>): () => void {
  const original = Reflect.get(target, name) as Method<T>;
  Reflect.set(target, name, make(original));
  return () => {
    Reflect.set(target, name, original);
  };
}

/** What `listen` does once it is known that the organism answers. Also for a server that never asked (a default export). */
export function answer(registry: ServerRegistry, server: net.Server, asked: AskedPort): net.Server {
  const hooked = server as HookedServer;
  if (asked.callback !== null) hooked.once("listening", asked.callback);
  if (asked.signal !== null) closeOnAbort(hooked, asked.signal);
  const place = registry.claim(hooked, asked);
  if (place.kind === "in-use") {
    process.nextTick(() => hooked.emit("error", addressInUse(asked)));
    return hooked;
  }
  const handle = new OrganismHandle(place.address, () => registry.release(hooked));
  hooked._handle = handle;
  process.nextTick(() => {
    if (hooked._handle !== handle) return;
    hooked.emit("listening");
    registry.announceListening(hooked);
  });
  return hooked;
}

export interface AskedPort {
  port: number;
  host: string | null;
  callback: (() => void) | null;
  signal: AbortSignal | null;
  /** True when the organism listens for an app that only exports a handler; it gives way to a real listen. */
  standIn: boolean;
}

/** All signatures that mean a port: (), (cb), (port, host?, backlog?, cb?), ({ port, host, signal, ... }, cb?). Null: not a port, or not valid. */
function askedPort(args: readonly unknown[]): AskedPort | null {
  const [first, second] = args;
  const last = args.at(-1);
  const callback = typeof last === "function" ? (last as () => void) : null;
  const asked: AskedPort = { port: 0, host: null, callback, signal: null, standIn: false };
  if (first === undefined || first === null || typeof first === "function") return asked;
  if (typeof first === "object") return askedByOptions(first, asked);
  const port = portOf(first);
  if (port === null) return null;
  return { ...asked, port, host: typeof second === "string" ? second : null };
}

interface ListenOptions {
  port?: unknown;
  host?: unknown;
  path?: unknown;
  fd?: unknown;
  handle?: unknown;
  _handle?: unknown;
  signal?: unknown;
}

function askedByOptions(options: ListenOptions, asked: AskedPort): AskedPort | null {
  if (options.handle || options._handle || options.fd !== undefined) return null;
  if (!("port" in options)) return null;
  const port = options.port === undefined || options.port === null ? 0 : portOf(options.port);
  if (port === null) return null;
  const host = typeof options.host === "string" && options.host !== "" ? options.host : null;
  return { ...asked, port, host, signal: options.signal instanceof AbortSignal ? options.signal : null };
}

/** As Node reads ports: whole numbers, also as text ("3000", from process.env). Null: a path, or out of range. */
function portOf(value: unknown): number | null {
  if (typeof value !== "number" && typeof value !== "string") return null;
  if (typeof value === "string" && value.trim() === "") return null;
  const port = Number(value);
  return Number.isInteger(port) && port >= 0 && port <= 65535 ? port : null;
}

function isHttpServer(server: net.Server): boolean {
  return server instanceof http.Server || server instanceof https.Server || isHttp2Server(server);
}

/** Not `instanceof`, since the class is not exported and loading http2 costs every drone milliseconds. */
export function isHttp2Server(server: net.Server): boolean {
  return typeof Reflect.get(server, "updateSettings") === "function" && server.constructor.name.startsWith("Http2");
}

function closeOnAbort(server: net.Server, signal: AbortSignal): void {
  const listener = addAbortListener(signal, () => server.close());
  server.once("close", () => listener[Symbol.dispose]());
}

function addressInUse({ port, host }: AskedPort): Error {
  const address = host ?? "::";
  return Object.assign(new Error(`listen EADDRINUSE: address already in use ${address}:${port}`), {
    code: "EADDRINUSE",
    errno: -98,
    syscall: "listen",
    address,
    port,
  });
}

/** What a server that the organism answers for has in place of a socket. The methods are those that net.Server calls. */
class OrganismHandle {
  private readonly place: ListenerAddress;
  private readonly onClose: () => void;

  constructor(place: ListenerAddress, onClose: () => void) {
    this.place = place;
    this.onClose = onClose;
  }

  getsockname(out: Partial<net.AddressInfo>): number {
    const { host, port } = this.place;
    Object.assign(out, { address: host, family: net.isIPv6(host) ? "IPv6" : "IPv4", port });
    return 0;
  }

  close(done?: () => void): void {
    this.onClose();
    if (done !== undefined) process.nextTick(done);
  }

  ref(): void {}

  unref(): void {}

  hasRef(): boolean {
    return true;
  }

  getAsyncId(): number {
    return -1;
  }
}

function refuseFork(): never {
  throw new AppFault(
    "CELLWS_E_APP_CLUSTER",
    "the app forks workers with node:cluster, which is what the organism does with its drones",
    "Start the file that the workers run, or skip the cluster branch (many apps have a setting for one worker).",
  );
}
