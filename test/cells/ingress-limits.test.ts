// What clients may hold of time, places and memory. The rest of the ingress is in ingress.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionCount } from "../../src/cells/b-cell/connection-count.ts";
import { ListenerRecorder, until } from "../support/axon-pair.ts";
import { answer, echo, rig, silent } from "../support/ingress-rig.ts";

const get = (target = "/"): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const head = (method: string, bytes: number): string =>
  `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`;

/** Sends a byte of a body now and then, for as long as the connection is open. */
function dribble(client: { socket: { write(text: string): boolean; destroyed: boolean }; state: string }): void {
  const timer = setInterval(() => {
    if (client.state !== "open" || client.socket.destroyed) clearInterval(timer);
    else client.socket.write("x");
  }, 10);
}

test("a request has a total time, however steadily it goes on arriving", async (t) => {
  const { addDrone, connect } = await rig(t, { timeouts: { requestMs: 150, bodyIdleMs: 10_000 } });
  const listener = new ListenerRecorder();
  await addDrone((exchange) => exchange.listen(listener));
  const client = await connect();
  client.send(head("PUT", 1_000_000));
  dribble(client);
  await client.until(/^HTTP\/1\.1 408 .*CELLWS_HTTP_REQUEST_TIMEOUT/s);
  await until(() => listener.cancelReason !== null);
});

test("the total time is that of one request, and not of its connection", async (t) => {
  const { addDrone, connect } = await rig(t, { timeouts: { requestMs: 120 } });
  await addDrone(answer("done"));
  const client = await connect();
  for (let i = 1; i <= 4; i += 1) {
    client.send(get());
    await until(() => client.text.match(/done/g)?.length === i);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  assert.equal(client.state, "open");
});

test("an answer has a total time where the DNA gives it one", async (t) => {
  const { addDrone, connect } = await rig(t, { timeouts: { answerTotalMs: 100 } });
  const listener = new ListenerRecorder();
  await addDrone((exchange) => {
    exchange.listen(listener);
    exchange.respond({ status: 200, reason: "", headers: [] });
    const timer = setInterval(() => {
      if (listener.cancelReason === null) exchange.write(Buffer.from("data: x\n\n"));
      else clearInterval(timer);
    }, 10);
  });
  const client = await connect();
  const text = await client.send(get()).toEnd();
  assert.match(text, /^HTTP\/1\.1 200 .*data: x/s);
  assert.doesNotMatch(text, /\r\n0\r\n/, "it is not taken for whole");
  await until(() => listener.cancelReason !== null);
});

test("from one address there are only so many connections, and a place is free again when one goes", async (t) => {
  const { addDrone, connect, ingress, notes } = await rig(t, { caps: { connectionsPerAddressMax: 2 } });
  await addDrone(answer("in"));
  const [first, second, third] = [await connect(), await connect(), await connect()];
  await third.toEnd().catch(() => "");
  assert.equal(third.text, "");
  assert.deepEqual(notes, [{ kind: "rejected", limit: "address", remoteAddress: "127.0.0.1" }]);
  await first.send(get()).until(/in$/);
  second.socket.destroy();
  await until(() => ingress.connectionCount === 1);
  const fourth = await connect();
  await fourth.send(get()).until(/in$/);
});

test("a trusted proxy may hold as many connections as there may be in all", async (t) => {
  const { addDrone, connect } = await rig(t, {
    caps: { connectionsPerAddressMax: 1, connectionsMax: 3 },
    trustedProxies: ["127.0.0.1"],
  });
  await addDrone(answer("in"));
  const clients = [await connect(), await connect(), await connect()];
  for (const client of clients) await client.send(get()).until(/in$/);
  const fourth = await connect();
  await until(() => fourth.state !== "open");
  assert.equal(fourth.text, "");
});

test("IPv6 clients count by their /64, and IPv4 clients alike however their address is written", () => {
  const count = new ConnectionCount(2, () => false);
  assert.equal(count.enter("2001:db8:1:2::1"), true);
  assert.equal(count.enter("2001:db8:1:2:ffff::1"), true);
  assert.equal(count.enter("2001:db8:1:2:3:4:5:6"), false);
  assert.equal(count.enter("2001:db8:1:3::1"), true);
  assert.equal(count.enter("192.0.2.1"), true);
  assert.equal(count.enter("::ffff:192.0.2.1"), true);
  assert.equal(count.enter("192.0.2.1"), false);
  for (const address of ["2001:db8:1:2::1", "2001:db8:1:2:ffff::1", "2001:db8:1:3::1"]) count.leave(address);
  count.leave("::ffff:192.0.2.1");
  assert.equal(count.enter("192.0.2.1"), true);
  count.leave("192.0.2.1");
  count.leave("192.0.2.1");
  assert.equal(count.addressCount, 0);
});

test("a client that reads in drops is cut as one that reads nothing", async (t) => {
  const { addDrone, connect, ingress } = await rig(t, {
    timeouts: { slowReaderMs: 300 },
    // As fast as no loopback socket is read here.
    rates: { answerBytesMin: 1024 * 1024 * 1024 },
  });
  const listener = new ListenerRecorder();
  await addDrone((exchange) => {
    exchange.listen(listener);
    exchange.respond({ status: 200, reason: "", headers: [] });
    exchange.write(Buffer.alloc(64 * 1024 * 1024));
    exchange.finish([]);
  });
  const client = await connect();
  client.send(get());
  client.socket.pause();
  const timer = setInterval(() => client.socket.read(16 * 1024), 20);
  t.after(() => clearInterval(timer));
  await until(() => listener.cancelReason !== null);
  assert.equal(ingress.connectionCount, 0);
});

test("where too much is held for clients that do not read, those that have not for longest are cut", async (t) => {
  const { addDrone, connect, ingress, notes } = await rig(t, { caps: { heldBytesMax: 700 * 1024 } });
  const bytes = 16 * 1024 * 1024;
  await addDrone((exchange) => {
    exchange.listen(new ListenerRecorder());
    exchange.respond({ status: 200, reason: "", headers: ["Content-Length", String(bytes)] });
    exchange.write(Buffer.alloc(bytes));
    exchange.finish([]);
  });
  const readers = [];
  for (let i = 0; i < 5; i += 1) {
    const client = await connect();
    client.socket.pause();
    client.send(get());
    await until(() => ingress.held.bytes > 0);
    readers.push(client);
  }
  await until(() => ingress.counters.relieved >= 2);
  await until(() => !ingress.held.isExceeded);
  assert.ok(ingress.connectionCount >= 2, `${ingress.connectionCount} are left`);
  assert.ok(notes.some((note) => note.kind === "relieved"));
  for (const client of readers) client.socket.destroy();
  await until(() => ingress.connectionCount === 0);
  assert.equal(ingress.held.bytes, 0);
});

test("nothing is held any more once all has been answered", async (t) => {
  const { addDrone, connect, ingress } = await rig(t);
  await addDrone(echo);
  const client = await connect();
  const body = "x".repeat(300_000);
  client.send(head("POST", body.length) + body);
  await client.until(/0\r\n\r\n$/);
  client.send(head("POST", 5) + "hello");
  await client.until(/hello\r\n0\r\n\r\n$/);
  client.socket.destroy();
  await until(() => ingress.connectionCount === 0);
  assert.equal(ingress.held.bytes, 0);
});

test("bodies that wait for a drone are counted, and let go when their client leaves", async (t) => {
  const { connect, ingress, pool } = await rig(t);
  const client = await connect();
  client.send(head("POST", 1000) + "x".repeat(1000));
  await until(() => pool.waitingCount === 1 && ingress.held.bytes === 1000);
  client.socket.resetAndDestroy();
  await until(() => ingress.connectionCount === 0);
  assert.equal(ingress.held.bytes, 0);
});

test("under overload the line is shed with 503 and Retry-After, and who is served is served", async (t) => {
  const { addDrone, connect, pool } = await rig(
    t,
    {},
    { limits: { droneUnansweredMax: 1, waitingMsTarget: 30, waitingMsMax: 60_000 } },
  );
  const drone = await addDrone(silent);
  const clients = [await connect(), await connect(), await connect()];
  for (const client of clients) client.send(get());
  await until(() => pool.waitingCount === 2);
  await Promise.all(
    clients.slice(1).map((client) => client.until(/^HTTP\/1\.1 503 .*\r\nRetry-After: \d.*CELLWS_HTTP_OVERLOADED/s)),
  );
  drone.exchanges[0]?.respond({ status: 204, reason: "", headers: [] });
  drone.exchanges[0]?.finish([]);
  await clients[0]?.until(/^HTTP\/1\.1 204/);
});
