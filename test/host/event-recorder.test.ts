// What a cell records is bounded, and enough to live its life again.
import assert from "node:assert/strict";
import fs from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { replaySegment } from "../../src/sim/replay.ts";
import { decode, encode, openLine, sealLine } from "../../src/wire/event-log.ts";
import { RecordedLife } from "../support/recorded-life.ts";

const MIB = 1024 * 1024;

function replayed(text: string): Extract<ReturnType<typeof replaySegment>, { ok: true }>["replayed"] {
  const replay = replaySegment(text);
  assert.ok(replay.ok, JSON.stringify(replay));
  return replay.replayed;
}

describe("a recorded life", () => {
  test("is the same when it is replayed, to the last state", (t) => {
    const life = new RecordedLife(t);
    life.tell({ type: "first-connection" });
    life.live(60);
    const { difference, state, isTorn, events, head } = replayed(life.text());
    assert.deepEqual([difference, isTorn, head.cell, head.segment], [null, false, "eggeggeggg", 0]);
    assert.ok(events > 480);
    assert.deepEqual(state, life.state);
  });

  test("is the same up to where its writer was killed in the middle of a line", (t) => {
    const life = new RecordedLife(t);
    life.tell({ type: "first-connection" });
    life.live(5);
    const whole = life.text();
    const { events } = replayed(whole);
    for (const cut of [1, 20, 90]) {
      const torn = replayed(whole.slice(0, -cut));
      assert.deepEqual([torn.difference, torn.isTorn, torn.events], [null, true, events - 1], `${cut} bytes less`);
    }
    assert.deepEqual(replaySegment(whole.slice(0, 50)), {
      ok: false,
      reason: "its first line is not that of an event log",
    });
  });

  test("that somebody changed is reported with the first line that is not as it was", (t) => {
    const life = new RecordedLife(t);
    life.tell({ type: "first-connection" });
    life.live(5);
    const lines = life.text().split("\n");
    const place = 20;
    const changed = (text: string): string[] => lines.with(place, text);
    const cases: Array<[lines: string[], what: string]> = [
      [changed(lines[place]!.replace(/"nowMs":\d+/, '"nowMs":99')), "altered"],
      [changed("{}"), "unreadable"],
      [lines.toSpliced(place, 1), "altered"],
      [lines.toSpliced(place, 0, lines[place - 1]!), "altered"],
    ];
    for (const [altered, what] of cases) {
      const { difference, events } = replayed(altered.join("\n"));
      assert.deepEqual([difference?.what, difference?.line, events], [what, place + 1, place - 1]);
    }
    const head = lines.with(0, lines[0]!.replace('"urgent":false', '"urgent":true'));
    assert.deepEqual(replaySegment(head.join("\n")), { ok: false, reason: "its first line was altered" });
  });

  test("that was forged with care, its chain made anew, is found out by what the mind makes of it", (t) => {
    const life = new RecordedLife(t);
    life.tell({ type: "first-connection" });
    life.live(5);
    const lines = life.text().trimEnd().split("\n");
    const at = lines.findIndex((line) => line.includes('"first-connection"'));
    let chain = "";
    const forged = lines.map((line, i) => {
      const body = line.replace(/,"chain":"[0-9a-f]{16}"\}$/, "}");
      const value = decode(i === at ? body.replace('"first-connection"', '"drained"') : body) as object;
      const sealed = sealLine(value, chain);
      chain = sealed.chain;
      return sealed.text;
    });
    const { difference } = replayed(`${forged.join("\n")}\n`);
    assert.deepEqual([difference?.what, difference?.line, difference?.replayed], ["effects", at + 1, "none"]);
    assert.match(difference?.recorded ?? "", /divide divide become/);
  });

  test("ends with the event that its mind could not take, and that is no difference", (t) => {
    const life = new RecordedLife(t);
    life.tell({ type: "first-connection" });
    const { self } = life.state;
    const bad = { type: "link-opened", peer: self, record: birthRecord(life) } as const;
    life.recorder.refused({ nowMs: life.nowMs, ...bad }, "nobody is kin of itself");
    const { difference, refused } = replayed(life.text());
    assert.deepEqual([difference, refused], [null, "nobody is kin of itself"]);
  });

  test("goes on from a checkpoint, in parts of which the oldest go when there is no more room", (t) => {
    const bytesMax = 4 * MIB;
    const life = new RecordedLife(t, { bytesMax });
    life.tell({ type: "first-connection" });
    for (let round = 0; round < 60; round += 1) {
      life.live(60);
      const bytes = life.files().reduce((sum, file) => sum + fs.statSync(file).size, 0);
      assert.ok(bytes <= bytesMax, `${bytes} bytes`);
    }
    const files = life.files();
    assert.ok(files.length > 5);
    assert.ok(!files[0]!.endsWith("-0000.events.jsonl"), "the beginning has gone");
    const parts = files.map((_file, i) => replayed(life.text(i)));
    for (const [i, part] of parts.entries()) {
      assert.equal(part.difference, null);
      const next = parts[i + 1];
      if (next === undefined) continue;
      assert.equal(next.head.before, part.head.before + part.events);
      assert.ok("state" in next.head.start);
      assert.deepEqual(next.head.start.state, part.state);
    }
    assert.deepEqual(parts.at(-1)?.state, life.state);
  });

  test("is for its owner's eyes only, and holds no private key", (t) => {
    const life = new RecordedLife(t);
    life.tell({ type: "first-connection" });
    assert.equal(fs.statSync(life.files()[0]!).mode & 0o777, 0o600);
    assert.doesNotMatch(life.text(), /private/i);
  });

  test("ends, and is told of once, where it cannot be written; the cell lives on", (t) => {
    const life = new RecordedLife(t, { folder: "/nowhere/at/all" });
    life.live(1);
    assert.equal(life.failures.length, 1);
    assert.match(life.failures[0]!, /ENOENT/);
  });
});

function birthRecord(life: RecordedLife) {
  const record = life.state.records.get(`cell/${life.state.self}`);
  assert.ok(record !== undefined);
  return record;
}

describe("an event log's line", () => {
  test("carries maps, sets and all numbers, one within the other, in their order", () => {
    const value = {
      a: new Map<string, unknown>([
        ["z", new Set([3, 1])],
        ["b", { c: [new Map()] }],
      ]),
      n: -Infinity,
    };
    assert.deepEqual(decode(encode(value)), value);
    const key = fc.string({ maxLength: 5 }).filter((text) => !text.startsWith("$") && text !== "__proto__");
    const json = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.integer(),
        fc.constant(null),
        fc.boolean(),
        tie("map"),
        tie("set"),
        tie("list"),
        tie("object"),
      ),
      map: fc.array(fc.tuple(key, tie("any"))).map((entries) => new Map(entries)),
      set: fc.array(fc.integer()).map((members) => new Set(members)),
      list: fc.array(tie("any")),
      object: fc.dictionary(key, tie("any"), { noNullPrototype: true }),
    }));
    fc.assert(fc.property(json["any"], (any) => assert.deepEqual(decode(encode(any)), any)));
  });

  test("opens only with the chain of the line before it", () => {
    const first = sealLine({ a: 1 }, "");
    const second = sealLine({ b: 2 }, first.chain);
    assert.deepEqual(openLine(second.text, first.chain), { ok: true, value: { b: 2 }, chain: second.chain });
    assert.deepEqual(openLine(second.text, ""), { ok: false, wrong: "altered" });
    for (const text of ["", "{", "null", '{"a":1}', second.text.slice(0, -1)]) {
      assert.deepEqual(openLine(text, first.chain), { ok: false, wrong: "unreadable" }, text);
    }
  });
});
