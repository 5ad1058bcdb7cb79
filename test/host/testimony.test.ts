import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { testimonyHopsMax } from "../../src/core/limits.ts";
import { Relay } from "../../src/host/immune/relay.ts";
import { inBatches, Testimony, testimonyLimits } from "../../src/host/immune/testimony.ts";
import { markLimits, type Mark, type Sighting } from "../../src/immune/ledger/mark.ts";
import { readKinMessage } from "../../src/wire/kin.ts";
import type { InfectionWord } from "../../src/immune/report/infection.ts";
import { infectionsMax, testimonyBatchMax, type Testified } from "../../src/wire/testimony.ts";

const client = "192.0.2.1";
const markOf = (n: number): Mark => ({
  id: String(n),
  client,
  attackClass: "sql-injection",
  rules: [942_100],
  score: 5,
  cell: "b",
  atMs: n,
});
const wordOf = (n: number): InfectionWord => ({
  drone: `d${n}`,
  pid: n,
  startTicks: 1,
  stage: "seen",
  check: "children",
  found: "x".repeat(9_999),
  votes: 0,
  cell: "b",
  atMs: n,
  requests: Array.from({ length: 99 }, (_, i) => ({
    requestId: "r".repeat(99 + i),
    client: "2001:db8::1",
    method: "M".repeat(99),
    path: "/".repeat(9_999),
    atMs: n,
    isOpen: true,
  })),
});
const clean = (n: number): Sighting => ({ kind: "clean", client, atMs: n, count: 1, print: n });

describe("testimony", () => {
  test("loses the newest marks when there is no room, and counts them", () => {
    const testimony = new Testimony();
    for (let n = 0; n < testimonyLimits.marksMax + 3; n += 1) testimony.mark(markOf(n));
    assert.equal(testimony.lost.marks, 3);
    const { marks } = testimony.take();
    assert.equal(marks.length, testimonyLimits.marksMax);
    assert.equal(marks[0]?.id, "0");
    assert.ok(testimony.isEmpty);
  });

  test("loses no mark to a flood of clean requests, and of these the oldest", () => {
    const testimony = new Testimony();
    testimony.mark(markOf(1));
    for (let n = 0; n < testimonyLimits.clientsMax + 1; n += 1) testimony.sight(clean(n));
    assert.deepEqual(testimony.lost, { marks: 0, sightings: 1, infections: 0 });
    const { marks, sightings } = testimony.take();
    assert.equal(marks.length, 1);
    const prints = sightings.map((s) => (s.kind === "clean" ? s.print : null));
    assert.equal(prints[0], 1);
    assert.equal(prints.length, testimonyLimits.clientsMax);
  });

  test("sums clean requests up by client, and loses none of their number", () => {
    const testimony = new Testimony();
    for (let n = 0; n < 1_000; n += 1) testimony.sight({ ...clean(7), atMs: n });
    assert.deepEqual(testimony.take().sightings, [{ ...clean(7), atMs: 999, count: 1_000 }]);
  });

  test("words of an infection call for a T cell as marks do, go in one message, and have their bounds", () => {
    const testimony = new Testimony();
    let urgent = 0;
    testimony.onNews = (isUrgent) => (urgent += Number(isUrgent));
    testimony.infection(wordOf(1));
    assert.deepEqual([testimony.isEmpty, urgent, testimony.takeEvidence()], [false, 1, 1]);
    for (let n = 2; n < infectionsMax + 4; n += 1) testimony.infection(wordOf(n));
    assert.equal(testimony.lost.infections, 3);
    const batches = inBatches(testimony.take());
    assert.deepEqual(
      batches.map(({ infections }) => infections?.length),
      [infectionsMax],
    );
    assert.ok(testimony.isEmpty);
    for (const batch of batches) assert.deepEqual(readKinMessage(JSON.stringify(batch)), { ok: true, value: batch });
    testimony.passOn(batches[0]!);
    assert.equal(testimony.take().infections?.length, infectionsMax);
  });

  test("goes over the wire whatever was in it", () => {
    const testimony = new Testimony();
    const huge = { id: "x".repeat(500), evidence: "y".repeat(9_999), score: 1e12, rules: Array(99).fill(1) };
    testimony.mark({ ...markOf(1), ...huge });
    for (let n = 0; n < testimonyBatchMax + 1; n += 1)
      testimony.sight({ kind: "missing", client: "2001:db8::1", atMs: n, path: n });
    testimony.sight({ kind: "login", client, atMs: 1, failed: false });
    testimony.sight(clean(4));
    const batches = inBatches(testimony.take());
    assert.equal(batches.length, 2);
    for (const batch of batches) assert.deepEqual(readKinMessage(JSON.stringify(batch)), { ok: true, value: batch });
    assert.equal(batches[0]?.marks[0]?.evidence?.length, markLimits.evidenceLengthMax);
  });

  test("is evidence by its marks, and by offences when there are many", () => {
    const testimony = new Testimony();
    assert.equal(testimony.takeEvidence(), 0);
    for (let n = 0; n < testimonyLimits.offencesPerMark - 1; n += 1)
      testimony.sight({ kind: "missing", client, atMs: n, path: n });
    assert.equal(testimony.takeEvidence(), 0);
    testimony.sight({ kind: "slow", client, atMs: 1 });
    assert.equal(testimony.takeEvidence(), 1);
    testimony.mark(markOf(1));
    assert.equal(testimony.takeEvidence(), 2);
    testimony.take();
    assert.equal(testimony.takeEvidence(), 0);
  });
});

describe("the relay", () => {
  function rig() {
    const testimony = new Testimony();
    const sent: Array<[string, Testified]> = [];
    const state = { way: null as string | null, isOpen: true };
    const relay = new Relay({
      self: "t",
      testimony,
      way: () => state.way,
      send: (to, batches) => {
        if (state.isOpen) for (const batch of batches) sent.push([to, batch]);
        return state.isOpen;
      },
    });
    return { testimony, sent, state, relay };
  }

  test("keeps what has no way, and sends it on when there is one", async () => {
    const { testimony, sent, state, relay } = rig();
    testimony.mark(markOf(1));
    await setImmediate();
    assert.equal(sent.length, 0);
    state.way = "k";
    relay.flush();
    assert.deepEqual(
      sent.map(([to, { marks, hops }]) => [to, marks.length, hops]),
      [["k", 1, 1]],
    );
  });

  test("sends all marks of one turn together, at its end", async () => {
    const { testimony, sent, state } = rig();
    state.way = "k";
    for (let n = 0; n < 5; n += 1) testimony.mark(markOf(n));
    assert.equal(sent.length, 0);
    await setImmediate();
    assert.deepEqual(
      sent.map(([, { marks }]) => marks.length),
      [5],
    );
  });

  test("waits for a relative that does not read", () => {
    const { testimony, sent, state, relay } = rig();
    state.way = "k";
    state.isOpen = false;
    testimony.mark(markOf(1));
    relay.flush();
    assert.ok(!testimony.isEmpty);
    state.isOpen = true;
    relay.flush();
    assert.equal(sent.length, 1);
  });

  test("delivers in a T cell, once its body is there", () => {
    const { state, relay, testimony } = rig();
    state.way = "t";
    relay.receive({ type: "testimony", marks: [markOf(1)], sightings: [], hops: 3 });
    relay.flush();
    assert.ok(!testimony.isEmpty);
    const taken: Testified[] = [];
    relay.deliverTo((testified) => taken.push(testified));
    assert.equal(taken.length, 1);
    assert.ok(testimony.isEmpty);
  });

  test("counts each hop, and lets nothing circle for ever", () => {
    const { state, relay, testimony, sent } = rig();
    state.way = "k";
    relay.receive({ type: "testimony", marks: [markOf(1)], sightings: [], hops: testimonyHopsMax - 1 });
    relay.flush();
    assert.equal(sent[0]?.[1].hops, testimonyHopsMax);
    relay.receive({ type: "testimony", marks: [markOf(2)], sightings: [], hops: testimonyHopsMax });
    relay.flush();
    assert.equal(sent.length, 1);
    assert.equal(testimony.lost.marks, 1);
  });
});
