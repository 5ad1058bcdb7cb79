/**
 * Requests at a steady rate over kept connections, each with an id that its answer must bear; whatever goes wrong is kept
 * with the connection that it went wrong on.
 *
 * Written on plain sockets, with one request at a time on each: a client library would take as much CPU as what is
 * measured, and would hide what becomes of a connection. GET only, and no retry: what is lost is counted as lost.
 */
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface VerifiedLoadOptions {
  readonly port: number;
  readonly ratePerSecond: number;
  readonly connections: number;
  /** A request that has not been answered by then is lost. */
  readonly timeoutMs: number;
  /** The path without its id. */
  readonly path?: string;
}

export type LossKind = "refused" | "cut" | "timeout" | "status" | "wrong";

export interface LostRequest {
  readonly kind: LossKind;
  readonly detail: string;
  /** By performance.now(). */
  readonly atMs: number;
  /** The client's end of the connection; 0 where there was none. */
  readonly localPort: number;
}

const turnMs = 4;
const hostName = "127.0.0.1";
/** A refused connection is tried again after this: a client in a loop would only measure itself. */
const reconnectMs = 20;

export class VerifiedLoad {
  readonly #options: VerifiedLoadOptions;
  readonly #idle: Connection[] = [];
  readonly #connections = new Set<Connection>();
  readonly #waiting: string[] = [];
  #isOver = false;
  #sequence = 0;
  sent = 0;
  answered = 0;
  readonly lost: LostRequest[] = [];
  readonly latenciesMs: number[] = [];
  /** When each process was first and last heard of in an answer. */
  readonly answeredBy = new Map<number, { firstMs: number; lastMs: number }>();

  constructor(options: VerifiedLoadOptions) {
    this.#options = options;
  }

  /** Resolves when the time is over and nothing is under way. */
  async run(ms: number): Promise<void> {
    const { ratePerSecond, connections, timeoutMs } = this.#options;
    for (let i = 0; i < connections; i += 1) void this.#connect();
    const startMs = performance.now();
    const waitingMax = Math.ceil((ratePerSecond * timeoutMs) / 1_000);
    for (let elapsedMs = 0; elapsedMs < ms; elapsedMs = performance.now() - startMs) {
      const due = Math.floor((elapsedMs * ratePerSecond) / 1_000);
      for (; this.sent < due; this.sent += 1) {
        // Nobody to send it to for a whole timeout: as a client would, it gives up.
        if (this.#waiting.length >= waitingMax) this.#lose("timeout", "no connection was free", 0);
        else this.#waiting.push(`q${(this.#sequence += 1)}q`);
      }
      this.#dispatch();
      await sleep(turnMs);
    }
    const deadlineMs = performance.now() + timeoutMs;
    while (this.answered + this.lost.length < this.sent && performance.now() < deadlineMs + reconnectMs) {
      this.#dispatch();
      await sleep(turnMs);
    }
    this.#isOver = true;
    for (const _ of this.#waiting.splice(0)) this.#lose("timeout", "no connection was free", 0);
    for (const connection of this.#connections) connection.close();
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const connection = this.#idle.pop();
      if (connection === undefined) return;
      connection.ask(this.#waiting.shift() as string);
    }
  }

  #lose(kind: LossKind, detail: string, localPort: number): void {
    this.lost.push({ kind, detail, localPort, atMs: performance.now() });
  }

  async #connect(): Promise<void> {
    while (!this.#isOver) {
      const outcome = await this.#live();
      if (this.#isOver) return;
      if (outcome === "refused") this.#refuse();
      if (outcome !== "closed") await sleep(reconnectMs);
    }
  }

  /** A connection that is refused costs the request that it was for. */
  #refuse(): void {
    if (this.#waiting.shift() !== undefined) this.#lose("refused", "ECONNREFUSED", 0);
  }

  #live(): Promise<"closed" | "refused" | "failed"> {
    return new Promise((resolve) => {
      const connection: Connection = new Connection(this.#options, {
        ready: () => {
          this.#idle.push(connection);
          this.#dispatch();
        },
        answered: (id, status, body, ms) => {
          const [answeredId, pid = ""] = body.split(" ");
          if (status !== 200) this.#lose("status", `${status} ${body.slice(0, 80)}`, connection.localPort);
          else if (answeredId !== id)
            this.#lose("wrong", `asked for ${id}, was given ${answeredId}`, connection.localPort);
          else this.#count(Number(pid), ms);
        },
        lost: (kind, detail) => this.#lose(kind, detail, connection.localPort),
        closed: (outcome) => {
          this.#connections.delete(connection);
          const place = this.#idle.indexOf(connection);
          if (place >= 0) this.#idle.splice(place, 1);
          resolve(outcome);
        },
      });
      this.#connections.add(connection);
    });
  }

  #count(pid: number, ms: number): void {
    this.answered += 1;
    this.latenciesMs.push(ms);
    const nowMs = performance.now();
    const known = this.answeredBy.get(pid);
    if (known === undefined) this.answeredBy.set(pid, { firstMs: nowMs, lastMs: nowMs });
    else known.lastMs = nowMs;
  }
}

interface ConnectionEvents {
  ready(): void;
  answered(id: string, status: number, body: string, ms: number): void;
  lost(kind: LossKind, detail: string): void;
  closed(outcome: "closed" | "refused" | "failed"): void;
}

class Connection {
  readonly #socket: net.Socket;
  readonly #events: ConnectionEvents;
  readonly #options: VerifiedLoadOptions;
  #text = "";
  #asked: { id: string; atMs: number; timer: NodeJS.Timeout } | null = null;
  #code = "";
  #wasOpen = false;
  localPort = 0;

  constructor(options: VerifiedLoadOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
    this.#socket = net.connect({ host: hostName, port: options.port, noDelay: true });
    const late = setTimeout(() => this.#socket.destroy(), options.timeoutMs);
    this.#socket.on("connect", () => {
      clearTimeout(late);
      this.#wasOpen = true;
      this.localPort = this.#socket.localPort ?? 0;
      events.ready();
    });
    this.#socket.setEncoding("latin1").on("data", (text: string) => this.#read(text));
    this.#socket.on("error", (error: NodeJS.ErrnoException) => (this.#code = error.code ?? error.message));
    this.#socket.on("close", () => {
      clearTimeout(late);
      this.#end();
    });
  }

  ask(id: string): void {
    const timer = setTimeout(() => {
      this.#asked = null;
      this.#events.lost("timeout", `no answer to ${id} in ${this.#options.timeoutMs} ms`);
      this.#socket.destroy();
    }, this.#options.timeoutMs);
    this.#asked = { id, atMs: performance.now(), timer };
    const { path = "/echo?" } = this.#options;
    this.#socket.write(`GET ${path}id=${id} HTTP/1.1\r\nHost: bench\r\n\r\n`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#text += text;
    const head = this.#text.indexOf("\r\n\r\n");
    if (head < 0 || this.#asked === null) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#text.slice(0, head + 2))?.[1] ?? 0);
    if (this.#text.length < head + 4 + length) return;
    const status = Number(this.#text.slice(9, 12));
    const isLast = /\r\nconnection: *close/i.test(this.#text.slice(0, head + 2));
    const body = this.#text.slice(head + 4, head + 4 + length);
    this.#text = this.#text.slice(head + 4 + length);
    const { id, atMs, timer } = this.#asked;
    clearTimeout(timer);
    this.#asked = null;
    this.#events.answered(id, status, body, performance.now() - atMs);
    // It says that it closes: whoever sends on would lose that request by its own doing.
    if (isLast) this.#socket.end();
    else this.#events.ready();
  }

  #end(): void {
    if (this.#asked !== null) {
      clearTimeout(this.#asked.timer);
      this.#asked = null;
      this.#events.lost("cut", this.#code === "" ? "closed before the answer" : this.#code);
    }
    this.#events.closed(this.#wasOpen ? "closed" : this.#code === "ECONNREFUSED" ? "refused" : "failed");
  }
}
