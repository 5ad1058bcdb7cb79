import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { rendezvousRank } from "../../src/lib/hash.ts";
import { prngBelow, prngFrom, prngNext } from "../../src/lib/prng.ts";

const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 20 });

describe("rendezvous ranks", () => {
  test("give each of several ids another place, the same for everybody, whatever order they are known in", () => {
    fc.assert(
      fc.property(ids, fc.string(), (known, key) => {
        const ranks = known.map((id) => rendezvousRank(key, id, known));
        assert.deepEqual(
          [...ranks].sort((a, b) => a - b),
          known.map((_, i) => i),
        );
        assert.deepEqual(
          known.map((id) => rendezvousRank(key, id, known.toReversed())),
          ranks,
        );
      }),
    );
  });

  test("move up by one at most when somebody leaves", () => {
    fc.assert(
      fc.property(ids, fc.string(), ([gone = "", ...left], key) => {
        for (const id of left) {
          const [before, after] = [rendezvousRank(key, id, [gone, ...left]), rendezvousRank(key, id, left)];
          assert.ok(after === before || after === before - 1);
        }
      }),
    );
  });

  test("spread the first place evenly over similar ids", () => {
    const cells = Array.from({ length: 8 }, (_, i) => `cell${i}`);
    const wins = new Map<string, number>();
    for (let key = 0; key < 8_000; key += 1) {
      const first = cells.find((id) => rendezvousRank(`k${key}`, id, cells) === 0) ?? "";
      wins.set(first, (wins.get(first) ?? 0) + 1);
    }
    // 1,000 each expected, standard deviation 30: five of them.
    for (const id of cells) assert.ok(Math.abs((wins.get(id) ?? 0) - 1_000) < 150, `${id}: ${wins.get(id)}`);
  });
});

describe("the generator", () => {
  test("gives one sequence for one seed, pinned so that histories stay what they were", () => {
    let state = prngFrom(1, 2, 3);
    const words: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      const [word, next] = prngNext(state);
      words.push(word);
      state = next;
    }
    assert.deepEqual(words, [1936341825, 3001364500, 1029104839, 3987121759]);
  });

  test("stays below its bound and reaches every value", () => {
    let state = prngFrom(42);
    const seen = new Set<number>();
    for (let i = 0; i < 1_000; i += 1) {
      const [value, next] = prngBelow(state, 10);
      state = next;
      seen.add(value);
    }
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
  });
});
