// Who leaves before whom when the organism falls asleep, and when its egg wakes unasked; on states made by hand.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CellClass } from "../../src/core/cell.ts";
import { brood, fallAsleep } from "../../src/core/dormancy.ts";
import { eggAnswerFreshMs, eggSettlesMs } from "../../src/core/limits.ts";
import type { State } from "../../src/core/state.ts";
import type { Answer } from "../../src/core/suspicion.ts";
import { heedAnswer } from "../../src/core/suspicion.ts";
import { grown, knowing, nowMs } from "../support/knowing.ts";

/** The state of `self`, who lives with one cell of each of the others' classes, each called by its class. */
function among(self: CellClass, others: readonly CellClass[]): State {
  const cells = [self, ...others].map((cellClass) => grown(cellClass, cellClass));
  const state = knowing(self, cells);
  return { ...state, dna: { ...state.dna, dormancyIdleMs: 60_000 } };
}

describe("on the way to sleep", () => {
  /** Whether it leaves now, on an egg that has just answered it. */
  const leaves = (self: CellClass, ...others: readonly CellClass[]): boolean => {
    const state = { ...among(self, ["egg", ...others]), eggAnsweredMs: nowMs };
    return fallAsleep(state, nowMs)[0].stop?.alone === true;
  };

  test("drones outlast the B cells, for whom they may have an answer to give", () => {
    assert.equal(leaves("drone", "b-cell", "neuron"), false);
    assert.equal(leaves("drone", "neuron"), true);
  });

  test("all others outlast both", () => {
    for (const self of ["stem", "neuron", "t-cell"] as const) {
      assert.equal(leaves(self, "b-cell"), false, self);
      assert.equal(leaves(self, "drone"), false, self);
      assert.equal(leaves(self), true, self);
    }
  });
});

test("nobody leaves on an egg that has not just answered: it is asked first", () => {
  const state = among("drone", ["egg", "neuron"]);
  const does = (eggAnsweredMs: number): string[] => {
    const [{ stop }, effects] = fallAsleep({ ...state, eggAnsweredMs }, nowMs);
    return [...effects.map(({ type }) => type), ...(stop === null ? [] : ["leave"])];
  };
  assert.deepEqual(does(Number.NEGATIVE_INFINITY), ["probe"]);
  assert.deepEqual(does(nowMs - eggAnswerFreshMs - 1), ["probe"]);
  assert.deepEqual(does(nowMs - eggAnswerFreshMs), ["leave"]);
});

test("that nobody is to be found under an egg's name is no answer of its", () => {
  const state = among("drone", ["egg", "neuron"]);
  const egg = [...state.alive.values()].find((cell) => cell.class === "egg")!;
  const leavesAfter = (answer: Answer): boolean =>
    fallAsleep(heedAnswer(state, egg.id, answer, nowMs)[0], nowMs)[0].stop !== null;
  assert.deepEqual([leavesAfter("answered"), leavesAfter("absent"), leavesAfter("stuck")], [true, false, false]);
});

describe("an egg that is not alone", () => {
  const wakes = (state: State): boolean => brood(state, nowMs)[0].phase === "living";

  test("sleeps on among cells that answer, as long as one of them can grow what is missing", () => {
    assert.equal(wakes(among("egg", ["neuron", "drone"])), false);
    assert.equal(wakes(among("egg", ["stem", "drone"])), false);
    assert.equal(wakes(among("egg", ["t-cell"])), false);
  });

  test("wakes among those who work and cannot grow", () => {
    assert.equal(wakes(among("egg", ["drone"])), true);
    assert.equal(wakes(among("egg", ["b-cell", "drone"])), true);
  });

  test("wakes beside a cell that was left behind and does not answer, for two cannot vote", () => {
    const besideOneSilentFor = (forMs: number): State => {
      const sinceMs = nowMs - forMs;
      const silent = { sinceMs, answer: "stuck", confirmedBy: new Set<string>(), isGivenUp: false } as const;
      return { ...among("egg", ["t-cell"]), suspects: new Map([["t-cell", silent]]) };
    };
    assert.equal(wakes(besideOneSilentFor(eggSettlesMs - 1)), false);
    assert.equal(wakes(besideOneSilentFor(eggSettlesMs)), true);
  });
});
