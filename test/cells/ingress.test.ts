import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { test } from "node:test";
import type { Exchange } from "../../src/app/exchange.ts";
import { ListenerRecorder, settle, until } from "../support/axon-pair.ts";
import { answer, echo, rig, silent } from "../support/ingress-rig.ts";

const get = (target = "/", ...lines: string[]) =>
  [`GET ${target} HTTP/1.1`, "Host: example.org", ...lines, "", ""].join("\r\n");
const post = (body: string, ...lines: string[]) =>
  ["POST / HTTP/1.1", "Host: example.org", `Content-Length: ${body.length}`, ...lines, "", body].join("\r\n");

test("a request is answered by a drone, and the connection serves the next", async (t) => {
  const { addDrone, connect, ingress } = await rig(t);
  const drone = await addDrone(answer("hello"));
  const client = await connect();
  const first = await client.send(get("/one?x=1", "X-A: b")).until(/hello$/);
  assert.match(first, /^HTTP\/1\.1 200 OK\r\nDate: .* GMT\r\nX-Request-Id: \S+\r\nContent-Length: 5\r\n\r\nhello$/);
  client.text = "";
  await client.send(get("/two")).until(/hello$/);
  const [one, two] = drone.exchanges.map((exchange) => exchange.request);
  assert.equal(one?.target, "/one?x=1");
  assert.equal(one?.remoteAddress, "127.0.0.1");
  assert.equal(one?.remotePort, client.socket.localPort);
  assert.deepEqual(one?.headers, ["Host", "example.org", "X-A", "b", "X-Request-Id", one?.requestId]);
  assert.notEqual(one?.requestId, two?.requestId);
  assert.equal(ingress.counters.requests, 2);
  assert.equal(ingress.counters.responses, 2);
  assert.equal(ingress.connectionCount, 1);
});

test("pipelined requests are answered in order, however long each takes, and across bodies", async (t) => {
  const { addDrone, connect } = await rig(t);
  await addDrone((exchange) => {
    const ms = exchange.request.target === "/slow" ? 30 : 0;
    setTimeout(
      () =>
        exchange.respond({ status: 200, reason: "", headers: ["Content-Length", "0", "X-T", exchange.request.target] }),
      ms,
    );
    setTimeout(() => exchange.finish([]), ms);
    const listener = new ListenerRecorder();
    listener.onBody = (chunk) => exchange.consumed(chunk.length);
    exchange.listen(listener);
  });
  const client = await connect();
  client.send(get("/slow") + post("GET /smuggled HTTP/1.1\r\n\r\n") + get("/last", "Connection: close"));
  const text = await client.toEnd();
  assert.deepEqual(
    [...text.matchAll(/X-T: (\S+)/g)].map((match) => match[1]),
    ["/slow", "/", "/last"],
  );
});

test("hundreds of pipelined requests that are all refused are answered without piling up", async (t) => {
  const { connect } = await rig(t, { judge: () => ({ action: "refuse", code: "CELLWS_HTTP_REFUSED" }) });
  const client = await connect();
  client.send(get("/").repeat(500) + get("/", "Connection: close"));
  const text = await client.toEnd();
  assert.equal(text.match(/403 Forbidden\r\n/g)?.length, 501);
});

test("a chunked upload and its trailers come back chunked", async (t) => {
  const { addDrone, connect } = await rig(t);
  await addDrone(echo);
  const client = await connect();
  const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
  client.send(`${head}5\r\nhello\r\n`);
  await client.until(/hello/);
  client.send("1\r\n!\r\n0\r\nX-Sum: 7\r\n\r\n");
  const text = await client.toEnd();
  assert.match(
    text,
    /\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 7\r\n\r\n$/,
  );
});

test("HEAD, 204 and 304 have no body whatever the app writes", async (t) => {
  const { addDrone, connect } = await rig(t);
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    const status = Number(exchange.request.target.slice(1));
    exchange.respond({ status, reason: "", headers: ["Content-Length", "4"] });
    exchange.write(Buffer.from("body"));
    exchange.finish([]);
  });
  const client = await connect();
  client.send("HEAD /200 HTTP/1.1\r\nHost: a\r\n\r\n" + get("/204") + get("/304") + get("/200", "Connection: close"));
  const text = await client.toEnd();
  const answers = text.split(/(?=HTTP\/1\.1)/).map((part) => part.replace(/\r\n(Date|X-Request-Id): [^\r]*/g, ""));
  assert.deepEqual(answers, [
    "HTTP/1.1 200 \r\nContent-Length: 4\r\n\r\n",
    "HTTP/1.1 204 \r\n\r\n",
    "HTTP/1.1 304 \r\nContent-Length: 4\r\n\r\n",
    "HTTP/1.1 200 \r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
  ]);
});

test("HTTP/1.0 is answered with its own framing", async (t) => {
  const { addDrone, connect } = await rig(t);
  await addDrone(echo);
  const closing = await connect();
  closing.send("POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi");
  assert.match(await closing.toEnd(), /\r\nConnection: close\r\n\r\nhi$/);
});

test("an HTTP/1.0 client that asks to stay may stay when the length is known", async (t) => {
  const { addDrone, connect } = await rig(t);
  await addDrone(answer("yo"));
  const client = await connect();
  await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").until(/Connection: keep-alive\r\n\r\nyo$/);
  client.text = "";
  await client.send("GET / HTTP/1.0\r\n\r\n").until(/Connection: close\r\n\r\nyo$/);
});

test("a client that waits for 100 gets it when the app asks for the body, and once", async (t) => {
  const { addDrone, connect } = await rig(t);
  await addDrone((exchange) => {
    exchange.inform({ status: 100, reason: "Continue", headers: [] });
    exchange.inform({ status: 100, reason: "Continue", headers: [] });
    exchange.inform({ status: 103, reason: "Early Hints", headers: ["Link", "</a>"] });
    echo(exchange);
  });
  const client = await connect();
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  await client.until(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1.1 200/);
  await client.send("hi").until(/2\r\nhi\r\n0\r\n\r\n$/);
});

test("a client that is refused instead of continued is not waited for", async (t) => {
  const { addDrone, connect } = await rig(t);
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    exchange.respond({ status: 401, reason: "No", headers: ["Content-Length", "0"] });
    exchange.finish([]);
  });
  const client = await connect();
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  assert.match(await client.toEnd(), /^HTTP\/1.1 401 No\r\n.*Connection: close\r\n\r\n$/s);
});

test("an upload that is answered early goes on to the app, and the connection serves the next request", async (t) => {
  const { addDrone, connect } = await rig(t);
  const listener = new ListenerRecorder();
  await addDrone((exchange) => {
    if (exchange.request.method === "GET") return answer("next")(exchange);
    exchange.listen(listener);
    listener.onBody = (chunk) => exchange.consumed(chunk.length);
    exchange.respond({ status: 200, reason: "", headers: ["Content-Length", "5"] });
    exchange.write(Buffer.from("early"));
    exchange.finish([]);
  });
  const client = await connect();
  await client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n").until(/early$/);
  client.send(`late${get("/")}`);
  await client.until(/next$/);
  assert.equal(listener.bodyBytes, 4);
});

test("a malformed request is answered with its code and the connection is closed", async (t) => {
  const { addDrone, connect, ingress, notes } = await rig(t);
  const drone = await addDrone(answer("no"));
  const client = await connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n");
  const text = await client.toEnd();
  assert.match(
    text,
    /^HTTP\/1\.1 400 Bad Request\r\n.*Connection: close\r\n\r\n400 Bad Request\n.*code: CELLWS_HTTP_FIELD_NAME\n/s,
  );
  assert.equal(drone.exchanges.length, 0);
  assert.deepEqual(ingress.counters.refused, { CELLWS_HTTP_FIELD_NAME: 1 });
  assert.equal(notes.length, 1);
});

test("errors are JSON for who asks for JSON", async (t) => {
  const { connect } = await rig(t, { judge: () => ({ action: "refuse", code: "CELLWS_HTTP_REFUSED" }) });
  const client = await connect();
  client.send(get("/", "Accept: application/json", "X-Request-Id: mine", "Connection: close"));
  const text = await client.toEnd();
  // Of a refusal nothing but what to ask for it by.
  assert.deepEqual(JSON.parse(text.slice(text.indexOf("\r\n\r\n"))), { error: { status: 403, requestId: "mine" } });
});

test("what the judge cuts gets no answer", async (t) => {
  const { connect } = await rig(t, { judge: (request) => ({ action: request.target === "/bad" ? "cut" : "pass" }) });
  const client = await connect();
  client.send(get("/bad"));
  assert.equal(await client.toEnd(), "");
});

test("an app that writes a line break into a header is answered for with 502", async (t) => {
  const { addDrone, connect, notes } = await rig(t);
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    exchange.respond({ status: 200, reason: "", headers: ["X-A", "b\r\nSet-Cookie: evil=1"] });
  });
  const client = await connect();
  const text = await client.send(get("/", "Connection: close")).toEnd();
  assert.match(text, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
  assert.doesNotMatch(text, /evil/);
  assert.equal(notes[0]?.kind === "app-fault" && notes[0].fault, "field-value");
});

test("an answer shorter than it promised ends with the connection, not with silence", async (t) => {
  const { addDrone, connect } = await rig(t);
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    exchange.respond({ status: 200, reason: "", headers: ["Content-Length", "10"] });
    exchange.write(Buffer.from("short"));
    exchange.finish([]);
  });
  const client = await connect();
  assert.match(await client.send(get()).toEnd(), /\r\n\r\nshort$/);
});

test("an answer longer than it promised is cut to its promise", async (t) => {
  const { addDrone, connect } = await rig(t);
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    exchange.respond({ status: 200, reason: "", headers: ["Content-Length", "5"] });
    exchange.write(Buffer.from("hello HTTP/1.1 200 OK"));
    exchange.finish([]);
  });
  const client = await connect();
  assert.match(await client.send(get()).toEnd(), /\r\n\r\nhello$/);
});

test("a client that leaves cancels its request", async (t) => {
  const { addDrone, connect, ingress } = await rig(t);
  const listener = new ListenerRecorder();
  const drone = await addDrone((exchange) => exchange.listen(listener));
  const client = await connect();
  client.send(get());
  await until(() => drone.exchanges.length === 1);
  client.socket.resetAndDestroy();
  await until(() => listener.cancelReason !== null);
  assert.equal(listener.cancelReason, "the client is gone");
  assert.equal(ingress.counters.aborted, 1);
  assert.equal(ingress.connectionCount, 0);
});

test("a client that closed its half still gets its answers", async (t) => {
  const { addDrone, connect } = await rig(t);
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    setTimeout(() => {
      exchange.respond({ status: 200, reason: "", headers: ["X-T", exchange.request.target] });
      exchange.finish([]);
    }, 20);
  });
  const client = await connect();
  client.socket.end(get("/1") + get("/2"));
  const text = await client.toEnd();
  assert.deepEqual(
    [...text.matchAll(/X-T: (\S+)/g)].map((match) => match[1]),
    ["/1", "/2"],
  );
  assert.match(text, /Connection: close\r\n\r\n0\r\n\r\n$/);
});

test("a client that closed its half and is never answered is taken for gone after a while", async (t) => {
  const { addDrone, connect } = await rig(t, { timeouts: { halfClosedMs: 40 } });
  const listener = new ListenerRecorder();
  await addDrone((exchange) => exchange.listen(listener));
  const client = await connect();
  client.socket.end(get());
  await until(() => listener.cancelReason !== null);
  assert.equal(client.text, "");
});

test("a connection that ends within a request is told so", async (t) => {
  const { connect } = await rig(t);
  const client = await connect();
  client.socket.end("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  assert.match(await client.toEnd(), /^HTTP\/1\.1 400 .*CELLWS_HTTP_INCOMPLETE/s);
});

test("an upgrade becomes a tunnel, with what the client sent too early", async (t) => {
  const { addDrone, connect, ingress } = await rig(t);
  const drone = await addDrone((exchange) => {
    const listener = new ListenerRecorder();
    listener.onBody = (chunk) => {
      exchange.consumed(chunk.length);
      exchange.write(Buffer.from(`<${chunk.latin1Slice()}>`, "latin1"));
    };
    listener.onEnd = () => exchange.finish([]);
    exchange.listen(listener);
    exchange.tunnel();
    exchange.write(Buffer.from("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  });
  const client = await connect();
  client.send(get("/ws", "Connection: Upgrade, keep-alive", "Upgrade: websocket") + "early");
  await client.until(/^HTTP\/1\.1 101 Switching Protocols\r\n\r\n<early>$/);
  client.send("\x00\xff");
  await until(() => client.text.endsWith("<\x00\xff>"));
  assert.equal(drone.exchanges[0]?.request.upgrade, true);
  assert.deepEqual(drone.exchanges[0]?.request.headers.slice(0, 6), [
    "Host",
    "example.org",
    "Connection",
    "Upgrade",
    "Upgrade",
    "websocket",
  ]);
  assert.equal(ingress.counters.tunnels, 1);
  client.socket.end();
  await client.toEnd();
  await until(() => ingress.connectionCount === 0);
  assert.equal(drone.server.inFlight, 0);
});

test("an upgrade that the app answers plainly leaves the connection to HTTP", async (t) => {
  const { addDrone, connect } = await rig(t);
  await addDrone(answer("plain"));
  const client = await connect();
  await client.send(get("/", "Connection: Upgrade", "Upgrade: h2c")).until(/plain$/);
  client.text = "";
  await client.send(get()).until(/plain$/);
});

test("a drone that dies under a GET costs the client nothing", async (t) => {
  const { addDrone, connect, ingress } = await rig(t);
  const first = await addDrone(silent);
  const client = await connect();
  client.send(get());
  await until(() => first.exchanges.length === 1);
  await addDrone(answer("second"));
  first.kill();
  await client.until(/second$/);
  assert.equal(ingress.counters.retries, 1);
});

test("a POST that its app had been given is not run again: 502", async (t) => {
  const { addDrone, connect, ingress } = await rig(t);
  const first = await addDrone(silent);
  const client = await connect();
  client.send(post("pay 100"));
  await until(() => first.exchanges.length === 1);
  const second = await addDrone(answer("second"));
  first.kill();
  await client.until(/^HTTP\/1\.1 502 Bad Gateway\r\n.*CELLWS_HTTP_DRONE_LOST/s);
  assert.equal(second.exchanges.length, 0);
  assert.equal(ingress.counters.lost, 1);
  client.text = "";
  await client.send(get()).until(/second$/);
});

test("a POST that no app had been given goes to another drone, body and all", async (t) => {
  const { addDrone, connect, pool } = await rig(t);
  const going = await addDrone(silent);
  going.server.refuseNew();
  const client = await connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\npay ");
  await until(() => pool.readyCount === 0);
  await addDrone(echo);
  await client.send("1000").until(/pay .*1000\r\n0\r\n\r\n$/s);
  assert.equal(going.exchanges.length, 0);
});

test("an upload too long to be kept cannot be retried", async (t) => {
  const { addDrone, connect } = await rig(t);
  const listener = new ListenerRecorder();
  const first = await addDrone((exchange) => exchange.listen(listener));
  const client = await connect();
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + "x".repeat(70_000));
  await until(() => listener.bodyBytes === 70_000);
  await addDrone(echo);
  first.kill();
  await client.until(/^HTTP\/1\.1 502 /);
});

test("a request that kills every drone it meets is given up after three", async (t) => {
  const { addDrone, connect, ingress } = await rig(t);
  const kill: Array<() => void> = [];
  const deadly = (exchange: Exchange) => {
    exchange.listen(new ListenerRecorder());
    setImmediate(() => kill.pop()?.());
  };
  let killed = 0;
  for (let i = 0; i < 5; i += 1) {
    const drone = await addDrone((exchange) => {
      kill.push(() => {
        killed += 1;
        drone.kill();
      });
      deadly(exchange);
    });
  }
  const client = await connect();
  await client.send(get()).until(/^HTTP\/1\.1 502 /);
  assert.equal(killed, 3);
  assert.equal(ingress.counters.retries, 2);
});

test("who was with others in each drone that died is no cause of it, and is tried again and again", async (t) => {
  const { addDrone, connect, ingress } = await rig(t);
  const clients = [];
  for (let i = 0; i < 8; i += 1) clients.push(await connect());
  for (let died = 0; died < 8; died += 1) {
    const drone = await addDrone((exchange) => exchange.listen(new ListenerRecorder()));
    if (died === 0) for (const client of clients) client.send(get());
    await until(() => drone.exchanges.length === 8);
    drone.kill();
    await until(() => ingress.pool.readyCount === 0);
  }
  await addDrone(answer("at last"));
  for (const client of clients) await client.until(/^HTTP\/1\.1 200 .*at last$/s);
  assert.equal(ingress.counters.retries, 64);
});

const halfAnswer = (exchange: Exchange) => {
  exchange.listen(new ListenerRecorder());
  exchange.respond({ status: 200, reason: "", headers: [] });
  exchange.write(Buffer.from("half"));
};

test("a drone that dies within its answer cuts the connection, so that nobody takes half for whole", async (t) => {
  const { addDrone, connect, ingress } = await rig(t);
  const drone = await addDrone(halfAnswer);
  const client = await connect();
  await client.send(get()).until(/4\r\nhalf\r\n$/);
  const other = await addDrone(answer("other"));
  drone.kill();
  assert.match(await client.toEnd(), /4\r\nhalf\r\n$/);
  assert.equal(client.state, "ended");
  assert.equal(other.exchanges.length, 0);
  assert.equal(ingress.counters.lost, 1);
});

test("where only the end of the connection ends an answer, a broken one ends with a reset", async (t) => {
  const { addDrone, connect } = await rig(t);
  const drone = await addDrone(halfAnswer);
  const client = await connect();
  await client.send("GET / HTTP/1.0\r\n\r\n").until(/half$/);
  drone.kill();
  await client.toEnd();
  assert.equal(client.state, "reset");
});

test("the app's own reset before its answer is a 502 with its code", async (t) => {
  const { addDrone, connect } = await rig(t);
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    exchange.reset("APP_THREW");
  });
  const client = await connect();
  await client.send(get()).until(/^HTTP\/1\.1 502 .*CELLWS_HTTP_APP_RESET/s);
});

test("requests wait for the first drone, in order", async (t) => {
  const { addDrone, connect, pool } = await rig(t);
  const clients = [await connect(), await connect()];
  clients[0]?.send(get("/0"));
  await until(() => pool.waitingCount === 1);
  clients[1]?.send(post("one"));
  await until(() => pool.waitingCount === 2);
  const drone = await addDrone(answer("at last"));
  await Promise.all(clients.map((client) => client.until(/at last$/)));
  assert.deepEqual(
    drone.exchanges.map((exchange) => exchange.request.target),
    ["/0", "/"],
  );
});

test("who waits too long, or comes when too many wait, is refused with 503 and told when to come back", async (t) => {
  const { connect, pool } = await rig(t, {}, { limits: { waitingCountMax: 1, waitingMsMax: 50 } });
  const [first, second] = [await connect(), await connect()];
  first.send(get());
  await until(() => pool.waitingCount === 1);
  await second.send(get()).until(/^HTTP\/1\.1 503 .*\r\nRetry-After: 1\r\n.*CELLWS_HTTP_OVERLOADED/s);
  await first.until(/^HTTP\/1\.1 503 .*\r\nRetry-After: 1\r\n.*CELLWS_HTTP_NO_DRONE/s);
  assert.equal(pool.waitingCount, 0);
});

test("an app that is known to fail is not waited for", async (t) => {
  const { addDrone, connect, pool } = await rig(t);
  const waiting = await connect();
  waiting.send(get());
  await until(() => pool.waitingCount === 1);
  const status = { load: 0, inFlight: 0, draining: false, app: { state: "failed" as const, retryInMs: 4200 } };
  await addDrone(silent, status);
  await waiting.until(/^HTTP\/1\.1 503 .*\r\nRetry-After: 5\r\n.*CELLWS_HTTP_APP_FAILED/s);
  const later = await connect();
  await later.send(get()).until(/^HTTP\/1\.1 503 .*CELLWS_HTTP_APP_FAILED/s);
});

test("a waiting client that leaves is forgotten", async (t) => {
  const { connect, pool } = await rig(t);
  const client = await connect();
  client.send(get());
  await until(() => pool.waitingCount === 1);
  client.socket.resetAndDestroy();
  await until(() => pool.waitingCount === 0);
});

test("a drone that is draining, retired or full gets nothing new", async (t) => {
  const { addDrone, connect, pool } = await rig(t, {}, { limits: { droneUnansweredMax: 1 } });
  const drone = await addDrone(silent);
  const [first, second] = [await connect(), await connect()];
  first.send(get());
  await until(() => drone.exchanges.length === 1);
  second.send(get());
  await until(() => pool.waitingCount === 1);
  const exchange = drone.exchanges[0];
  exchange?.respond({ status: 204, reason: "", headers: [] });
  exchange?.finish([]);
  await until(() => drone.exchanges.length === 2);
  drone.server.sendStatus({ load: 0, inFlight: 1, draining: true, app: { state: "ready" } });
  await until(() => pool.readyCount === 0);
  pool.retire("drone-1");
  drone.server.sendStatus({ load: 0, inFlight: 1, draining: false, app: { state: "ready" } });
  await settle();
  assert.equal(pool.readyCount, 0);
});

test("a head that does not come to its end is answered with 408, a silent connection with nothing", async (t) => {
  const { connect } = await rig(t, { timeouts: { headMs: 60 } });
  const [slow, mute] = [await connect(), await connect()];
  slow.send("GET / HTTP/1.1\r\nHo");
  assert.match(await slow.toEnd(), /^HTTP\/1\.1 408 .*CELLWS_HTTP_HEAD_TIMEOUT/s);
  assert.equal(await mute.toEnd(), "");
});

test("a body that stops coming is answered with 408, and its app's side is cancelled", async (t) => {
  const { addDrone, connect } = await rig(t, { timeouts: { bodyIdleMs: 60 } });
  const listener = new ListenerRecorder();
  await addDrone((exchange) => exchange.listen(listener));
  const client = await connect();
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  assert.match(await client.toEnd(), /^HTTP\/1\.1 408 .*CELLWS_HTTP_BODY_TIMEOUT/s);
  await until(() => listener.cancelReason !== null);
});

test("an app that does not answer in time is answered for with 504, and one that begins is left alone", async (t) => {
  const { addDrone, connect } = await rig(t, { timeouts: { answerMs: 60 } });
  const listener = new ListenerRecorder();
  await addDrone((exchange) => {
    if (exchange.request.target !== "/begin") return exchange.listen(listener);
    exchange.listen(new ListenerRecorder());
    exchange.respond({ status: 200, reason: "", headers: ["Content-Length", "2"] });
    setTimeout(() => {
      exchange.write(Buffer.from("ok"));
      exchange.finish([]);
    }, 150);
  });
  const [never, begins] = [await connect(), await connect()];
  never.send(get());
  begins.send(get("/begin"));
  await never.until(/^HTTP\/1\.1 504 .*CELLWS_HTTP_RESPONSE_TIMEOUT/s);
  await until(() => listener.cancelReason !== null);
  await begins.until(/ok$/);
});

test("an idle connection is closed without a word", async (t) => {
  const { addDrone, connect } = await rig(t, { timeouts: { keepAliveIdleMs: 40 } });
  await addDrone(answer("a"));
  const client = await connect();
  await client.send(get()).until(/a$/);
  const before = client.text;
  assert.equal(await client.toEnd(), before);
});

test("a client that reads nothing is cut", async (t) => {
  const { addDrone, connect, ingress } = await rig(t, { timeouts: { slowReaderMs: 80 } });
  const listener = new ListenerRecorder();
  await addDrone((exchange) => {
    exchange.listen(listener);
    exchange.respond({ status: 200, reason: "", headers: [] });
    exchange.write(Buffer.alloc(64 * 1024 * 1024));
    exchange.finish([]);
  });
  const client = await connect();
  client.socket.pause();
  client.send(get());
  await until(() => listener.cancelReason !== null);
  assert.equal(ingress.connectionCount, 0);
});

test("draining closes idle connections, lets answers finish, and cuts what is left at the deadline", async (t) => {
  const { addDrone, connect, ingress } = await rig(t);
  let open: Exchange | null = null;
  await addDrone((exchange) => {
    if (exchange.request.target === "/idle") return answer("idle")(exchange);
    exchange.listen(new ListenerRecorder());
    if (exchange.request.upgrade) exchange.tunnel();
    else open = exchange;
  });
  const [idle, busy, tunnel] = [await connect(), await connect(), await connect()];
  await idle.send(get("/idle")).until(/idle$/);
  busy.send(get("/busy"));
  tunnel.send(get("/", "Connection: upgrade", "Upgrade: x"));
  await until(() => open !== null && ingress.counters.tunnels === 1);
  let isDone = false;
  const drained = ingress.drain(150).then(() => (isDone = true));
  await idle.toEnd();
  const exchange = open as unknown as Exchange;
  exchange.respond({ status: 200, reason: "", headers: ["Content-Length", "4"] });
  exchange.write(Buffer.from("done"));
  exchange.finish([]);
  assert.match(await busy.toEnd(), /Connection: close\r\n\r\ndone$/);
  assert.equal(isDone, false);
  await drained;
  assert.equal(ingress.connectionCount, 0);
  await tunnel.toEnd();
});

test("draining an ingress without connections is done at once", async (t) => {
  const { ingress } = await rig(t);
  await ingress.drain(10_000);
});

test("the app sees the client that a trusted proxy tells of, and no other claim", async (t) => {
  const trusting = await rig(t, { trustedProxies: ["127.0.0.0/8"] });
  const plain = await rig(t);
  const claims = get(
    "/",
    "X-Forwarded-For: 6.6.6.6, 203.0.113.9:4711, 127.0.0.9",
    "X-Forwarded-Proto: https",
    "X-Real-IP: 6.6.6.6",
  );
  for (const [{ addDrone, connect }, address, headers] of [
    [
      trusting,
      "203.0.113.9",
      ["X-Real-IP", "203.0.113.9", "X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "https"],
    ],
    [plain, "127.0.0.1", []],
  ] as const) {
    const drone = await addDrone(answer("a"));
    await (await connect()).send(claims).until(/a$/);
    const request = drone.exchanges[0]?.request;
    assert.equal(request?.remoteAddress, address);
    assert.deepEqual(request?.headers.slice(2, -2), headers);
  }
});

const MIB = 1024 * 1024;

test("tens of megabytes go up and down at once while little of them is ever held", async (t) => {
  const { addDrone, port, sockets } = await rig(t);
  const drone = await addDrone(echo);
  const total = 48 * MIB;
  let heldBytesMax = 0;
  const watch = setInterval(() => {
    for (const socket of [...sockets, drone.pair.client, drone.pair.server]) {
      heldBytesMax = Math.max(heldBytesMax, socket.writableLength + socket.readableLength);
    }
  }, 1);
  const request = http.request({ port, method: "POST", headers: { "content-length": total } });
  let received = 0;
  let sum = 0;
  const done = new Promise<void>((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      response.on("data", (chunk: Buffer) => {
        received += chunk.length;
        sum += chunk[0] as number;
      });
      response.on("end", resolve);
      response.on("error", reject);
    });
  });
  for (let sent = 0; sent < total; sent += MIB) {
    if (!request.write(Buffer.alloc(MIB, 1))) await once(request, "drain");
  }
  request.end();
  await done;
  clearInterval(watch);
  assert.equal(received, total);
  assert.ok(sum > 0);
  // A window, what the socket takes before it says that it is full, and a batch of frames.
  assert.ok(heldBytesMax <= 2 * MIB, `held ${heldBytesMax} bytes`);
});

test("a client that reads slowly holds up its drone's answer, not the B cell's memory", async (t) => {
  const { addDrone, connect, sockets, ingress } = await rig(t);
  let written = 0;
  let isFull = false;
  await addDrone((exchange) => {
    const listener = new ListenerRecorder();
    exchange.listen(listener);
    exchange.respond({ status: 200, reason: "", headers: [] });
    const chunk = Buffer.alloc(64 * 1024);
    const more = () => {
      isFull = false;
      while (written < 256 * MIB && !isFull) {
        written += chunk.length;
        isFull = !exchange.write(chunk);
      }
    };
    listener.onWritable = more;
    more();
  });
  const client = await connect();
  client.socket.pause();
  client.send(get());
  await until(() => isFull && ingress.counters.bytesOut > 0);
  let before = -1;
  while (before !== written) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // The kernel's buffers on loopback take a few MiB; ours are counted.
  assert.ok(written < 32 * MIB, `the app wrote ${written}`);
  assert.ok((sockets[0]?.writableLength ?? 0) <= MIB, `the B cell holds ${sockets[0]?.writableLength}`);
});

test("an app that reads slowly holds up its client's upload", async (t) => {
  const { addDrone, connect, ingress, sockets } = await rig(t);
  const listener = new ListenerRecorder();
  await addDrone((exchange) => exchange.listen(listener));
  const client = await connect();
  client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${64 * MIB}\r\n\r\n`);
  client.socket.write(Buffer.alloc(64 * MIB));
  await until(() => listener.bodyBytes === 256 * 1024);
  await settle();
  assert.equal(listener.bodyBytes, 256 * 1024);
  assert.ok(ingress.counters.bytesIn < MIB, `read ${ingress.counters.bytesIn}`);
  assert.equal(sockets[0]?.isPaused(), true);
});

test("a full window does not stop others on the same drone", async (t) => {
  const { addDrone, connect } = await rig(t);
  const listener = new ListenerRecorder();
  await addDrone((exchange) => {
    if (exchange.request.method === "PUT") exchange.listen(listener);
    else answer("quick")(exchange);
  });
  const [slow, quick] = [await connect(), await connect()];
  slow.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${8 * MIB}\r\n\r\n`);
  slow.socket.write(Buffer.alloc(8 * MIB));
  await until(() => listener.bodyBytes === 256 * 1024);
  await quick.send(get()).until(/quick$/);
});
