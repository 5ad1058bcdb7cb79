/**
 * The user's app in a drone: loads it, finds out how it answers, and passes exchanges to it.
 *
 * An app is hosted by one of two ways. It listens: then its server answers, with requests made from exchanges
 * (conversation.ts). Or it exports a handler: then that is called (fetch-handler.ts), or a server is made for
 * it. An app that does both is taken at its listening, even when that comes later. One process hosts one app at
 * a time, since argv, env and the listen hook belong to the process.
 *
 * Not decided here: what happens when the app throws later on (the process dies, as in plain Node), what
 * becomes of its output, and when it is tried again.
 */
import type * as net from "node:net";
import { assert } from "../lib/assert.ts";
import { Roll } from "../lib/roll.ts";
import type { OnAppEvent } from "./app-event.ts";
import { failureOfThrown, type AppFailure } from "./app-failure.ts";
import { describeExports, exportsAnything, findHandler, type AppHandler } from "./app-handler.ts";
import { converse, type Conversation, type ConversationHooks } from "./conversation.ts";
import type { Exchange } from "./exchange.ts";
import { answerByFetch, type FetchFunction } from "./fetch-handler.ts";
import { answer, hookListen, isHttp2Server } from "./listen-hook.ts";
import { evaluateApp, LoadWatch, locateSyntaxError } from "./load-app.ts";
import { resolveApp, shortName, type AppEntry } from "./resolve-app.ts";
import { ServerRegistry, type ListenerAddress } from "./server-registry.ts";

export interface HostOptions {
  /** A file or a folder, relative to the working directory. */
  path: string;
  /** Where the organism listens: what the app's servers are told that they listen on. In the order of the DNA. */
  listeners: readonly ListenerAddress[];
  /** Added to process.env before the app is loaded. */
  env?: Readonly<Record<string, string>>;
  /** How long the app may take from being loaded to listening: connections to databases are made in that time. */
  listenTimeoutMs: number;
  /** False: what nobody here answers for may not listen. Default: true. */
  mayReallyListen?: boolean;
  onEvent: OnAppEvent;
}

export type Hosting = { ok: true; app: HostedApp } | { ok: false; failure: AppFailure };

/**
 * An exported (req, res) function might belong to an app that listens a moment later, once its database is
 * there. After this long without it, the function is taken for the app.
 */
const EXPORT_GRACE_MS = 100;

/** Loading that takes longer than this is worth a line in the log, while there is still time to listen. */
const STILL_LOADING_MS = 5000;

/** A client whose request came while the app has no server open may try again after this. */
const NOT_ANSWERING_RETRY_S = 1;

/**
 * Loads the app and waits until it can answer. After a failure the process is not fit for anything else: report it
 * and let it end.
 *
 * @example
 * const hosting = await hostApp({ path: "server.js", listeners: [{ host: "127.0.0.1", port: 8080 }],
 *   listenTimeoutMs: 60_000, onEvent: log });
 * if (hosting.ok) hosting.app.handle(exchange);
 */
export async function hostApp(options: HostOptions): Promise<Hosting> {
  const resolved = resolveApp(options.path);
  if (!resolved.ok) return resolved;
  const { entry } = resolved;
  const app = new HostedApp(options);
  prepareProcess(entry, options);
  const watch = new LoadWatch(entry.file);
  const loaded = await load(app, entry, watch, options);
  // One server may have listened in the very turn in which another thing went wrong.
  const outcome = watch.failure ?? loaded;
  watch.stop({ succeeded: outcome === null });
  if (outcome === null) return { ok: true, app };
  // The hook on listen stays: should the app listen after all, it must not open a port behind the organism's back.
  return { ok: false, failure: locateSyntaxError(outcome, entry.file) };
}

/** Null when the app can answer. */
async function load(
  app: HostedApp,
  entry: AppEntry,
  watch: LoadWatch,
  options: HostOptions,
): Promise<AppFailure | null> {
  const timers = new Timers();
  const notice = { ...stillLoading, message: `${shortName(entry.file)} is still loading: it has not listened yet` };
  timers.after(STILL_LOADING_MS, () => options.onEvent(notice));
  let exported: unknown;
  const evaluated = evaluateApp(entry, options.onEvent).then(
    async (value) => {
      exported = value;
      return app.adopt(value, timers);
    },
    (error: unknown) => failureOfThrown(error, entry.file),
  );
  const outOfTime = new Promise<AppFailure>((resolve) => {
    timers.after(options.listenTimeoutMs, () => resolve(neverListened(exported, options.listenTimeoutMs)));
  });
  const outcome = await Promise.race([app.listening, evaluated, watch.failed, outOfTime]);
  timers.clear();
  return outcome;
}

const stillLoading = { level: "info", code: "APP_STILL_LOADING" } as const;

function neverListened(exported: unknown, afterMs: number): AppFailure {
  const what = describeExports(exported);
  if (exportsAnything(exported)) {
    return {
      code: "CELLWS_E_APP_NO_HANDLER",
      message: `the app did not listen within ${afterMs} ms, and what it exports cannot answer requests: ${what}`,
      hint: "Let it call listen, or export by default an object with fetch, or a function (req, res).",
    };
  }
  return {
    code: "CELLWS_E_APP_NEVER_LISTENED",
    message: `the app did not listen within ${afterMs} ms (${what})`,
    hint: "Does it wait for something that is not there, a database perhaps? It must call listen on an http server and a port.",
  };
}

/** What the app finds when it looks around: the same as under `node FILE`. */
function prepareProcess(entry: AppEntry, { env, listeners }: HostOptions): void {
  for (const [name, value] of Object.entries(entry.env)) process.env[name] ??= value;
  Object.assign(process.env, env);
  const [first] = listeners;
  if (first !== undefined) process.env["PORT"] ??= String(first.port);
  if (entry.cwd !== null && process.cwd() !== entry.cwd) process.chdir(entry.cwd);
}

export class HostedApp {
  /** Resolves when the first server of the app listens: with null, or with why it cannot be used. */
  readonly listening: Promise<AppFailure | null>;
  private readonly onEvent: OnAppEvent;
  private readonly registry: ServerRegistry;
  private readonly unhook: () => void;
  private readonly hooks: ConversationHooks;
  private readonly conversations = new Roll<Conversation>();
  private fetch: { call: FetchFunction; description: string } | null = null;
  private served = "";
  private fetching = 0;
  private closed = false;

  constructor({ listeners, onEvent, mayReallyListen }: HostOptions) {
    this.onEvent = onEvent;
    this.registry = new ServerRegistry(listeners, onEvent);
    this.registry.destroyConnections = (server) => this.destroyConnections(server);
    this.hooks = { onEvent, onOver: (conversation) => void this.conversations.delete(conversation) };
    this.listening = new Promise((resolve) => {
      this.registry.onListening((server) => resolve(this.judge(server)));
    });
    this.unhook = hookListen(this.registry, mayReallyListen);
  }

  /** How it answers: by a server that it opened (or that was opened for what it exports), or by fetch. */
  get kind(): "server" | "fetch" {
    return this.registry.serverFor(0) === null && this.fetch !== null ? "fetch" : "server";
  }

  /** For the log and `cellws status`. */
  get description(): string {
    return this.kind === "fetch" ? (this.fetch?.description ?? "") : this.served;
  }

  /** Exchanges that are not over: requests without their whole answer, and open tunnels. */
  get inFlight(): number {
    return this.conversations.size + this.fetching;
  }

  /** Answers one exchange. Never throws; what the app throws is an uncaughtException on a tick of its own. */
  handle(exchange: Exchange): void {
    const hosted = this.closed ? null : this.registry.serverFor(exchange.request.listener);
    if (hosted !== null) {
      const conversation = converse(exchange, hosted, this.hooks);
      if (!conversation.over) this.conversations.add(conversation);
    } else if (this.fetch !== null && !this.closed) {
      this.answerByFetch(exchange, this.fetch.call);
    } else {
      this.turnAway(exchange);
    }
  }

  /** Takes no further exchanges and no further listens. What is in flight goes on. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.unhook();
  }

  /** Finds a handler among the exports of an app that has not listened. Resolves when it can answer; never, when it cannot. */
  async adopt(exported: unknown, timers: Timers): Promise<null> {
    const handler = findHandler(exported);
    if (handler === null) return new Promise(() => {});
    if (handler.kind === "server") await timers.wait(EXPORT_GRACE_MS);
    if (!this.closed && this.registry.serverFor(0) === null) await this.answerWith(handler);
    return null;
  }

  private async answerWith(handler: AppHandler): Promise<void> {
    if (handler.kind === "fetch") {
      this.fetch = { call: handler.fetch, description: handler.description };
      return;
    }
    const server = await handler.open();
    this.served = handler.description;
    if (server.listening) return;
    const [first] = this.registry.listeners;
    assert(first !== undefined, "an organism has at least one listener");
    answer(this.registry, server, { port: first.port, host: null, callback: null, signal: null, standIn: true });
  }

  private judge(server: net.Server): AppFailure | null {
    if (this.served === "") this.served = "a server that the app opened";
    if (!isHttp2Server(server)) return null;
    if (server.listenerCount("request") > 0) {
      this.onEvent({
        level: "warn",
        code: "APP_START_DIFFERS",
        message:
          "the app opened an HTTP/2 server; B cells speak HTTP/2 to clients, and its 'request' listeners get HTTP/1.1 objects, as with allowHTTP1",
      });
      return null;
    }
    return {
      code: "CELLWS_E_APP_HTTP2",
      message: "the app's server has 'stream' listeners only, and HTTP/2 streams end at the B cell",
      hint: "Listen for 'request' as well, or create the server with http.createServer: clients still get HTTP/2.",
    };
  }

  private answerByFetch(exchange: Exchange, fetch: FetchFunction): void {
    this.fetching += 1;
    const onOver = (): void => {
      this.fetching -= 1;
    };
    answerByFetch(exchange, { fetch, onEvent: this.onEvent, onOver });
  }

  private turnAway(exchange: Exchange): void {
    this.onEvent({
      level: "warn",
      code: "APP_NOT_ANSWERING",
      message: `${exchange.request.method} ${exchange.request.target} came while the app has no server open; answered 503`,
    });
    exchange.listen({
      body: (chunk) => exchange.consumed(chunk.length),
      end: () => {},
      cancel: () => {},
      writable: () => {},
    });
    const headers = ["Content-Length", "0", "Retry-After", String(NOT_ANSWERING_RETRY_S)];
    exchange.respond({ status: 503, reason: "Service Unavailable", headers });
    exchange.finish([]);
  }

  private destroyConnections(server: net.Server): void {
    for (const conversation of this.conversations) {
      if (conversation.hosted.server === server) conversation.socket.destroy();
    }
  }
}

/** Timers that end together. */
class Timers {
  private readonly timers = new Set<NodeJS.Timeout>();

  after(milliseconds: number, act: () => void): void {
    this.timers.add(setTimeout(act, milliseconds));
  }

  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.after(milliseconds, resolve));
  }

  clear(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }
}
