/**
 * Every name of Node's that is not in its documentation and that hosting needs, in one place.
 *
 * The app must get true IncomingMessage and ServerResponse objects (frameworks check for them, and libraries
 * replace their methods), yet no HTTP text may be written and parsed again between it and the axon. Node
 * offers no public way to do both. The names used here are the ones that Node's own server and client lean on;
 * they are looked up once, at load, and a missing one stops the drone with a clear error rather than serving
 * wrongly. Their behaviour is pinned by test/app/node-internals.test.ts and, from the outside, by the
 * differential test against a plain Node server.
 *
 * What is relied on:
 * - `res._storeHeader(statusLine, headers)` is where writeHead leaves the head, `res._send(data, encoding,
 *   callback)` where all bytes go, `res._writeRaw` where informational responses go, and `res._finish()` is
 *   called once by end(). The four are replaced on the instance, not on a subclass, because Express
 *   exchanges the prototype of every response (`setPrototypeOf(res, app.response)`).
 * - `req._addHeaderLines(list, count)`, and `complete`, `push`, `_dump`, `_dumpAndCloseReadable`, `_consuming`: how Node's parser feeds a request.
 * - `res._header`, `_headerSent`, `_hasBody`, `_contentLength`, `_trailer`, `_removed*`, `_closed`,
 *   `socket._httpMessage`, `socket._server`, `server._connections`, `server._emitCloseIfDrained`, `server._handle`.
 */
import * as http from "node:http";
import * as net from "node:net";
import { CellwsError } from "../lib/cellws-error.ts";

/** What a ServerResponse has besides its documented members. */
export interface ResponseInternals {
  _header: string | null;
  _headerSent: boolean;
  _hasBody: boolean;
  _contentLength: number | null;
  _trailer: string;
  _removedConnection: boolean;
  _removedContLen: boolean;
  _removedTE: boolean;
  _expect_continue: boolean;
  _closed: boolean;
  _storeHeader: (statusLine: string, headers: unknown) => void;
  _send: SendBytes;
  _writeRaw: SendBytes;
  _finish: () => void;
  detachSocket(socket: net.Socket): void;
}

export type WriteCallback = (error?: Error | null) => void;
export type SendBytes = (
  data: string | Uint8Array,
  encoding?: BufferEncoding | WriteCallback | null,
  callback?: WriteCallback | null,
) => boolean;

/** What an IncomingMessage has besides its documented members. */
export interface RequestInternals {
  upgrade: boolean | null;
  joinDuplicateHeaders: boolean;
  _consuming: boolean;
  _dumped: boolean;
  _addHeaderLines(headers: readonly string[], count: number): void;
  _dump(): void;
  /** Node 24.9 and later. */
  _dumpAndCloseReadable?(): void;
}

export interface SocketInternals {
  _httpMessage: http.ServerResponse | null;
  _server: net.Server | null;
  server: net.Server | null;
}

export interface ServerInternals {
  _handle: object | null;
  _connections: number;
  timeout?: number;
  joinDuplicateHeaders?: boolean;
  rejectNonStandardBodyWrites?: boolean;
  shouldUpgradeCallback?: (request: http.IncomingMessage) => boolean;
}

type Symbols = Record<symbol, unknown>;

const probeServer = http.createServer();
const probeResponse = new http.ServerResponse(new http.IncomingMessage(new net.Socket()));

/** On a response: `{ lowerCaseName: [name, value] }`, or null before the first setHeader. */
export const kOutHeaders: unique symbol = ownSymbol(probeResponse, "kOutHeaders") as never;
/** On a response: true when write() has returned false and 'drain' is owed. */
export const kNeedDrain: unique symbol = ownSymbol(probeResponse, "kNeedDrain") as never;
/** On a server and a response: the `uniqueHeaders` option, a Set of lower-case names, or null. */
export const kUniqueHeaders: unique symbol = ownSymbol(probeServer, "kUniqueHeaders") as never;

const kIncomingMessage = ownSymbol(probeServer, "IncomingMessage");
const kServerResponse = ownSymbol(probeServer, "ServerResponse");
/** Node 24.16 and later only: a finished request's `signal` must not abort when its socket closes. */
const kDetachAbortSignal = optionalSymbol(http.IncomingMessage.prototype, "kDetachAbortSignal");

const methodsNeeded: ReadonlyArray<readonly [object, string]> = [
  [http.ServerResponse.prototype, "_storeHeader"],
  [http.ServerResponse.prototype, "_send"],
  [http.ServerResponse.prototype, "_writeRaw"],
  [http.ServerResponse.prototype, "_finish"],
  [http.ServerResponse.prototype, "assignSocket"],
  [http.ServerResponse.prototype, "detachSocket"],
  [http.IncomingMessage.prototype, "_addHeaderLines"],
  [http.IncomingMessage.prototype, "_dump"],
  [net.Server.prototype, "_emitCloseIfDrained"],
];
for (const [prototype, name] of methodsNeeded) {
  if (typeof Reflect.get(prototype, name) !== "function") throw missing(name);
}

/** The functions that Node itself adds to every HTTP server for 'connection'; they would attach a parser. */
const ownConnectionListeners: ReadonlySet<unknown> = new Set(probeServer.rawListeners("connection"));

/** The listeners of `event` that the app added: without Node's own, which would expect a connection with a parser. */
export function appConnectionListeners(server: net.Server, event: "connection" | "secureConnection"): AppListener[] {
  const all = server.rawListeners(event) as AppListener[];
  return all.filter((listener) => !ownConnectionListeners.has(listener) && listener.name !== "onConnectionSecure");
}
type AppListener = (this: net.Server, socket: net.Socket) => void;

/** What a server was created with (`createServer({ IncomingMessage, ServerResponse, uniqueHeaders })`), which may be subclasses. */
export interface ServerClasses {
  IncomingMessage: new (socket: net.Socket) => http.IncomingMessage & RequestInternals;
  ServerResponse: new (
    request: http.IncomingMessage,
    options: { highWaterMark: number; rejectNonStandardBodyWrites: boolean },
  ) => http.ServerResponse & ResponseInternals;
  uniqueHeaders: Set<string> | null;
}

export function serverClasses(server: net.Server): ServerClasses {
  const own = server as unknown as Symbols;
  return {
    IncomingMessage: (own[kIncomingMessage] ?? http.IncomingMessage) as ServerClasses["IncomingMessage"],
    ServerResponse: (own[kServerResponse] ?? http.ServerResponse) as unknown as ServerClasses["ServerResponse"],
    uniqueHeaders: (own[kUniqueHeaders] ?? null) as Set<string> | null,
  };
}

export function detachAbortSignal(request: http.IncomingMessage): void {
  if (kDetachAbortSignal === undefined) return;
  (request as unknown as Record<symbol, () => void>)[kDetachAbortSignal]?.();
}

function ownSymbol(object: object, description: string): symbol {
  const symbol = optionalSymbol(object, description);
  if (symbol === undefined) throw missing(`Symbol(${description})`);
  return symbol;
}

function optionalSymbol(object: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
}

function missing(name: string): CellwsError {
  return new CellwsError("CELLWS_E_NODE_INTERNALS", 1, `Node ${process.version} has no ${name} any more`, {
    expected: "a Node version that this release of cellws was tested with (24 to 26)",
    hint: "Install Node 24, or a newer release of cellws.",
  });
}
