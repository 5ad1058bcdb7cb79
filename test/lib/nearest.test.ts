import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { editDistance, nearest } from "../../src/lib/nearest.ts";

const distances: ReadonlyArray<[left: string, right: string, distance: number]> = [
  ["", "", 0],
  ["", "abc", 3],
  ["port", "port", 0],
  ["prot", "port", 1],
  ["port", "ports", 1],
  ["pot", "port", 1],
  ["post", "port", 1],
  ["kitten", "sitting", 3],
  ["listen", "silent", 4],
];

for (const [left, right, distance] of distances) {
  test(`from ${JSON.stringify(left)} to ${JSON.stringify(right)} it takes ${distance}`, () => {
    assert.equal(editDistance(left, right), distance);
    assert.equal(editDistance(right, left), distance);
  });
}

test("a slip of the fingers is found", () => {
  const keys = ["name", "app", "listen", "cells", "hormones"];
  assert.equal(nearest("nmae", keys), "name");
  assert.equal(nearest("Listen", keys), "listen");
  assert.equal(nearest("hormons", keys), "hormones");
});

test("what is merely similar is not offered", () => {
  assert.equal(nearest("colour", ["cells"]), null);
  assert.equal(nearest("x", ["y"]), null);
  assert.equal(nearest("app", ["env"]), null);
  assert.equal(nearest("a".repeat(101), ["a".repeat(101)]), null);
});

test("the nearest wins, and on a tie the first", () => {
  assert.equal(nearest("hostt", ["ghost", "host"]), "host");
  assert.equal(nearest("mon", ["min", "men"]), "min");
});

test("distance is zero for equal words only, and never more than the longer word", () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (left, right) => {
      const distance = editDistance(left, right);
      assert.equal(distance === 0, left === right);
      assert.ok(distance <= Math.max(left.length, right.length));
      assert.ok(distance >= Math.abs(left.length - right.length));
    }),
  );
});
