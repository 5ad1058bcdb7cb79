// How many drones the load wants, on what a B cell and two drones say of themselves.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { demandOf, sampleDemand } from "../../src/core/demand.ts";
import { emptyTally, hearTally, noVitals } from "../../src/core/tally.ts";
import { grown, knowing, nowMs } from "../support/knowing.ts";

describe("drones wanted", () => {
  /** By a neuron that hears of two drones, each busy for so many thousandths of its time, and of requests. */
  const wanted = (busyMilli: number, came: number, done: number): number => {
    const cells = [grown("n", "neuron"), grown("b", "b-cell"), grown("d1", "drone"), grown("d2", "drone")];
    const state = knowing("n", cells);
    // As many drones as are fully busy, so that the numbers below are plain.
    const dna = { ...state.dna, growth: { ...state.dna.growth, utilizationToGrowMilli: 1_000 } };
    const tally = {
      ...emptyTally,
      "b-cell": { cells: 1, ...noVitals, came, done },
      drone: { cells: 2, ...noVitals, loadMilli: 2 * busyMilli },
    };
    const told = hearTally({ ...state, dna, kin: new Set(["b"]) }, "b", { tally, toTCell: null }, nowMs);
    return demandOf(sampleDemand(told, nowMs)[0], "drone", nowMs);
  };

  test("follow from what comes and what is done where those there can be no busier", () => {
    assert.equal(wanted(1_000, 300, 300), 2, "as much is done as comes");
    assert.equal(wanted(1_000, 300, 200), 3, "two of three are done");
    assert.equal(wanted(1_000, 300, 100), 6, "one of three is done");
    assert.equal(wanted(1_000, 150, 300), 1, "they are catching up: soon one will do");
  });

  test("follow from how busy they are where they could be busier", () => {
    for (const done of [300, 200, 600]) assert.equal(wanted(700, 300, done), 2, `${done} of 300 are done`);
  });
});
