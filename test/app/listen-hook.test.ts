import assert from "node:assert/strict";
import cluster from "node:cluster";
import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import * as https from "node:https";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { FakeExchange } from "./fake-exchange.ts";
import { hosted, type TestHosting, turns } from "./hosting.ts";

const organism = { host: "192.0.2.1", port: 8080 };

describe("listen", () => {
  type Listen = (server: http.Server, callback: () => void) => http.Server;
  const signatures: Record<string, Listen> = {
    "(callback)": (server, callback) => server.listen(callback),
    "(port, callback)": (server, callback) => server.listen(3000, callback),
    "(text, callback)": (server, callback) => server.listen("3000", callback),
    "(port, host, callback)": (server, callback) => server.listen(3000, "127.0.0.1", callback),
    "(port, host, backlog, callback)": (server, callback) => server.listen(3000, "::1", 100, callback),
    "(port, backlog, callback)": (server, callback) => server.listen(3000, 100, callback),
    "(port, undefined, callback)": (server, callback) => server.listen(3000, undefined, undefined, callback),
    "({ port }, callback)": (server, callback) => server.listen({ port: 3000 }, callback),
    "({ port, host, exclusive }, callback)": (server, callback) =>
      server.listen({ port: 3000, host: "localhost", exclusive: true }, callback),
    "({ port: undefined }, callback)": (server, callback) =>
      Reflect.apply(listenOf(server), server, [{ port: undefined }, callback]),
    "(null, callback)": (server, callback) => Reflect.apply(listenOf(server), server, [null, callback]),
    "(0, callback)": (server, callback) => server.listen(0, callback),
  };

  for (const [name, listen] of Object.entries(signatures)) {
    test(`${name} is answered by the organism, later, as by a socket`, () =>
      hosted(async () => {
        const seen: string[] = [];
        const server = http.createServer();
        server.on("listening", () => seen.push("listening"));
        const returned = listen(server, () => seen.push("callback"));
        assert.equal(returned, server);
        assert.equal(server.listening, true);
        assert.deepEqual(seen, [], "not within the call");
        await once(server, "listening");
        assert.deepEqual(seen, ["listening", "callback"]);
        assert.deepEqual(server.address(), { address: "192.0.2.1", family: "IPv4", port: 8080 });
        server.close();
      }));
  }

  test("without arguments works, and for https too: TLS ends at the B cell", () =>
    hosted(async (hosting) => {
      const server = https.createServer({}, (req, res) => res.end(String(Reflect.get(req.socket, "encrypted"))));
      await once(server.listen(), "listening");
      assert.equal((server.address() as net.AddressInfo).port, 8080);
      assert.equal((await hosting.answer(new FakeExchange({ encrypted: true }))).text, "true");
      assert.equal((await hosting.answer(new FakeExchange({ encrypted: false }))).text, "undefined");
    }));

  test("twice is an error, and the first stays", () =>
    hosted(async (hosting) => {
      const server = await hosting.serve(http.createServer((_req, res) => res.end("ok")));
      assert.throws(() => server.listen(3000), { code: "ERR_SERVER_ALREADY_LISTEN" });
      assert.equal((await hosting.answer(new FakeExchange())).text, "ok");
    }));

  test("with a port that is none is Node's error, and nothing listens", () =>
    hosted(async (hosting) => {
      const server = http.createServer();
      assert.throws(() => server.listen(70_000), { code: "ERR_SOCKET_BAD_PORT" });
      assert.throws(() => server.listen({}), { code: "ERR_INVALID_ARG_VALUE" });
      assert.equal(server.listening, false);
      assert.deepEqual(hosting.events, []);
    }));

  test("on a port that another server of the app has is EADDRINUSE, as an event", () =>
    hosted(async (hosting) => {
      http.createServer().listen(3000);
      const second = http.createServer();
      second.listen(3000);
      const [error] = (await once(second, "error")) as [NodeJS.ErrnoException];
      assert.equal(error.code, "EADDRINUSE");
      assert.equal(error.message, "listen EADDRINUSE: address already in use :::3000");
      assert.equal(second.listening, false);
      assert.deepEqual(hosting.codes(), ["APP_LISTENS"]);
    }));

  test("with a signal closes the server when it aborts", () =>
    hosted(async () => {
      const controller = new AbortController();
      const server = http.createServer();
      server.listen({ port: 3000, signal: controller.signal });
      await once(server, "listening");
      controller.abort();
      await once(server, "close");
      assert.equal(server.listening, false);
    }));

  test("on a Unix socket, and by a plain TCP server, is a real listen that the log warns of", () =>
    hosted(async (hosting) => {
      const path = join(tmpdir(), `cellws-listen-${process.pid}.sock`);
      const byPath = http.createServer().listen(path);
      await once(byPath, "listening");
      assert.equal(byPath.address(), path);
      const plain = net.createServer().listen(0, "127.0.0.1");
      await once(plain, "listening");
      assert.notEqual((plain.address() as net.AddressInfo).port, 8080);
      assert.deepEqual(hosting.codes(), ["APP_REAL_LISTEN", "APP_REAL_LISTEN"]);
      assert.match(hosting.events[0]?.message ?? "", /an HTTP server on .*\.sock/);
      byPath.close();
      plain.close();
    }));

  test("is Node's own again when the hook is taken off", async () => {
    const before = listenOf(http.createServer());
    await hosted(async () => assert.notEqual(listenOf(http.createServer()), before));
    assert.equal(listenOf(http.createServer()), before);
  });
});

describe("which server answers", () => {
  const two = { listeners: [organism, { host: "192.0.2.1", port: 9090 }] };

  test("the first server answers whatever port it asked for, and the log says where", () =>
    hosted(async (hosting) => {
      http.createServer((_req, res) => res.end("main")).listen(3000);
      assert.equal((await hosting.answer(new FakeExchange())).text, "main");
      assert.match(
        hosting.events[0]?.message ?? "",
        /asked for port 3000; the organism answers for it at 192.0.2.1:8080/,
      );
    }));

  test("the exact port goes before the first come", () =>
    hosted(async (hosting) => {
      http.createServer((_req, res) => res.end("metrics")).listen(9100);
      http.createServer((_req, res) => res.end("main")).listen(8080);
      assert.equal((await hosting.answer(new FakeExchange())).text, "main");
      assert.deepEqual(hosting.codes(), ["APP_LISTENS", "APP_RELINQUISHED", "APP_LISTENS"]);
    }));

  test("a second server on a port of its own is unreachable, and the log says so", () =>
    hosted(async (hosting) => {
      http.createServer((_req, res) => res.end("main")).listen(3000);
      const metrics = http.createServer((_req, res) => res.end("metrics")).listen(9100);
      await once(metrics, "listening");
      assert.equal((metrics.address() as net.AddressInfo).port, 9100);
      assert.equal((await hosting.answer(new FakeExchange())).text, "main");
      assert.deepEqual(hosting.codes(), ["APP_LISTENS", "APP_UNREACHABLE"]);
    }));

  test("each organism listener has its server where the ports match", () =>
    hosted(async (hosting) => {
      http.createServer((_req, res) => res.end("admin")).listen(9090);
      http.createServer((_req, res) => res.end("main")).listen(8080);
      assert.equal((await hosting.answer(new FakeExchange({ listener: 0 }))).text, "main");
      assert.equal((await hosting.answer(new FakeExchange({ listener: 1 }))).text, "admin");
    }, two));

  test("an only server answers on every listener", () =>
    hosted(async (hosting) => {
      http.createServer((_req, res) => res.end("main")).listen(3000);
      assert.equal((await hosting.answer(new FakeExchange({ listener: 1 }))).text, "main");
    }, two));

  test("the same port on a second address is the same service", () =>
    hosted(async (hosting) => {
      http.createServer((_req, res) => res.end("one")).listen(3000, "127.0.0.1");
      http.createServer((_req, res) => res.end("two")).listen(3000, "::1");
      await turns();
      assert.equal((await hosting.answer(new FakeExchange())).text, "one");
      assert.deepEqual(
        hosting.events.map(({ level }) => level),
        ["info", "info"],
      );
    }));

  test("nobody answers for a closed server, until another listens", () =>
    hosted(async (hosting) => {
      const first = http.createServer((_req, res) => res.end("first")).listen(3000);
      first.close();
      assert.equal(hosting.registry.serverFor(0), null);
      http.createServer((_req, res) => res.end("second")).listen(3000);
      assert.equal((await hosting.answer(new FakeExchange())).text, "second");
    }));
});

describe("close", () => {
  test("waits for what is in flight, then calls back", () =>
    hosted(async (hosting) => {
      const seen: string[] = [];
      let finish = (): void => {};
      const server = await hosting.serve(http.createServer((_req, res) => (finish = () => res.end("late"))));
      const exchange = new FakeExchange();
      hosting.handle(exchange);
      server.close(() => seen.push("closed"));
      assert.equal(server.listening, false);
      await turns();
      assert.deepEqual(seen, []);
      finish();
      await once(server, "close");
      assert.equal(exchange.text, "late");
      assert.deepEqual(seen, ["closed"]);
    }));

  test("of a server that does not listen calls back with an error", () =>
    hosted(async () => {
      const error = await new Promise<Error | undefined>((resolve) => http.createServer().close(resolve));
      assert.equal(Reflect.get(error ?? {}, "code"), "ERR_SERVER_NOT_RUNNING");
    }));

  test("before 'listening' was emitted takes the event away", () =>
    hosted(async () => {
      const server = http.createServer();
      server.on("listening", () => assert.fail("it is closed"));
      server.listen(3000);
      server.close();
      await turns();
    }));

  test("closeAllConnections cuts what is in flight", () =>
    hosted(async (hosting) => {
      const server = await hosting.serve(http.createServer());
      const exchange = new FakeExchange();
      hosting.handle(exchange);
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      assert.equal(exchange.resetCode, "APP_DESTROYED");
    }));

  test("getConnections counts what is in flight", () =>
    hosted(async (hosting) => {
      const server = await hosting.serve(http.createServer());
      const exchange = new FakeExchange();
      hosting.handle(exchange);
      assert.equal(await connections(server), 1);
      exchange.cancel();
      assert.equal(await connections(server), 0);
    }));

  function connections(server: http.Server): Promise<number> {
    return new Promise((resolve, reject) =>
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    );
  }
});

test("an HTTP/2 server with 'request' listeners gets HTTP/1.1 objects", () =>
  hosted(async (hosting: TestHosting) => {
    const server = http2.createServer((req, res) => {
      res.setHeader("x-version", req.httpVersion);
      res.end("compatible");
    });
    await hosting.serve(server);
    const exchange = await hosting.answer(new FakeExchange());
    assert.equal(exchange.text, "compatible");
    assert.deepEqual(exchange.header("x-version"), ["1.1"]);
    server.close();
  }));

test("cluster.fork is refused with the reason", () =>
  hosted(async () => {
    assert.equal(cluster.isPrimary, true);
    assert.throws(() => cluster.fork(), { code: "CELLWS_E_APP_CLUSTER" });
    const named = (await import("node:cluster")) as unknown as typeof cluster;
    assert.throws(() => named.fork(), { code: "CELLWS_E_APP_CLUSTER" });
  }));

function listenOf(server: net.Server): (...args: unknown[]) => http.Server {
  return Reflect.get(server, "listen") as (...args: unknown[]) => http.Server;
}
