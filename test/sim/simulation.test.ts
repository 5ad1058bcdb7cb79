// What `cellws simulate` says must follow from the load and the DNA.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CoreDna } from "../../src/core/dna.ts";
import { shapedTrace } from "../../src/sim/load-trace.ts";
import type { SimulationOptions } from "../../src/sim/simulation.ts";
import { deadbandOf, simulate } from "../../src/sim/simulation.ts";
import { mgkWaitMs, Workload, workloadLimitsDefault } from "../../src/sim/workload.ts";
import { neverWorn } from "../../src/core/wear.ts";

const dna: CoreDna = {
  stemPool: 2,
  population: {
    neuron: { min: 1, max: 2 },
    "b-cell": { min: 1, max: 4 },
    "t-cell": { min: 0, max: 1 },
    drone: { min: 1, max: 8 },
  },
  daughtersMax: 4,
  attenuationMilli: 250,
  hormoneHalfLifeMs: 2_000,
  drainMsMax: 5_000,
  hangMs: 10_000,
  growth: {
    utilizationToGrowMilli: 700,
    utilizationToShrinkMilli: 300,
    queueMsTarget: 50,
    stableWindowMs: 20_000,
    panicWindowMs: 2_000,
    memoryMilliMax: 900,
  },
  restarts: { backoffMsMin: 500, backoffMsMax: 30_000, budget: 20, windowMs: 60_000 },
  wear: neverWorn,
  dormancyIdleMs: 0,
};

function run(change: Partial<SimulationOptions> & { to?: number } = {}): ReturnType<typeof simulate> {
  const trace = shapedTrace("step", { from: 10, to: change.to ?? 160, durationMs: 240_000, costMs: 20 });
  return simulate({ dna, trace, seed: 1, cores: 8, carryMs: 0.15, startupMs: 200, ...change });
}

describe("a simulated organism", () => {
  test("follows its load up and down again, and loses no request", () => {
    const { summary, samples } = run();
    assert.equal(summary.drones.neededMax, 5);
    assert.ok(summary.drones.max >= 5 && summary.drones.max <= 8, JSON.stringify(summary));
    assert.equal(summary.drones.overshoot, summary.drones.max - 5);
    assert.equal(summary.requests.refused, 0);
    assert.ok(Math.abs(summary.requests.came - summary.requests.answered) <= 10, JSON.stringify(summary.requests));
    const atPeak = samples.filter(({ atMs }) => atMs > 100_000 && atMs < 140_000);
    assert.ok(atPeak.every(({ populations }) => populations.drone >= 5 - deadbandOf(5)));
    assert.ok((samples.at(-1)?.populations.drone ?? 9) < 5, "it shrinks again");
    const left = samples.at(-1)?.populations.drone ?? 0;
    assert.equal(summary.votedOut["surplus"], summary.drones.max - left, "who is gone was voted out");
  });

  test("follows a load of eight times without overshoot above the deadband, and without oscillation", () => {
    const wide: CoreDna = { ...dna, population: { ...dna.population, drone: { min: 1, max: 32 } } };
    for (const startupMs of [200, 1_500]) {
      for (const [from, seed] of [
        [20, 1],
        [40, 2],
        [80, 3],
      ] as const) {
        const trace = shapedTrace("step", { from, to: 8 * from, durationMs: 240_000, costMs: 20 });
        const { summary, samples } = simulate({ dna: wide, trace, seed, cores: 32, carryMs: 0.15, startupMs });
        const { overshoot, deadband, turns, neededMax } = summary.drones;
        const which = `from ${from} a second, seed ${seed}, start in ${startupMs} ms`;
        assert.ok(overshoot <= deadband, `${which}: ${overshoot} too many of ${neededMax}`);
        assert.equal(turns, 1, `${which}: up once, and down`);
        const atPeak = samples.filter(({ atMs }) => atMs > 150_000 && atMs < 178_000);
        assert.ok(
          atPeak.every(({ populations }) => populations.drone >= neededMax - deadband),
          which,
        );
        assert.equal(summary.requests.refused, 0, which);
      }
    }
  });

  test("sleeps until the first request, and answers it a birth and an app's start later", () => {
    const { summary, samples } = run({ startupMs: 1_000 });
    assert.equal(samples[0]?.populations.egg, 1);
    assert.ok(summary.firstAnswerMs! >= 1_000 && summary.firstAnswerMs! < 2_000, String(summary.firstAnswerMs));
    const trace = shapedTrace("step", { from: 0, to: 0, durationMs: 60_000, costMs: 20 });
    const asleep = run({ trace });
    assert.deepEqual([asleep.summary.cellsMax, asleep.summary.firstAnswerMs, asleep.summary.births], [1, null, 0]);
  });

  test("says so when the load is more than the DNA or the machine can carry", () => {
    const { summary } = run({ to: 800 });
    assert.equal(summary.drones.neededMax, 8);
    assert.equal(summary.drones.wantedMax, 23);
    assert.ok(summary.waitMs.p99 > 5_000);
    const slow = run({ cores: 2 });
    assert.ok(slow.summary.waitMs.p99 > 10 * run().summary.waitMs.p99, "two cores cannot do the work of three");
  });

  test("gives the same for the same seed, and tells how far it is", () => {
    const shares: number[] = [];
    const first = run({ seed: 5, onProgress: (share) => shares.push(share) });
    assert.deepEqual(run({ seed: 5 }), first);
    assert.notDeepEqual(run({ seed: 6 }).samples, first.samples);
    assert.ok(shares.length > 10 && shares.every((share, i) => i === 0 || share > shares[i - 1]!));
  });
});

describe("the load model", () => {
  const load = { ratePerSecond: 100, costMs: 10 };
  const staff = { bCells: ["b"], ready: ["d1", "d2"], leaving: [] };
  const advance = (
    workload: Workload,
    seconds: number,
    given: typeof load,
    who: Parameters<Workload["advance"]>[2],
  ) => {
    const sum = { came: 0, answered: 0, refused: 0 };
    for (let tick = 0; tick < seconds * 20; tick += 1) {
      const { came, answered, refused } = workload.advance(50, given, who);
      sum.came += came;
      sum.answered += answered;
      sum.refused += refused;
    }
    return sum;
  };

  test("loads drones evenly, by rate times cost", () => {
    const workload = new Workload({ seed: 1, cores: 4, carryMs: 0.1 });
    const { came, answered } = advance(workload, 60, load, staff);
    assert.ok(Math.abs(came - 6_000) < 300, String(came));
    assert.ok(came - answered < 20);
    for (const id of ["d1", "d2"]) assert.ok(Math.abs(workload.vitalsOf(id).loadMilli - 500) < 150, id);
    assert.ok(workload.vitalsOf("b").loadMilli <= 20);
  });

  test("lets requests wait while no drone is ready, in a bounded queue, and refuses the rest", () => {
    const workload = new Workload({ seed: 1, cores: 4, carryMs: 0.1 });
    const nobody = { bCells: ["b"], ready: [], leaving: [] };
    advance(workload, 5, load, nobody);
    const { queued, queueMs } = workload.vitalsOf("b");
    assert.ok(queued > 400 && queueMs >= 4_900, `${queued} ${queueMs}`);
    assert.ok(advance(workload, 20, load, nobody).refused > 500);
    assert.ok(workload.vitalsOf("b").queued <= workloadLimitsDefault.waitingCountMax);
    advance(workload, 20, load, staff);
    assert.equal(workload.vitalsOf("b").queued, 0);
  });

  test("gives what a dead drone had in its hands to the others", () => {
    const workload = new Workload({ seed: 2, cores: 4, carryMs: 0 });
    const heavy = advance(workload, 10, { ratePerSecond: 300, costMs: 10 }, staff);
    const none = { ratePerSecond: 0, costMs: 10 };
    const rest = advance(workload, 30, none, { ...staff, ready: ["d2"] });
    assert.ok(Math.abs(heavy.came - heavy.answered - rest.answered) < 1e-6);
  });

  test("slows all down where more are busy than there are cores, and each seems fully busy", () => {
    const workload = new Workload({ seed: 3, cores: 1, carryMs: 0 });
    const { answered } = advance(workload, 20, { ratePerSecond: 400, costMs: 10 }, staff);
    assert.ok(Math.abs(answered - 2_000) < 100, String(answered));
    assert.equal(workload.vitalsOf("d1").loadMilli, 1_000);
  });

  test("has an M/M/1 queue's wait for one drone, and less for several", () => {
    assert.equal(Math.round(mgkWaitMs(0.5, 1, 10)), 10);
    assert.equal(Math.round(mgkWaitMs(0.8, 1, 10)), 40);
    assert.ok(mgkWaitMs(0.8, 4, 10) < 10);
  });
});
