import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Exchange } from "../../src/app/exchange.ts";
import { AddressAffinity, type Wish } from "../../src/cells/b-cell/affinity.ts";
import { DronePool, type Member, type PoolOptions, type Waiter } from "../../src/cells/b-cell/drone-pool.ts";
import { type AxonClient, AxonServer } from "../../src/host/axon-link.ts";
import type { DroneStatus } from "../../src/wire/axon.ts";
import { exchangeRequest, ListenerRecorder, socketPair, StreamRecorder, until } from "../support/axon-pair.ts";
import { readyStatus } from "../support/ingress-rig.ts";

async function pool(
  t: TestContext,
  drones: Array<Partial<DroneStatus>>,
  options: PoolOptions = {},
): Promise<DronePool> {
  const pool = new DronePool(options);
  t.after(() => pool.close());
  for (const [i, status] of drones.entries()) {
    const pair = await socketPair();
    t.after(() => pair.close());
    const client = pool.add(`d${i}`, pair.client);
    const server = new AxonServer(pair.server, { exchange: (exchange) => exchange.listen(new ListenerRecorder()) });
    server.sendStatus({ ...readyStatus, ...status });
    await until(() => client.status !== null);
  }
  return pool;
}

class TestWaiter implements Waiter {
  wish: Wish | null = null;
  member: Member | null = null;
  refusal: string | null = null;

  /** The drone that it has by now. */
  now(): string | null {
    return this.member?.droneId ?? null;
  }
  given(member: Member): void {
    this.member = member;
  }
  refused(code: string, retryAfterSeconds: number): void {
    this.refusal = `${code} ${retryAfterSeconds}`;
  }
}

const exchanges: Exchange[] = [];

/** One more drone, called "speaker", whose end the test holds. */
async function pairOf(t: TestContext, pool: DronePool): Promise<{ server: AxonServer; client: AxonClient }> {
  const pair = await socketPair();
  t.after(() => pair.close());
  exchanges.length = 0;
  const client = pool.add("speaker", pair.client);
  const server = new AxonServer(pair.server, {
    exchange: (exchange) => {
      exchanges.push(exchange);
      exchange.listen(new ListenerRecorder());
    },
  });
  return { server, client };
}

function acquire(pool: DronePool, wish: Wish | null = null): TestWaiter {
  const waiter = new TestWaiter();
  waiter.wish = wish;
  pool.acquire(waiter);
  return waiter;
}

test("of two drones at random the one with less in flight is chosen, whoever gave it that", async (t) => {
  let random = 0;
  const three = await pool(t, [{ inFlight: 5 }, { inFlight: 3 }, { inFlight: 9 }], { random: () => random });
  // The first of three, and the one after it.
  assert.equal(acquire(three).member?.droneId, "d1");
  random = 0.99;
  // The last, and, two further on, the second.
  assert.equal(acquire(three).member?.droneId, "d1");
  for (let i = 0; i < 4; i += 1) acquire(three).member?.client.request(exchangeRequest(), new StreamRecorder());
  random = 0;
  assert.equal(acquire(three).member?.droneId, "d0");
});

test("when the chosen drone is full any other that is not is taken, and when all are full one waits", async (t) => {
  const two = await pool(t, [{}, { inFlight: 1 }], { limits: { droneUnansweredMax: 1 } });
  const first = acquire(two);
  first.member?.client.request(exchangeRequest(), new StreamRecorder());
  const second = acquire(two);
  second.member?.client.request(exchangeRequest(), new StreamRecorder());
  assert.deepEqual([first.member?.droneId, second.member?.droneId], ["d0", "d1"]);
  const third = acquire(two);
  assert.equal(third.member, null);
  assert.equal(two.waitingCount, 1);
  two.abandon(third);
  assert.equal(two.waitingCount, 0);
});

test("drones that are loading, failed or draining are not chosen", async (t) => {
  const none = await pool(t, [{ app: { state: "loading" } }, { draining: true }, { app: { state: "failed" } }]);
  assert.equal(none.readyCount, 0);
  assert.equal(acquire(none).refusal, null);
  assert.equal(none.waitingCount, 1);
});

test("what the organism knows of a failing app is enough to refuse where there is no drone to ask", async (t) => {
  const empty = await pool(t, []);
  const before = acquire(empty);
  assert.equal(before.refusal, null);
  empty.setAppHealth({ state: "failed", retryInMs: 2500 });
  assert.equal(before.refusal, "CELLWS_HTTP_APP_FAILED 3");
  assert.equal(acquire(empty).refusal, "CELLWS_HTTP_APP_FAILED 3");
  empty.setAppHealth({ state: "failed" });
  assert.equal(acquire(empty).refusal, "CELLWS_HTTP_APP_FAILED 120");
  empty.setAppHealth({ state: "loading" });
  assert.equal(acquire(empty).refusal, null);
});

test("an app that came up and whose drones died is waited for, if the next attempt is near", async (t) => {
  const empty = await pool(t, []);
  const error = { code: "CELLWS_E_APP_CRASHING", message: "3 drones died" };
  empty.setAppHealth({ state: "failed", error, retryInMs: 500 });
  const waiting = acquire(empty);
  assert.equal(waiting.refusal, null);
  empty.setAppHealth({ state: "failed", error, retryInMs: 20_000 });
  assert.equal(waiting.refusal, "CELLWS_HTTP_APP_FAILED 20");
});

test("a closed pool refuses those who wait and those who come", async (t) => {
  const one = await pool(t, []);
  const waiter = acquire(one);
  one.close();
  assert.equal(waiter.refusal, "CELLWS_HTTP_DRAINING 1");
  assert.equal(acquire(one).refusal, "CELLWS_HTTP_DRAINING 1");
});

test("retries are a share of requests, after a burst", async (t) => {
  const budget = await pool(t, [], { limits: { retryBurstMax: 2, retryShareMax: 0.5 } });
  assert.deepEqual([budget.takeRetry(), budget.takeRetry(), budget.takeRetry()], [true, true, false]);
  budget.noteRequest();
  assert.equal(budget.takeRetry(), false);
  budget.noteRequest();
  assert.equal(budget.takeRetry(), true);
});

test("a newer axon to the same drone takes the older one's place", async (t) => {
  const one = await pool(t, [{}]);
  const old = acquire(one).member;
  const pair = await socketPair();
  t.after(() => pair.close());
  const server = new AxonServer(pair.server, { exchange: (exchange) => exchange.listen(new ListenerRecorder()) });
  const client = one.add("d0", pair.client);
  server.sendStatus(readyStatus);
  await until(() => client.status !== null && old?.client.isOpen === false);
  assert.equal(acquire(one).member?.client, client);
});

test("an answer that goes on takes no place, one that has not begun does", async (t) => {
  const one = await pool(t, [{}], { limits: { droneUnansweredMax: 1 } });
  const { server, client } = await pairOf(t, one);
  server.sendStatus(readyStatus);
  await until(() => one.readyCount === 2);
  one.retire("d0");
  const stream = new StreamRecorder();
  acquire(one).member?.client.request(exchangeRequest(), stream);
  const waiting = acquire(one);
  assert.equal(waiting.member, null);
  await until(() => server.inFlight === 1);
  exchanges[0]?.respond({ status: 200, reason: "", headers: [] });
  await stream.seen("respond");
  assert.equal(waiting.now(), "speaker");
  assert.deepEqual([client.inFlight, client.unanswered], [1, 0]);
});

test("of two drones that are equally loaded the faster one is chosen", async (t) => {
  const two = await pool(t, [{}, {}], { random: () => 0 });
  const first = acquire(two).member;
  assert.equal(first?.droneId, "d0");
  first?.health.noteLatency(500, performance.now());
  assert.equal(acquire(two).member?.droneId, "d1");
});

test("who wishes for a drone waits for it while it is full, and takes another once it is gone", async (t) => {
  const two = await pool(t, [{}, {}], { limits: { droneUnansweredMax: 1 }, affinity: new AddressAffinity() });
  const wish: Wish = { kind: "drone", droneId: "d1" };
  acquire(two, wish).member?.client.request(exchangeRequest(), new StreamRecorder());
  const waiting = acquire(two, wish);
  assert.equal(waiting.member, null);
  assert.equal(acquire(two).member?.droneId, "d0", "others are not held up by it");
  two.retire("d1");
  assert.equal(waiting.now(), "d0");
});

test("a drone that fails where another does not gets nothing for a while, and the organism hears of it", async (t) => {
  const troubles: string[] = [];
  const two = await pool(t, [{}, {}], {
    random: () => 0,
    onTrouble: (id, trouble) => troubles.push(`${id} ${trouble}`),
  });
  const members = [
    acquire(two, { kind: "drone", droneId: "d0" }).member,
    acquire(two, { kind: "drone", droneId: "d1" }).member,
  ];
  for (let i = 0; i < 20; i += 1) {
    members[0]?.health.noteOutcome(true);
    members[1]?.health.noteOutcome(false);
  }
  await until(() => troubles.length > 0);
  assert.deepEqual(troubles, ["d0 failing"]);
  for (let i = 0; i < 10; i += 1) assert.equal(acquire(two).member?.droneId, "d1");
  two.retire("d1");
  assert.equal(acquire(two).member?.droneId, "d0", "rather a bad one than none");
});

test("a drone that is silent gets nothing while another speaks", async (t) => {
  const troubles: string[] = [];
  const two = await pool(t, [{}], { random: () => 0, onTrouble: (id, trouble) => troubles.push(`${id} ${trouble}`) });
  const { server } = await pairOf(t, two);
  const speaking = setInterval(() => server.sendStatus(readyStatus), 50);
  t.after(() => clearInterval(speaking));
  await until(() => troubles.length > 0);
  assert.deepEqual(troubles, ["d0 silent"]);
  for (let i = 0; i < 10; i += 1) assert.equal(acquire(two).member?.droneId, "speaker");
  two.retire("speaker");
  assert.equal(acquire(two).member?.droneId, "d0", "it may only be busy");
});
