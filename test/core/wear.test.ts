// Who is renewed before whom, on states made by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { wornMsMin } from "../../src/core/limits.ts";
import type { CellBody } from "../../src/core/record.ts";
import { dnaKey } from "../../src/core/record.ts";
import { takeIn } from "../../src/core/roster.ts";
import type { State } from "../../src/core/state.ts";
import { renewalsOf } from "../../src/core/wear.ts";
import { grown, knowing, nowMs } from "../support/knowing.ts";

test("of cells of an old DNA the pool is renewed first: who comes out of it would be outdated too", () => {
  const before = knowing("n", [grown("n", "neuron"), grown("s", "stem"), grown("d", "drone")]);
  const dna = { kind: "dna", revision: "second" } as const;
  const record = { key: dnaKey, version: 1, origin: "n", body: dna, signature: "s" };
  const [outdated] = takeIn(before, [record], null, nowMs - wornMsMin);
  const renewed: CellBody = { ...(outdated.alive.get("s") as CellBody), revision: "second" };
  const withNewPool: State = { ...outdated, alive: new Map(outdated.alive).set("s", renewed) };
  const due = (state: State): number[] => (["stem", "drone"] as const).map((c) => renewalsOf(state, c, nowMs));
  assert.deepEqual(due(before), [0, 0]);
  assert.deepEqual(due(outdated), [1, 0]);
  assert.deepEqual(due(withNewPool), [0, 1]);
});
