// The organism as a whole, in the simulator: what must come about whatever the delays.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CoreDna } from "../../src/core/dna.ts";
import { unheardCalls } from "../../src/core/limits.ts";
import { noVitals, totalTally } from "../../src/core/tally.ts";
import { prngBelow, prngFrom } from "../../src/lib/prng.ts";
import { World } from "../../src/sim/world.ts";
import { forEachClass, neverWorn } from "../../src/core/wear.ts";
import { plainCoreDna } from "../support/core-dna.ts";

const dna: CoreDna = {
  ...plainCoreDna,
  population: {
    neuron: { min: 1, max: 4 },
    "b-cell": { min: 1, max: 4 },
    "t-cell": { min: 0, max: 2 },
    drone: { min: 2, max: 8 },
  },
};
const delaysMs = { birth: [40, 200], message: [1, 5], appLoad: [20, 400], drain: [0, 300], notice: [1, 15] } as const;

function grown(seed: number, change: Partial<CoreDna> = {}): World {
  const world = new World({ seed, dna: { ...dna, ...change }, delaysMs });
  const egg = world.spawnEgg();
  world.run(1_000);
  world.tell(egg, { type: "first-connection" });
  world.run(5_000);
  return world;
}

function counts(world: World): Record<string, number> {
  const count: Record<string, number> = {};
  for (const { class: c } of world.living()) count[c] = (count[c] ?? 0) + 1;
  return count;
}

/** As if its mother had died before she told anybody of it, and all whom it knew have died since. */
function estrange(world: World, id: string): void {
  const isOf = (key: string): boolean => key.endsWith(`/${id}`);
  for (const cell of world.cells.values()) {
    const { state } = cell;
    if (state === null || !cell.runs) continue;
    const keeps = cell.id === id ? isOf : (key: string): boolean => !isOf(key);
    const alive = new Map([...state.alive].filter(([other]) => keeps(`cell/${other}`)));
    const kin = new Set([...state.kin].filter((peer) => alive.has(peer)));
    for (const peer of cell.links.keys()) if (!kin.has(peer)) cell.links.delete(peer);
    const records = new Map([...state.records].filter(([key]) => !key.startsWith("cell/") || keeps(key)));
    cell.state = { ...state, alive, kin, records, doubted: new Set(), suspects: new Map(), tallies: new Map() };
  }
}

const executed = (world: World): string[] => world.executions.map(({ id }) => id);

/** One root, everybody else linked to exactly one elder, and everybody reachable: a tree. */
function assertOneTree(world: World): void {
  const living = world.living();
  const edges = living.reduce((sum, state) => sum + state.kin.size, 0) / 2;
  assert.equal(edges, living.length - 1, "a tree of n cells has n - 1 links");
  const seen = new Set<string>();
  const visit = (id: string): void => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const peer of world.cells.get(id)?.state?.kin ?? []) visit(peer);
  };
  visit(living[0]?.self ?? "");
  assert.equal(seen.size, living.length, "every cell is reachable over kin links");
}

const whole = { neuron: 1, "b-cell": 1, drone: 2, stem: 2 };
const seeds = Array.from({ length: 40 }, (_, i) => i + 1);

describe("an organism", () => {
  test("stays one dormant egg without a timer until somebody connects", () => {
    const world = new World({ seed: 1, dna, delaysMs });
    world.spawnEgg();
    world.run(3_600_000);
    assert.deepEqual(counts(world), { egg: 1 });
    // Being born and certifying itself is all that it did in an hour.
    assert.ok(world.eventCount <= 2, `${world.eventCount} events`);
  });

  test("grows from the egg to the DNA's populations, and the egg becomes the neuron", () => {
    for (const seed of seeds) {
      const world = grown(seed);
      assert.deepEqual(counts(world), whole, `seed ${seed}`);
      assert.equal(world.cells.get("egg")?.state?.class, "neuron");
      assertOneTree(world);
    }
  });

  test("divides first into a B cell and then into a drone", () => {
    const world = new World({ seed: 3, dna, delaysMs });
    const egg = world.spawnEgg();
    world.tell(egg, { type: "first-connection" });
    world.run(1);
    const gestations = [...(world.cells.get(egg)?.state?.gestations.values() ?? [])].map((g) => g.class);
    assert.deepEqual(gestations, ["b-cell", "drone"]);
  });

  test("gives the same history for the same seed, and another for another", () => {
    const history = (seed: number): string => JSON.stringify(grown(seed).log);
    assert.equal(history(7), history(7));
    assert.notEqual(history(7), history(8));
  });

  test("is whole again after the death of any one cell, the first one included", () => {
    for (const seed of seeds) {
      const world = grown(seed);
      for (const { self } of world.living()) {
        world.kill(self);
        world.run(5_000);
        assert.deepEqual(counts(world), whole, `seed ${seed}, after the death of ${self}`);
        assertOneTree(world);
      }
    }
  });

  test("is whole again when all but one die at once, whoever is left", () => {
    for (const seed of seeds) {
      for (const survivor of ["neuron", "b-cell", "drone", "stem"] as const) {
        const world = grown(seed);
        const kept = world.ofClass(survivor)[0]?.self;
        for (const { self } of world.living()) if (self !== kept) world.kill(self);
        world.run(8_000);
        assert.deepEqual(counts(world), whole, `seed ${seed}, survivor ${survivor}`);
        assertOneTree(world);
      }
    }
  });

  test("is whole again when a drone and somebody younger are left, who alone holds the sockets", () => {
    for (const seed of seeds) {
      for (const survivor of ["b-cell", "t-cell"] as const) {
        const world = grown(seed, { population: { ...dna.population, [survivor]: { min: 2, max: 4 } } });
        world.run(20_000);
        const [drone] = world.ofClass("drone");
        const youngest = world.ofClass(survivor).at(-1);
        for (const { self } of world.living()) if (self !== drone?.self && self !== youngest?.self) world.kill(self);
        world.run(20_000);
        const { neuron = 0, "b-cell": bCells = 0, drone: drones = 0 } = counts(world);
        assert.ok(neuron >= 1 && bCells >= 1 && drones >= 2, `seed ${seed}: ${JSON.stringify(counts(world))}`);
        assertOneTree(world);
      }
    }
  });

  test("is left by a cell that has lost all whom it knew, and of whom nobody else knows", () => {
    for (const seed of seeds) {
      for (const survivor of ["neuron", "b-cell", "drone", "stem"] as const) {
        const world = grown(seed, { stemPool: 4 });
        world.run(10_000);
        const stray = world.ofClass(survivor).at(-1)?.self ?? "";
        estrange(world, stray);
        world.run(20_000);
        assert.equal(world.cells.get(stray)?.runs, false, `seed ${seed}, ${survivor}`);
        assert.deepEqual(world.executions, []);
        assert.deepEqual(counts(world), { ...whole, stem: 4 }, `seed ${seed}, ${survivor}`);
        assertOneTree(world);
      }
    }
  });

  test("is one again when nobody is left but cells that know nothing of each other", () => {
    for (const seed of seeds) {
      const world = grown(seed);
      const left = [...world.ofClass("drone"), ...world.ofClass("b-cell")].map(({ self }) => self);
      for (const { self } of world.living()) if (!left.includes(self)) world.kill(self);
      for (const id of left) estrange(world, id);
      world.run(20_000);
      assert.deepEqual(counts(world), whole, `seed ${seed}`);
      assertOneTree(world);
    }
  });

  test("is known in its sums to every cell, wherever it stands in the family", () => {
    for (const seed of seeds) {
      const world = grown(seed, { stemPool: 6 });
      for (const { self } of world.living()) world.tell(self, { type: "vitals", vitals: { ...noVitals, inFlight: 3 } });
      world.run(5_000);
      for (const state of world.living()) {
        const tally = totalTally(state, world.nowMs);
        assert.deepEqual(
          [tally.stem.cells, tally.drone.inFlight, tally.neuron.cells],
          [6, 6, 1],
          `seed ${seed}: ${state.self}`,
        );
      }
    }
  });

  test("never lets two cells take a place for one", () => {
    for (const seed of seeds) {
      const world = grown(seed, { stemPool: 8 });
      world.kill(world.ofClass("drone")[0]?.self ?? "");
      world.run(10_000);
      assert.equal(world.ofClass("drone").length, 2, `seed ${seed}`);
    }
  });

  test("keeps to the DNA's limit of living daughters for each mother", () => {
    for (const seed of seeds) {
      const world = grown(seed, { stemPool: 12, daughtersMax: 3 });
      world.run(10_000);
      assert.equal(world.ofClass("stem").length, 12, `seed ${seed}`);
      for (const { self } of world.living()) {
        const daughters = world.living().filter((state) => world.cells.get(state.self)?.mother === self).length;
        // The mother of all may exceed it by the stem cells that she had to bear while there were none.
        if (self !== "egg") assert.ok(daughters <= 3, `seed ${seed}: ${self} has ${daughters}`);
      }
    }
  });

  test("waits longer after each failed start of the app, and recovers when its files change", () => {
    const world = new World({ seed: 5, dna, delaysMs });
    world.app = "failed";
    const egg = world.spawnEgg();
    world.tell(egg, { type: "first-connection" });
    world.run(60_000);
    const attempts = world.log.filter((line) => line.text === "became drone").length;
    // 0.5 + 1 + 2 + 4 + 8 + 16 + 30 s between attempts: about seven in the first minute, not hundreds.
    assert.ok(attempts >= 5 && attempts <= 10, `${attempts} attempts`);
    assert.equal(counts(world)["drone"] ?? 0, 0);
    world.app = "ready";
    world.tell(egg, { type: "files-changed" });
    world.run(3_000);
    assert.deepEqual(counts(world), whole);
  });

  test("ends wholly when any one cell is told to stop", () => {
    for (const seed of seeds) {
      const world = grown(seed);
      const cells = world.living();
      world.tell(cells[seed % cells.length]?.self ?? "", { type: "stop", drainMs: 5_000 });
      world.run(7_000);
      assert.deepEqual(counts(world), {}, `seed ${seed}`);
    }
  });

  test("replaces a cell that is asked to leave alone", () => {
    for (const seed of seeds) {
      const world = grown(seed);
      for (const { self } of world.living()) {
        world.tell(self, { type: "retire", drainMs: 1_000 });
        world.run(5_000);
        assert.equal(world.cells.get(self)?.runs, false);
        assert.deepEqual(counts(world), whole, `seed ${seed}: ${self}`);
      }
    }
  });
});

describe("a cell that does not answer", () => {
  test("is found out, voted out, ended and replaced, whichever class it is of", () => {
    for (const seed of seeds) {
      for (const cellClass of ["neuron", "b-cell", "drone", "stem"] as const) {
        const world = grown(seed);
        world.run(6_000);
        const hung = world.ofClass(cellClass)[0]?.self ?? "";
        world.halt(hung, "stuck");
        world.run(20_000);
        assert.deepEqual(executed(world), [hung], `seed ${seed}: the ${cellClass}`);
        assert.deepEqual(counts(world), whole, `seed ${seed}`);
        assertOneTree(world);
      }
    }
  });

  test("and computes is left in peace until the DNA's hangMs is over", () => {
    const world = grown(4);
    world.run(6_000);
    const busy = world.ofClass("drone")[0]?.self ?? "";
    world.halt(busy, "busy");
    world.run(9_500);
    assert.deepEqual(world.executions, []);
    world.resume(busy);
    world.run(20_000);
    assert.deepEqual(world.executions, []);
    world.halt(busy, "busy");
    world.run(15_000);
    assert.deepEqual(executed(world), [busy]);
  });

  test("for a moment is not accused", () => {
    for (const seed of seeds) {
      const world = grown(seed);
      world.run(6_000);
      for (const { self } of world.living()) {
        world.halt(self, "stuck");
        world.run(800);
        world.resume(self);
        world.run(1_000);
      }
      assert.deepEqual(world.executions, [], `seed ${seed}`);
      assert.deepEqual(counts(world), whole, `seed ${seed}`);
    }
  });

  test("because the whole machine was suspended accuses nobody and is accused by nobody", () => {
    for (const seed of seeds) {
      const world = grown(seed);
      world.run(6_000);
      const cells = world.living().map((state) => state.self);
      for (const id of cells) world.halt(id, "stuck");
      world.run(60_000);
      for (const id of cells) world.resume(id);
      world.run(20_000);
      assert.deepEqual(world.executions, [], `seed ${seed}`);
      assert.deepEqual(counts(world), whole, `seed ${seed}`);
    }
  });
});

describe("a class with too few", () => {
  test("of twenty candidates for four places four wake", () => {
    for (const seed of seeds) {
      const world = grown(seed, { stemPool: 20, population: { ...dna.population, drone: { min: 10, max: 20 } } });
      world.run(20_000);
      const drones = world.ofClass("drone").map(({ self }) => self);
      assert.deepEqual([drones.length, world.ofClass("stem").length], [10, 20], `seed ${seed}`);
      const awake = (): number => world.log.filter(({ text }) => text === "became drone").length;
      const before = awake();
      for (const id of drones.slice(0, 4)) world.kill(id);
      let most = 0;
      for (let look = 0; look < 200; look += 1) {
        world.run(50);
        most = Math.max(most, world.ofClass("drone").length);
      }
      assert.deepEqual([awake() - before, most], [4, 10], `seed ${seed}`);
    }
  });

  test("is filled without delay where the death of most has left the stem cells out of the neuron's hearing", () => {
    const population = { ...dna.population, "b-cell": { min: 8, max: 16 }, drone: { min: 32, max: 64 } };
    let outOfHearing = 0;
    for (const seed of seeds.slice(0, 6)) {
      const world = grown(seed, { stemPool: 4, population });
      world.run(20_000);
      const cells = world.living().map(({ self }) => self);
      assert.equal(cells.length, 45, `seed ${seed}`);
      let prng = prngFrom(seed);
      for (let left = cells.length; left > 9; left -= 1) {
        const [at, next] = prngBelow(prng, cells.length);
        prng = next;
        for (const id of cells.splice(at, 1)) world.kill(id);
      }
      let calls = 0;
      for (let look = 0; look < 60; look += 1) {
        world.run(250);
        calls = Math.max(calls, ...world.ofClass("neuron").map(({ unanswered }) => unanswered.drone));
      }
      if (calls >= unheardCalls) outOfHearing += 1;
      const missing = { drone: 32 - world.working.drone, "b-cell": 8 - world.working["b-cell"] };
      assert.deepEqual(missing, { drone: 0, "b-cell": 0 }, `seed ${seed}, ${calls} calls unanswered`);
    }
    assert.ok(outOfHearing > 0, "it has come about at all");
  });
});

describe("renewal", () => {
  const worn = { rssBytes: 2 * 1_048_576, descriptorMilli: 0 };
  const limited: CoreDna["wear"] = { ...neverWorn, rssBytesMax: forEachClass(1_048_576) };

  for (const cellClass of ["neuron", "b-cell", "drone", "stem"] as const) {
    test(`a worn-out ${cellClass} goes only once there is one more than must be, and does what it has in hand before`, () => {
      for (const seed of seeds.slice(0, 10)) {
        const world = grown(seed, { wear: limited });
        const [victim] = world.ofClass(cellClass).map(({ self }) => self);
        assert.ok(victim !== undefined);
        const cell = world.cells.get(victim);
        assert.ok(cell !== undefined);
        cell.wear = worn;
        const fewest = world.ofClass(cellClass).length;
        for (let look = 0; look < 1_000 && cell.runs; look += 1) {
          world.run(100);
          const staying = world.ofClass(cellClass).filter(({ phase }) => phase === "living");
          // A stem cell takes a role at any time, and is made up for.
          if (cellClass !== "stem") assert.ok(staying.length >= fewest, `seed ${seed}: ${staying.length} of ${fewest}`);
        }
        assert.ok(!cell.runs, `seed ${seed}: it is gone`);
        assert.deepEqual(executed(world), [], `seed ${seed}: by itself`);
        assert.deepEqual(
          world.convictions.map(({ id, reason }) => [id, reason]),
          [[victim, "worn"]],
          `seed ${seed}`,
        );
        world.run(5_000);
        assert.deepEqual(counts(world), whole, `seed ${seed}`);
      }
    });
  }

  test("of all cells at once ends never more than may go at a time", () => {
    const world = grown(1, { wear: limited });
    for (const cell of world.cells.values()) cell.wear = worn;
    for (let look = 0; look < 3_000; look += 1) {
      world.run(100);
      const leaving = world.living().filter(({ phase }) => phase !== "living");
      assert.ok(leaving.length <= 1, `${leaving.length} leave at once`);
    }
    assert.deepEqual(counts(world), whole);
    assert.ok(
      world.living().every(({ self }) => world.cells.get(self)?.wear.rssBytes === 0),
      "all were renewed",
    );
  });
});

describe("a class with too many", () => {
  test("loses them one by one, by vote, after a stable window, and not before", () => {
    for (const seed of seeds.slice(0, 10)) {
      const world = grown(seed);
      // Load for four drones, and then none.
      const load = (milli: number): void => {
        for (const { self } of world.ofClass("drone")) {
          world.tell(self, { type: "vitals", vitals: { ...noVitals, loadMilli: milli } });
        }
      };
      for (let second = 0; second < 30; second += 1) {
        load(950);
        world.run(1_000);
      }
      const grownTo = world.ofClass("drone").length;
      assert.ok(grownTo > 2, `seed ${seed}: grown to ${grownTo}`);
      load(0);
      world.run(50_000);
      assert.equal(world.ofClass("drone").length, grownTo, `seed ${seed}: nothing shrinks at once`);
      world.run(300_000);
      assert.deepEqual(counts(world), whole, `seed ${seed}`);
    }
  });

  test("a cell of which one complains is asked at once, and lives if it answers", () => {
    for (const seed of seeds.slice(0, 10)) {
      const world = grown(seed);
      const [drone] = world.living().filter(({ class: c }) => c === "drone");
      const [bCell] = world.living().filter(({ class: c }) => c === "b-cell");
      assert.ok(drone !== undefined && bCell !== undefined);
      for (let i = 0; i < 200; i += 1) {
        world.tell(bCell.self, { type: "unwell", id: drone.self });
        world.run(100);
      }
      assert.deepEqual(executed(world), [], `seed ${seed}`);
      assert.ok(world.cells.get(drone.self)?.runs, `seed ${seed}`);
    }
  });
});
