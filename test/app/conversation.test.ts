import assert from "node:assert/strict";
import { AsyncLocalStorage, executionAsyncResource } from "node:async_hooks";
import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { FakeExchange } from "./fake-exchange.ts";
import { hosted, type TestHosting, turns, until } from "./hosting.ts";

const KIB = 1024;

describe("flow control", () => {
  test("no more of a body is granted than the app's buffer holds, and the rest as it reads", () =>
    hosted(async (hosting) => {
      let request: http.IncomingMessage | undefined;
      await hosting.serve(http.createServer((req) => (request = req)));
      const exchange = new FakeExchange({ method: "POST", hasBody: true }, { bodyWindowBytes: 16 * KIB });
      hosting.handle(exchange);
      exchange.send(Buffer.alloc(1024 * KIB));
      await turns(50);
      assert(request !== undefined);
      const { readableHighWaterMark, readableLength } = request;
      assert(exchange.consumedBytes <= readableHighWaterMark, `granted ${exchange.consumedBytes} unread`);
      assert(readableLength <= readableHighWaterMark + 16 * KIB);
      assert(exchange.heldBackBytes >= 1024 * KIB - readableHighWaterMark - 16 * KIB);
      let read = 0;
      request.on("data", (chunk: Buffer) => (read += chunk.length));
      await until(() => read === 1024 * KIB);
      assert.equal(exchange.consumedBytes, 1024 * KIB);
    }));

  test("a body that the answered app does not read is taken off the client all the same", () =>
    hosted(async (hosting) => {
      await hosting.serve(http.createServer((_req, res) => res.end("no")));
      const exchange = new FakeExchange({ method: "POST", hasBody: true }, { bodyWindowBytes: 16 * KIB });
      const conversation = hosting.handle(exchange);
      exchange.send(Buffer.alloc(512 * KIB));
      exchange.end();
      await until(() => conversation.over);
      assert.equal(exchange.consumedBytes, 512 * KIB);
      assert.equal(exchange.text, "no");
    }));

  test("write says false while the client does not read, and 'drain' comes when it does", () =>
    hosted(async (hosting) => {
      const written: boolean[] = [];
      let drained = 0;
      const server = http.createServer((_req, res) => {
        res.on("drain", () => (drained += 1));
        written.push(res.write(Buffer.alloc(5)), res.write(Buffer.alloc(5)), res.write(Buffer.alloc(5)));
        assert.equal(res.writableLength, 10);
        assert.equal(res.writableNeedDrain, true);
      });
      await hosting.serve(server);
      const exchange = new FakeExchange({}, { windowBytes: 10, reads: false });
      hosting.handle(exchange);
      assert.deepEqual(written, [true, false, false]);
      await turns();
      assert.equal(drained, 0);
      exchange.drain();
      assert.equal(drained, 1);
      await turns();
      assert.equal(drained, 1);
    }));

  test("callbacks of writes wait until there is room", () =>
    hosted(async (hosting) => {
      const called: string[] = [];
      const server = http.createServer((_req, res) => {
        res.write("0123456789", () => called.push("first"));
        res.write("more", () => called.push("second"));
      });
      await hosting.serve(server);
      const exchange = new FakeExchange({}, { windowBytes: 10, reads: false });
      hosting.handle(exchange);
      await turns();
      assert.deepEqual(called, []);
      exchange.drain();
      await turns();
      assert.deepEqual(called, ["first", "second"]);
    }));

  test("a response that ends while there is no room is over all the same: it is all handed over", () =>
    hosted(async (hosting) => {
      let finished = false;
      const server = http.createServer((_req, res) => {
        res.on("finish", () => (finished = true));
        res.write("0123456789");
        res.end("more");
      });
      await hosting.serve(server);
      const exchange = new FakeExchange({}, { windowBytes: 10, reads: false });
      const conversation = hosting.handle(exchange);
      await until(() => conversation.over);
      assert.equal(finished, true);
      assert.equal(exchange.text, "0123456789more");
    }));

  test("any body comes through whole, however it is cut and whatever the window", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 500 }),
        fc.boolean(),
        (chunks, windowBytes, slow) =>
          hosted(async (hosting) => {
            const server = http.createServer((req, res) => void echo(req, res, slow));
            await hosting.serve(server);
            const options = { windowBytes, bodyWindowBytes: windowBytes };
            const exchange = new FakeExchange({ method: "POST", hasBody: true }, options);
            const conversation = hosting.handle(exchange);
            for (const chunk of chunks) exchange.send(Buffer.from(chunk));
            exchange.end();
            await exchange.done;
            await until(() => conversation.over);
            assert.deepEqual(exchange.body, Buffer.concat(chunks));
            assert.equal(exchange.consumedBytes, exchange.body.length);
          }),
      ),
      { numRuns: 60 },
    );
  });

  async function echo(req: http.IncomingMessage, res: http.ServerResponse, slow: boolean): Promise<void> {
    for await (const chunk of req) {
      if (slow) await turns(1);
      if (!res.write(chunk)) await once(res, "drain");
    }
    res.end();
  }
});

describe("the socket", () => {
  test("tells of the client's real connection, and is a net.Socket", () =>
    hosted(async (hosting) => {
      let socket: net.Socket | undefined;
      await hosting.serve(http.createServer((req) => ({ socket } = req)));
      hosting.handle(new FakeExchange({ remoteAddress: "2001:db8::1", remotePort: 4711 }));
      assert(socket instanceof net.Socket);
      const { remoteAddress, remotePort, remoteFamily, localAddress, localPort, localFamily } = socket;
      assert.deepEqual([remoteAddress, remotePort, remoteFamily], ["2001:db8::1", 4711, "IPv6"]);
      assert.deepEqual([localAddress, localPort, localFamily], ["192.0.2.1", 8080, "IPv4"]);
      assert.deepEqual(socket.address(), { address: "192.0.2.1", port: 8080, family: "IPv4" });
      assert.equal(socket.setNoDelay().setKeepAlive(true, 5).ref().unref(), socket);
      assert.equal("encrypted" in socket && socket.encrypted, undefined);
      assert.throws(() => socket?.connect(80), { code: "ERR_SOCKET_ALREADY_OPEN" });
    }));

  test("counts the bytes of the bodies", () =>
    hosted(async (hosting) => {
      let seen: number[] = [];
      const server = http.createServer((req, res) => {
        req.resume().on("end", () => {
          res.write("four");
          seen = [req.socket.bytesRead, req.socket.bytesWritten];
          res.end();
        });
      });
      await hosting.serve(server);
      const exchange = new FakeExchange({ method: "POST", hasBody: true });
      hosting.handle(exchange);
      exchange.send("request");
      exchange.end();
      await exchange.done;
      assert.deepEqual(seen, [7, 4]);
    }));

  test("can be told that it is encrypted, as apps behind proxies do", () =>
    hosted(async (hosting) => {
      const server = http.createServer((req, res) => {
        Object.assign(req.socket, { encrypted: true });
        res.end(String(Reflect.get(req.socket, "encrypted")));
      });
      await hosting.serve(server);
      assert.equal((await hosting.answer(new FakeExchange())).text, "true");
    }));

  test("refuses bytes below HTTP, says why, and the log too", () =>
    hosted(async (hosting) => {
      const errors: unknown[] = [];
      const server = http.createServer((req) => {
        req.socket.on("error", (error) => errors.push(Reflect.get(error, "code")));
        req.socket.write("HTTP/1.1 200 OK\r\n\r\n");
      });
      await hosting.serve(server);
      const exchange = new FakeExchange();
      hosting.handle(exchange);
      await exchange.done;
      await turns();
      assert.deepEqual(errors, ["CELLWS_E_RAW_SOCKET"]);
      assert.deepEqual(hosting.codes().slice(-1), ["APP_RAW_SOCKET"]);
      assert.equal(exchange.resetCode, "APP_DESTROYED");
    }));

  test("is announced to what counts connections, opened once and closed once, for http and https", async () => {
    const answer: http.RequestListener = (_req, res) => res.end("ok");
    for (const [server, event] of [
      [http.createServer(answer), "connection"],
      [https.createServer(answer), "secureConnection"],
    ] as const) {
      await hosted(async (hosting) => {
        const seen: string[] = [];
        server.on(event, (socket: net.Socket) => {
          seen.push("open");
          socket.on("close", () => seen.push("close"));
        });
        await hosting.serve(server);
        await hosting.answer(new FakeExchange());
        await turns();
        assert.deepEqual(seen, ["open", "close"]);
      });
    }
  });

  test("destroyed as it is announced ends the exchange before any request", () =>
    hosted(async (hosting) => {
      const server = http.createServer(() => assert.fail("there is no request"));
      server.on("connection", (socket) => socket.destroy());
      await hosting.serve(server);
      const exchange = await hosting.answer(new FakeExchange());
      assert.equal(exchange.resetCode, "APP_DESTROYED");
      assert.equal(hosting.conversations.size, 0);
    }));
});

describe("what belongs to the client's connection is left to the B cell", () => {
  const heads: Array<[string, (res: http.ServerResponse) => unknown, string[]]> = [
    ["nothing is said by itself", (res) => res.end("x"), ["Date", "Content-Length"]],
    ["chunking is not said", (res) => res.write("x") && res.end(), ["Date"]],
    ["keep-alive is not said", (res) => res.setHeader("Connection", "keep-alive").end(), ["Date", "Content-Length"]],
    ["Keep-Alive is not said", (res) => res.setHeader("Keep-Alive", "max=5").end(), ["Date", "Content-Length"]],
    [
      "close is passed on",
      (res) => res.setHeader("Connection", "close").end(),
      ["Connection", "Date", "Content-Length"],
    ],
    [
      "shouldKeepAlive = false is passed on",
      (res) => {
        res.shouldKeepAlive = false;
        res.end();
      },
      ["Date", "Connection", "Content-Length"],
    ],
  ];
  for (const [name, answer, expected] of heads) {
    test(name, () =>
      hosted(async (hosting) => {
        await hosting.serve(http.createServer((_req, res) => answer(res)));
        const { head } = await hosting.answer(new FakeExchange());
        assert.deepEqual(
          head?.headers.filter((_, i) => i % 2 === 0),
          expected,
        );
      }),
    );
  }

  test("an HTTP/1.0 client's answer of known length carries it, which in plain Node it would not", () =>
    hosted(async (hosting) => {
      await hosting.serve(http.createServer((req, res) => res.end(req.httpVersion)));
      const exchange = await hosting.answer(new FakeExchange({ versionMinor: 0 }));
      assert.equal(exchange.text, "1.0");
      assert.deepEqual(exchange.header("content-length"), ["3"]);
    }));

  test("a transfer coding other than chunked is refused: it could not be kept", () =>
    hosted(async (hosting) => {
      const server = http.createServer((_req, res) => {
        res.setHeader("Transfer-Encoding", "gzip, chunked");
        assert.throws(() => res.end("x"), { code: "CELLWS_E_TRANSFER_ENCODING" });
        res.removeHeader("Transfer-Encoding");
        res.end("y");
      });
      await hosting.serve(server);
      assert.equal((await hosting.answer(new FakeExchange())).text, "y");
    }));

  test("an informational status is no final one", () =>
    hosted(async (hosting) => {
      const server = http.createServer((_req, res) => {
        for (const status of [100, 101, 103]) {
          assert.throws(() => res.writeHead(status), { code: "ERR_HTTP_INVALID_STATUS_CODE" });
        }
        res.writeHead(200).end("fine");
      });
      await hosting.serve(server);
      assert.equal((await hosting.answer(new FakeExchange())).text, "fine");
    }));

  test("a body without framing in its headers is given one, for the parsers that look for it", () =>
    hosted(async (hosting) => {
      await hosting.serve(http.createServer((req, res) => res.end(req.headers["transfer-encoding"])));
      const exchange = new FakeExchange({ method: "POST", hasBody: true });
      hosting.handle(exchange);
      exchange.end();
      await exchange.done;
      assert.equal(exchange.text, "chunked");
    }));

  test("no header value can end its line, whatever Latin-1 makes of it", () =>
    hosted(async (hosting) => {
      const server = http.createServer((_req, res) => {
        // Its bytes are the UTF-8 of U+010A, whose low byte is a line feed.
        res.setHeader("Content-Disposition", "a\u00c4\u008aX-Injected: 1");
        res.end(Buffer.from("x"));
      });
      await hosting.serve(server);
      const exchange = await hosting.answer(new FakeExchange());
      assert.deepEqual(exchange.header("content-disposition"), ["a?X-Injected: 1"]);
    }));
});

describe("the app's code and the exchanges of others", () => {
  test("what a handler throws is an uncaught exception of its own, and the next request is answered", () =>
    hosted(async (hosting) => {
      const server = http.createServer((req, res) => {
        if (req.url === "/bad") throw new Error("handler");
        req.on("data", () => {
          throw new Error("listener");
        });
        req.on("end", () => res.end("ok"));
      });
      await hosting.serve(server);
      const caught = await catching(2, () => {
        hosting.handle(new FakeExchange({ target: "/bad" }));
        const body = new FakeExchange({ method: "POST", hasBody: true });
        hosting.handle(body);
        body.send("x");
      });
      assert.deepEqual(caught, ["handler", "listener"]);
      assert.equal((await hosting.answer(new FakeExchange())).text, "ok");
    }));

  async function catching(count: number, act: () => void): Promise<string[]> {
    const before = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const caught: string[] = [];
    const listener = (error: Error): void => void caught.push(error.message);
    process.on("uncaughtException", listener);
    act();
    await until(() => caught.length === count);
    process.off("uncaughtException", listener);
    for (const former of before) process.on("uncaughtException", former);
    return caught;
  }

  test("an async context entered in one request is not seen in another", () =>
    hosted(async (hosting) => {
      const storage = new AsyncLocalStorage<string>();
      const seen: Array<string | undefined> = [];
      const server = http.createServer((req, res) => {
        seen.push(storage.getStore());
        storage.enterWith(req.url ?? "");
        setImmediate(() => res.end(storage.getStore()));
      });
      await hosting.serve(server);
      const exchanges = ["/1", "/2", "/3"].map((target) => new FakeExchange({ target }));
      for (const exchange of exchanges) hosting.handle(exchange);
      await Promise.all(exchanges.map(({ done }) => done));
      assert.deepEqual(seen, [undefined, undefined, undefined]);
      assert.deepEqual(
        exchanges.map(({ text }) => text),
        ["/1", "/2", "/3"],
      );
    }));

  test("each request runs in an async resource of its own, and its events in the same", () =>
    hosted(async (hosting) => {
      const resources: unknown[] = [];
      const server = http.createServer((req, res) => {
        resources.push(executionAsyncResource());
        req.on("data", () => resources.push(executionAsyncResource()));
        req.on("end", () => res.end());
      });
      await hosting.serve(server);
      for (let i = 0; i < 2; i += 1) {
        const exchange = new FakeExchange({ method: "POST", hasBody: true });
        hosting.handle(exchange);
        await turns(2);
        exchange.send("x");
        exchange.end();
        await exchange.done;
      }
      assert.equal(resources[0], resources[1]);
      assert.equal(resources[2], resources[3]);
      assert.notEqual(resources[0], resources[2]);
    }));

  test("diagnostics channels tell of requests as under plain Node", () =>
    hosted(async (hosting) => {
      const seen: string[] = [];
      const names = ["http.server.request.start", "http.server.response.created", "http.server.response.finish"];
      const listeners = names.map((name) => {
        const listener = (message: unknown): void => {
          const { request } = message as { request: http.IncomingMessage };
          // The channels belong to the process, and other tests' requests pass there too.
          if (request.url === "/watched") seen.push(name);
        };
        channel(name).subscribe(listener);
        return { name, listener };
      });
      await hosting.serve(http.createServer((_req, res) => res.end()));
      await hosting.answer(new FakeExchange({ target: "/watched" }));
      await turns();
      for (const { name, listener } of listeners) channel(name).unsubscribe(listener);
      assert.deepEqual(seen, [
        "http.server.response.created",
        "http.server.request.start",
        "http.server.response.finish",
      ]);
    }));

  test("nothing is left of exchanges that are over", () =>
    hosted(async (hosting) => {
      const server = await hosting.serve(http.createServer((req, res) => req.resume().on("end", () => res.end("x"))));
      for (let i = 0; i < 50; i += 1) {
        const exchange = new FakeExchange();
        hosting.handle(exchange);
        if (i % 5 === 0) exchange.cancel();
      }
      await until(() => hosting.conversations.size === 0);
      assert.equal(Reflect.get(server, "_connections"), 0);
    }));
});

describe("an upgrade", () => {
  const upgrade = { upgrade: true, headers: ["Host", "x", "Connection", "Upgrade", "Upgrade", "echo"] };

  function tunnelServer(onUpgrade: (socket: Duplex, req: http.IncomingMessage) => void): http.Server {
    const server = http.createServer((_req, res) => res.end("plain"));
    return server.on("upgrade", (req, socket, head) => {
      assert.equal(head.length, 0);
      onUpgrade(socket, req);
    });
  }

  test("becomes a tunnel both ways, until both have ended", () =>
    hosted(async (hosting) => {
      const server = tunnelServer((socket, req) => {
        assert.equal(req.complete, true);
        assert.equal(req.socket, socket);
        socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
        socket.on("data", (chunk: Buffer) => socket.write(String(chunk).toUpperCase()));
        socket.on("end", () => socket.end("bye"));
      });
      await hosting.serve(server);
      const exchange = new FakeExchange(upgrade);
      const conversation = hosting.handle(exchange);
      exchange.send("hello");
      exchange.end();
      await exchange.done;
      assert.equal(exchange.text, "HTTP/1.1 101 Switching Protocols\r\n\r\nHELLObye");
      await until(() => conversation.over);
      assert.equal(exchange.resetCode, null);
      assert.equal(exchange.consumedBytes, 5);
    }));

  test("ends also for an app that does not read, as a socket does", () =>
    hosted(async (hosting) => {
      await hosting.serve(tunnelServer((socket) => socket.pause().end("bye")));
      const exchange = new FakeExchange(upgrade);
      const conversation = hosting.handle(exchange);
      exchange.end();
      await until(() => conversation.over);
      assert.equal(exchange.text, "bye");
    }));

  test("without listeners is an ordinary request", () =>
    hosted(async (hosting) => {
      await hosting.serve(http.createServer((req, res) => res.end(`${Reflect.get(req, "upgrade")}`)));
      const exchange = await hosting.answer(new FakeExchange(upgrade));
      assert.equal(exchange.text, "false");
      assert.equal(exchange.tunnelled, false);
    }));

  test("that the app refuses with raw bytes and destroy() delivers them, and gives the client time to read", () =>
    hosted(async (hosting) => {
      const server = tunnelServer((socket) => {
        socket.write("HTTP/1.1 401 Unauthorized\r\n\r\n");
        socket.destroy();
      });
      await hosting.serve(server);
      const exchange = await hosting.answer(new FakeExchange(upgrade));
      assert.equal(exchange.text, "HTTP/1.1 401 Unauthorized\r\n\r\n");
      assert.equal(exchange.finished, true);
      exchange.send("still talking");
      await turns();
      assert.equal(exchange.consumedBytes, 13, "what comes late is thrown away");
      assert.equal(exchange.resetCode, null);
      exchange.end();
    }));

  test("whose client stays silent after the app closed is cut in the end", { timeout: 10_000 }, () =>
    hosted(async (hosting) => {
      await hosting.serve(tunnelServer((socket) => socket.destroy()));
      const exchange = await hosting.answer(new FakeExchange(upgrade));
      const alive = setInterval(() => {}, 100);
      while (exchange.resetCode === null) await new Promise((resolve) => setTimeout(resolve, 50));
      clearInterval(alive);
      assert.equal(exchange.resetCode, "APP_CLOSED");
    }),
  );

  test("carries bytes with backpressure both ways", () =>
    hosted(async (hosting) => {
      let tunnel: Duplex | undefined;
      await hosting.serve(tunnelServer((socket) => (tunnel = socket)));
      const exchange = new FakeExchange(upgrade, { windowBytes: 10, bodyWindowBytes: 16 * KIB, reads: false });
      hosting.handle(exchange);
      exchange.send(Buffer.alloc(512 * KIB));
      await turns(50);
      assert(tunnel !== undefined);
      assert(exchange.consumedBytes <= tunnel.readableHighWaterMark);
      let read = 0;
      tunnel.on("data", (chunk: Buffer) => (read += chunk.length));
      await until(() => read === 512 * KIB);
      let wrote = "";
      tunnel.write("0123456789", () => (wrote += "1"));
      tunnel.write("abcde", () => (wrote += "2"));
      await turns();
      assert.deepEqual([wrote, exchange.text], ["", "0123456789"]);
      exchange.drain();
      await turns();
      assert.deepEqual([wrote, exchange.text], ["12", "0123456789abcde"]);
      exchange.cancel();
      await once(tunnel, "close");
    }));

  test("whose client goes closes the app's end", () =>
    hosted(async (hosting) => {
      const seen: string[] = [];
      const server = tunnelServer((socket) => {
        for (const event of ["end", "error", "close"]) socket.on(event, () => seen.push(event));
        socket.resume();
      });
      await hosting.serve(server);
      const exchange = new FakeExchange(upgrade);
      hosting.handle(exchange);
      exchange.cancel();
      await turns();
      assert.deepEqual(seen, ["close"]);
      assert.equal(hosting.conversations.size, 0);
    }));

  test("can be answered through a ServerResponse on the socket, as frameworks do", () =>
    hosted(async (hosting) => {
      const server = tunnelServer((socket, req) => {
        const response = new http.ServerResponse(req);
        response.assignSocket(socket as net.Socket);
        response.on("finish", () => socket.end());
        response.writeHead(404, { "Content-Length": "4" });
        response.end("none");
      });
      await hosting.serve(server);
      const exchange = await hosting.answer(new FakeExchange(upgrade));
      assert.match(exchange.text, /^HTTP\/1\.1 404 Not Found\r\nContent-Length: 4\r\n(.*\r\n)*\r\nnone$/);
    }));

  test("CONNECT goes to its own listeners, and without them is refused", async () => {
    await hosted(async (hosting) => {
      const server = http.createServer();
      server.on("connect", (_req, socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
      await hosting.serve(server);
      const exchange = await hosting.answer(new FakeExchange({ ...upgrade, method: "CONNECT", target: "a:443" }));
      assert.equal(exchange.text, "HTTP/1.1 200 OK\r\n\r\n");
      exchange.cancel();
    });
    await hosted(async (hosting: TestHosting) => {
      await hosting.serve(http.createServer());
      const exchange = await hosting.answer(new FakeExchange({ ...upgrade, method: "CONNECT", target: "a:443" }));
      assert.equal(exchange.resetCode, "APP_REFUSED_CONNECT");
      assert.equal(hosting.conversations.size, 0);
    });
  });
});
