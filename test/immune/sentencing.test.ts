import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { BanBody } from "../../src/core/record.ts";
import { defaultBanPolicy, readPolicy, whyUnlawful, type BanPolicy } from "../../src/immune/bans/policy.ts";
import { offenceMemoryMs, Sentencer, type Decision } from "../../src/immune/bans/sentencing.ts";
import { Ledger } from "../../src/immune/ledger/ledger.ts";
import { prngFrom } from "../../src/lib/prng.ts";

const hourMs = 3_600_000;
const wallBeganMs = 1_800_000_000_000;
let serial = 0;

function rig(policy: Partial<BanPolicy> = {}, seed = 1) {
  const ledger = new Ledger({ owner: "t", salt: "s" });
  const sentencer = new Sentencer({ ...defaultBanPolicy, ...policy }, prngFrom(seed));
  const at = (nowMs: number) => ({ nowMs, wallMs: wallBeganMs + nowMs });
  /** `count` certain attacks at once, and what follows from the last. */
  const attack = (client: string, nowMs: number, count = 5): Decision[] => {
    const decisions: Decision[] = [];
    for (let i = 0; i < count; i += 1) {
      const id = `m${(serial += 1)}`;
      ledger.observeMark({ id, client, attackClass: "other", rules: [], score: 5, cell: "b", atMs: nowMs });
      decisions.push(...sentencer.consider(ledger, client, at(nowMs)));
    }
    return decisions;
  };
  const visit = (client: string, nowMs: number, count = 1): void => {
    ledger.observe({ kind: "clean", client, atMs: nowMs, count });
  };
  return { ledger, sentencer, at, attack, visit };
}

const lengthOf = ({ issuedAtMs, untilMs }: BanBody): number => untilMs - issuedAtMs;
const whyOf = (decisions: readonly Decision[]): string[] =>
  decisions.map((decision) => (decision.kind === "withheld" ? decision.why : decision.body.action));

describe("a sentence", () => {
  test("is passed once for an offence, says what for, and always ends", () => {
    const { attack } = rig();
    const [decision, ...more] = attack("192.0.2.7", 0, 12);
    assert.deepEqual(more, []);
    assert.equal(decision?.kind, "sentence");
    const { range, action, reason, offence, incident } = decision.body;
    assert.deepEqual([range, action, reason, offence, incident], ["192.0.2.7", "ban", "other", 1, "192.0.2.7#1"]);
    assert.ok(Number.isFinite(decision.body.untilMs));
  });

  test("doubles with each repeated offence, up to the longest", () => {
    const { attack } = rig({ durationMsMax: 20 * hourMs });
    let nowMs = 0;
    for (const hours of [4, 8, 16, 20, 20]) {
      const [decision] = attack("192.0.2.7", nowMs);
      const lengthMs = lengthOf(decision!.body);
      assert.ok(lengthMs <= 20 * hourMs && lengthMs >= 0.9 * hours * hourMs && lengthMs <= 1.1 * hours * hourMs);
      nowMs += lengthMs + hourMs;
    }
  });

  test("forgives an offence that is long ago, but its number goes on", () => {
    const { attack } = rig();
    attack("192.0.2.7", 0);
    const [decision] = attack("192.0.2.7", offenceMemoryMs + hourMs);
    assert.equal(decision!.body.offence, 2);
    assert.ok(lengthOf(decision!.body) < 4.5 * hourMs);
  });

  test("does not end at the same second as all others of its kind, and does with the same seed", () => {
    const lengths = (seed: number): number[] => {
      const { attack } = rig({}, seed);
      return ["192.0.2.1", "198.51.100.1", "203.0.113.1"].map((client) => lengthOf(attack(client, 0)[0]!.body));
    };
    assert.equal(new Set(lengths(1)).size, 3);
    assert.deepEqual(lengths(1), lengths(1));
  });

  test("that another T cell has passed is not passed again, and counts as an offence once", () => {
    const [one, other] = [rig(), rig()];
    const [decision] = one.attack("192.0.2.7", 0);
    for (let i = 0; i < 3; i += 1) other.sentencer.learn(decision!.body, other.at(10));
    assert.deepEqual(other.attack("192.0.2.7", 20), []);
    const [next] = other.attack("192.0.2.7", 5 * hourMs);
    assert.equal(next!.body.offence, 2);
  });

  test("that two T cells pass at the same time is one, by its name", () => {
    const [one, other] = [rig(), rig()];
    assert.equal(one.attack("192.0.2.7", 0)[0]!.body.incident, other.attack("192.0.2.7", 3)[0]!.body.incident);
  });

  test("that is lifted may be passed anew, and not for twice as long", () => {
    const { attack, sentencer, at } = rig();
    const [decision] = attack("192.0.2.7", 0);
    sentencer.learn({ ...decision!.body, action: "lifted" }, at(10));
    const [again] = attack("192.0.2.7", 20);
    assert.equal(again!.body.offence, 2);
    assert.ok(lengthOf(again!.body) < 4.5 * hourMs);
  });

  test("counts no longer than it was meant for when the wall clock is set back", () => {
    const { attack, sentencer } = rig();
    const [decision] = rig().attack("192.0.2.7", 0);
    sentencer.learn(decision!.body, { nowMs: 0, wallMs: wallBeganMs - 365 * 24 * hourMs });
    const [again] = attack("192.0.2.7", lengthOf(decision!.body) + 1);
    assert.equal(again!.kind, "sentence");
  });
});

describe("nobody is sentenced", () => {
  for (const [what, client, policy] of [
    ["who is the machine itself", "127.0.0.1", {}],
    ["who is the machine itself, in IPv6", "::1", {}],
    ["who is the machine itself, as a mapped address", "::ffff:127.0.0.1", {}],
    ["who is allow-listed", "192.0.2.7", { neverBanned: ["192.0.2.0/24"] }],
    ["whose /64 holds one who is", "2001:db8::bad", { neverBanned: ["2001:db8::1"] }],
  ] as const) {
    test(what, () => {
      const { attack } = rig({ ...policy, neverBanned: [...("neverBanned" in policy ? policy.neverBanned : [])] });
      assert.deepEqual(whyOf(attack(client, 0, 20)), ["never-banned"]);
    });
  }

  test("in a network where one is allow-listed, other than one by one", () => {
    const { attack } = rig({ neverBanned: ["198.51.100.200"] });
    const decisions = Array.from({ length: 100 }, (_, i) => attack(`198.51.100.${i}`, i, 5)).flat();
    const ranges = decisions.filter(({ kind }) => kind === "sentence").map(({ body }) => body.range);
    assert.equal(ranges.length, 100);
    assert.ok(ranges.every((range) => !range.includes("/")));
    assert.ok(whyOf(decisions).includes("never-banned"));
  });

  test("wider than the DNA allows", () => {
    const { attack } = rig({ ipv4PrefixBitsMin: 32 });
    const decisions = Array.from({ length: 30 }, (_, i) => attack(`198.51.100.${i}`, i, 2)).flat();
    assert.deepEqual(whyOf(decisions), ["too-wide"]);
  });

  test("beyond so many a minute, and later again", () => {
    const { attack } = rig({ bansPerMinuteMax: 3 });
    const decisions = Array.from({ length: 6 }, (_, i) => attack(`10.${i}.0.1`, i)).flat();
    assert.deepEqual(whyOf(decisions), ["ban", "ban", "ban", "too-many-bans", "too-many-bans", "too-many-bans"]);
    assert.deepEqual(whyOf(attack("10.9.0.1", 61_000)), ["ban"]);
  });

  test("where that hits more than a share of those who were clean lately", () => {
    const { attack, visit } = rig({ innocentShareMax: 0.1 });
    // Twenty clean clients, five of them in the network of eight attackers.
    for (let i = 0; i < 5; i += 1) visit(`198.51.100.${200 + i}`, 0, 3);
    for (let i = 0; i < 15; i += 1) visit(`203.0.113.${i}`, 0, 3);
    const decisions = Array.from({ length: 16 }, (_, i) => attack(`198.51.100.${i}`, i, 10)).flat();
    const wide = decisions.filter(({ body }) => body.range === "198.51.100.0/24");
    assert.ok(whyOf(wide).includes("too-many-innocents"));
    assert.ok(!whyOf(wide).includes("ban"));
  });

  test("in a dry run; what would have been done is told, once a minute", () => {
    const { attack } = rig({ dryRun: true });
    assert.deepEqual(whyOf(attack("192.0.2.7", 0, 30)), ["dry-run"]);
    assert.deepEqual(whyOf(attack("192.0.2.7", 30_000, 5)), []);
    assert.deepEqual(whyOf(attack("192.0.2.7", 61_000, 5)), ["dry-run"]);
  });
});

describe("what is lawful", () => {
  const policy = readPolicy({ ...defaultBanPolicy, neverBanned: ["192.0.2.0/24"] });
  const ban: BanBody = {
    kind: "ban",
    range: "198.51.100.7",
    action: "ban",
    reason: "other",
    offence: 1,
    issuedAtMs: 0,
    untilMs: hourMs,
    incident: "i",
  };
  for (const [what, changes, why] of [
    ["a usual ban", {}, null],
    ["no range", { range: "x" }, /none/],
    ["a range in another spelling", { range: "198.51.100.7/32" }, /none/],
    ["too wide a range", { range: "198.51.0.0/16" }, /wider/],
    ["one that holds a protected address", { range: "192.0.2.7" }, /never banned/],
    ["one without end", { untilMs: Number.POSITIVE_INFINITY }, /longer/],
    ["one with no number for its end", { untilMs: Number.NaN }, /longer/],
    ["the lifting of any", { range: "192.0.2.7", action: "lifted" }, null],
  ] as const) {
    test(`${what}: ${why === null ? "yes" : "no"}`, () => {
      const found = whyUnlawful({ ...ban, ...changes }, policy);
      if (why === null) assert.equal(found, null);
      else assert.match(found!, why);
    });
  }

  test("holds of every sentence that is ever passed, whatever is seen", () => {
    const client = fc.oneof(
      fc.integer({ min: 0, max: 40 }).map((i) => `192.0.${2 + (i % 3)}.${i}`),
      fc.integer({ min: 0, max: 40 }).map((i) => `2001:db8:${i % 3}:${i}::1`),
      fc.constantFrom("127.0.0.1", "::1", "::ffff:192.0.2.9"),
    );
    const attacks = fc.array(fc.tuple(client, fc.integer({ min: 1, max: 9 }), fc.nat({ max: hourMs })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(attacks, fc.nat(), (events, seed) => {
        const { attack } = rig({ neverBanned: ["192.0.2.0/24"] }, seed);
        let nowMs = 0;
        for (const [address, count, ms] of events) {
          nowMs += ms;
          for (const { kind, body } of attack(address, nowMs, count)) {
            if (kind === "sentence") assert.equal(whyUnlawful(body, policy), null, JSON.stringify(body));
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});
