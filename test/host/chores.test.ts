// Things to do that wait for their turn: one in each turn of the event loop.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Chores } from "../../src/host/chores.ts";

test("one chore is done in a turn, in order, and what else is to be done comes in between", async () => {
  const done: string[] = [];
  const chores = new Chores();
  for (const name of ["a", "b", "c"]) chores.add(() => done.push(name));
  assert.equal(done.length, 0);
  for (let i = 0; i < 3; i += 1) {
    await turn();
    done.push(`request ${i}`);
  }
  assert.deepEqual(done, ["a", "request 0", "b", "request 1", "c", "request 2"]);
});

test("a chore may add another, and drop all that wait", async () => {
  const done: string[] = [];
  const chores = new Chores();
  chores.add(() => {
    done.push("first");
    chores.add(() => done.push("added"));
  });
  await turn();
  await turn();
  assert.deepEqual(done, ["first", "added"]);
  chores.add(() => {
    done.push("last");
    chores.drop();
  });
  chores.add(() => done.push("never"));
  for (let i = 0; i < 4; i += 1) await turn();
  assert.deepEqual(done, ["first", "added", "last"]);
});
