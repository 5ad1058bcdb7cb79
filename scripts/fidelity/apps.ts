/**
 * The frameworks that are compared, each with a small app that uses what is peculiar to it. Versions are pinned: a table of
 * what was run is worth something only if it says what.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { aborted, ask, informed, streamed, upload, visit, webSocket, type At, type Step } from "./steps.ts";

export interface FidelityApp {
  name: string;
  /** Exact versions, by package. The first is the one in the table. */
  packages: Record<string, string>;
  files: Record<string, string>;
  /** Run once, before either server, in the app's folder. */
  build?: string[];
  /** Where the app listens by itself, without being told: clients' addresses look different from there. By default "::". */
  host?: "::" | "0.0.0.0";
  /** Of the app's folder; what `node FILE` runs. */
  entry: string;
  /** What is tried, in the table's words. */
  tried: string;
  steps: (folder: string) => Step[];
}

const json = { "content-type": "application/json" };
const postJson = (path: string, value: unknown): Step =>
  ask(path, { method: "POST", headers: json, body: JSON.stringify(value) });

/** Routes in plain `(req, res)`, which several frameworks can mount. */
const plainRoutes = `
let aborts = 0;
export function plainRoutes(request, response) {
  const path = request.url.split("?")[0];
  if (path === "/stream") {
    response.writeHead(200, { "Content-Type": "text/plain" });
    response.write("first ");
    setTimeout(() => response.end("second"), 500);
  } else if (path === "/slow") {
    response.writeHead(200);
    response.write("begun");
    request.on("aborted", () => {});
    response.on("close", () => { if (!response.writableFinished) aborts += 1; });
  } else if (path === "/aborts") {
    response.end(JSON.stringify({ aborts }));
  } else if (path === "/hints") {
    response.writeEarlyHints({ link: "</a.css>; rel=preload" });
    request.resume().on("end", () => response.end("hinted"));
  } else if (path === "/socket") {
    const { remoteAddress, remoteFamily, encrypted } = request.socket;
    response.end(JSON.stringify({ remoteAddress, remoteFamily, encrypted, version: request.httpVersion, raw: request.rawHeaders.length > 0 }));
  } else return false;
  return true;
}
`;
const plainSteps = [streamed("/stream"), aborted("/slow", "/aborts"), informed("/hints"), ask("/socket")];

const expressApp = `
import express from "express";
import { plainRoutes } from "./plain.mjs";
const app = express();
app.use(express.json());
app.use((request, response, next) => { if (!plainRoutes(request, response)) next(); });
app.get("/json", (request, response) => response.json({ query: request.query, ip: request.ip, secure: request.secure, host: request.hostname, protocol: request.protocol }));
app.post("/echo", (request, response) => response.status(201).set("X-A", "1").json(request.body));
app.get("/cookies", (request, response) => response.cookie("a", "1", { httpOnly: true }).cookie("b", "2").send("baked"));
app.get("/redirect", (request, response) => response.redirect("/json"));
app.get("/error", () => { throw new Error("oops"); });
app.get("/file", (request, response) => response.sendFile(import.meta.dirname + "/plain.mjs"));
app.use((error, request, response, next) => response.status(error.status ?? 500).json({ error: error.message }));
app.listen(process.env.PORT ?? 3000);
`;
const expressSteps = [
  ask("/json?a=1&b[]=2"),
  postJson("/echo", { a: [1, "ä"] }),
  ask("/echo", { method: "POST", headers: json, body: "{broken" }),
  ask("/cookies"),
  ask("/redirect"),
  ask("/error"),
  ask("/missing"),
  ask("/json", { method: "HEAD" }),
  ask("/json", { method: "OPTIONS" }),
  ask("/file", { headers: { range: "bytes=0-9" } }),
  ...plainSteps,
];

export const fidelityApps: readonly FidelityApp[] = [
  ...(["4.22.3", "5.3.0"] as const).map((version) => ({
    name: `express ${version[0]}`,
    packages: { express: version },
    files: { "app.mjs": expressApp, "plain.mjs": plainRoutes },
    entry: "app.mjs",
    tried: "JSON, cookies, redirects, errors, HEAD, OPTIONS, ranges, streams, aborts, early hints, `req.socket`",
    steps: () => expressSteps,
  })),
  {
    name: "compression, express-session",
    packages: { compression: "1.8.2", "express-session": "1.19.0", express: "4.22.3" },
    files: {
      "app.mjs": `
import express from "express";
import compression from "compression";
import session from "express-session";
const app = express();
app.use(compression({ threshold: 0 }));
app.use(session({ secret: "s", resave: false, saveUninitialized: true }));
app.get("/count", (request, response) => { request.session.count = (request.session.count ?? 0) + 1; response.json({ count: request.session.count }); });
app.get("/text", (request, response) => response.type("text").send("compress me ".repeat(500)));
app.get("/flush", (request, response) => { response.type("text"); response.write("first "); response.flush(); setTimeout(() => response.end("second"), 500); });
app.listen(process.env.PORT ?? 3000);
`,
    },
    entry: "app.mjs",
    tried: "a session over several requests, gzip and brotli, `res.flush()`",
    steps: () => [
      visit("/count", "/count", "/count"),
      ask("/text", { headers: { "accept-encoding": "gzip" } }),
      ask("/text", { headers: { "accept-encoding": "br" } }),
      streamed("/flush"),
    ],
  },
  {
    name: "busboy",
    packages: { busboy: "1.6.0" },
    files: {
      "app.mjs": `
import http from "node:http";
import busboy from "busboy";
http.createServer((request, response) => {
  const seen = { fields: {}, files: [] };
  const parser = busboy({ headers: request.headers });
  parser.on("field", (name, value) => { seen.fields[name] = value; });
  parser.on("file", (name, stream, { filename, mimeType }) => {
    let bytes = 0;
    stream.on("data", (chunk) => { bytes += chunk.length; }).on("end", () => seen.files.push({ name, filename, mimeType, bytes }));
  });
  parser.on("close", () => response.end(JSON.stringify(seen)));
  request.pipe(parser);
}).listen(process.env.PORT ?? 3000);
`,
    },
    entry: "app.mjs",
    tried: "uploads of 10 bytes and of 20 MB",
    steps: () => [upload("/", 10), upload("/", 20_000_000)],
  },
  {
    name: "Nest",
    packages: {
      "@nestjs/core": "12.5.1",
      "@nestjs/common": "12.5.1",
      "@nestjs/platform-express": "12.5.1",
      "reflect-metadata": "0.2.2",
      rxjs: "7.8.2",
      typescript: "5.9.3",
    },
    files: {
      "app.ts": `
import "reflect-metadata";
import { Body, Controller, Get, HttpException, Module, Param, Post, Sse } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { interval, map, take } from "rxjs";
@Controller()
class Things {
  @Get("things/:id") one(@Param("id") id: string) { return { id }; }
  @Post("things") add(@Body() body: object) { return { added: body }; }
  @Get("teapot") teapot() { throw new HttpException("I am a teapot", 418); }
  @Get("crash") crash() { throw new Error("oops"); }
  @Sse("events") events() { return interval(20).pipe(take(3), map((n) => ({ data: { n } }))); }
}
@Module({ controllers: [Things] })
class App {}
const app = await NestFactory.create(App, { logger: false });
app.enableShutdownHooks();
app.setGlobalPrefix("api");
await app.listen(process.env["PORT"] ?? 3000);
`,
      "tsconfig.json": `{ "compilerOptions": { "module": "nodenext", "target": "es2022", "experimentalDecorators": true, "emitDecoratorMetadata": true, "outDir": "dist", "skipLibCheck": true, "noEmitOnError": false, "types": [] } }`,
    },
    build: ["sh", "-c", "npx tsc -p . || test -f dist/app.js"],
    entry: "dist/app.js",
    tried: "controllers, bodies, exceptions, server-sent events",
    steps: () => [
      ask("/api/things/7"),
      postJson("/api/things", { a: 1 }),
      ask("/api/teapot"),
      ask("/api/crash"),
      ask("/api/none"),
      ask("/api/events"),
    ],
  },
  {
    name: "tRPC",
    packages: { "@trpc/server": "11.25.2" },
    files: {
      "app.mjs": `
import { initTRPC, TRPCError } from "@trpc/server";
import { createHTTPServer } from "@trpc/server/adapters/standalone";
const t = initTRPC.create();
const things = [];
const router = t.router({
  hello: t.procedure.input((value) => String(value)).query(({ input }) => "hello " + input),
  add: t.procedure.input((value) => value).mutation(({ input }) => { things.push(input); return things.length; }),
  fail: t.procedure.query(() => { throw new TRPCError({ code: "FORBIDDEN", message: "no" }); }),
});
createHTTPServer({ router, onError() {}, createContext: () => ({}) }).listen(Number(process.env.PORT ?? 3000));
`,
    },
    entry: "app.mjs",
    tried: "queries, batches, mutations, errors (standalone adapter)",
    steps: () => [
      ask(`/hello?input=${encodeURIComponent('"you"')}`),
      ask(`/hello,hello?batch=1&input=${encodeURIComponent('{"0":"a","1":"b"}')}`),
      postJson("/add", { a: 1 }),
      statusOnly("/fail"),
      statusOnly("/none"),
    ],
  },
  {
    name: "Apollo Server",
    packages: { "@apollo/server": "5.5.1", graphql: "16.15.0" },
    files: {
      "app.mjs": `
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
const server = new ApolloServer({ typeDefs: "type Query { hello(name: String): String }", resolvers: { Query: { hello: (_, { name }) => "hello " + name } }, includeStacktraceInErrorResponses: false });
await startStandaloneServer(server, { listen: { port: Number(process.env.PORT ?? 3000) } });
`,
    },
    entry: "app.mjs",
    tried: "queries, errors, refusal of simple cross-site requests (standalone)",
    steps: () => [
      postJson("/", { query: '{ hello(name: "you") }' }),
      postJson("/", { query: "{ nothing }" }),
      ask(`/?query=${encodeURIComponent("{__typename}")}`),
    ],
  },
  {
    name: "GraphQL Yoga",
    packages: { "graphql-yoga": "5.24.1", graphql: "16.15.0" },
    files: {
      "app.mjs": `
import { createServer } from "node:http";
import { createSchema, createYoga } from "graphql-yoga";
const schema = createSchema({
  typeDefs: "type Query { hello: String } type Subscription { count: Int }",
  resolvers: { Query: { hello: () => "hello" }, Subscription: { count: { subscribe: async function* () { for (let count = 0; count < 3; count += 1) yield { count }; } } } },
});
createServer(createYoga({ schema, logging: false })).listen(process.env.PORT ?? 3000);
`,
    },
    entry: "app.mjs",
    tried: "queries, subscriptions over server-sent events",
    steps: () => [
      postJson("/graphql", { query: "{ hello }" }),
      ask("/graphql", {
        method: "POST",
        headers: { ...json, accept: "text/event-stream" },
        body: JSON.stringify({ query: "subscription { count }" }),
      }),
      statusOnly("/none"),
    ],
  },
  {
    name: "socket.io",
    packages: { "socket.io": "4.8.4", "socket.io-client": "4.8.4" },
    files: {
      "app.mjs": `
import { createServer } from "node:http";
import { Server } from "socket.io";
const server = createServer((request, response) => response.end("beside"));
new Server(server).on("connection", (socket) => {
  socket.on("echo", (value, answer) => answer(value));
  socket.on("bytes", (value) => socket.emit("bytes", value));
});
server.listen(process.env.PORT ?? 3000);
`,
    },
    entry: "app.mjs",
    tried: "polling, WebSocket, the change from one to the other, binary messages, acknowledgements",
    steps: (folder) => [
      ...[["polling"], ["websocket"], ["polling", "websocket"]].map((transports) => socketIo(folder, transports)),
      ask("/beside"),
    ],
  },
  {
    name: "ws",
    packages: { ws: "8.23.0" },
    files: {
      "app.mjs": `
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
const server = createServer((request, response) => response.end("beside"));
const sockets = new WebSocketServer({ server, path: "/ws" });
sockets.on("connection", (socket, request) => socket.on("message", (data) => socket.send(request.url + " " + data.toString().slice(0, 20) + " " + data.length)));
server.listen(process.env.PORT ?? 3000);
`,
    },
    entry: "app.mjs",
    tried: "messages small and of a megabyte, close, plain requests beside",
    steps: () => [webSocket("/ws", "hello", "x".repeat(1_000_000)), statusOnly("/other"), ask("/beside")],
  },
  {
    name: "Next",
    packages: { next: "16.4.6", react: "19.3.1", "react-dom": "19.3.1" },
    files: {
      "next.config.mjs": `export default { output: "standalone", outputFileTracingRoot: import.meta.dirname, turbopack: { root: import.meta.dirname } };`,
      "app/layout.jsx": `export default function Layout({ children }) { return <html lang="en"><body>{children}</body></html>; }`,
      "app/page.jsx": `export default function Page() { return <h1>hello</h1>; }`,
      "app/late/page.jsx": `
import { Suspense } from "react";
export const dynamic = "force-dynamic";
async function Late() { await new Promise((done) => setTimeout(done, 500)); return <p>late</p>; }
export default function Page() { return <Suspense fallback={<p>soon</p>}><Late /></Suspense>; }
`,
      "app/api/route.js": `
import { headers } from "next/headers";
export async function GET(request) { return Response.json({ path: new URL(request.url).pathname, agent: (await headers()).get("user-agent") }, { headers: { "x-a": "1" } }); }
export async function POST(request) { return Response.json(await request.json(), { status: 201 }); }
`,
      "app/away/route.js": `import { redirect } from "next/navigation"; export function GET() { redirect("/"); }`,
      "public/note.txt": "a note\n",
    },
    build: [
      "sh",
      "-c",
      "NEXT_TELEMETRY_DISABLED=1 npx next build && cp -r public .next/standalone/ && cp -r .next/static .next/standalone/.next/",
    ],
    entry: ".next/standalone/server.js",
    host: "0.0.0.0",
    tried:
      "server components, streaming with Suspense, route handlers, redirects, public files, 404 (standalone build)",
    steps: () => [
      statusAndType("/"),
      statusOnly("/none"),
      ask("/api", { headers: { "user-agent": "fidelity" } }),
      postJson("/api", { a: 1 }),
      statusOnly("/away"),
      ask("/note.txt"),
      earlyOnly("/late"),
    ],
  },
  {
    name: "SvelteKit",
    packages: {
      "@sveltejs/kit": "2.70.1",
      "@sveltejs/adapter-node": "5.5.4",
      "@sveltejs/vite-plugin-svelte": "6.2.1",
      svelte: "5.57.3",
      vite: "7.1.7",
    },
    files: {
      "svelte.config.js": `import adapter from "@sveltejs/adapter-node"; export default { kit: { adapter: adapter() } };`,
      "vite.config.js": `import { sveltekit } from "@sveltejs/kit/vite"; export default { plugins: [sveltekit()] };`,
      "src/app.html": `<!doctype html><html lang="en"><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>`,
      "src/routes/+page.svelte": `<h1>hello</h1>`,
      "src/routes/api/+server.js": `
export const prerender = false;
export function GET({ getClientAddress, cookies }) { cookies.set("a", "1", { path: "/", secure: false }); return Response.json({ address: getClientAddress() }); }
export async function POST({ request }) { return Response.json(await request.json(), { status: 201 }); }
`,
      "static/note.txt": "a note\n",
    },
    build: ["npx", "vite", "build"],
    entry: "build/index.js",
    host: "0.0.0.0",
    tried: "pages, endpoints, bodies, cookies, the client's address, static files, 404 (adapter-node)",
    steps: () => [statusAndType("/"), ask("/api"), postJson("/api", { a: 1 }), ask("/note.txt"), statusOnly("/none")],
  },
  {
    name: "Nitro",
    packages: { nitropack: "2.13.6" },
    files: {
      "nitro.config.ts": `export default defineNitroConfig({ compatibilityDate: "2026-11-01", preset: "node-server" });`,
      "routes/index.ts": `export default defineEventHandler(() => "hello");`,
      "routes/things/[id].ts": `export default defineEventHandler((event) => ({ id: getRouterParam(event, "id"), ip: getRequestIP(event) }));`,
      "routes/echo.post.ts": `export default defineEventHandler(async (event) => { setResponseStatus(event, 201); return await readBody(event); });`,
      "routes/teapot.ts": `export default defineEventHandler(() => { throw createError({ statusCode: 418, statusMessage: "teapot" }); });`,
      "public/note.txt": "a note\n",
    },
    build: ["npx", "nitropack", "build"],
    entry: ".output/server/index.mjs",
    tried: "routes, bodies, errors, the client's address, public files (node-server)",
    steps: () => [
      ask("/"),
      ask("/things/7"),
      postJson("/echo", { a: 1 }),
      statusOnly("/teapot"),
      statusOnly("/none"),
      withoutDates("/note.txt"),
    ],
  },
];

// ---- Steps for what is not the same twice even under one server ---------------------------------------------

function shortened(
  step: Step,
  keep: (seen: { status?: number; headers: Record<string, string>; body: string }) => unknown,
): Step {
  return { name: step.name, run: async (at) => keep((await step.run(at)) as never) };
}

/** Where the body holds stacks, build ids or times. */
function statusOnly(path: string): Step {
  return shortened(ask(path), ({ status, headers }) => ({
    status,
    type: headers["content-type"] ?? null,
    location: headers["location"] ?? null,
  }));
}

function statusAndType(path: string): Step {
  return shortened(ask(path), ({ status, headers, body }) => ({
    status,
    headers: Object.keys(headers).toSorted((a, b) => (a < b ? -1 : 1)),
    hello: body.includes("hello"),
  }));
}

function earlyOnly(path: string): Step {
  const step = streamed(path);
  return {
    name: step.name,
    run: async (at) => ({ firstCameEarly: ((await step.run(at)) as { firstCameEarly: boolean }).firstCameEarly }),
  };
}

function withoutDates(path: string): Step {
  return shortened(ask(path), ({ status, headers: { "last-modified": _time, ...headers }, body }) => ({
    status,
    headers,
    body,
  }));
}

interface SocketIoClient {
  on: (event: string, listener: (value: unknown) => void) => void;
  emit: (event: string, ...values: unknown[]) => void;
  emitWithAck: (event: string, value: unknown) => Promise<unknown>;
  close: () => void;
  io: { engine: { transport: { name: string } } };
}

/** With the app's own version of the client. */
function socketIo(folder: string, transports: string[]): Step {
  return {
    name: `socket.io over ${transports.join(", then ")}`,
    async run({ host, port }: At) {
      const { io } = createRequire(join(folder, "app.mjs"))("socket.io-client") as {
        io: (url: string, options: object) => SocketIoClient;
      };
      const socket = io(`http://${host}:${port}`, { transports, reconnection: false, forceNew: true });
      try {
        await new Promise<void>((resolve, reject) => {
          socket.on("connect", () => resolve());
          socket.on("connect_error", (error) => reject(error));
        });
        const echoed = await socket.emitWithAck("echo", { a: [1, "ä"] });
        const bytes = new Promise((resolve) => socket.on("bytes", (value) => resolve((value as Buffer).length)));
        socket.emit("bytes", Buffer.alloc(100_000));
        const returned = await bytes;
        const last = transports.at(-1);
        for (let turn = 0; turn < 60 && socket.io.engine.transport.name !== last; turn += 1) await sleep(50);
        return { echoed, returned, transport: socket.io.engine.transport.name };
      } finally {
        socket.close();
      }
    },
  };
}
