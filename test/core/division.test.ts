// Who divides for the pool when asked to, on states made by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { step } from "../../src/core/step.ts";
import { elders, knowing, nowMs } from "../support/knowing.ts";

test("a stem cell that is asked to divide does so only where it finds the pool short itself", () => {
  const divides = (stemPool: number): boolean => {
    const state = knowing("e1", elders(6));
    const asked = { ...state, kin: new Set(["egg"]), dna: { ...state.dna, stemPool } };
    const event = { type: "message", from: "egg", message: { type: "hand-down", hops: 1 }, nowMs } as const;
    return step(asked, event)[1].some(({ type }) => type === "divide");
  };
  // All six that it knows are stem cells.
  assert.deepEqual([divides(7), divides(6), divides(0)], [true, false, false]);
});
