/**
 * A bounded share of seeds that are fresh for each state of the sources; `npm run sim` runs as many as one likes. They are
 * drawn from the rules themselves: a change meets seeds that nobody has seen, and a run that was red can be had again.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { TimeQueue } from "../../src/sim/time-queue.ts";
import { runTrial } from "../../src/sim/trial.ts";

const freshCount = 40;

describe("trials with random faults", () => {
  test("violate nothing, and end with a whole organism, for fresh seeds", (t) => {
    const first = freshSeed();
    t.diagnostic(`seeds ${first} to ${first + freshCount - 1}: npm run sim -- --seeds ${freshCount} --seed ${first}`);
    for (let seed = first; seed < first + freshCount; seed += 1) {
      assert.equal(runTrial(seed).violation, null, `seed ${seed}`);
    }
  });

  test("give the same history for the same seed", () => {
    for (const seed of [1, 2, 3]) assert.deepEqual(runTrial(seed), runTrial(seed));
    assert.notEqual(runTrial(1).fingerprint, runTrial(2).fingerprint);
  });

  test("have every kind of fault in them, and votes", () => {
    const results = Array.from({ length: 30 }, (_, i) => runTrial(i + 1));
    for (const kind of Object.keys(results[0]?.faults ?? {}) as Array<keyof (typeof results)[0]["faults"]>) {
      assert.ok(
        results.some((result) => result.faults[kind] > 0),
        kind,
      );
    }
    assert.ok(results.some((result) => result.executions.hung > 0));
  });
});

function freshSeed(): number {
  const hash = createHash("sha256");
  for (const folder of ["core", "sim"]) {
    const dir = new URL(`../../src/${folder}/`, import.meta.url);
    for (const name of readdirSync(dir).sort()) hash.update(name).update(readFileSync(new URL(name, dir)));
  }
  return hash.digest().readUInt32BE() % 1_000_000_000;
}

test("the time queue gives items out by time, and of one time in the order in which they came", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (times) => {
      const queue = new TimeQueue<number>();
      for (const [i, atMs] of times.entries()) queue.add(atMs, i);
      const taken: Array<[number, number]> = [];
      for (let entry = queue.takeUntil(100); entry !== null; entry = queue.takeUntil(100))
        taken.push([entry.atMs, entry.item]);
      const expected = times.map((atMs, i): [number, number] => [atMs, i]).sort(([a, i], [b, j]) => a - b || i - j);
      assert.deepEqual(taken, expected);
    }),
  );
});
