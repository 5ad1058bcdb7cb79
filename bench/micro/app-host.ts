/**
 * What hosting costs a request, in the drone alone: no socket, no B cell, no frames. Run by hand:
 *
 *   node bench/micro/app-host.ts [part of a line's name]
 *
 * Each line is the whole way of one request through the app, in batches of 64 to a turn of the event loop, as
 * they come from axons under load. "parsed" is the alternative: the same handler behind Node's own HTTP server,
 * which reads and writes HTTP text on an in-memory connection.
 */
import * as http from "node:http";
import { Duplex } from "node:stream";
import { converse } from "../../src/app/conversation.ts";
import { answerByFetch } from "../../src/app/fetch-handler.ts";
import type { Exchange, ExchangeListener, ExchangeRequest } from "../../src/app/exchange.ts";
import { answer } from "../../src/app/listen-hook.ts";
import { ServerRegistry } from "../../src/app/server-registry.ts";

const BATCH = 64;
const WARM_UP_REQUESTS = 100_000;
const SLICE_REQUESTS = 10_000;
/** Of CPU time a slice; the best is what the code costs, the middle what the machine made of it. */
const SLICES = 31;

const headers = Object.entries({
  Host: "localhost:8080",
  "User-Agent": "bench/1.0",
  Accept: "*/*",
  "Accept-Encoding": "gzip, deflate, br",
  "Accept-Language": "en",
  Cookie: "session=0123456789abcdef; theme=dark",
}).flat();
const request: ExchangeRequest = {
  method: "GET",
  target: "/hello?a=1",
  versionMinor: 1,
  headers,
  remoteAddress: "127.0.0.1",
  remotePort: 50000,
  localAddress: "127.0.0.1",
  localPort: 8080,
  encrypted: false,
  listener: 0,
  requestId: "bench",
  hasBody: false,
  upgrade: false,
};

class BenchExchange implements Exchange {
  readonly request: ExchangeRequest;
  listener: ExchangeListener | null = null;
  bytes = 0;
  constructor(what: ExchangeRequest) {
    this.request = what;
  }
  listen(listener: ExchangeListener): void {
    this.listener = listener;
  }
  consumed(): void {}
  inform(): void {}
  respond(): void {}
  write(chunk: Uint8Array): boolean {
    this.bytes += chunk.length;
    return true;
  }
  finish(): void {
    done.requests += 1;
  }
  reset(): void {
    throw new Error("reset");
  }
  tunnel(): void {}
}

const done = { requests: 0 };
const json = JSON.stringify({ hello: "world", list: Array.from({ length: 60 }, (_, i) => `item ${i}`) });

const handlers: Record<string, http.RequestListener> = {
  "res.end(text)": (_req, res) => {
    res.end("hello world");
  },
  "three headers and 1 KB": (_req, res) => {
    res.setHeader("Content-Type", "application/json");
    res.setHeader("Cache-Control", "no-store");
    res.setHeader("X-Id", "12345");
    res.end(json);
  },
  "writeHead, write, end": (_req, res) => {
    res.writeHead(200, { "Content-Type": "text/plain" });
    res.write("hello ");
    res.end("world");
  },
};

const [only] = process.argv.slice(2);

for (const [name, handler] of Object.entries(handlers)) {
  await measure(`hosted  ${name}`, hostedWay(handler));
  await measure(`parsed  ${name}`, parsedWay(handler));
}
await measure("hosted  POST 1 KB, read by events", hostedPost());
await measure(
  "fetch   new Response(text)",
  fetchWay(() => new Response("hello world")),
);
await measure(
  "fetch   Response.json(1 KB)",
  fetchWay(() => Response.json({ hello: "world", json })),
);

type Way = (count: number) => void;

async function measure(name: string, way: Way): Promise<void> {
  if (only !== undefined && !name.includes(only)) return;
  await run(way, WARM_UP_REQUESTS);
  const sliceUs: number[] = [];
  for (let slice = 0; slice < SLICES; slice += 1) {
    const { user, system } = process.cpuUsage();
    await run(way, SLICE_REQUESTS);
    const after = process.cpuUsage();
    sliceUs.push((after.user + after.system - user - system) / SLICE_REQUESTS);
  }
  sliceUs.sort((a, b) => a - b);
  const show = (us: number | undefined): string => (us ?? 0).toFixed(2).padStart(6);
  console.log(`${name.padEnd(40)} ${show(sliceUs[0])} us at best, ${show(sliceUs[SLICES >> 1])} us in the middle`);
}

async function run(way: Way, requests: number): Promise<void> {
  const target = done.requests + requests;
  for (let sent = 0; sent < requests; sent += BATCH) {
    way(Math.min(BATCH, requests - sent));
    await new Promise((resolve) => setImmediate(resolve));
  }
  while (done.requests < target) await new Promise((resolve) => setImmediate(resolve));
}

function hostedWay(handler: http.RequestListener): Way {
  const { hosted, hooks } = host(handler);
  return (count) => {
    for (let i = 0; i < count; i += 1) converse(new BenchExchange(request), hosted, hooks);
  };
}

function hostedPost(): Way {
  const body = Buffer.from(json);
  const { hosted, hooks } = host((req, res) => {
    req.on("data", () => {});
    req.on("end", () => res.end("ok"));
  });
  const post = {
    ...request,
    method: "POST",
    hasBody: true,
    headers: [...headers, "Content-Length", String(body.length)],
  };
  return (count) => {
    for (let i = 0; i < count; i += 1) {
      const exchange = new BenchExchange(post);
      converse(exchange, hosted, hooks);
      exchange.listener?.body(body);
      exchange.listener?.end([]);
    }
  };
}

function host(handler: http.RequestListener): {
  hosted: Parameters<typeof converse>[1];
  hooks: Parameters<typeof converse>[2];
} {
  const registry = new ServerRegistry([{ host: "127.0.0.1", port: 8080 }], () => {});
  answer(registry, http.createServer(handler), {
    port: 8080,
    host: null,
    callback: null,
    signal: null,
    standIn: false,
  });
  const hosted = registry.serverFor(0);
  if (hosted === null) throw new Error("no server");
  return { hosted, hooks: { onEvent: () => {}, onOver: () => {} } };
}

function fetchWay(fetch: () => Response): Way {
  const hooks = { fetch, onEvent: () => {}, onOver: () => {} };
  return (count) => {
    for (let i = 0; i < count; i += 1) answerByFetch(new BenchExchange(request), hooks);
  };
}

function parsedWay(handler: http.RequestListener): Way {
  const server = http.createServer(handler);
  const lines = [`${request.method} ${request.target} HTTP/1.1`];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  const text = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
  // One connection for each request in flight, kept alive: nothing is pipelined.
  const connections = Array.from({ length: BATCH }, () => {
    const connection = new Duplex({
      read() {},
      write(_chunk, _encoding, done) {
        done();
      },
      writev(_chunks, done) {
        done();
      },
    });
    server.emit("connection", connection);
    return connection;
  });
  server.on("request", (_req, res) =>
    res.on("finish", () => {
      done.requests += 1;
    }),
  );
  return (count) => {
    for (let i = 0; i < count; i += 1) connections[i]?.push(text);
  };
}
