import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bestRanked, rendezvousRank } from "../../src/lib/hash.ts";
import { mapWith, mapWithout } from "../../src/lib/shared-map.ts";

test("who makes the same change to the same map gets the same map, and the old one stays as it was", () => {
  const map = new Map([["a", 1]]);
  const more = mapWith(map, "b", 2);
  assert.equal(mapWith(map, "b", 2), more);
  assert.notEqual(mapWith(map, "b", 3), more);
  assert.deepEqual([...map], [["a", 1]]);
  assert.equal(mapWithout(more, "a"), mapWithout(more, "a"));
  assert.equal(mapWithout(map, "none"), map);
  // What was gone and what was set to nothing are two things.
  const holey: ReadonlyMap<string, undefined> = new Map([["a", undefined]]);
  assert.deepEqual([...mapWithout(holey, "a")], []);
  assert.deepEqual([...mapWith(holey, "a", undefined)], [["a", undefined]]);
});

test("maps as values do what maps do, in the same order, however often a change is repeated", () => {
  const change = fc.tuple(fc.boolean(), fc.constantFrom("a", "b", "c"), fc.nat(2));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const plain = new Map<string, number>();
      let value: ReadonlyMap<string, number> = new Map();
      for (const [sets, key, number] of changes) {
        if (sets) plain.set(key, number);
        else plain.delete(key);
        const next = sets ? mapWith(value, key, number) : mapWithout(value, key);
        assert.equal(sets ? mapWith(value, key, number) : mapWithout(value, key), next);
        value = next;
        assert.deepEqual([...value], [...plain]);
      }
    }),
  );
});

test("the best ranked are those whom rendezvous hashing ranks first", () => {
  const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(ids, fc.string(), fc.integer({ min: 1, max: 70 }), (all, key, count) => {
      const best = bestRanked(key, all, count);
      assert.deepEqual(new Set(best), new Set(all.filter((id) => rendezvousRank(key, id, all) < count)));
      assert.equal(rendezvousRank(key, best[0]!, all), 0);
    }),
  );
});
