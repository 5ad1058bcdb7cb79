/**
 * One handler, run twice: by a plain Node server over a socket, and by a hosted server over an exchange. What a
 * client sees and what the handler's objects emit is written down in the same form, to be compared.
 *
 * Left out of the comparison is what belongs to the client's connection and is the B cell's to say: Connection,
 * Keep-Alive, Transfer-Encoding, and the time in Date.
 */
import type { EventEmitter } from "node:events";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { FakeExchange } from "./fake-exchange.ts";
import { TestHosting } from "./hosting.ts";

export interface Scene {
  options?: http.ServerOptions;
  method?: string;
  path?: string;
  headers?: string[];
  handler: Handler;
  /** More listeners, server properties. */
  setUp?: (server: http.Server, log: Log) => void;
  /** What the client does. By default: sends the whole request, with no body, and waits for the answer. */
  client?: (client: Client, log: Log) => Promise<void> | void;
  /** A request body follows. */
  hasBody?: boolean;
  /** Does not wait for an answer: there is none. */
  unanswered?: boolean;
}

export type Handler = (req: http.IncomingMessage, res: http.ServerResponse, log: Log) => unknown;

export interface Client {
  write(chunk: string | Buffer): void;
  end(trailers?: string[]): void;
  abort(): void;
}

export interface Observation {
  status: number | null;
  reason: string | null;
  headers: string[];
  body: string;
  trailers: string[];
  informed: Array<{ status: number; headers: string[] }>;
  /** True when the answer came to its end, false when it was cut off or never came. */
  complete: boolean;
  log: Record<string, string[]>;
}

/** Entries in the order in which they came, kept apart by who made them: between emitters, the order is chance. */
export class Log {
  readonly entries: Record<string, string[]> = {};

  add(who: string, what: string): void {
    (this.entries[who] ??= []).push(what);
  }

  /** For what comes in pieces whose borders are chance. */
  append(who: string, what: string): void {
    this.entries[who] = [(this.entries[who]?.[0] ?? "") + what];
  }

  /** Writes down when `emitter` emits any of `events`. */
  watch(who: string, emitter: EventEmitter, ...events: string[]): void {
    for (const event of events) {
      emitter.on(event, (value: unknown) => {
        const code = value instanceof Error ? Reflect.get(value, "code") : undefined;
        this.add(who, code === undefined ? event : `${event} ${String(code)}`);
      });
    }
  }
}

/** What is still to come once the answer is out ('close' events, mostly) comes within this. */
const SETTLE_MS = 60;

export async function observePlain(scene: Scene): Promise<Observation> {
  const log = new Log();
  const server = http.createServer(scene.options ?? {}, (req, res) => run(scene, req, res, log));
  scene.setUp?.(server, log);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const seen = blank(log);
  // Keep-alive, so that the server closes nothing by itself.
  const agent = new http.Agent({ keepAlive: true });
  const request = http.request({
    port,
    host: "127.0.0.1",
    agent,
    method: scene.method ?? "GET",
    path: scene.path ?? "/",
    headers: ["Host", "example.test", ...(scene.headers ?? [])],
  });
  const over = new Promise<void>((resolve) => {
    request.on("information", (info: { statusCode: number; rawHeaders: string[] }) => {
      seen.informed.push({ status: info.statusCode, headers: info.rawHeaders });
    });
    request.on("response", (response) => {
      seen.status = response.statusCode ?? null;
      seen.reason = response.statusMessage ?? null;
      seen.headers = comparable(response.rawHeaders);
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", () => {});
      response.on("close", () => {
        seen.body = Buffer.concat(chunks).toString("latin1");
        seen.complete = response.complete;
        seen.trailers = response.rawTrailers;
        resolve();
      });
    });
    request.on("error", () => resolve());
  });
  await play(scene, log, {
    write: (chunk) => request.write(chunk),
    end: (trailers = []) => {
      if (trailers.length > 0) request.addTrailers(pairs(trailers));
      request.end();
    },
    abort: () => request.destroy(),
  });
  if (scene.unanswered !== true) await over;
  await settle();
  request.destroy();
  agent.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return seen;
}

export async function observeHosted(scene: Scene): Promise<Observation> {
  // Without the hook on listen, which belongs to the process: the plain servers really listen meanwhile.
  const hosting = new TestHosting({ hook: false });
  const log = new Log();
  const server = http.createServer(scene.options ?? {}, (req, res) => run(scene, req, res, log));
  scene.setUp?.(server, log);
  await hosting.serve(server);
  const seen = blank(log);
  const headers = ["Host", "example.test", ...(scene.headers ?? [])];
  const exchange = new FakeExchange({
    method: scene.method ?? "GET",
    target: scene.path ?? "/",
    headers,
    hasBody: scene.hasBody === true,
  });
  hosting.handle(exchange);
  await play(scene, log, {
    write: (chunk) => exchange.send(chunk),
    end: (trailers) => {
      if (scene.hasBody === true) exchange.end(trailers);
    },
    abort: () => exchange.cancel(),
  });
  if (scene.unanswered !== true) await exchange.done;
  await settle();
  seen.status = exchange.head?.status ?? null;
  seen.reason = exchange.head?.reason ?? null;
  seen.headers = comparable(exchange.head?.headers ?? []);
  seen.body = exchange.body.toString("latin1");
  seen.trailers = [...(exchange.trailers ?? [])];
  seen.informed = exchange.informed.map((head) => ({ status: head.status, headers: [...head.headers] }));
  seen.complete = exchange.finished;
  await new Promise((resolve) => server.close(resolve));
  return seen;
}

function run(scene: Scene, req: http.IncomingMessage, res: http.ServerResponse, log: Log): void {
  const result = scene.handler(req, res, log);
  if (result instanceof Promise) result.catch((error: Error) => log.add("handler", `rejected ${error.message}`));
}

async function play(scene: Scene, log: Log, client: Client): Promise<void> {
  if (scene.client === undefined) client.end();
  else await scene.client(client, log);
}

function blank(log: Log): Observation {
  return {
    status: null,
    reason: null,
    headers: [],
    body: "",
    trailers: [],
    informed: [],
    complete: false,
    log: log.entries,
  };
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

function pairs(list: readonly string[]): Array<[string, string]> {
  const found: Array<[string, string]> = [];
  for (let i = 0; i < list.length; i += 2) found.push([list[i] as string, list[i + 1] as string]);
  return found;
}

function comparable(headers: readonly string[]): string[] {
  return pairs(headers)
    .filter(([name]) => !/^(connection|keep-alive|transfer-encoding)$/i.test(name))
    .map(([name, value]) => `${name}: ${name === "Date" && value.endsWith("GMT") ? "now" : value}`);
}
