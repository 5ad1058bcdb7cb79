import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Wish } from "../../src/cells/b-cell/affinity.ts";
import { DronePool, type Member, type PoolOptions, type Waiter } from "../../src/cells/b-cell/drone-pool.ts";
import { AxonServer } from "../../src/host/axon-link.ts";
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

  given(member: Member): void {
    this.member = member;
  }
  refused(code: string, retryAfterSeconds: number): void {
    this.refusal = `${code} ${retryAfterSeconds}`;
  }
}

function acquire(pool: DronePool): TestWaiter {
  const waiter = new TestWaiter();
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
