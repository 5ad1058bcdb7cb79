import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { readCellRecord, readControlReply, readOrganismFile } from "../../src/wire/read-control.ts";

const summary = {
  id: "aaaaaaaaaa",
  class: "drone",
  pid: 7,
  startTicks: 9,
  mother: null,
  generation: 0,
  bornAt: "2026-11-22T12:00:00.000Z",
  state: "live",
};
const failed = { state: "failed", error: { code: "E", message: "m", stack: "s" }, attempts: 3, retryInMs: 4 };
const vitals = {
  ok: true,
  op: "vitals",
  organism: "o",
  name: "shop",
  revision: "r",
  self: { ...summary, load: 0.1, rssBytes: 1, inFlight: 0, app: failed },
  others: [{ ...summary, id: "bbbbbbbbbb" }],
  appHealth: { state: "none" },
};

test("replies are read as they were written", () => {
  for (const reply of [vitals, { ok: true, op: "stop" }, { ok: false, code: "C", message: "m" }]) {
    assert.deepEqual(readControlReply(JSON.stringify(reply)), { ok: true, value: reply });
  }
});

test("fields that we do not know are passed over: a newer cell may say more", () => {
  const newer = { ...vitals, self: { ...vitals.self, mood: "good" }, weather: 1 };
  assert.deepEqual(readControlReply(JSON.stringify(newer)), { ok: true, value: vitals });
});

test("a reply with a field that is missing or of another kind is refused with its name", () => {
  const wrongs: Array<[unknown, RegExp]> = [
    [null, /reply is no object/],
    [{ ...vitals, others: {} }, /others is no array/],
    [{ ...vitals, revision: 1 }, /revision is no string/],
    [{ ...vitals, self: { ...vitals.self, class: "king" } }, /self\.class is "king"/],
    [{ ...vitals, self: { ...vitals.self, state: "asleep" } }, /self\.state is "asleep"/],
    [{ ...vitals, self: { ...vitals.self, load: "high" } }, /load is no number/],
    [{ ...vitals, self: { ...vitals.self, app: { state: "odd" } } }, /app\.state is "odd"/],
    [{ ok: true, op: "dance" }, /reply\.op is "dance"/],
    [{ ok: false }, /code is no string/],
  ];
  for (const [wrong, reason] of wrongs) {
    const read = readControlReply(JSON.stringify(wrong));
    assert.ok(!read.ok);
    assert.match(read.reason, reason);
  }
});

test("a pid that would reach a process group is never read", () => {
  const { state: _state, ...record } = summary;
  assert.equal(readCellRecord(JSON.stringify(record)).ok, true);
  for (const pid of [0, -1, 1.5, "7", null]) {
    assert.equal(readCellRecord(JSON.stringify({ ...record, pid })).ok, false, String(pid));
  }
});

test("no text makes the readers throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      for (const read of [readControlReply, readCellRecord, readOrganismFile]) read(text);
    }),
  );
});
