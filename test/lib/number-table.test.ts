import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NumberTable } from "../../src/lib/number-table.ts";

type Step = { readonly key: number; readonly value: number | null } | "clear";

// Few different slots, so that keys get into each other's way; and the largest.
const key = fc.oneof(
  fc.integer({ min: 1, max: 300 }).map((n) => 1 + 64 * (n % 40) + (n % 3)),
  fc.constant(0xffff_ffff),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 99, arbitrary: fc.record({ key, value: fc.option(fc.integer()) }) },
  { weight: 1, arbitrary: fc.constant("clear" as const) },
);

test("a number table holds what a map holds, whatever comes and goes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: "max" }), (steps) => {
      const table = new NumberTable<number>();
      const map = new Map<number, number>();
      for (const one of steps) {
        if (one === "clear") {
          table.clear();
          map.clear();
        } else if (one.value === null) assert.equal(table.delete(one.key), map.delete(one.key));
        else {
          table.set(one.key, one.value);
          map.set(one.key, one.value);
        }
        assert.equal(table.size, map.size);
      }
      for (let n = 1; n < 3000; n += 1) {
        assert.equal(table.get(n), map.get(n));
        assert.equal(table.has(n), map.has(n));
      }
      assert.deepEqual(table.values().toSorted(ascending), [...map.values()].toSorted(ascending));
    }),
  );
});

test("a key that a table cannot hold is refused", () => {
  const table = new NumberTable<string>();
  for (const wrong of [0, -1, 1.5, 2 ** 32, Number.NaN]) assert.throws(() => table.set(wrong, "x"), /whole number/);
  assert.equal(table.size, 0);
});

const ascending = (a: number, b: number): number => a - b;
