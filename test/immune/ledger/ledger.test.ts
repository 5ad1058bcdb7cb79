import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { attackClassOf } from "../../../src/immune/ledger/attack-class.ts";
import { judge } from "../../../src/immune/ledger/judge.ts";
import { Ledger, forgetMs, type SharedShare, type Standing } from "../../../src/immune/ledger/ledger.ts";
import type { Mark, Sighting } from "../../../src/immune/ledger/mark.ts";
import { addToSketch, countDistinct, newSketch, windowMs } from "../../../src/immune/ledger/sketch.ts";

const salt = "organism";
let serial = 0;
const mark = (client: string, atMs: number, attackClass: Mark["attackClass"] = "sql-injection"): Mark => ({
  id: `m${(serial += 1)}`,
  client,
  attackClass,
  rules: [942_100],
  score: 5,
  cell: "b",
  atMs,
});
const clean = (client: string, atMs: number, count = 1, print?: number): Sighting => ({
  kind: "clean",
  client,
  atMs,
  count,
  ...(print === undefined ? {} : { print }),
});
const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-6 * Math.max(1, b), `${a} is not ${b}`);

describe("a ledger", () => {
  test("forgets what was there when a person lifts a ban, also what others tell of it, and counts on from then", () => {
    const [ledger, other] = [new Ledger({ owner: "t", salt }), new Ledger({ owner: "u", salt })];
    for (const one of [ledger, other]) for (let i = 0; i < 5; i += 1) one.observeMark(mark("192.0.2.7", 1_000));
    const told = other.delta(0);
    ledger.absolve("192.0.2.7", 2_000);
    ledger.merge(told);
    assert.equal(ledger.standing("192.0.2.7", 2_000), null);
    ledger.observe(clean("192.0.2.7", 2_500));
    ledger.observeMark(mark("192.0.2.7", 3_000));
    near(ledger.standing("192.0.2.7", 3_000)!.pressure, 1 / 5);
    other.observeMark(mark("192.0.2.7", 3_000));
    assert.deepEqual(ledger.merge(other.delta(0)).includes("192.0.2.7"), true, "what is told of later counts");
  });

  test("fills a bucket with marks and empties it by half in each half-life", () => {
    const ledger = new Ledger({ owner: "t", salt });
    for (let i = 0; i < 4; i += 1) ledger.observeMark(mark("192.0.2.7", 0));
    near(ledger.standing("192.0.2.7", 0)!.pressure, 4 / 5);
    near(ledger.standing("192.0.2.7", 600_000)!.pressure, 2 / 5);
    near(ledger.standing("192.0.2.7", 1_200_000)!.pressure, 1 / 5);
  });

  test("counts a mark once, however often it arrives, and none for what is no address", () => {
    const ledger = new Ledger({ owner: "t", salt });
    const one = mark("192.0.2.7", 0);
    assert.deepEqual(ledger.observeMark(one), ["192.0.2.7", "192.0.2.0/24"]);
    assert.deepEqual(ledger.observeMark(one), []);
    assert.deepEqual(ledger.observeMark(mark("unix socket", 0)), []);
    near(ledger.standing("192.0.2.7", 0)!.pressure, 1 / 5);
  });

  test("knows an IPv6 client by its /64, and an IPv4-mapped one by its IPv4 address", () => {
    const ledger = new Ledger({ owner: "t", salt });
    assert.deepEqual(ledger.observeMark(mark("2001:db8:1:2:3:4:5:6", 0)), [
      "2001:db8:1:2::/64",
      "2001:db8:1::/56",
      "2001:db8:1::/48",
    ]);
    assert.deepEqual(ledger.observeMark(mark("::ffff:192.0.2.7", 0)), ["192.0.2.7", "192.0.2.0/24"]);
  });

  test("lets one loud source fill its own bucket and not its network's", () => {
    const ledger = new Ledger({ owner: "t", salt });
    for (let i = 0; i < 500; i += 1) ledger.observeMark(mark("192.0.2.7", i));
    assert.ok(ledger.standing("192.0.2.7", 500)!.pressure > 90);
    const network = ledger.standing("192.0.2.0/24", 500)!;
    assert.ok(network.pressure < 1.3, `${network.pressure}`);
    assert.ok(network.bad < 12 && Math.round(network.children) === 1);
  });

  test("adds up what several T cells saw", () => {
    const [a, b] = [new Ledger({ owner: "a", salt }), new Ledger({ owner: "b", salt })];
    for (let i = 0; i < 3; i += 1) {
      a.observeMark(mark("192.0.2.7", 0));
      b.observeMark(mark("192.0.2.7", 0));
    }
    assert.deepEqual(b.merge(a.delta(0)).sort(), ["192.0.2.0/24", "192.0.2.7"]);
    near(b.standing("192.0.2.7", 0)!.pressure, 6 / 5);
    assert.deepEqual(b.merge(a.delta(0)), [], "the same again changes nothing");
    near(b.standing("192.0.2.7", 0)!.pressure, 6 / 5);
    assert.deepEqual(a.merge(a.delta(0)), [], "nor does one's own");
  });

  test("passes on only what has changed since", () => {
    const ledger = new Ledger({ owner: "a", salt });
    ledger.observeMark(mark("192.0.2.7", 0));
    const { version } = ledger;
    assert.deepEqual(ledger.delta(version), []);
    ledger.observeMark(mark("198.51.100.1", 0));
    const ranges = ledger.delta(version).map(({ range }) => range);
    assert.deepEqual(ranges.sort(), ["198.51.100.0/24", "198.51.100.1"]);
  });

  test("refuses shares of ranges that are on no rung", () => {
    const ledger = new Ledger({ owner: "a", salt });
    const share = { owner: "b", version: 1, atMs: 0, levels: [], bad: 1, clean: 0, sketches: {} };
    const ranges = ["192.0.2.0/23", "192.0.2.9/24", "::/0", "nonsense", ""];
    assert.deepEqual(ledger.merge(ranges.map((range) => ({ ...share, range }))), []);
    assert.equal(ledger.size, 0);
  });

  test("stays within its bound, and forgets harmless strangers before an attacker", () => {
    const ledger = new Ledger({ owner: "a", salt, rangesMax: 200 });
    for (let i = 0; i < 4; i += 1) ledger.observeMark(mark("192.0.2.7", 0));
    for (let i = 0; i < 5_000; i += 1) ledger.observe(clean(`10.${i >> 8}.${i & 255}.1`, i));
    assert.equal(ledger.size, 200);
    assert.ok(ledger.evicted > 0);
    assert.ok(ledger.standing("192.0.2.7", 5_000)!.pressure > 0.7);
  });

  test("hands on all that it knows, or only what is worth keeping", () => {
    const ledger = new Ledger({ owner: "a", salt });
    ledger.observeMark(mark("192.0.2.7", 0));
    ledger.observe(clean("198.51.100.1", 0));
    assert.equal(ledger.snapshot().length, 4);
    const kept = ledger.snapshot(0.5).map(({ range }) => range);
    assert.deepEqual(kept.sort(), ["192.0.2.0/24", "192.0.2.7"]);
    const heir = new Ledger({ owner: "b", salt });
    heir.merge(ledger.snapshot());
    near(heir.standing("192.0.2.7", 0)!.pressure, 1 / 5);
  });

  test("forgets what has faded", () => {
    const ledger = new Ledger({ owner: "a", salt });
    ledger.observeMark(mark("192.0.2.7", 0));
    ledger.sweep(forgetMs);
    assert.equal(ledger.size, 2);
    ledger.sweep(forgetMs + 1);
    assert.equal(ledger.size, 0);
  });
});

describe("several ledgers", () => {
  const event = fc.record({
    owner: fc.integer({ min: 0, max: 2 }),
    client: fc.constantFrom("192.0.2.1", "192.0.2.2", "198.51.100.9", "2001:db8::1", "2001:db8:0:1::1"),
    kind: fc.constantFrom("mark", "clean", "missing", "login", "slow"),
    atMs: fc.integer({ min: 0, max: 3 * windowMs }),
    value: fc.integer({ min: 0, max: 1_000 }),
  });

  test("end with the same whatever the order, the grouping and the repetitions of what they tell each other", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.array(fc.nat(), { maxLength: 60 }), (events, draws) => {
        const owners = [0, 1, 2].map((owner) => new Ledger({ owner: `t${owner}`, salt }));
        const told: SharedShare[] = [];
        for (const one of events) {
          const owner = owners[one.owner]!;
          const { version } = owner;
          feed(owner, one);
          // Intermediate editions are told as well, and arrive late.
          told.push(...owner.delta(version));
        }
        const [first, second] = [new Ledger({ owner: "x", salt }), new Ledger({ owner: "y", salt })];
        first.merge(told);
        const shuffled = [...told];
        for (const [i, draw] of draws.entries()) {
          if (shuffled.length === 0) break;
          const [a, b] = [i % shuffled.length, draw % shuffled.length];
          [shuffled[a], shuffled[b]] = [shuffled[b]!, shuffled[a]!];
          // In pieces, and some twice.
          second.merge(shuffled.slice(a, b + 1));
        }
        const third = new Ledger({ owner: "z", salt });
        third.merge(shuffled);
        second.merge(third.snapshot());
        second.merge(shuffled.toReversed());
        const sorted = (ledger: Ledger): unknown =>
          ledger.snapshot().sort((a, b) => (a.range + a.owner < b.range + b.owner ? -1 : 1));
        assert.deepEqual(sorted(first), sorted(second));
      }),
      { numRuns: 200 },
    );
  });

  test("say together of a source what one that had seen everything would say", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const alone = new Ledger({ owner: "alone", salt });
        const parts = [0, 1, 2].map((owner) => new Ledger({ owner: `t${owner}`, salt }));
        for (const one of events) {
          feed(alone, one);
          feed(parts[one.owner]!, one);
        }
        const together = new Ledger({ owner: "x", salt });
        for (const part of parts) together.merge(part.delta(0));
        const nowMs = 3 * windowMs;
        for (const client of new Set(events.map((one) => one.client))) {
          const [a, b] = [alone.ladder(client, nowMs)[0]!, together.ladder(client, nowMs)[0]!];
          near(b.pressure, a.pressure);
          near(b.bad, a.bad);
          near(b.clean, a.clean);
          near(b.clients, a.clients);
        }
      }),
      { numRuns: 200 },
    );
  });

  function feed(
    ledger: Ledger,
    { client, kind, atMs, value }: typeof event extends fc.Arbitrary<infer E> ? E : never,
  ): void {
    if (kind === "mark") ledger.observeMark(mark(client, atMs));
    else if (kind === "clean") ledger.observe(clean(client, atMs, 1, value));
    else if (kind === "missing") ledger.observe({ kind, client, atMs, path: value });
    else if (kind === "login") ledger.observe({ kind, client, atMs, failed: value % 2 === 0 });
    else if (kind === "slow") ledger.observe({ kind, client, atMs });
  }
});

describe("a sketch", () => {
  test("counts distinct things within a fifth, and the same things not again", () => {
    for (const count of [1, 3, 8, 20, 100, 1_000, 10_000]) {
      const sketch = newSketch(0);
      for (let round = 0; round < 2; round += 1) {
        for (let i = 0; i < count; i += 1) addToSketch(sketch, mixed(i), 0);
      }
      const found = countDistinct([sketch], 0);
      assert.ok(Math.abs(found - count) <= Math.max(0.6, 0.25 * count), `${found} of ${count}`);
    }
  });

  test("forgets after two windows", () => {
    const sketch = newSketch(0);
    for (let i = 0; i < 10; i += 1) addToSketch(sketch, mixed(i), 0);
    assert.ok(countDistinct([sketch], windowMs) > 8);
    assert.equal(countDistinct([sketch], 2 * windowMs), 0);
  });
});

function mixed(value: number): number {
  let hash = Math.imul(value + 1, 0x9e37_79b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

describe("a judgement", () => {
  const standing: Standing = {
    range: "192.0.2.7",
    family: 4,
    rung: 0,
    pressure: 1,
    byClass: new Map(),
    dominant: "sql-injection",
    volume: { attackClass: "flood", pressure: 0 },
    bad: 10,
    clean: 0,
    badShare: 1,
    children: 0,
    clients: 0,
  };
  const remedy = (changes: Partial<Standing>): string | null => judge({ ...standing, ...changes })?.remedy ?? null;

  for (const [what, changes, expected] of [
    ["a full bucket and nothing else", {}, "ban"],
    ["a bucket that is not full", { pressure: 0.99 }, null],
    ["a full bucket behind which most traffic is clean", { clean: 90, badShare: 0.1 }, "watch"],
    ["the same of two clients", { clean: 90, badShare: 0.1, clients: 2 }, "ban"],
    ["the same of four clients", { clean: 90, badShare: 0.1, clients: 4 }, "watch"],
    ["a third that are bad of too few", { bad: 5, clean: 10, badShare: 1 / 3 }, "watch"],
    ["a third that are bad of many", { bad: 500, clean: 1_000, badShare: 1 / 3 }, "ban"],
    ["three certain attacks and nothing else", { bad: 3 }, "ban"],
    ["failed logins, at first", { dominant: "credentials" }, "tarpit"],
    ["failed logins, at last", { dominant: "credentials", pressure: 2 }, "ban"],
    ["mere volume", { pressure: 0, dominant: null, volume: { attackClass: "flood", pressure: 30 } }, "rate-limit"],
    ["a network with one offender", { range: "192.0.2.0/24", rung: 1, pressure: 9, children: 1 }, null],
    ["a network of offenders", { range: "192.0.2.0/24", rung: 1, pressure: 3, children: 8 }, "ban"],
    ["one where half is clean", { range: "192.0.2.0/24", rung: 1, pressure: 3, children: 8, clean: 10 }, "watch"],
  ] as const) {
    test(`on ${what} is ${expected ?? "none"}`, () => assert.equal(remedy(changes), expected));
  }
});

test("classes are known by the names that rule sets give them", () => {
  assert.equal(attackClassOf("attack-sqli"), "sql-injection");
  assert.equal(attackClassOf("XSS"), "cross-site-scripting");
  assert.equal(attackClassOf("probing"), "probing");
  assert.equal(attackClassOf("something new"), "other");
});
