/**
 * What is behind the admin listener's door: HTTP, by Node's own server, since nothing here is in a hurry. It says who may ask
 * what, and keeps callers short; the answers are in answers.ts.
 *
 *   /healthz, /readyz    for orchestrators, without a token: they tell no more than whether, and why not
 *   /metrics, /status    with the token of the run directory: `Authorization: Bearer <token>`
 *
 * One request a connection and a few seconds for all of it: then slow callers need no further rules. The Host field must name
 * this machine, or a page in somebody's browser could have a name of its own point here (DNS rebinding).
 */
import { createHash, timingSafeEqual } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import type net from "node:net";
import { unreachable } from "../../lib/assert.ts";
import { chooseFormat, contentTypes } from "../../view/metrics.ts";
import type { CellLog } from "../log.ts";
import type { AdminAnswers } from "./answers.ts";

export interface AdminFrontOptions {
  readonly answers: AdminAnswers;
  readonly tokenFile: string;
  readonly log: CellLog;
  readonly limits?: Partial<AdminLimits>;
}

export interface AdminLimits {
  /** From connecting until the answer has been taken. A scrape takes as long as the slowest cell, which is asked for a second. */
  readonly connectionMsMax: number;
  readonly connectionsMax: number;
  readonly headBytesMax: number;
}

export const adminLimitsDefault: AdminLimits = {
  connectionMsMax: 10_000,
  connectionsMax: 32,
  headBytesMax: 8 * 1024,
};

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly fields?: Readonly<Record<string, string>>;
}

const endpoints = ["/healthz", "/readyz", "/metrics", "/status"] as const;
type Endpoint = (typeof endpoints)[number];
const openToAll: ReadonlySet<Endpoint> = new Set(["/healthz", "/readyz"]);

export class AdminFront {
  readonly #options: AdminFrontOptions;
  readonly #limits: AdminLimits;
  readonly #server: http.Server;
  #connections = 0;

  constructor(options: AdminFrontOptions) {
    this.#options = options;
    this.#limits = { ...adminLimitsDefault, ...options.limits };
    // It never listens itself: the door does, and hands it what comes.
    this.#server = http.createServer(
      { maxHeaderSize: this.#limits.headBytesMax, keepAlive: false },
      (request, response) => this.#answer(request, response),
    );
    this.#server.maxRequestsPerSocket = 1;
  }

  accept(socket: net.Socket): void {
    if (this.#connections >= this.#limits.connectionsMax || socket.destroyed) {
      socket.destroy();
      return;
    }
    this.#connections += 1;
    const timer = setTimeout(() => socket.destroy(), this.#limits.connectionMsMax);
    socket.once("close", () => {
      clearTimeout(timer);
      this.#connections -= 1;
    });
    this.#server.emit("connection", socket);
    socket.resume();
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    this.#judge(request).then(
      (answer) => send(response, answer),
      (error: unknown) => {
        this.#options.log.error("admin-failed", { err: error, path: request.url }, "could not answer an administrator");
        send(response, plain(500, "cellws could not find that out; its log says why"));
      },
    );
  }

  async #judge(request: http.IncomingMessage): Promise<Answer> {
    const { method = "", url = "/", headers } = request;
    if (!namesThisMachine(headers.host)) return plain(403, "the Host field must be localhost or a loopback address");
    if (method !== "GET" && method !== "HEAD") {
      return { ...plain(405, "only GET and HEAD"), fields: { Allow: "GET, HEAD" } };
    }
    const path = url.split("?", 1)[0];
    const endpoint = endpoints.find((known) => known === path);
    if (endpoint === undefined) return plain(404, `there are ${endpoints.join(", ")}`);
    if (!openToAll.has(endpoint) && !this.#knowsToken(headers.authorization)) {
      const hint = `send the token of ${this.#options.tokenFile}: Authorization: Bearer <token>`;
      return { ...plain(401, hint), fields: { "WWW-Authenticate": 'Bearer realm="cellws admin"' } };
    }
    return await this.#find(endpoint, headers.accept);
  }

  async #find(endpoint: Endpoint, accept: string | undefined): Promise<Answer> {
    const { answers } = this.#options;
    switch (endpoint) {
      case "/healthz":
        return plain(200, answers.health());
      case "/readyz": {
        const { ready, why } = await answers.readiness();
        return plain(ready ? 200 : 503, `${ready ? "ready" : "not ready"}: ${why}`);
      }
      case "/metrics": {
        const format = chooseFormat(accept);
        return { status: 200, type: contentTypes[format], body: await answers.metrics(format) };
      }
      case "/status":
        return { status: 200, type: "application/json", body: `${JSON.stringify(await answers.status())}\n` };
      default:
        return unreachable(endpoint);
    }
  }

  /** Read anew each time, so that a new token can be put there while the organism lives. */
  #knowsToken(authorization: string | undefined): boolean {
    const given = /^bearer +([^ ]+)$/i.exec(authorization ?? "")?.[1];
    const token = readToken(this.#options.tokenFile);
    return given !== undefined && token !== null && timingSafeEqual(digest(given), digest(token));
  }
}

function send(response: http.ServerResponse, { status, type, body, fields = {} }: Answer): void {
  const length = String(Buffer.byteLength(body));
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    Connection: "close",
    ...fields,
  });
  response.end(body);
}

function plain(status: number, text: string): Answer {
  return { status, type: "text/plain; charset=utf-8", body: `${text}\n` };
}

/** Absent only in HTTP/1.0, which simple health checks speak and no browser does. */
function namesThisMachine(host: string | undefined): boolean {
  return host === undefined || /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host);
}

function readToken(file: string): string | null {
  try {
    const token = fs.readFileSync(file, "utf8").trim();
    return token === "" ? null : token;
  } catch {
    return null;
  }
}

/** Of one length, whatever was given. */
const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
