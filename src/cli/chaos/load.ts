/**
 * The load of `cellws chaos`: so many requests a second, whether or not earlier ones were answered, over kept connections,
 * and each answer verified. Who only counts status codes does not notice when an answer was another's.
 *
 * Three ways of verifying, the strictest that can be had. Where the path holds `{id}`, each request carries an id of its
 * own, and its answer must hold that very id. Else a path that gave the same body twice before the chaos must go on giving it.
 * Else the status must be what it was.
 */
import http from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

export interface LoadTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

export interface LoadOptions {
  readonly target: LoadTarget;
  /** Asked in turn; `{id}` becomes the request's own. */
  readonly paths: readonly string[];
  readonly ratePerSecond: number;
  readonly connections: number;
  /** Before this much time has passed no request is given up. */
  readonly timeoutMs: number;
}

/** Why a request was lost. `wrong`: there was an answer, and not the one that was asked for. */
export type Loss = "refused" | "cut" | "timeout" | "status" | "wrong";

export interface Outcome {
  /** Since the load began. */
  readonly sentMs: number;
  readonly endedMs: number;
  readonly loss: Loss | null;
  readonly detail: string;
}

export type Verification = "id" | "body" | "status";

interface Baseline {
  readonly status: number;
  /** Null: it is not always the same. */
  readonly body: string | null;
}

/** An answer is compared up to this; a longer one by its length as well. */
const bodyCharsMax = 256 * 1024;
const idHole = "{id}";

export class Load {
  readonly #options: LoadOptions;
  readonly #agent: http.Agent;
  readonly #baselines = new Map<string, Baseline>();
  readonly #onOutcome: (outcome: Outcome) => void;
  #startedMs = 0;
  #sequence = 0;
  #inFlight = 0;

  constructor(options: LoadOptions, onOutcome: (outcome: Outcome) => void) {
    this.#options = options;
    this.#onOutcome = onOutcome;
    const agentOptions = { keepAlive: true, maxSockets: options.connections, scheduling: "fifo" } as const;
    // It is one's own organism, on this machine, whose certificate is for another name.
    this.#agent = options.target.tls
      ? new https.Agent({ ...agentOptions, rejectUnauthorized: false })
      : new http.Agent(agentOptions);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** How each path's answers can be verified; to be called before anything is done to the organism. */
  async learn(): Promise<ReadonlyMap<string, { verification: Verification; status: number }>> {
    const learned = new Map<string, { verification: Verification; status: number }>();
    for (const path of this.#options.paths) {
      const [first, second] = [await this.#ask(path, "first"), await this.#ask(path, "second")];
      const failed = [first, second].find((answer) => typeof answer === "string");
      if (failed !== undefined) throw new Error(`${path}: ${failed}`);
      const [a, b] = [first, second] as [Answer, Answer];
      if (a.status !== b.status) throw new Error(`${path}: answered ${a.status}, then ${b.status}`);
      const isSame = a.body === b.body;
      const echoes = path.includes(idHole) && a.body.includes(a.id) && b.body.includes(b.id);
      this.#baselines.set(path, { status: a.status, body: isSame ? a.body : null });
      learned.set(path, { verification: echoes ? "id" : isSame ? "body" : "status", status: a.status });
      if (!echoes) continue;
      this.#baselines.set(path, { status: a.status, body: null });
      this.#echoing.add(path);
    }
    return learned;
  }

  readonly #echoing = new Set<string>();

  /** Sends until `signal`, then waits for what is under way. */
  async run(signal: AbortSignal): Promise<void> {
    const { paths, ratePerSecond } = this.#options;
    this.#startedMs = performance.now();
    let sent = 0;
    const inFlightMax = ratePerSecond * Math.ceil(this.#options.timeoutMs / 1_000) + this.#options.connections;
    while (!signal.aborted) {
      const due = Math.floor(((performance.now() - this.#startedMs) * ratePerSecond) / 1_000);
      for (; sent < due && this.#inFlight < inFlightMax; sent += 1)
        void this.#one(paths[sent % paths.length] as string);
      await sleep(turnMs, undefined, { signal }).catch(() => undefined);
    }
    while (this.#inFlight > 0) await sleep(turnMs);
    this.#agent.destroy();
  }

  async #one(path: string): Promise<void> {
    const sentMs = performance.now() - this.#startedMs;
    this.#inFlight += 1;
    const answer = await this.#ask(path, String((this.#sequence += 1)));
    this.#inFlight -= 1;
    const [loss, detail] = typeof answer === "string" ? lossOf(answer) : this.#judge(path, answer);
    this.#onOutcome({ sentMs, endedMs: performance.now() - this.#startedMs, loss, detail });
  }

  #judge(path: string, { id, status, body }: Answer): [Loss | null, string] {
    const baseline = this.#baselines.get(path);
    if (status !== baseline?.status) return ["status", `answered ${status} instead of ${baseline?.status}`];
    if (this.#echoing.has(path)) {
      return body.includes(id) ? [null, ""] : ["wrong", `asked for ${id}, and the answer does not hold it`];
    }
    if (baseline.body !== null && baseline.body !== body) return ["wrong", "the body is not what it was before"];
    return [null, ""];
  }

  /** The answer, or what went wrong. */
  #ask(path: string, number: string): Promise<Answer | string> {
    const { target, timeoutMs } = this.#options;
    const id = `chaos-${process.pid}-${number}-`;
    const { promise, resolve } = Promise.withResolvers<Answer | string>();
    const { host, port, tls } = target;
    const options = { host, port, path: path.replaceAll(idHole, id), agent: this.#agent };
    const request = (tls ? https : http).get(options, (response) => {
      let body = "";
      let length = 0;
      response.setEncoding("latin1").on("data", (text: string) => {
        length += text.length;
        if (body.length < bodyCharsMax) body += text;
      });
      response.on("end", () => {
        if (!response.complete) return resolve("ECONNRESET");
        resolve({ id, status: response.statusCode ?? 0, body: length === body.length ? body : `${body}${length}` });
      });
      response.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
    const timer = setTimeout(
      () => request.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })),
      timeoutMs,
    );
    request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    void promise.then(() => clearTimeout(timer));
    return promise;
  }
}

interface Answer {
  readonly id: string;
  readonly status: number;
  readonly body: string;
}

/** As often as timers are reliable. */
const turnMs = 5;

function lossOf(code: string): [Loss, string] {
  if (code === "ECONNREFUSED") return ["refused", code];
  return code === "ETIMEDOUT" ? ["timeout", "no answer in time"] : ["cut", code];
}
