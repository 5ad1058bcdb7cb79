import assert from "node:assert/strict";
import { test } from "node:test";
import type { BanBody } from "../../src/core/record.ts";
import { Enforcement } from "../../src/immune/bans/enforcement.ts";
import { defaultBanPolicy, type BanPolicy } from "../../src/immune/bans/policy.ts";

const wallMs = 1_800_000_000_000;
const at = (nowMs: number, wallOffsetMs = 0) => ({ nowMs, wallMs: wallMs + nowMs + wallOffsetMs });
const ban = (range: string, changes: Partial<BanBody> = {}): BanBody => ({
  kind: "ban",
  range,
  action: "ban",
  reason: "other",
  offence: 1,
  issuedAtMs: wallMs,
  untilMs: wallMs + 1_000,
  incident: `${range}#1`,
  ...changes,
});
const make = (policy: Partial<BanPolicy> = {}): Enforcement => new Enforcement({ ...defaultBanPolicy, ...policy });

test("a ban holds until its end and no longer, and is then swept away", () => {
  const enforcement = make();
  assert.equal(enforcement.take(ban("192.0.2.0/24"), at(0)), null);
  assert.equal(enforcement.actionFor("192.0.2.9", 999), "ban");
  assert.equal(enforcement.actionFor("::ffff:192.0.2.9", 999), "ban");
  assert.equal(enforcement.actionFor("192.0.3.9", 999), null);
  assert.equal(enforcement.actionFor("192.0.2.9", 1_000), null);
  enforcement.sweep(1_000);
  assert.equal(enforcement.size, 0);
});

test("one that arrives late lasts as long as is left, and one from the future no longer than it was meant to", () => {
  const enforcement = make();
  enforcement.take(ban("192.0.2.1"), at(600));
  assert.equal(enforcement.actionFor("192.0.2.1", 1_000), null);
  enforcement.take(ban("192.0.2.2"), at(0, -3_600_000));
  assert.equal(enforcement.actionFor("192.0.2.2", 999), "ban");
  assert.equal(enforcement.actionFor("192.0.2.2", 1_000), null);
});

test("the most severe of all that hold an address counts; what is lifted does not", () => {
  const enforcement = make();
  enforcement.take(ban("192.0.2.0/24"), at(0));
  enforcement.take(ban("192.0.2.7", { action: "watch" }), at(0));
  assert.equal(enforcement.actionFor("192.0.2.7", 1), "ban");
  enforcement.take(ban("192.0.2.0/24", { action: "lifted" }), at(1));
  assert.equal(enforcement.actionFor("192.0.2.7", 2), "watch");
  assert.equal(enforcement.actionFor("192.0.2.8", 2), null);
});

test("what the DNA does not allow is not taken, whoever says it; and in a dry run nothing is carried out", () => {
  const enforcement = make({ neverBanned: ["192.0.2.7"] });
  for (const [range, changes] of [
    ["192.0.2.0/24", {}],
    ["198.51.0.0/16", {}],
    ["127.0.0.1", {}],
    ["198.51.100.1", { untilMs: wallMs + 366 * 24 * 3_600_000 }],
  ] as const) {
    assert.notEqual(enforcement.take(ban(range, changes), at(0)), null, range);
  }
  assert.equal(enforcement.size, 0);
  const dry = make({ dryRun: true });
  assert.equal(dry.take(ban("192.0.2.1"), at(0)), null);
  assert.equal(dry.actionFor("192.0.2.1", 1), null);
});
