import assert from "node:assert/strict";
import { test } from "node:test";
import { Testimony, testimonyLimits } from "../../src/host/immune/testimony.ts";
import type { Mark } from "../../src/immune/ledger/mark.ts";

const markOf = (n: number): Mark => ({
  id: String(n),
  client: "192.0.2.1",
  attackClass: "sql-injection",
  rules: [942_100],
  score: 5,
  cell: "b",
  atMs: n,
});

test("what finds no room is lost, the newest first, and counted", () => {
  const testimony = new Testimony();
  for (let n = 0; n < testimonyLimits.marksMax + 3; n += 1) testimony.mark(markOf(n));
  assert.equal(testimony.lost.marks, 3);
  const { marks } = testimony.take();
  assert.equal(marks.length, testimonyLimits.marksMax);
  assert.equal(marks[0]?.id, "0");
});

test("a flood of sightings pushes no mark out", () => {
  const testimony = new Testimony();
  for (let n = 0; n < testimonyLimits.sightingsMax + 1; n += 1)
    testimony.sight({ kind: "missing", client: "192.0.2.1", atMs: n, path: n });
  testimony.mark(markOf(1));
  const { marks, sightings } = testimony.take();
  assert.equal(marks.length, 1);
  assert.equal(sightings.length, testimonyLimits.sightingsMax);
  assert.deepEqual(testimony.lost, { marks: 0, sightings: 1 });
  assert.ok(testimony.isEmpty);
});
