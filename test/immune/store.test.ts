// A store on top of what many begin with is, seen from outside, a map of its own.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { LayeredStore, storeBase } from "../../src/immune/seclang/store.ts";

type Step = readonly ["set", string, string] | readonly ["delete", string] | readonly ["find"];

const name = fc.constantFrom<string[]>("a", "b", "c", "ab", "bc", "x");
const value = fc.constantFrom<string[]>("", "0", "1", "2");
const steps = fc.array(
  fc.oneof(
    fc.tuple(fc.constant("set" as const), name, value),
    fc.tuple(fc.constant("delete" as const), name),
    fc.constant(["find"] as const),
  ),
  { maxLength: 12 },
);

describe("a layered store", () => {
  test("holds what a map would hold after the same steps, in the same order", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 5 }), steps, (first, then: readonly Step[]) => {
        const base = storeBase(new Map(first));
        const store = new LayeredStore(base);
        const map = new Map(first);
        for (const step of then) {
          if (step[0] === "set") {
            store.set(step[1], step[2]);
            map.set(step[1], step[2]);
          } else if (step[0] === "delete") assert.equal(store.delete(step[1]), map.delete(step[1]));
          else {
            const found: Array<[string, string]> = [];
            store.eachFound(/b/, (each, held) => found.push([each, held]));
            assert.deepEqual(
              found,
              [...map].filter(([each]) => each.includes("b")),
            );
          }
          assert.deepEqual([...store], [...map]);
          assert.equal(store.size, map.size);
          for (const each of ["a", "b", "x", "y"]) {
            assert.deepEqual([store.get(each), store.has(each)], [map.get(each), map.has(each)]);
          }
        }
        assert.deepEqual([...base.values], [...new Map(first)]);
      }),
      { numRuns: 2000 },
    );
  });

  test("asks a pattern about the names of its base once only", () => {
    const asked: string[] = [];
    const pattern = {
      test: (each: string): boolean => {
        asked.push(each);
        return true;
      },
    };
    const base = storeBase(new Map([["a", "1"]]));
    for (const own of ["x", "y"]) {
      const store = new LayeredStore(base);
      store.set(own, "2");
      store.eachFound(pattern, () => {});
    }
    assert.deepEqual(asked, ["a", "x", "y"]);
  });
});
