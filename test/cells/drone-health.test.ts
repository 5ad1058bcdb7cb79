import assert from "node:assert/strict";
import { test } from "node:test";
import { DroneHealth, findOutliers, healthLimits, latencyWeight } from "../../src/cells/b-cell/drone-health.ts";

/** A drone that has answered so many requests, so many of them with an error. */
function drone(id: string, answered: number, failed: number): { id: string; health: DroneHealth } {
  const health = new DroneHealth();
  for (let i = 0; i < answered; i += 1) health.noteOutcome(i < failed);
  return { id, health };
}

const ids = (drones: ReadonlyArray<{ id: string }>): string[] => drones.map(({ id }) => id);

const outlierCases: ReadonlyArray<
  [title: string, drones: ReadonlyArray<[answered: number, failed: number]>, out: string[]]
> = [
  [
    "a drone that fails where others do not is one",
    [
      [20, 20],
      [20, 0],
    ],
    ["0"],
  ],
  [
    "where all fail alike none is",
    [
      [20, 20],
      [20, 20],
      [20, 19],
    ],
    [],
  ],
  ["the only one is none", [[20, 20]], []],
  [
    "a few answers prove nothing",
    [
      [7, 7],
      [20, 0],
    ],
    [],
  ],
  [
    "nor do they where the others have answered little",
    [
      [20, 20],
      [3, 0],
    ],
    [],
  ],
  [
    "an error now and then is ordinary",
    [
      [20, 9],
      [20, 0],
    ],
    [],
  ],
  [
    "of several only as many as the share allows, the worst first",
    [
      [20, 15],
      [20, 20],
      [200, 0],
      [200, 0],
    ],
    ["1"],
  ],
  [
    "of seven two may be out",
    [
      [20, 15],
      [20, 20],
      [20, 16],
      [200, 0],
      [200, 0],
      [200, 0],
      [200, 0],
    ],
    ["1", "2"],
  ],
];

for (const [title, drones, out] of outlierCases) {
  test(`outliers: ${title}`, () => {
    const all = drones.map(([answered, failed], i) => drone(String(i), answered, failed));
    assert.deepEqual(ids(findOutliers(all)), out);
  });
}

test("an ejected drone comes back on trial, and is out for longer the next time", () => {
  const [bad, good] = [drone("bad", 20, 20), drone("good", 20, 0)];
  const outFor = (): number => {
    assert.deepEqual(ids(findOutliers([bad, good])), ["bad"]);
    bad.health.eject();
    assert.deepEqual(findOutliers([bad, good]), [], "it is out already, and nobody else may be");
    let ms = 0;
    for (; bad.health.isEjected; ms += 250) bad.health.look(250);
    return ms;
  };
  assert.equal(outFor(), healthLimits.ejectionMs);
  assert.equal(bad.health.outcomes.count, 0);
  for (let i = 0; i < 20; i += 1) bad.health.noteOutcome(true);
  assert.equal(outFor(), 2 * healthLimits.ejectionMs);
});

test("a drone is silent once it has missed three reports, and no more when it speaks", () => {
  const health = new DroneHealth();
  health.noteReport(0.1);
  for (let ms = 0; ms < healthLimits.silentMs; ms += 250) {
    health.look(250);
    assert.equal(health.isSilent, false, `after ${ms} ms`);
  }
  health.look(250);
  assert.equal(health.isSilent, true);
  health.noteReport(0.1);
  health.look(250);
  assert.equal(health.isSilent, false);
});

test("a drone whose loop is saturated may have what it answers in a second, and at least sixteen", () => {
  const health = new DroneHealth();
  health.noteReport(1);
  assert.equal(health.saturatedCountMax, Number.POSITIVE_INFINITY, "one report may have caught a burst");
  health.noteReport(1);
  assert.equal(health.saturatedCountMax, healthLimits.saturatedCountMin);
  for (let look = 0; look < 40; look += 1) {
    for (let i = 0; i < 25; i += 1) health.noteOutcome(false);
    health.look(250);
  }
  assert.ok(Math.abs(health.saturatedCountMax - 100) < 1, `${health.saturatedCountMax}`);
  health.noteReport(0.5);
  assert.equal(health.saturatedCountMax, Number.POSITIVE_INFINITY);
});

test("speed is the mean of the last seconds, and weighs within bounds", () => {
  const [slow, fast] = [new DroneHealth(), new DroneHealth()];
  for (let ms = 0; ms < 10_000; ms += 10) {
    slow.noteLatency(100, ms);
    fast.noteLatency(1, ms);
  }
  assert.ok(Math.abs(slow.latencyMs - 102) < 0.01);
  assert.equal(latencyWeight(slow, fast) / latencyWeight(fast, slow), healthLimits.latencyFactorMax);
  // One slow request among a thousand is the request's doing.
  fast.noteLatency(1000, 10_010);
  assert.ok(fast.latencyMs < 12, `${fast.latencyMs}`);
});
