/** Real frameworks, unchanged, over exchanges: what they check for, wrap and rely on is all there. */
import assert from "node:assert/strict";
import { once } from "node:events";
import * as http from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import Koa from "koa";
import multer from "multer";
import { WebSocketServer } from "ws";
import type { ExchangeRequest } from "../../src/app/exchange.ts";
import { findHandler } from "../../src/app/app-handler.ts";
import { answerByFetch } from "../../src/app/fetch-handler.ts";
import { FakeExchange } from "./fake-exchange.ts";
import { hosted, type TestHosting, turns, until } from "./hosting.ts";

const json = (value: unknown): Partial<ExchangeRequest> & { body: string } => {
  const body = JSON.stringify(value);
  const headers = ["Host", "example.test", "Content-Type", "application/json", "Content-Length", `${body.length}`];
  return { method: "POST", hasBody: true, headers, body };
};

async function ask(
  hosting: TestHosting,
  { body, ...request }: Partial<ExchangeRequest> & { body?: string | Buffer } = {},
): Promise<FakeExchange> {
  const exchange = new FakeExchange(request);
  hosting.handle(exchange);
  if (body !== undefined) {
    exchange.send(body);
    exchange.end();
  }
  await exchange.done;
  return exchange;
}

describe("Express", () => {
  function app(): express.Express {
    const app = express();
    // Express prints what its own error handler catches, but not under this name.
    app.set("env", "test");
    app.use(express.json(), express.urlencoded({ extended: true }));
    app.get("/who", (req, res) => void res.json([req.ip, req.protocol, req.secure, req.hostname, req.path, req.query]));
    app.post("/echo", (req, res) => void res.status(201).json(req.body));
    app.get("/cookies", (_req, res) => void res.cookie("a", "1").cookie("b", "2").send("set"));
    app.get("/file", (_req, res) => res.sendFile(import.meta.filename));
    app.get("/redirect", (_req, res) => res.redirect("/who"));
    app.get("/throws", () => {
      throw new Error("in a route");
    });
    app.get("/rejects", () => Promise.reject(new Error("in a promise")));
    app.use("/static", express.static(join(import.meta.dirname)));
    return app;
  }

  const scenes: Array<[string, Partial<ExchangeRequest> & { body?: string }, (exchange: FakeExchange) => void]> = [
    [
      "reads the client from the socket",
      { target: "/who?a=1&b[]=2", encrypted: true },
      ({ text }) =>
        assert.deepEqual(JSON.parse(text), [
          "203.0.113.7",
          "https",
          true,
          "example.test",
          "/who",
          { a: "1", "b[]": "2" },
        ]),
    ],
    [
      "parses JSON bodies",
      { target: "/echo", ...json({ hello: "world" }) },
      ({ head, text }) => assert.deepEqual([head?.status, text], [201, '{"hello":"world"}']),
    ],
    [
      "refuses a broken body",
      { target: "/echo", ...json(0), body: "{" },
      ({ head }) => assert.equal(head?.status, 400),
    ],
    [
      "sets several cookies",
      { target: "/cookies" },
      (exchange) => assert.deepEqual(exchange.header("set-cookie"), ["a=1; Path=/", "b=2; Path=/"]),
    ],
    [
      "answers 304 to a known ETag",
      { target: "/cookies", headers: ["Host", "x", "If-None-Match", 'W/"3-0vkuCkTdMRcRzmjqIwUO0ND4ytk"'] },
      ({ head, text }) =>
        assert.deepEqual([head?.status === 304 || head?.status === 200, text === "" || text === "set"], [true, true]),
    ],
    [
      "sends files",
      { target: "/file" },
      (exchange) => {
        assert.match(exchange.text, /Real frameworks, unchanged/);
        assert.deepEqual(exchange.header("content-length"), [String(exchange.body.length)]);
      },
    ],
    [
      "sends ranges of static files",
      { target: "/static/frameworks.test.ts", headers: ["Host", "x", "Range", "bytes=4-7"] },
      ({ head, text }) => assert.deepEqual([head?.status, text], [206, "Real"]),
    ],
    ["redirects", { target: "/redirect" }, ({ head }) => assert.equal(head?.status, 302)],
    [
      "answers HEAD",
      { target: "/who", method: "HEAD" },
      ({ head, text }) => assert.deepEqual([head?.status, text], [200, ""]),
    ],
    ["answers 404", { target: "/nowhere" }, ({ head }) => assert.equal(head?.status, 404)],
    [
      "answers 500 to a throw",
      { target: "/throws" },
      ({ head, text }) => assert.deepEqual([head?.status, /in a route/.test(text)], [500, true]),
    ],
    ["answers 500 to a rejection", { target: "/rejects" }, ({ head }) => assert.equal(head?.status, 500)],
  ];
  for (const [name, request, check] of scenes) {
    test(name, () =>
      hosted(async (hosting) => {
        await once(app().listen(3000), "listening");
        check(await ask(hosting, request));
      }),
    );
  }

  test("takes uploads with multer", () =>
    hosted(async (hosting) => {
      const app = express();
      app.post("/", multer().single("file"), (req, res) => {
        res.json([req.file?.originalname, req.file?.size, (req.body as { title: string }).title]);
      });
      app.listen(3000);
      const boundary = "----x";
      const file = Buffer.alloc(200_000, "f");
      const body = Buffer.concat([
        Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\nA file\r\n`),
        Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n`),
        file,
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ]);
      const headers = ["Host", "x", "Content-Type", `multipart/form-data; boundary=${boundary}`];
      const { text } = await ask(hosting, { method: "POST", hasBody: true, headers, body });
      assert.deepEqual(JSON.parse(text), ["a.bin", 200_000, "A file"]);
    }));

  test("streams server-sent events until the client goes", () =>
    hosted(async (hosting) => {
      const app = express();
      let closed = 0;
      app.get("/", (req, res) => {
        res.set({ "Content-Type": "text/event-stream" }).flushHeaders();
        const timer = setInterval(() => res.write("data: tick\n\n"), 5);
        req.on("close", () => {
          clearInterval(timer);
          closed += 1;
        });
      });
      app.listen(3000);
      const exchange = new FakeExchange();
      hosting.handle(exchange);
      assert.equal(exchange.head?.status, 200, "the head is there before the first event");
      while (exchange.chunks.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
      exchange.cancel();
      await turns();
      assert.equal(closed, 1);
    }));

  test("is recognised among exports", () => {
    assert.equal(findHandler(express())?.description, "an exported Express app");
  });
});

describe("Fastify", () => {
  test("listens at localhost, parses, validates, serializes, and knows the client", () =>
    hosted(async (hosting) => {
      const app = fastify();
      app.post(
        "/echo",
        { schema: { body: { type: "object", required: ["n"], properties: { n: { type: "integer" } } } } },
        async (request, reply) => reply.code(201).send({ body: request.body, ip: request.ip }),
      );
      const address = await app.listen({ port: 3000 });
      assert.equal(address, "http://192.0.2.1:8080");
      const good = await ask(hosting, { target: "/echo", ...json({ n: 1 }) });
      assert.deepEqual([good.head?.status, good.text], [201, '{"body":{"n":1},"ip":"203.0.113.7"}']);
      const bad = await ask(hosting, { target: "/echo", ...json({ n: "x" }) });
      assert.equal(bad.head?.status, 400);
      assert(
        hosting.events.every(({ level }) => level === "info"),
        JSON.stringify(hosting.events),
      );
      await app.close();
      assert.equal(hosting.registry.serverFor(0), null);
    }));

  test("is recognised among exports, and answers when it is ready", () =>
    hosted(async (hosting) => {
      const app = fastify();
      app.register(async (child) => {
        await turns(3);
        child.get("/", () => "from a plugin");
      });
      const handler = findHandler({ default: app });
      assert(handler?.kind === "server");
      assert.equal(handler.description, "an exported Fastify app");
      await hosting.serve(await handler.open());
      assert.equal((await ask(hosting)).text, "from a plugin");
    }));
});

describe("Koa", () => {
  function app(): Koa {
    const app = new Koa();
    app.use(async (context, next) => {
      await next();
      context.set("X-Time", "now");
    });
    app.use(async (context) => {
      if (context.path === "/throws") context.throw(418, "teapot");
      context.body = { ip: context.ip, secure: context.secure, query: context.query };
    });
    app.on("error", () => {});
    return app;
  }

  test("listens, and runs its middleware both ways", () =>
    hosted(async (hosting) => {
      app().listen(3000);
      const exchange = await ask(hosting, { target: "/?a=1", encrypted: true });
      assert.deepEqual(JSON.parse(exchange.text), { ip: "203.0.113.7", secure: true, query: { a: "1" } });
      assert.deepEqual(exchange.header("x-time"), ["now"]);
      assert.equal((await ask(hosting, { target: "/throws" })).head?.status, 418);
    }));

  test("is recognised among exports", () =>
    hosted(async (hosting) => {
      const handler = findHandler(app());
      assert(handler?.kind === "server");
      await hosting.serve(await handler.open());
      assert.equal((await ask(hosting)).head?.status, 200);
    }));
});

describe("Hono", () => {
  const app = new Hono();
  app.get("/who/:id", (context) => context.json([context.req.param("id"), context.req.query("q")]));
  app.post("/echo", async (context) => context.json(await context.req.json(), 201));
  app.get("/events", (context) =>
    streamSSE(context, async (stream) => {
      for (let i = 0; i < 3; i += 1) await stream.writeSSE({ data: String(i) });
    }),
  );
  app.get("/throws", () => assert.fail("in a route"));
  app.onError((_error, context) => context.text("caught", 500));

  async function fetchFrom(request: Partial<ExchangeRequest> & { body?: string }): Promise<FakeExchange> {
    const handler = findHandler({ default: app });
    assert(handler?.kind === "fetch");
    const { body, ...head } = request;
    const exchange = new FakeExchange(head);
    answerByFetch(exchange, { fetch: handler.fetch, onEvent: () => {}, onOver: () => {} });
    if (body !== undefined) {
      exchange.send(body);
      exchange.end();
    }
    await exchange.done;
    return exchange;
  }

  test("routes, parses, streams and catches", async () => {
    assert.equal((await fetchFrom({ target: "/who/7?q=x" })).text, '["7","x"]');
    const echoed = await fetchFrom({ target: "/echo", ...json({ a: 1 }) });
    assert.deepEqual([echoed.head?.status, echoed.text], [201, '{"a":1}']);
    assert.equal((await fetchFrom({ target: "/events" })).text, "data: 0\n\ndata: 1\n\ndata: 2\n\n");
    assert.equal((await fetchFrom({ target: "/throws" })).text, "caught");
    assert.equal((await fetchFrom({ target: "/nowhere" })).head?.status, 404);
  });
});

describe("ws", () => {
  const upgrade: Partial<ExchangeRequest> = {
    upgrade: true,
    target: "/chat",
    headers: [
      ["Host", "x"],
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ].flat(),
  };

  /** A client's frame: masked with zeros, so that the payload reads as it is. Up to 65,535 bytes. */
  function frame(opcode: number, payload: string | Buffer): Buffer {
    const data = Buffer.from(payload);
    const head =
      data.length < 126
        ? [0x80 | opcode, 0x80 | data.length]
        : [0x80 | opcode, 0x80 | 126, data.length >> 8, data.length & 255];
    return Buffer.concat([Buffer.from(head), Buffer.alloc(4), data]);
  }

  test("greets, echoes large and small messages, pings, and closes on both sides", () =>
    hosted(async (hosting) => {
      const server = http.createServer();
      const sockets = new WebSocketServer({ server, path: "/chat" });
      const seen: string[] = [];
      sockets.on("connection", (socket, request) => {
        seen.push(`connection ${request.socket.remoteAddress}`);
        socket.on("message", (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
        socket.on("close", (code) => seen.push(`close ${code}`));
      });
      await hosting.serve(server);
      const exchange = new FakeExchange(upgrade);
      const conversation = hosting.handle(exchange);
      await turns();
      assert.match(exchange.text, /^HTTP\/1\.1 101 .*\r\n[^]*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
      const greeting = exchange.body.length;
      exchange.send(frame(1, "hello"));
      const large = Buffer.alloc(60_000, "l");
      for (const part of [frame(2, large).subarray(0, 10_000), frame(2, large).subarray(10_000)]) exchange.send(part);
      exchange.send(frame(9, "ping"));
      await until(() => exchange.body.length >= greeting + 7 + 60_004 + 6);
      const answers = exchange.body.subarray(greeting);
      assert.deepEqual(answers.subarray(0, 7), Buffer.from("\x81\x05hello", "latin1"));
      assert.deepEqual(answers.subarray(11, 60_011), large);
      assert.deepEqual(answers.subarray(60_011), Buffer.from("\x8a\x04ping", "latin1"));
      exchange.send(frame(8, Buffer.from([3, 232])));
      await exchange.done;
      exchange.end();
      await until(() => conversation.over);
      assert.deepEqual(seen, ["connection 203.0.113.7", "close 1000"]);
    }));

  test("hears of a client that goes without a word", () =>
    hosted(async (hosting) => {
      const server = http.createServer();
      const closed = new Promise((resolve) => {
        new WebSocketServer({ server }).on("connection", (socket) => socket.on("close", resolve));
      });
      await hosting.serve(server);
      const exchange = new FakeExchange(upgrade);
      hosting.handle(exchange);
      await turns();
      exchange.cancel();
      assert.equal(await closed, 1006);
    }));

  test("refuses a path that is not its own with an answer that arrives", () =>
    hosted(async (hosting) => {
      const server = http.createServer();
      const sockets = new WebSocketServer({ server, path: "/chat" });
      sockets.on("connection", () => assert.fail("no connection"));
      await hosting.serve(server);
      const exchange = await hosting.answer(new FakeExchange({ ...upgrade, target: "/other" }));
      assert.match(exchange.text, /^HTTP\/1\.1 400 Bad Request\r\n/);
      exchange.end();
    }));

  test("terminates a client that does not answer", () =>
    hosted(async (hosting) => {
      const server = http.createServer();
      new WebSocketServer({ server }).on("connection", (socket) => socket.terminate());
      await hosting.serve(server);
      const exchange = new FakeExchange(upgrade);
      const conversation = hosting.handle(exchange);
      await exchange.done;
      assert.equal(conversation.over, true);
      exchange.end();
    }));
});
