/**
 * What hosting relies on in Node without its documentation's word for it (src/app/node-internals.ts). When a test
 * here fails after an update of Node, hosting has to be looked at anew before that Node may be used.
 */
import assert from "node:assert/strict";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import {
  appConnectionListeners,
  kNeedDrain,
  kOutHeaders,
  kUniqueHeaders,
  type ResponseInternals,
  type RequestInternals,
  serverClasses,
} from "../../src/app/node-internals.ts";

type Response = http.ServerResponse & ResponseInternals & Record<symbol, unknown>;

function response(method = "GET"): { res: Response; calls: string[]; socket: net.Socket } {
  const socket = new net.Socket();
  const req = new http.IncomingMessage(socket);
  req.method = method;
  req.httpVersionMajor = 1;
  req.httpVersionMinor = 1;
  const res = new http.ServerResponse(req) as unknown as Response;
  const calls: string[] = [];
  res._storeHeader = (line) => {
    calls.push(`storeHeader ${line.trim()}`);
    res._header = line;
    res._headerSent = false;
  };
  res._send = (data, encoding, callback) => {
    calls.push(`send ${JSON.stringify(String(data))}`);
    res._headerSent = true;
    if (typeof callback === "function") process.nextTick(callback);
    return true;
  };
  res._writeRaw = (data) => {
    calls.push(`writeRaw ${JSON.stringify(data)}`);
    return true;
  };
  const finish = res._finish.bind(res);
  res._finish = () => {
    calls.push("finish");
    finish();
  };
  res.assignSocket(socket);
  return { res, calls, socket };
}

describe("a response's replaced methods are all that it writes through", () => {
  const scenes: Array<[string, (res: Response) => unknown, string[]]> = [
    ["end with text", (res) => res.end("x"), ["storeHeader HTTP/1.1 200 OK", 'send "x"', "finish"]],
    ["end without", (res) => res.end(), ["storeHeader HTTP/1.1 200 OK", 'send ""', "finish"]],
    [
      "write and end",
      (res) => {
        res.write("a");
        res.end("b");
      },
      ["storeHeader HTTP/1.1 200 OK", 'send "a"', 'send "b"', "finish"],
    ],
    [
      "flushHeaders and end",
      (res) => {
        res.flushHeaders();
        res.end();
      },
      ["storeHeader HTTP/1.1 200 OK", 'send ""', "finish"],
    ],
    ["writeHead with a reason", (res) => res.writeHead(201, "Made"), ["storeHeader HTTP/1.1 201 Made"]],
    ["writeContinue", (res) => res.writeContinue(), ['writeRaw "HTTP/1.1 100 Continue\\r\\n\\r\\n"']],
    ["writeProcessing", (res) => res.writeProcessing(), ['writeRaw "HTTP/1.1 102 Processing\\r\\n\\r\\n"']],
    [
      "writeEarlyHints",
      (res) => res.writeEarlyHints({ link: "</a>; rel=preload" }),
      ['writeRaw "HTTP/1.1 103 Early Hints\\r\\nLink: </a>; rel=preload\\r\\n\\r\\n"'],
    ],
  ];
  for (const [name, act, expected] of scenes) {
    test(name, () => {
      const { res, calls } = response();
      act(res);
      assert.deepEqual(calls, expected);
    });
  }

  test("and a body that there must not be is not sent", () => {
    const { res, calls } = response("HEAD");
    res.write("lost");
    res.end("lost");
    assert.deepEqual(calls, ["storeHeader HTTP/1.1 200 OK", 'send ""', "finish"]);
  });
});

test("writeHead hands over the response's own map when setHeader was used, else what it was given", () => {
  const given: unknown[] = [];
  for (const setHeader of [true, false]) {
    const { res } = response();
    res._storeHeader = (_line, headers) => given.push(headers === res[kOutHeaders], headers);
    if (setHeader) res.setHeader("X-A", "1");
    res.writeHead(200, { "X-B": "2" });
  }
  assert.deepEqual(given, [
    true,
    Object.assign(Object.create(null), { "x-a": ["X-A", "1"], "x-b": ["X-B", "2"] }),
    false,
    { "X-B": "2" },
  ]);
});

test("a write that was refused sets the flag that 'drain' waits for", () => {
  const { res } = response();
  res._send = () => false;
  assert.equal(res[kNeedDrain], false);
  assert.equal(res.write("x"), false);
  assert.equal(res[kNeedDrain], true);
  assert.equal(res.writableNeedDrain, true);
});

test("'finish' comes with the callback of the last send, and the app's listeners after those set before it", async () => {
  const { res } = response();
  const seen: string[] = [];
  res.on("finish", () => seen.push("first"));
  res.on("finish", () => seen.push("second"));
  res.end("x");
  assert.deepEqual(seen, []);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, ["first", "second"]);
});

test("uniqueHeaders are under the same symbol on server and response", () => {
  const server = http.createServer({ uniqueHeaders: ["X-A"] });
  assert.deepEqual([...(serverClasses(server).uniqueHeaders ?? [])], ["x-a"]);
  const { res } = response();
  res[kUniqueHeaders] = new Set(["x-a"]);
  res.addTrailers({ "X-A": ["1", "2"] as unknown as string });
  assert.equal(res._trailer, "X-A: 1; 2\r\n");
});

test("servers carry the classes that they were created with", () => {
  class Mine extends http.IncomingMessage {}
  for (const server of [http.createServer({ IncomingMessage: Mine }), https.createServer({ IncomingMessage: Mine })]) {
    assert.equal(serverClasses(server).IncomingMessage, Mine);
    assert.equal(serverClasses(server).ServerResponse, http.ServerResponse);
  }
  assert.equal(serverClasses(net.createServer()).IncomingMessage, http.IncomingMessage);
});

test("a request is fed by _addHeaderLines and push, and asks for more by resuming its socket", async () => {
  let resumed = 0;
  const socket = new net.Socket();
  socket.resume = () => {
    resumed += 1;
    return socket;
  };
  const req = new http.IncomingMessage(socket) as http.IncomingMessage & RequestInternals;
  req._addHeaderLines(["X-A", "1", "x-a", "2"], 4);
  assert.deepEqual(req.headers, { "x-a": "1, 2" });
  assert.equal(req._consuming, false);
  assert.equal(req.push(Buffer.alloc(1)), true);
  assert.equal(resumed, 0);
  let read = 0;
  req.on("data", (chunk: Buffer) => (read += chunk.length));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([read, req._consuming], [1, true]);
  assert(resumed > 0);
  req.complete = true;
  req._addHeaderLines(["X-T", "1"], 2);
  assert.deepEqual(req.trailers, { "x-t": "1" });
});

// Node 24.9 and later; before it, requests are dumped the longer way.
const dumpsClosed = "_dumpAndCloseReadable" in http.IncomingMessage.prototype;
test("a request that was dumped closed says so by all its flags", { skip: !dumpsClosed }, () => {
  const req = new http.IncomingMessage(new net.Socket()) as http.IncomingMessage & RequestInternals;
  req.complete = true;
  req.push(null);
  req._dumpAndCloseReadable?.();
  assert.deepEqual([req.readableEnded, req.destroyed, req.closed, req.readable], [true, true, true, false]);
});

test("a server's own connection listeners are told from the app's", () => {
  const mine = (): void => {};
  const plain = http.createServer();
  plain.on("connection", mine);
  assert.deepEqual(appConnectionListeners(plain, "connection"), [mine]);
  const secure = https.createServer();
  secure.on("secureConnection", mine);
  assert.deepEqual(appConnectionListeners(secure, "secureConnection"), [mine]);
});

test("a socket that belongs to a server is taken off its count when it is destroyed", () => {
  const server = http.createServer() as http.Server & { _connections: number; _handle: object | null };
  let closed = 0;
  server._handle = { close: () => (closed += 1) };
  server._connections = 1;
  const socket = new net.Socket() as net.Socket & { _server: net.Server };
  socket._server = server;
  server.on("close", () => (closed += 10));
  server.close();
  assert.deepEqual([server.listening, closed], [false, 1]);
  socket.destroy();
  assert.equal(server._connections, 0);
});

test("net.Socket takes writes without a handle through _write, _writev and _final", async () => {
  const seen: string[] = [];
  class Probe extends net.Socket {
    override _write(chunk: string, _encoding: BufferEncoding, done: () => void): void {
      seen.push(chunk);
      done();
    }
    override _writev(chunks: Array<{ chunk: string }>, done: () => void): void {
      seen.push(chunks.map(({ chunk }) => chunk).join("+"));
      done();
    }
    override _final(done: () => void): void {
      seen.push("final");
      done();
    }
  }
  const probe = new Probe({ allowHalfOpen: true });
  assert(probe instanceof Duplex);
  probe.write("a");
  probe.cork();
  probe.write("b");
  probe.write("c");
  probe.uncork();
  probe.end("d");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, ["a", "b+c", "d", "final"]);
});
