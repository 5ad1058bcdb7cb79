// HTTP/2 at the ingress: real sockets, real drones behind axons, node:http2's client or raw frames.
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { test, type TestContext } from "node:test";
import type { Exchange } from "../../src/app/exchange.ts";
import type { IngressOptions } from "../../src/cells/b-cell/ingress.ts";
import { http2Limits } from "../../src/cells/b-cell/http2-limits.ts";
import { ListenerRecorder, until } from "../support/axon-pair.ts";
import { answer, echo, rig, silent, type Rig } from "../support/ingress-rig.ts";

/** A rig whose connections are HTTP/2 without TLS: what TLS adds is tested with the TLS front. */
async function h2Rig(
  t: TestContext,
  options: Omit<IngressOptions, "pool"> = {},
): Promise<Rig & { client: http2.ClientHttp2Session }> {
  const made = await rig(t, options, {}, "h2");
  const client = http2.connect(`http://127.0.0.1:${made.port}`);
  client.on("error", () => {});
  t.after(() => client.destroy());
  await once(client, "connect");
  return { ...made, client };
}

interface Answer {
  headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;
  body: string;
  trailers: http2.IncomingHttpHeaders;
  informed: number[];
  rstCode: number;
}

async function ask(
  client: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders = {},
  body?: string,
): Promise<Answer> {
  const stream = client.request({ ":path": "/", ...headers }, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return collect(stream);
}

async function collect(stream: http2.ClientHttp2Stream): Promise<Answer> {
  const got: Answer = { headers: {}, body: "", trailers: {}, informed: [], rstCode: 0 };
  stream.setEncoding("latin1");
  stream.on("response", (headers) => (got.headers = headers));
  stream.on("headers", (headers) => got.informed.push(Number(headers[":status"])));
  stream.on("data", (chunk: string) => (got.body += chunk));
  stream.on("trailers", (trailers) => (got.trailers = trailers));
  stream.on("error", () => {});
  await new Promise((resolve) => stream.once("close", resolve));
  got.rstCode = stream.rstCode ?? 0;
  return got;
}

test("a request over HTTP/2 reaches the app in the terms of HTTP/1.1, and is answered", async (t) => {
  const { client, addDrone, ingress } = await h2Rig(t, { fieldsOf: () => ["Strict-Transport-Security", "max-age=5"] });
  const drone = await addDrone(
    answer("hello", ["X-A", "1", "Set-Cookie", "a=1", "Set-Cookie", "b=2", "Connection", "keep-alive"]),
  );
  const got = await ask(client, {
    ":path": "/one?x=1",
    cookie: ["a=1", "b=2"],
    "x-forwarded-for": "9.9.9.9",
    te: "trailers",
  });
  assert.equal(got.body, "hello");
  assert.equal(got.headers[":status"], 200);
  assert.deepEqual(got.headers["set-cookie"], ["a=1", "b=2"]);
  assert.equal(got.headers["x-a"], "1");
  assert.equal(got.headers["content-length"], "5");
  assert.equal(got.headers["connection"], undefined);
  assert.equal(got.headers["strict-transport-security"], "max-age=5");
  assert.match(String(got.headers["date"]), /GMT$/);
  const request = drone.exchanges[0]?.request;
  assert.equal(request?.method, "GET");
  assert.equal(request?.target, "/one?x=1");
  assert.equal(request?.versionMinor, 1);
  assert.equal(request?.hasBody, false);
  assert.equal(request?.upgrade, false);
  assert.equal(got.headers["x-request-id"], request?.requestId);
  assert.deepEqual(request?.headers, [
    "host",
    `127.0.0.1:${ingress === null ? 0 : (client.socket?.remotePort ?? 0)}`,
    "cookie",
    "a=1; b=2",
    "X-Request-Id",
    request?.requestId,
  ]);
  assert.equal(ingress.counters.responses, 1);
});

test("many requests at a time are each answered with their own", async (t) => {
  const { client, addDrone } = await h2Rig(t);
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    setTimeout(() => {
      exchange.respond({ status: 200, reason: "", headers: [] });
      exchange.write(Buffer.from(exchange.request.target));
      exchange.finish([]);
    }, exchange.request.target.length % 3);
  });
  const paths = Array.from({ length: 300 }, (_, i) => `/${"x".repeat(i % 7)}${i}`);
  const got = await Promise.all(paths.map((path) => ask(client, { ":path": path })));
  assert.deepEqual(
    got.map(({ body }) => body),
    paths,
  );
});

test("an upload and its trailers come back with trailers, and without a length the app is told chunked", async (t) => {
  const { client, addDrone } = await h2Rig(t);
  const drone = await addDrone(echo);
  const stream = client.request({ ":method": "POST", ":path": "/" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "7" }));
  stream.write("hel");
  stream.end("lo");
  const got = await collect(stream);
  assert.equal(got.body, "hello");
  assert.equal(got.trailers["x-sum"], "7");
  assert.deepEqual(drone.exchanges[0]?.request.headers.slice(2, 4), ["transfer-encoding", "chunked"]);
});

test("megabytes go both ways through windows that are smaller", async (t) => {
  const { client, addDrone } = await h2Rig(t);
  await addDrone(echo);
  const bytes = 8 * 1024 * 1024;
  const stream = client.request({ ":method": "POST", ":path": "/" });
  stream.end(Buffer.alloc(bytes, "x"));
  let received = 0;
  stream.on("data", (chunk: Buffer) => (received += chunk.length));
  await once(stream, "end");
  assert.equal(received, bytes);
});

test("HEAD, 204 and 304 have no body whatever the app writes", async (t) => {
  const { client, addDrone } = await h2Rig(t);
  await addDrone((exchange) => {
    const status = Number(exchange.request.target.slice(1));
    exchange.listen(new ListenerRecorder());
    exchange.respond({ status, reason: "", headers: status === 200 ? ["Content-Length", "9"] : [] });
    exchange.write(Buffer.from("body"));
    exchange.finish([]);
  });
  for (const [method, status] of [
    ["HEAD", 200],
    ["GET", 204],
    ["GET", 304],
  ] as const) {
    const got = await ask(client, { ":method": method, ":path": `/${status}` });
    assert.equal(got.headers[":status"], status);
    assert.equal(got.body, "");
    assert.equal(got.rstCode, 0);
  }
});

test("100 Continue and early hints precede the answer", async (t) => {
  const { client, addDrone } = await h2Rig(t);
  await addDrone((exchange) => {
    exchange.inform({ status: 100, reason: "Continue", headers: [] });
    exchange.inform({ status: 103, reason: "Early Hints", headers: ["Link", "</a.css>; rel=preload"] });
    answer("done")(exchange);
  });
  const stream = client.request({ ":method": "POST", ":path": "/", expect: "100-continue" });
  const continued = once(stream, "continue");
  const answered = collect(stream);
  await continued;
  stream.end("body");
  const got = await answered;
  assert.equal(got.body, "done");
  assert.deepEqual(got.informed, [100, 103]);
});

test("what is not sound in a head is refused with its code, and the connection goes on", async (t) => {
  const { client, addDrone } = await h2Rig(t);
  const drone = await addDrone(answer("never"));
  const cases: Array<[http2.OutgoingHttpHeaders, number, string]> = [
    [{ ":authority": "a", host: "b" }, 400, "CELLWS_HTTP_HOST_CONFLICT"],
    [{ ":authority": "a:b:c" }, 400, "CELLWS_HTTP_HOST_MALFORMED"],
    [{ ":path": "/a#b" }, 400, "CELLWS_HTTP_TARGET"],
    [{ ":path": `/${"x".repeat(9000)}` }, 414, "CELLWS_HTTP_TARGET_TOO_LONG"],
    [{ ":method": "FROB" }, 501, "CELLWS_HTTP_METHOD_UNKNOWN"],
    [{ expect: "the-best" }, 417, "CELLWS_HTTP_EXPECTATION"],
    [{ "x-long": "y".repeat(17_000) }, 431, "CELLWS_HTTP_HEAD_TOO_LARGE"],
    [Object.fromEntries(Array.from({ length: 140 }, (_, i) => [`x-${i}`, "1"])), 431, "CELLWS_HTTP_FIELDS_TOO_MANY"],
  ];
  for (const [headers, status, code] of cases) {
    const got = await ask(client, headers);
    assert.equal(got.headers[":status"], status, code);
    assert.match(got.body, new RegExp(`code: ${code}\n`));
  }
  assert.equal(drone.exchanges.length, 0);
  assert.equal((await ask(client)).body, "never");
});

test("CONNECT, plain and extended, is refused", async (t) => {
  const { client } = await h2Rig(t);
  const stream = client.request({ ":method": "CONNECT", ":authority": "example.org:80" });
  const got = await collect(stream);
  assert.equal(got.headers[":status"], 501);
  assert.equal(client.remoteSettings.enableConnectProtocol ?? false, false);
});

test("a body over the limit is answered with 413, and the rest of it is not wanted", async (t) => {
  const { client, addDrone } = await h2Rig(t, { readerLimits: { bodyBytesMax: 1000 } });
  await addDrone(echoLater);
  const announced = await ask(client, { ":method": "POST", "content-length": "2000" }, "x".repeat(2000));
  assert.equal(announced.headers[":status"], 413);
  const stream = client.request({ ":method": "POST", ":path": "/" });
  const answered = collect(stream);
  stream.write("x".repeat(2000));
  assert.equal((await answered).headers[":status"], 413);
});

/** Reads all, answers then. */
function echoLater(exchange: Exchange): void {
  const listener = new ListenerRecorder();
  listener.onBody = (chunk) => exchange.consumed(chunk.length);
  listener.onEnd = () => answer("ok")(exchange);
  exchange.listen(listener);
}

test("an answer that is not what its Content-Length promised is cut off visibly", async (t) => {
  const { client, addDrone, notes } = await h2Rig(t);
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    exchange.respond({ status: 200, reason: "", headers: ["Content-Length", "5"] });
    exchange.write(Buffer.from(exchange.request.target === "/long" ? "too long" : "abc"));
    exchange.finish([]);
  });
  for (const path of ["/short", "/long"]) {
    const got = await ask(client, { ":path": path });
    assert.equal(got.rstCode, http2.constants.NGHTTP2_INTERNAL_ERROR, path);
  }
  assert.deepEqual(
    notes.filter((note) => note.kind === "app-fault").map((note) => note.fault),
    ["body-shorter-than-its-content-length", "body-longer-than-its-content-length"],
  );
});

test("a client that takes its request back cancels it in the drone", async (t) => {
  const { client, addDrone, ingress } = await h2Rig(t);
  const drone = await addDrone(silent);
  const stream = client.request({ ":path": "/" });
  stream.on("error", () => {});
  await until(() => drone.exchanges.length === 1);
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await until(() => ingress.counters.aborted === 1);
  await until(() => ingress.pool.inFlight === 0);
});

test("a request whose drone dies is answered by another, as over HTTP/1.1", async (t) => {
  const { client, addDrone, ingress } = await h2Rig(t);
  const first = await addDrone(silent);
  const answered = ask(client);
  await until(() => first.exchanges.length === 1);
  await addDrone(answer("second"));
  first.kill();
  assert.equal((await answered).body, "second");
  assert.equal(ingress.counters.retries, 1);
});

test("while draining, what is at hand is finished, no more is taken, and the connection ends", async (t) => {
  const { client, addDrone, ingress } = await h2Rig(t, { timeouts: { drainFreshMs: 30 } });
  let finish = () => {};
  const drone = await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    finish = () => {
      exchange.respond({ status: 200, reason: "", headers: [] });
      exchange.write(Buffer.from("late"));
      exchange.finish([]);
    };
  });
  const answered = ask(client);
  await until(() => drone.exchanges.length === 1);
  let goaways = 0;
  client.on("goaway", () => (goaways += 1));
  const drained = ingress.drain(10_000);
  await until(() => goaways >= 1);
  finish();
  assert.equal((await answered).body, "late");
  await drained;
  assert.equal(ingress.connectionCount, 0);
});

test("a connection without a request is closed after its time", async (t) => {
  const { client, addDrone } = await h2Rig(t, { timeouts: { keepAliveIdleMs: 30, headMs: 10_000 } });
  await addDrone(answer("one"));
  const closed = once(client, "close");
  assert.equal((await ask(client)).body, "one");
  await closed;
});

test("an app that does not answer in time is told of as a timeout, and a body that does not go on too", async (t) => {
  const { client, addDrone } = await h2Rig(t, { timeouts: { answerMs: 30, bodyIdleMs: 30 } });
  await addDrone(silent);
  assert.equal((await ask(client)).headers[":status"], 504);
  const stream = client.request({ ":method": "POST", ":path": "/" });
  stream.write("x");
  assert.equal((await collect(stream)).headers[":status"], 408);
});

test("a client that takes nothing of its answer loses it, and the drone is free again", async (t) => {
  const { port, addDrone, ingress } = await h2Rig(t, { timeouts: { slowReaderMs: 50 } });
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    exchange.respond({ status: 200, reason: "", headers: [] });
    exchange.write(Buffer.alloc(500_000));
  });
  const tiny = http2.connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 1 } });
  t.after(() => tiny.destroy());
  tiny.on("error", () => {});
  const stream = tiny.request({ ":path": "/" });
  stream.on("error", () => {});
  await new Promise((resolve) => stream.once("close", resolve));
  await until(() => ingress.pool.inFlight === 0);
});

// ---- Abuse, in raw frames ----------------------------------------------------------------------------------

const frame = (type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const CONTINUATION = 9;
const END_STREAM = 1;
const END_HEADERS = 4;
/** GET / with the static table, and `:authority: a` as a literal. */
const getBlock = Buffer.from([0x82, 0x86, 0x84, 0x01, 0x01, 0x61]);

async function rawClient(t: TestContext, port: number): Promise<{ socket: net.Socket; closed: Promise<unknown> }> {
  const socket = net.connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  socket.resume();
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, "connect");
  socket.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(SETTINGS, 0, 0)]));
  return { socket, closed };
}

test("rapid reset ends the connection, and hardly a request of it reaches a drone", async (t) => {
  const { port, addDrone, ingress } = await h2Rig(t);
  const drone = await addDrone(silent);
  const { socket, closed } = await rawClient(t, port);
  const count = 5_000;
  const pairs = Array.from({ length: count }, (_, i) => [
    frame(HEADERS, END_STREAM | END_HEADERS, 2 * i + 1, getBlock),
    frame(RST_STREAM, 0, 2 * i + 1, Buffer.from([0, 0, 0, 8])),
  ]).flat();
  socket.write(Buffer.concat(pairs));
  await closed;
  assert.ok(drone.exchanges.length <= http2Limits.resetsAtOnce + 50, `${drone.exchanges.length} reached the drone`);
  await until(() => ingress.pool.inFlight === 0);
});

test("floods of PING, SETTINGS and CONTINUATION frames end the connection", async (t) => {
  const { port, ingress } = await h2Rig(t);
  const floods: Record<string, Buffer[]> = {
    ping: Array.from({ length: 5_000 }, () => frame(PING, 0, 0, Buffer.alloc(8))),
    settings: Array.from({ length: 5_000 }, () => frame(SETTINGS, 0, 0, Buffer.from([0, 3, 0, 0, 0, 9]))),
    continuation: [
      frame(HEADERS, END_STREAM, 1, getBlock),
      ...Array.from({ length: 5_000 }, (_, i) =>
        frame(
          CONTINUATION,
          0,
          1,
          Buffer.concat([
            Buffer.from([0x00, 5]),
            Buffer.from(`x${String(i).padStart(4, "0")}`),
            Buffer.from([1, 0x61]),
          ]),
        ),
      ),
    ],
  };
  for (const [name, frames] of Object.entries(floods)) {
    const { socket, closed } = await rawClient(t, port);
    socket.write(Buffer.concat(frames));
    await closed;
    assert.ok(true, name);
  }
  await until(() => ingress.connectionCount === 1);
});

test("more streams than are allowed are refused without a drone hearing of them", async (t) => {
  const { port, addDrone } = await h2Rig(t);
  const drone = await addDrone(silent);
  const { socket } = await rawClient(t, port);
  const opened = http2Limits.streamsMax + 50;
  socket.write(
    Buffer.concat(
      Array.from({ length: opened }, (_, i) => frame(HEADERS, END_STREAM | END_HEADERS, 2 * i + 1, getBlock)),
    ),
  );
  await until(() => drone.exchanges.length === http2Limits.streamsMax);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(drone.exchanges.length, http2Limits.streamsMax);
});

test("a request line that is smuggled in a field does not reach the app", async (t) => {
  const { port, addDrone } = await h2Rig(t);
  const drone = await addDrone(answer("x"));
  const { socket } = await rawClient(t, port);
  const literal = (name: string, value: string): Buffer =>
    Buffer.concat([
      Buffer.from([0x00, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value, "latin1"),
    ]);
  const bad: Buffer[] = [
    literal("x-a", "b\r\nX-Evil: 1"),
    literal("transfer-encoding", "chunked"),
    literal("connection", "close"),
    literal("X-Upper", "1"),
    literal("x y", "1"),
    literal(":path", "/again"),
    literal("content-length", "5"),
  ];
  bad.forEach((field, i) =>
    socket.write(frame(HEADERS, END_STREAM | END_HEADERS, 2 * i + 1, Buffer.concat([getBlock, field]))),
  );
  const last = 2 * bad.length + 1;
  socket.write(frame(HEADERS, END_STREAM | END_HEADERS, last, Buffer.concat([getBlock, literal("x-good", "1")])));
  const heads = (): string[] => drone.exchanges.map(({ request }) => request.headers.join("\n").toLowerCase());
  await until(() => heads().some((head) => head.includes("x-good")));
  for (const head of heads()) assert.doesNotMatch(head, /evil|chunked|close|x-upper|x y|again|content-length/);
  assert.ok(drone.exchanges.every(({ request }) => request.target === "/" && !request.hasBody));
});
