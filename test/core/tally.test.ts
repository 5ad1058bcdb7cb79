// What a cell makes of the sums that its relatives tell it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyTally, hearTally, noVitals, totalTally } from "../../src/core/tally.ts";
import { grown, knowing, nowMs } from "../support/knowing.ts";

test("a relative is believed to speak for no more cells of a class than live, and for none that is more than fully busy", () => {
  const state = knowing("n", [grown("n", "neuron"), grown("d1", "drone"), grown("d2", "drone")]);
  const heard = (cells: number, loadMilli: number): [cells: number, loadMilli: number] => {
    const tally = { ...emptyTally, drone: { cells, ...noVitals, loadMilli } };
    const told = hearTally({ ...state, kin: new Set(["d1"]) }, "d1", { tally, toTCell: null }, nowMs);
    const { drone } = totalTally(told, nowMs);
    return [drone.cells, drone.loadMilli];
  };
  assert.deepEqual(heard(2, 1_500), [2, 1_500]);
  assert.deepEqual(heard(2, 90_000), [2, 2_000]);
  assert.deepEqual(heard(90, 90_000), [2, 2_000]);
  assert.deepEqual(heard(1, 1_500), [1, 1_000]);
});
