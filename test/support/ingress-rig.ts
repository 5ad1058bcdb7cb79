/** An ingress on a real TCP port with drones behind real Unix sockets, all in this process. */
import { once } from "node:events";
import net from "node:net";
import type { TestContext } from "node:test";
import type { Exchange } from "../../src/app/exchange.ts";
import { DronePool, type PoolOptions } from "../../src/cells/b-cell/drone-pool.ts";
import { Ingress, type IngressOptions } from "../../src/cells/b-cell/ingress.ts";
import type { IngressNote } from "../../src/cells/b-cell/http1-connection.ts";
import { lendReads } from "../../src/cells/b-cell/lent-reads.ts";
import { AxonServer } from "../../src/host/axon-link.ts";
import type { DroneStatus } from "../../src/wire/axon.ts";
import { ListenerRecorder, socketPair, until, type SocketPair } from "./axon-pair.ts";

export const readyStatus: DroneStatus = { load: 0, inFlight: 0, draining: false, app: { state: "ready" } };

export interface TestDrone {
  server: AxonServer;
  pair: SocketPair;
  exchanges: Exchange[];
  /** As if its process had been killed. */
  kill(): void;
}

export interface Rig {
  ingress: Ingress;
  pool: DronePool;
  port: number;
  notes: IngressNote[];
  /** The accepted ends of the clients' connections, oldest first. */
  sockets: net.Socket[];
  addDrone: (handle: (exchange: Exchange) => void, status?: DroneStatus) => Promise<TestDrone>;
  /** A connection that collects what comes. */
  connect: () => Promise<RawClient>;
}

export async function rig(
  t: TestContext,
  options: Omit<IngressOptions, "pool"> = {},
  poolOptions: PoolOptions = {},
  protocol: "h2" | "http/1.1" = "http/1.1",
): Promise<Rig> {
  const pool = new DronePool(poolOptions);
  const notes: IngressNote[] = [];
  const ingress = new Ingress({ pool, note: (note) => notes.push(note), ...options });
  const sockets: net.Socket[] = [];
  // A session takes over a handle that reads, as one does after a TLS handshake.
  const listener = net.createServer({ pauseOnConnect: protocol !== "h2" }, (socket) => {
    const accepted = lendReads(socket);
    sockets.push(accepted);
    ingress.accept(accepted, { listener: 0, encrypted: false, protocol });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as net.AddressInfo;
  const cleanups: Array<() => void> = [];
  t.after(async () => {
    listener.close();
    for (const cleanup of cleanups) cleanup();
    pool.close();
    await ingress.drain(0);
  });
  return {
    ingress,
    pool,
    port,
    notes,
    sockets,
    async addDrone(handle, status = readyStatus) {
      const pair = await socketPair();
      cleanups.push(() => pair.close());
      const exchanges: Exchange[] = [];
      const exchange = (exchange: Exchange) => {
        exchanges.push(exchange);
        handle(exchange);
      };
      const server = new AxonServer(pair.server, { exchange });
      pool.add(`drone-${cleanups.length}`, pair.client);
      server.sendStatus(status);
      const before = pool.readyCount;
      if (status.app.state === "ready") while (pool.readyCount === before) await new Promise(setImmediate);
      return { server, pair, exchanges, kill: () => pair.server.destroy() };
    },
    async connect() {
      const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      cleanups.push(() => socket.destroy());
      await once(socket, "connect");
      return new RawClient(socket);
    },
  };
}

export class RawClient {
  readonly socket: net.Socket;
  text = "";
  /** "open", "ended" (in order) or "reset". */
  state = "open";

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => (this.text += chunk));
    socket.on("end", () => {
      this.state = "ended";
      socket.end();
    });
    socket.on("error", () => (this.state = "reset"));
  }

  send(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  /** Resolves when `pattern` has come. */
  async until(pattern: RegExp): Promise<string> {
    const shown = () => `${this.state}, got ${JSON.stringify(this.text.slice(0, 500))}`;
    await until(() => pattern.test(this.text) || this.state !== "open");
    if (!pattern.test(this.text)) throw new Error(`no ${String(pattern)}: ${shown()}`);
    return this.text;
  }

  /** Everything until the server ends the connection. */
  async toEnd(): Promise<string> {
    await until(() => this.state !== "open");
    return this.text;
  }
}

/** Answers 200 with `body`, after consuming the request. */
export function answer(body: string, headers: string[] = []): (exchange: Exchange) => void {
  return (exchange) => {
    const listener = new ListenerRecorder();
    listener.onBody = (chunk) => exchange.consumed(chunk.length);
    const finish = () => {
      exchange.respond({ status: 200, reason: "OK", headers: ["Content-Length", String(body.length), ...headers] });
      exchange.write(Buffer.from(body, "latin1"));
      exchange.finish([]);
    };
    listener.onEnd = finish;
    exchange.listen(listener);
    if (!exchange.request.hasBody) finish();
  };
}

/** Answers with the request's body, as fast as the client takes it. */
export function echo(exchange: Exchange): void {
  const listener = new ListenerRecorder();
  let unconsumed = 0;
  exchange.listen(listener);
  exchange.respond({ status: 200, reason: "OK", headers: [] });
  if (!exchange.request.hasBody) exchange.finish([]);
  listener.onBody = (chunk) => {
    if (exchange.write(chunk)) exchange.consumed(chunk.length);
    else unconsumed += chunk.length;
  };
  listener.onWritable = () => {
    exchange.consumed(unconsumed);
    unconsumed = 0;
  };
  listener.onEnd = () => exchange.finish(listener.trailers ?? []);
}

/** Takes the request and never answers. */
export function silent(exchange: Exchange): void {
  exchange.listen(new ListenerRecorder());
}
