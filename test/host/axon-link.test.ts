import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Exchange } from "../../src/app/exchange.ts";
import { AxonClient, AxonServer, type AxonOptions } from "../../src/host/axon-link.ts";
import type { DroneStatus } from "../../src/wire/axon.ts";
import {
  exchangeRequest,
  ListenerRecorder,
  settle,
  socketPair,
  StreamRecorder,
  until,
  type SocketPair,
} from "../support/axon-pair.ts";

interface Axon {
  client: AxonClient;
  server: AxonServer;
  pair: SocketPair;
  statuses: DroneStatus[];
  clientClosed: string[];
  exchanges: Exchange[];
}

async function axon(
  t: TestContext,
  onExchange: (exchange: Exchange) => void,
  options: AxonOptions = {},
): Promise<Axon> {
  const pair = await socketPair();
  t.after(() => pair.close());
  const statuses: DroneStatus[] = [];
  const clientClosed: string[] = [];
  const exchanges: Exchange[] = [];
  const exchange = (exchange: Exchange) => {
    exchanges.push(exchange);
    onExchange(exchange);
  };
  const server = new AxonServer(pair.server, { exchange }, options);
  const events = {
    status: (s: DroneStatus) => statuses.push(s),
    closed: (reason: string) => clientClosed.push(reason),
  };
  const client = new AxonClient(pair.client, events, options);
  return { client, server, pair, statuses, clientClosed, exchanges };
}

/** Answers with the request's body, consuming what the client has taken. */
function echo(exchange: Exchange): void {
  const listener = new ListenerRecorder();
  let unconsumed = 0;
  exchange.listen(listener);
  exchange.respond({ status: 200, reason: "OK", headers: ["x-method", exchange.request.method] });
  if (!exchange.request.hasBody) exchange.finish([]);
  listener.onBody = (chunk) => {
    if (exchange.write(chunk)) exchange.consumed(chunk.length);
    else unconsumed += chunk.length;
  };
  listener.onWritable = () => {
    exchange.consumed(unconsumed);
    unconsumed = 0;
  };
  listener.onEnd = () => exchange.finish(["x-trailer", listener.trailers?.[1] ?? ""]);
}

test("a request, its body and trailers reach the app, and the answer comes back", async (t) => {
  const { client, exchanges } = await axon(t, echo);
  const recorder = new StreamRecorder();
  const request = exchangeRequest({ method: "POST", hasBody: true, target: "/a?b=\xe9", headers: ["X-Odd", "\xff"] });
  const stream = client.request(request, recorder);
  assert.equal(stream.write(Buffer.from("hello")), true);
  stream.end(["x-trailer", "yes"]);
  await recorder.seen("end");
  assert.deepEqual(exchanges[0]?.request, request);
  assert.deepEqual(recorder.events, ["begun", "respond 200", "end"]);
  assert.deepEqual(recorder.head, { status: 200, reason: "OK", headers: ["x-method", "POST"] });
  assert.equal(recorder.received.toString(), "hello");
  assert.deepEqual(recorder.trailers, ["x-trailer", "yes"]);
  assert.equal(client.inFlight, 0);
});

test("many requests at a time each get their own answer", async (t) => {
  const { client } = await axon(t, echo);
  const recorders = Array.from({ length: 300 }, (_, i) => {
    const recorder = new StreamRecorder();
    const stream = client.request(exchangeRequest({ method: "PUT", hasBody: true }), recorder);
    stream.write(Buffer.from(`body ${i}`));
    stream.end([]);
    return recorder;
  });
  await Promise.all(recorders.map((recorder) => recorder.seen("end")));
  for (const [i, recorder] of recorders.entries()) assert.equal(recorder.received.toString(), `body ${i}`);
});

test("a drone cannot send more than the window before the B cell has consumed", async (t) => {
  const { client } = await axon(
    t,
    (exchange) => {
      exchange.listen(new ListenerRecorder());
      exchange.respond({ status: 200, reason: "", headers: [] });
      assert.equal(exchange.write(Buffer.alloc(10_000, "a")), false);
      exchange.finish([]);
    },
    { windowBytes: 1000 },
  );
  const recorder = new StreamRecorder();
  const stream = client.request(exchangeRequest(), recorder);
  await recorder.seen("respond");
  await settle();
  assert.equal(recorder.bodyBytes, 1000);
  stream.consumed(500);
  await until(() => recorder.bodyBytes === 1500);
  recorder.onBody = (chunk) => stream.consumed(chunk.length);
  stream.consumed(1000);
  await recorder.seen("end");
  assert.equal(recorder.bodyBytes, 10_000);
});

test("an app that reads slowly holds up its own upload, and hears of room again", async (t) => {
  const listener = new ListenerRecorder();
  const { client, exchanges } = await axon(t, (exchange) => exchange.listen(listener), { windowBytes: 1000 });
  const recorder = new StreamRecorder();
  const stream = client.request(exchangeRequest({ method: "PUT", hasBody: true }), recorder);
  assert.equal(stream.write(Buffer.alloc(999)), true);
  assert.equal(stream.write(Buffer.alloc(500)), false);
  await until(() => listener.bodyBytes === 1000);
  exchanges[0]?.consumed(1000);
  await recorder.seen("writable");
  await until(() => listener.bodyBytes === 1499);
});

test("a full link makes streams wait and take turns, and all arrives in order", async (t) => {
  const { client } = await axon(t, echo, { backlogBytesMax: 100_000 });
  const bodies = [1, 2, 3].map((n) => Buffer.alloc(700_000, n));
  const recorders = bodies.map((body) => {
    const recorder = new StreamRecorder();
    const stream = client.request(exchangeRequest({ method: "PUT", hasBody: true }), recorder);
    recorder.onBody = (chunk) => {
      recorder.chunks.push(chunk);
      stream.consumed(chunk.length);
    };
    stream.write(body);
    stream.end([]);
    return recorder;
  });
  await Promise.all(recorders.map((recorder) => recorder.seen("end")));
  for (const [i, recorder] of recorders.entries()) assert.ok(recorder.received.equals(bodies[i] as Buffer));
});

test("cancelling tells the app's side once, and what it writes afterwards reaches nobody", async (t) => {
  const listener = new ListenerRecorder();
  const { client, exchanges, server } = await axon(t, (exchange) => exchange.listen(listener));
  const recorder = new StreamRecorder();
  const stream = client.request(exchangeRequest(), recorder);
  await until(() => exchanges.length === 1);
  stream.cancel("client gone");
  stream.cancel("again");
  await until(() => listener.cancelReason !== null);
  assert.equal(listener.cancelReason, "client gone");
  exchanges[0]?.respond({ status: 200, reason: "", headers: [] });
  assert.equal(exchanges[0]?.write(Buffer.from("x")), true);
  exchanges[0]?.finish([]);
  await settle();
  assert.deepEqual(recorder.events, []);
  assert.equal(server.inFlight, 0);
  assert.equal(client.inFlight, 0);
});

test("an answer may be complete before the request is; the rest of the upload still reaches the app", async (t) => {
  const listener = new ListenerRecorder();
  const { client, server } = await axon(t, (exchange) => {
    exchange.listen(listener);
    exchange.respond({ status: 200, reason: "", headers: [] });
    exchange.finish([]);
  });
  const recorder = new StreamRecorder();
  const stream = client.request(exchangeRequest({ method: "PUT", hasBody: true }), recorder);
  await recorder.seen("end");
  assert.equal(client.inFlight, 1);
  stream.write(Buffer.from("late"));
  stream.end([]);
  await until(() => listener.trailers !== null);
  assert.equal(listener.chunks.join(""), "late");
  assert.equal(client.inFlight, 0);
  assert.equal(server.inFlight, 0);
});

test("a tunnel carries raw bytes both ways and each half ends by itself", async (t) => {
  const listener = new ListenerRecorder();
  const { client, server } = await axon(t, (exchange) => {
    exchange.listen(listener);
    exchange.tunnel();
    exchange.write(Buffer.from("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    listener.onBody = (chunk) => {
      exchange.consumed(chunk.length);
      exchange.write(Buffer.from(`<${chunk.toString()}>`));
    };
    listener.onEnd = () => exchange.finish([]);
  });
  const recorder = new StreamRecorder();
  const stream = client.request(exchangeRequest({ upgrade: true }), recorder);
  await recorder.seen("tunnel");
  stream.write(Buffer.from("ping"));
  await until(() => recorder.received.toString().endsWith("<ping>"));
  stream.end([]);
  await recorder.seen("end");
  assert.equal(client.inFlight, 0);
  assert.equal(server.inFlight, 0);
});

test("when the link dies each stream is told how far it had come", async (t) => {
  const { client, pair, exchanges, clientClosed } = await axon(t, (exchange) => {
    exchange.listen(new ListenerRecorder());
    if (exchange.request.target === "/answered") exchange.respond({ status: 200, reason: "", headers: [] });
  });
  const recorders = [
    exchangeRequest({ target: "/answered" }),
    exchangeRequest(),
    exchangeRequest({ method: "POST" }),
  ].map((request) => {
    const recorder = new StreamRecorder();
    client.request(request, recorder);
    return recorder;
  });
  await until(() => exchanges.length === 3);
  await recorders[0]?.seen("respond");
  pair.server.destroy();
  await until(() => clientClosed.length === 1);
  assert.deepEqual(
    recorders.map((recorder) => recorder.events.at(-1)),
    // The second is a GET: harmless to repeat, so its begin is not announced.
    ["lost begun responded", "lost", "lost begun"],
  );
  assert.equal(client.isOpen, false);
  assert.equal(client.inFlight, 0);
});

test("a POST whose app dies at its very first instruction is known to have begun", async (t) => {
  const { client, pair } = await axon(t, (exchange) => {
    exchange.listen(new ListenerRecorder());
    pair.server.destroy();
  });
  const recorder = new StreamRecorder();
  client.request(exchangeRequest({ method: "POST" }), recorder);
  await recorder.seen("lost");
  assert.deepEqual(recorder.events, ["begun", "lost begun"]);
});

test("what a drone said before it died is read even when our own write to it fails first", async (t) => {
  const late = new StreamRecorder();
  const { client, pair } = await axon(t, (exchange) => {
    exchange.listen(new ListenerRecorder());
    if (pair.server.destroyed) return;
    pair.server.destroy();
    // Written in this turn's check phase, to a peer that is gone, before our socket is next polled for reading.
    client.request(exchangeRequest({ method: "POST" }), late);
  });
  const recorder = new StreamRecorder();
  const other = new StreamRecorder();
  client.request(exchangeRequest({ method: "POST" }), recorder);
  client.request(exchangeRequest({ method: "GET" }), other);
  await late.seen("lost");
  assert.deepEqual(recorder.events, ["begun", "lost begun"]);
  assert.deepEqual(other.events, ["lost"]);
  assert.deepEqual(late.events, ["lost"]);
});

test("a request that was never handed over has not begun, however the link ended", async (t) => {
  const { client, pair } = await axon(t, (exchange) => exchange.listen(new ListenerRecorder()));
  const sent = new StreamRecorder();
  const kept = new StreamRecorder();
  client.request(exchangeRequest({ method: "POST" }), sent);
  await sent.seen("begun");
  client.request(exchangeRequest({ method: "POST" }), kept);
  pair.client.destroy();
  await kept.seen("lost");
  assert.deepEqual(sent.events, ["begun", "lost begun"]);
  assert.deepEqual(kept.events, ["lost"]);
});

test("a link that is closed from here leaves open what its drone may have begun, and assumes the worst", async (t) => {
  const { client } = await axon(t, (exchange) => exchange.listen(new ListenerRecorder()));
  const recorder = new StreamRecorder();
  client.request(exchangeRequest(), recorder);
  client.close("not needed any more");
  await recorder.seen("lost");
  assert.deepEqual(recorder.events, ["lost begun"]);
});

test("a drone that refuses new requests does so before its app sees them", async (t) => {
  const { client, server, exchanges } = await axon(t, echo);
  server.refuseNew();
  const recorder = new StreamRecorder();
  client.request(exchangeRequest({ method: "POST" }), recorder);
  await recorder.seen("reset");
  assert.deepEqual(recorder.events, ["reset CELLWS_AXON_REFUSED"]);
  assert.equal(exchanges.length, 0);
});

test("a reset by the app's side closes the stream at both ends", async (t) => {
  const { client, server } = await axon(t, (exchange) => {
    exchange.listen(new ListenerRecorder());
    exchange.respond({ status: 200, reason: "", headers: [] });
    exchange.reset("APP_BROKE");
  });
  const recorder = new StreamRecorder();
  client.request(exchangeRequest(), recorder);
  await recorder.seen("reset");
  assert.deepEqual(recorder.events, ["respond 200", "reset APP_BROKE"]);
  assert.equal(client.inFlight + server.inFlight, 0);
});

test("a response head too large for a frame becomes a reset, not a broken link", async (t) => {
  const { client } = await axon(t, (exchange) => {
    exchange.listen(new ListenerRecorder());
    exchange.respond({ status: 200, reason: "", headers: ["x", "y".repeat(300_000)] });
    exchange.finish([]);
  });
  const recorder = new StreamRecorder();
  client.request(exchangeRequest(), recorder);
  await recorder.seen("reset");
  assert.deepEqual(recorder.events, ["reset CELLWS_AXON_HEAD_TOO_LARGE"]);
  assert.equal(client.isOpen, true);
});

test("a drone that sends nonsense loses its link, and what it had been given counts as begun", async (t) => {
  const { client, pair, exchanges, clientClosed } = await axon(t, (exchange) =>
    exchange.listen(new ListenerRecorder()),
  );
  const recorder = new StreamRecorder();
  client.request(exchangeRequest(), recorder);
  await until(() => exchanges.length === 1);
  pair.server.write(Buffer.alloc(20));
  await recorder.seen("lost");
  assert.deepEqual(recorder.events, ["lost begun"]);
  await until(() => clientClosed.length === 1);
  assert.deepEqual(clientClosed, ["malformed frame: unknown-kind"]);
});

test("a drone that exceeds the window loses its link", async (t) => {
  const pair = await socketPair();
  t.after(() => pair.close());
  const closed: string[] = [];
  const client = new AxonClient(pair.client, { closed: (reason) => closed.push(reason) }, { windowBytes: 100 });
  // This end believes in a larger window than the other has granted.
  const server = new AxonServer(
    pair.server,
    {
      exchange(exchange) {
        exchange.listen(new ListenerRecorder());
        exchange.respond({ status: 200, reason: "", headers: [] });
        exchange.write(Buffer.alloc(101));
      },
    },
    { windowBytes: 1000 },
  );
  const recorder = new StreamRecorder();
  client.request(exchangeRequest(), recorder);
  await recorder.seen("lost");
  await until(() => closed.length === 1 && !server.isOpen);
  assert.deepEqual(closed, ["a drone's body frame out of order"]);
});

test("when the B cell goes every exchange of its link is cancelled", async (t) => {
  const listener = new ListenerRecorder();
  const { client, server, pair, exchanges } = await axon(t, (exchange) => exchange.listen(listener));
  client.request(exchangeRequest(), new StreamRecorder());
  await until(() => exchanges.length === 1);
  pair.client.destroy();
  await until(() => listener.cancelReason !== null);
  assert.equal(listener.cancelReason, "CELLWS_AXON_LINK_LOST");
  assert.equal(server.inFlight, 0);
});

test("a drone's status reaches the B cell, and a stack trace too long for a frame is cut", async (t) => {
  const { server, statuses, client } = await axon(t, echo);
  const status: DroneStatus = { load: 0.5, inFlight: 2, draining: false, app: { state: "ready" } };
  server.sendStatus(status);
  const error = { code: "E", message: "m", stack: "s".repeat(300_000) };
  server.sendStatus({ ...status, app: { state: "failed", error } });
  await until(() => statuses.length === 2);
  assert.deepEqual(statuses[0], status);
  assert.deepEqual(statuses[1]?.app, { state: "failed", error: { code: "E", message: "m" } });
  assert.deepEqual(client.status, statuses[1]);
});

test("bytes that were read together with the preamble come first", async (t) => {
  const source = await axon(t, echo);
  const pair = await socketPair();
  t.after(() => pair.close());
  // Take the bytes of a request off one link and present them as another's leftover.
  source.pair.server.removeAllListeners("data");
  const bytes = new Promise<Buffer>((resolve) => source.pair.server.once("data", resolve));
  source.client.request(exchangeRequest({ target: "/first" }), new StreamRecorder());
  const targets: string[] = [];
  const leftover = await bytes;
  const exchange = (exchange: Exchange) => {
    targets.push(exchange.request.target);
    exchange.listen(new ListenerRecorder());
  };
  const server = new AxonServer(pair.server, { exchange }, { leftover });
  await until(() => targets.length === 1);
  assert.deepEqual(targets, ["/first"]);
  assert.equal(server.inFlight, 1);
});
