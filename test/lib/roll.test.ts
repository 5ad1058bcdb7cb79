import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Roll } from "../../src/lib/roll.ts";

const member = (name: number): { name: number; rollPlace: number } => ({ name, rollPlace: -1 });

test("a roll holds those that came and have not left", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200, size: "max" }), (names) => {
      const all = Array.from({ length: 21 }, (_, name) => member(name));
      const roll = new Roll<(typeof all)[number]>();
      const set = new Set<number>();
      for (const name of names) {
        const one = all[name] as (typeof all)[number];
        assert.equal(roll.delete(one), set.delete(name));
        if (one.rollPlace === -1 && name % 3 !== 0) {
          roll.add(one);
          set.add(name);
        }
        assert.equal(roll.size, set.size);
      }
      assert.deepEqual(
        [...roll].map(({ name }) => name).toSorted((a, b) => a - b),
        [...set].toSorted((a, b) => a - b),
      );
    }),
  );
});

test("who leaves while the roll is walked is passed over, and nobody else is", () => {
  const [a, b, c, d] = [member(1), member(2), member(3), member(4)];
  const roll = new Roll<ReturnType<typeof member>>();
  for (const one of [a, b, c, d]) roll.add(one);
  const seen: number[] = [];
  for (const { name } of roll) {
    seen.push(name);
    if (name === 1) roll.delete(b);
  }
  assert.deepEqual(seen, [1, 3, 4]);
});

test("one roll does not let go of another's member", () => {
  const [one, other] = [new Roll<ReturnType<typeof member>>(), new Roll<ReturnType<typeof member>>()];
  const [a, b] = [member(1), member(2)];
  one.add(a);
  other.add(b);
  assert.equal(one.delete(b), false);
  assert.deepEqual([...one], [a]);
  assert.deepEqual([...other], [b]);
});
