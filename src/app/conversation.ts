/**
 * One exchange answered by a server of the app: what Node's HTTP server does between a parser and the
 * 'request' event, done between an exchange and the same event.
 *
 * It joins four things that know nothing of each other: the exchange (frames), the IncomingMessage, the
 * ServerResponse and the socket that the two share. Its life ends with the socket's destruction, which comes
 * by itself once the answer is out and the request's body has been read or thrown away, or when the client
 * goes, or when the app destroys it.
 *
 * The app's code is never called with the axon's frames on the stack in a way that could hurt them: what it
 * throws is thrown again on a tick of its own, where it is an uncaughtException as in plain Node; and it runs in
 * an async context of its own, so that `AsyncLocalStorage.enterWith` in one request never reaches the next.
 */
import { AsyncResource } from "node:async_hooks";
import { channel } from "node:diagnostics_channel";
import type * as net from "node:net";
import type { HeaderList, ResponseHead } from "../http/message.ts";
import type { Enrolled } from "../lib/roll.ts";
import type { OnAppEvent } from "./app-event.ts";
import type { Exchange, ExchangeListener } from "./exchange.ts";
import {
  becomeTunnel,
  endTunnel,
  ExchangeSocket,
  pushToTunnel,
  type ClientEnds,
  type SocketOwner,
} from "./exchange-socket.ts";
import {
  appConnectionListeners,
  detachAbortSignal,
  type ServerClasses,
  type ServerInternals,
  type WriteCallback,
} from "./node-internals.ts";
import { abortedError, createRequest, dumpUnread, endRequest, headerOf, type HostedRequest } from "./request.ts";
import { closeResponse, createResponse, drain, type HostedResponse, type ResponseSink } from "./response.ts";

/** A server of the app that answers exchanges. */
export interface HostedServer {
  server: net.Server & ServerInternals;
  classes: ServerClasses;
  /** https servers announce connections under another name. */
  connectionEvent: "connection" | "secureConnection";
}

export interface ConversationHooks {
  onEvent: OnAppEvent;
  /** Called once, when nothing of the exchange is left. */
  onOver(conversation: Conversation): void;
}

/** Why an exchange was reset, as the B cell's log will say. */
export const resetCodes = {
  destroyed: "APP_DESTROYED",
  ended: "APP_ENDED_CONNECTION",
  refused: "APP_REFUSED_CONNECT",
  lingered: "APP_CLOSED",
} as const;

/**
 * After the app has said all and closed its end, the client has this long to end its own before it is cut. Long
 * enough for the last words (the 401 of a refused WebSocket, the 413 of an upload that is too big) to arrive on
 * a slow line; a client that goes on holds nothing here but one entry in a table meanwhile.
 */
const LINGER_MS = 2000;

const requestStarted = channel("http.server.request.start");
const responseFinished = channel("http.server.response.finish");

export function converse(exchange: Exchange, hosted: HostedServer, hooks: ConversationHooks): Conversation {
  const conversation = new Conversation(exchange, hosted, hooks);
  exchange.listen(conversation);
  enterApp(start, conversation, undefined);
  return conversation;
}

export class Conversation implements ExchangeListener, SocketOwner, ResponseSink, Enrolled {
  readonly exchange: Exchange;
  readonly hosted: HostedServer;
  readonly hooks: ConversationHooks;
  readonly socket: ExchangeSocket;
  /** What the app's code runs in, as in the resource of its parser in plain Node: one for each request. */
  readonly scope = new AsyncResource("CELLWS_EXCHANGE");
  request: HostedRequest | null = null;
  response: HostedResponse | null = null;

  /** Nothing more reaches the client: it is gone, or was given up. */
  gone = false;
  /** The client has said all: its body, or its half of the tunnel. */
  heardAll: boolean;
  /** The app has said all: its response, or its half of the tunnel. */
  saidAll = false;
  /** 'finish' was emitted: from here on request and response are no longer tied to the socket. */
  settled = false;
  over = false;
  rollPlace = -1;

  bytesRead = 0;
  bytesWritten = 0;
  bytesBlocked = 0;
  /** Received but not yet granted again, since the app does not read. */
  bytesHeld = 0;
  private waiting: WriteCallback[] | null = null;
  private blocked = false;
  private paused = false;

  constructor(exchange: Exchange, hosted: HostedServer, hooks: ConversationHooks) {
    this.exchange = exchange;
    this.hosted = hosted;
    this.hooks = hooks;
    this.heardAll = !exchange.request.hasBody;
    this.socket = new ExchangeSocket(this);
  }

  get client(): ClientEnds {
    return this.exchange.request;
  }

  get open(): boolean {
    return !this.gone && !this.saidAll;
  }

  // --- What the exchange calls.

  body(chunk: Buffer): void {
    enterApp(hearBody, this, chunk);
  }

  end(trailers: HeaderList): void {
    this.heardAll = true;
    enterApp(hearEnd, this, trailers);
  }

  cancel(_reason: string): void {
    this.gone = true;
    enterApp(hearCancel, this, undefined);
  }

  writable(): void {
    this.blocked = false;
    this.bytesBlocked = 0;
    enterApp(hearWritable, this, undefined);
  }

  // --- What the response calls.

  respond(head: ResponseHead): void {
    this.exchange.respond(head);
  }

  inform(head: ResponseHead): void {
    this.exchange.inform(head);
  }

  send(bytes: Uint8Array | null, callback: WriteCallback | null): boolean {
    if (bytes !== null) this.write(bytes);
    if (callback !== null) {
      if (this.blocked) (this.waiting ??= []).push(callback);
      else process.nextTick(callback);
    }
    return !this.blocked;
  }

  finish(trailers: HeaderList): void {
    if (!this.open) return;
    this.saidAll = true;
    this.exchange.finish(trailers);
    // All is handed over, and nobody will say that there is room for more.
    this.blocked = false;
    this.bytesBlocked = 0;
    if (this.waiting !== null) process.nextTick(callAll, this.takeWaiting());
  }

  // --- What the socket calls.

  readOn(): void {
    this.paused = false;
    this.release();
  }

  readNoMore(): void {
    this.paused = true;
  }

  /** As Node's server: whoever listens for 'timeout' decides; when nobody does, the connection is cut. */
  timedOut(): void {
    const { request, response, hosted, socket } = this;
    if (socket.tunnelling) return;
    const heard = [
      request !== null && !request.complete && request.emit("timeout", socket),
      response !== null && response.socket === socket && response.emit("timeout", socket),
      hosted.server.emit("timeout", socket),
    ];
    if (!heard.includes(true)) socket.destroy();
  }

  writeRaw(chunk: Uint8Array, done: () => void): void {
    if (!this.open) return done();
    this.write(chunk);
    if (this.blocked) (this.waiting ??= []).push(done);
    else done();
  }

  ended(): void {
    if (!this.open) return;
    if (this.socket.tunnelling) return this.finish([]);
    this.giveUp(resetCodes.ended);
    process.nextTick(destroySocket, this.socket);
  }

  refuseRaw(): Error {
    this.hooks.onEvent({
      level: "warn",
      code: "APP_RAW_SOCKET",
      message: `the app wrote below HTTP to the connection of ${this.exchange.request.method} ${this.exchange.request.target}; in a drone only the response reaches the client`,
    });
    return Object.assign(new Error("raw bytes cannot be written to this connection: it belongs to the organism"), {
      code: "CELLWS_E_RAW_SOCKET",
    });
  }

  destroyed(error: Error | null): Error | null {
    this.over = true;
    const { tunnelling } = this.socket;
    if (tunnelling) this.finish([]);
    if (this.open) this.giveUp(resetCodes.destroyed);
    else if (!this.gone && !this.heardAll) linger(this);
    // Before Node's own tick for 'close', as Node's server hears of it before the app's listeners do.
    if (!this.settled && this.request !== null && !tunnelling) process.nextTick(abortRequest, this.request);
    if (this.waiting !== null) process.nextTick(failAll, this.takeWaiting());
    this.hooks.onOver(this);
    return tunnelling ? error : this.socketError(error);
  }

  // --- Helpers.

  private write(bytes: Uint8Array): void {
    this.bytesWritten += bytes.length;
    if (!this.exchange.write(bytes)) this.blocked = true;
    if (this.blocked) this.bytesBlocked += bytes.length;
    if (this.socket.timeout) this.refreshTimeout();
  }

  refreshTimeout(): void {
    this.socket.setTimeout(this.socket.timeout as number);
  }

  takeWaiting(): readonly WriteCallback[] {
    const { waiting } = this;
    this.waiting = null;
    return waiting ?? [];
  }

  /** Grants the bytes that have just been pushed, or keeps them for when the app reads on. */
  grant(bytes: number, hasRoom: boolean): void {
    if (hasRoom && !this.paused) this.exchange.consumed(bytes);
    else this.bytesHeld += bytes;
  }

  release(): void {
    const { bytesHeld } = this;
    if (bytesHeld === 0 || this.gone) return;
    this.bytesHeld = 0;
    this.exchange.consumed(bytesHeld);
  }

  giveUp(code: string): void {
    this.gone = true;
    this.exchange.reset(code);
  }

  /** As Node's server: errors of a connection are the server's 'clientError', not a crash. */
  private socketError(error: Error | null): Error | null {
    if (error === null || error === undefined) return null;
    const { server } = this.hosted;
    process.nextTick(() => server.emit("clientError", error, this.socket));
    return this.socket.listenerCount("error") > 0 ? error : null;
  }
}

/**
 * Runs the app's code for an exchange: outside the context of any other request, and without letting what it
 * throws reach the axon.
 */
function enterApp<T>(act: (conversation: Conversation, value: T) => void, conversation: Conversation, value: T): void {
  try {
    conversation.scope.runInAsyncScope(act, undefined, conversation, value);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

function start(conversation: Conversation): void {
  const { exchange, hosted, socket } = conversation;
  const { server, classes } = hosted;
  socket.server = server;
  socket._server = server;
  server._connections += 1;
  if (server.timeout) socket.setTimeout(server.timeout);
  if (server.listenerCount(hosted.connectionEvent) > 1) announce(hosted, socket);
  if (conversation.over) return;

  const { joinDuplicateHeaders = false } = server;
  const request = createRequest({ classes, request: exchange.request, socket, joinDuplicateHeaders });
  conversation.request = request;
  if (exchange.request.upgrade && upgrade(conversation, request)) return;

  const response = createResponse({
    classes,
    request,
    socket,
    sink: conversation,
    rejectNonStandardBodyWrites: server.rejectNonStandardBodyWrites === true,
  });
  conversation.response = response;
  response.on("finish", () => settle(conversation, request, response));
  if (requestStarted.hasSubscribers) requestStarted.publish({ request, response, socket, server });
  try {
    dispatch(conversation, request, response);
  } finally {
    if (conversation.heardAll && !request.complete) endRequest(request, []);
  }
}

/** The event that the request is, by Node's rules for Expect. */
function dispatch({ hosted, exchange }: Conversation, request: HostedRequest, response: HostedResponse): void {
  const { server } = hosted;
  const expectation = exchange.request.versionMinor === 1 ? headerOf(exchange.request.headers, "expect") : null;
  if (expectation === null) {
    server.emit("request", request, response);
  } else if (/(?:^|\W)100-continue(?:$|\W)/i.test(expectation)) {
    response._expect_continue = true;
    if (server.listenerCount("checkContinue") > 0) {
      server.emit("checkContinue", request, response);
    } else {
      response.writeContinue();
      server.emit("request", request, response);
    }
  } else if (server.listenerCount("checkExpectation") > 0) {
    server.emit("checkExpectation", request, response);
  } else {
    response.writeHead(417);
    response.end();
  }
}

/** 'connection', for what keeps count of sockets. Node's own listener is left out: it would attach a parser. */
function announce({ server, connectionEvent }: HostedServer, socket: ExchangeSocket): void {
  for (const listener of appConnectionListeners(server, connectionEvent)) listener.call(server, socket);
}

/** True when the request was answered by the server's 'upgrade' or 'connect' listeners. */
function upgrade(conversation: Conversation, request: HostedRequest): boolean {
  const { exchange, hosted, socket } = conversation;
  const { server } = hosted;
  const event = request.method === "CONNECT" ? "connect" : "upgrade";
  const listened = server.listenerCount(event) > 0;
  if (event === "connect" && !listened) {
    conversation.giveUp(resetCodes.refused);
    socket.destroy();
    return true;
  }
  // A body before the switch of protocols would be taken for the new protocol.
  if (exchange.request.hasBody) return false;
  const wanted = event === "connect" || (server.shouldUpgradeCallback?.(request) ?? listened);
  if (!wanted) return false;
  if (!listened) {
    socket.destroy();
    return true;
  }
  exchange.tunnel();
  conversation.heardAll = false;
  becomeTunnel(socket);
  request.upgrade = true;
  endRequest(request, []);
  server.emit(event, request, socket, Buffer.alloc(0));
  return true;
}

function hearBody(conversation: Conversation, chunk: Buffer): void {
  const { socket, request } = conversation;
  if (conversation.gone || chunk.length === 0) return;
  conversation.bytesRead += chunk.length;
  if (socket.timeout) conversation.refreshTimeout();
  if (socket.tunnelling) {
    if (socket.destroyed) conversation.exchange.consumed(chunk.length);
    else conversation.grant(chunk.length, pushToTunnel(socket, chunk));
    return;
  }
  // Nobody reads it any more: it is taken off the client all the same, as Node does.
  if (request === null || request._dumped || request.destroyed) conversation.exchange.consumed(chunk.length);
  else conversation.grant(chunk.length, request.push(chunk));
}

function hearEnd(conversation: Conversation, trailers: HeaderList): void {
  const { socket, request } = conversation;
  if (socket.tunnelling) {
    if (!socket.destroyed) endTunnel(socket);
    return;
  }
  if (request !== null && !request.destroyed) endRequest(request, trailers);
  retire(conversation);
}

function hearCancel({ socket }: Conversation): void {
  socket.destroy();
}

function hearWritable(conversation: Conversation): void {
  callAll(conversation.takeWaiting());
  if (conversation.response !== null && conversation.bytesBlocked === 0) drain(conversation.response);
}

/** The response is out: Node's order of letting go, which comes before the app's own 'finish' listeners. */
function settle(conversation: Conversation, request: HostedRequest, response: HostedResponse): void {
  const { socket, hosted } = conversation;
  conversation.settled = true;
  if (responseFinished.hasSubscribers) {
    responseFinished.publish({ request, response, socket, server: hosted.server });
  }
  detachAbortSignal(request);
  dumpUnread(request);
  if (socket._httpMessage === response) response.detachSocket(socket);
  process.nextTick(close, conversation, response);
}

function close(conversation: Conversation, response: HostedResponse): void {
  closeResponse(response);
  retire(conversation);
}

/** Both sides have said all: what is left of the exchange goes. */
function retire(conversation: Conversation): void {
  if (conversation.settled && conversation.heardAll && !conversation.over) conversation.socket.destroy();
}

function abortRequest(request: HostedRequest): void {
  request.destroy(abortedError());
}

function destroySocket(socket: ExchangeSocket): void {
  socket.destroy();
}

function callAll(callbacks: readonly WriteCallback[]): void {
  for (const callback of callbacks) callback();
}

/** Writes that the B cell had not asked for when it all ended. */
function failAll(callbacks: readonly WriteCallback[]): void {
  const error = Object.assign(new Error("Cannot call write after a stream was destroyed"), {
    code: "ERR_STREAM_DESTROYED",
  });
  for (const callback of callbacks) callback(error);
}

/** The app has closed its end, and what it wrote still goes out; what still comes in is thrown away. */
function linger(conversation: Conversation): void {
  conversation.release();
  const timer = setTimeout(() => {
    if (!conversation.heardAll && !conversation.gone) conversation.giveUp(resetCodes.lingered);
  }, LINGER_MS);
  timer.unref();
}
