import assert from "node:assert/strict";
import { test } from "node:test";
import { WaitingLine } from "../../src/cells/b-cell/waiting-line.ts";

const limits = { countMax: 100, msMax: 1_000, msTarget: 50 };

test("without a drone everybody waits as long as may be, and is sent away for want of one", () => {
  const line = new WaitingLine<string>(limits);
  line.join("a", 0);
  line.join("b", 10);
  line.setServed(false, 10);
  assert.deepEqual(line.takeOverdue(999), []);
  assert.equal(line.nextMs(999), 1);
  assert.deepEqual(line.takeOverdue(1_000), [{ who: "a", isOverload: false }]);
  assert.equal(line.count, 1);
});

test("a burst may wait past the target, a line that does not get empty may not", () => {
  const line = new WaitingLine<string>(limits);
  line.join("a", 0);
  line.setServed(true, 0);
  line.join("b", 60);
  assert.deepEqual(line.takeOverdue(99), []);
  assert.equal(line.nextMs(99), 1);
  assert.deepEqual(line.takeOverdue(100), [{ who: "a", isOverload: true }]);
  assert.equal(line.nextMs(100), 10);
  assert.deepEqual(line.takeOverdue(110), [{ who: "b", isOverload: true }]);
});

test("a line that was empty once is a new one", () => {
  const line = new WaitingLine<string>(limits);
  line.join("a", 0);
  line.setServed(true, 0);
  line.leave("a");
  line.join("b", 90);
  line.setServed(true, 90);
  assert.deepEqual(line.takeOverdue(150), []);
  assert.equal(line.nextMs(150), 40);
});

test("when all drones go, what stood waits for the next one as from the beginning", () => {
  const line = new WaitingLine<string>(limits);
  line.join("a", 0);
  line.setServed(true, 0);
  line.setServed(false, 99);
  assert.deepEqual(line.takeOverdue(500), []);
  line.setServed(true, 500);
  assert.deepEqual(line.takeOverdue(599), []);
  assert.deepEqual(line.takeOverdue(600), [{ who: "a", isOverload: true }]);
});

test("those sent away do not make the line an empty one", () => {
  const line = new WaitingLine<string>(limits);
  line.join("a", 0);
  line.setServed(true, 0);
  line.takeOverdue(100);
  line.join("b", 101);
  assert.deepEqual(line.takeOverdue(151), [{ who: "b", isOverload: true }]);
});
