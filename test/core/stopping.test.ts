// When a cell that is to leave has done its part, on states made by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { step } from "../../src/core/step.ts";
import { grown, knowing, nowMs } from "../support/knowing.ts";

test("a B cell that is to leave finishes what it has, also where it had nothing in hand at some time before", () => {
  const idle = step(knowing("b", [grown("b", "b-cell"), grown("n", "neuron")]), { type: "drained", nowMs })[0];
  const [leaving, effects] = step(idle, { type: "retire", drainMs: 10_000, nowMs });
  assert.equal(leaving.phase, "stopping");
  assert.ok(effects.some(({ type }) => type === "drain"));
  assert.equal(step(leaving, { type: "drained", nowMs })[0].phase, "ended");
});
