import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { placeWithout, rosterIndex } from "../../src/core/roster-index.ts";
import { Colony } from "../../src/sim/colony.ts";

test("the kth place without some is what one finds by leaving them out", () => {
  const gaps = fc.uniqueArray(fc.nat(19), { maxLength: 20 }).map((places) => places.sort((a, b) => a - b));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(100), gaps, (count, k, all) => {
      const without = all.filter((place) => place < count);
      const left = Array.from({ length: count }, (_, i) => i).filter((place) => !without.includes(place));
      assert.equal(placeWithout(count, k, without), left[k % Math.max(1, left.length)]);
    }),
  );
});

test("what follows from a roster is computed once for each roster", () => {
  const [member] = new Colony({ cellCount: 50 }).members.values();
  const { alive } = member!.state;
  const index = rosterIndex(alive);
  assert.equal(rosterIndex(alive), index);
  assert.notEqual(rosterIndex(new Map(alive)), index);
  assert.deepEqual(index.ids, [...alive.keys()]);
  assert.equal(index.members.drone + index.members["b-cell"] + index.members.stem + index.members.neuron, 50);
});
