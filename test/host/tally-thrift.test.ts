import assert from "node:assert/strict";
import { test } from "node:test";
import { tallyFreshMs } from "../../src/core/limits.ts";
import type { ClassTally } from "../../src/core/tally.ts";
import { emptyTally } from "../../src/core/tally.ts";
import { changeMilliMin, repeatMs, TallyThrift } from "../../src/host/tally-thrift.ts";

type Message = Parameters<TallyThrift["isNews"]>[1];

const calm: ClassTally = {
  ...emptyTally.drone,
  cells: 2,
  loadMilli: 10,
  inFlight: 1,
  quietMs: 5_000,
  memoryMilli: 300,
};
const message = (drone: Partial<ClassTally> = {}, rest: Partial<Message> = {}): Message => ({
  type: "tally",
  tally: { ...emptyTally, drone: { ...calm, ...drone } },
  digest: 7,
  toTCell: 1,
  ...rest,
});

test("what a relative knows is not told again, until half of the time for which it counts is over", () => {
  assert.ok(2 * repeatMs <= tallyFreshMs);
  const thrift = new TallyThrift();
  assert.ok(thrift.isNews("a", message(), 0));
  assert.ok(!thrift.isNews("a", message({ quietMs: 5_250 }), 250));
  assert.ok(!thrift.isNews("a", message({ loadMilli: 10 + changeMilliMin - 1 }), 500));
  assert.ok(thrift.isNews("a", message(), repeatMs));
  assert.ok(!thrift.isNews("a", message(), repeatMs + 250));
});

test("every relative is told for itself, and anew over a new link", () => {
  const thrift = new TallyThrift();
  assert.ok(thrift.isNews("a", message(), 0));
  assert.ok(thrift.isNews("b", message(), 0));
  thrift.forget("a");
  assert.ok(thrift.isNews("a", message(), 1));
  assert.ok(!thrift.isNews("b", message(), 1));
});

for (const [what, changed] of Object.entries({
  "a cell more": message({ cells: 3 }),
  "a request in flight": message({ inFlight: 2 }),
  "requests that came": message({ came: 1 }),
  "requests that were done with": message({ done: 1 }),
  "requests that wait": message({ queued: 1 }),
  "a wait": message({ queueMs: 1 }),
  evidence: message({ marks: 1 }),
  "a cell that cannot work": message({ unready: 1 }),
  "the end of quiet": message({ quietMs: 4_999 }),
  load: message({ loadMilli: 10 + changeMilliMin }),
  memory: message({ memoryMilli: 300 - changeMilliMin }),
  "a quota": message({ throttledMilli: changeMilliMin }),
  "other records": message({}, { digest: 8 }),
  "a way to a T cell": message({}, { toTCell: null }),
}))
  test(`${what} is news at once`, () => {
    const thrift = new TallyThrift();
    thrift.isNews("a", message(), 0);
    assert.ok(thrift.isNews("a", changed, 1));
  });

test("changes too small to be told add up to one that is", () => {
  const thrift = new TallyThrift();
  thrift.isNews("a", message(), 0);
  assert.ok(!thrift.isNews("a", message({ loadMilli: 10 + changeMilliMin - 10 }), 10));
  assert.ok(thrift.isNews("a", message({ loadMilli: 10 + changeMilliMin + 10 }), 20));
});
