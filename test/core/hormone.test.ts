import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Pulse } from "../../src/core/hormone.ts";
import { absorb, answered, attenuated, decayed, isPlausible, noHormones } from "../../src/core/hormone.ts";
import { hormoneEpsilon, hormoneLevelMax, pulsesRememberedMax, pulseStrengthMax } from "../../src/core/limits.ts";

const pulse = (change: Partial<Pulse> = {}): Pulse => ({
  id: "a.0",
  origin: "a",
  class: "drone",
  strength: 400_000,
  wanted: 1,
  unanswered: 0,
  hops: 0,
  ...change,
});
const levelOf = (hormones: typeof noHormones): number => hormones.levels.drone.units;

describe("a hormone", () => {
  test("is attenuated at each hop, and stops below epsilon", () => {
    const strengths: number[] = [];
    for (let p: Pulse | undefined = pulse(); p !== undefined; p = attenuated(p, 250)) strengths.push(p.strength);
    assert.deepEqual(strengths, [400_000, 100_000, 25_000, 6_250, 1_562]);
  });

  test("is never stronger than s0 * alpha^hops, whatever way it took", () => {
    const hops = fc.integer({ min: 0, max: 12 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: pulseStrengthMax }),
        fc.integer({ min: 1, max: 999 }),
        hops,
        (strength, alpha, far) => {
          let p: Pulse | undefined = pulse({ strength });
          for (let hop = 0; hop < far && p !== undefined; hop += 1) p = attenuated(p, alpha);
          if (p === undefined) return;
          assert.ok(p.strength >= hormoneEpsilon || p.hops === 0);
          assert.ok(p.strength <= strength * (alpha / 1000) ** p.hops + 1e-6);
          assert.ok(isPlausible(p, alpha));
        },
      ),
    );
  });

  test("that claims more than its hops allow is implausible", () => {
    assert.equal(isPlausible(pulse({ hops: 1, strength: 250_000 }), 250), true);
    assert.equal(isPlausible(pulse({ hops: 1, strength: 250_001 }), 250), false);
  });

  test("halves in a half-life, exactly at each whole one, and never grows in between", () => {
    const level = { ...noHormones.levels.drone, units: 1_000_000 };
    assert.deepEqual(
      [0, 2_000, 4_000, 20_000].map((ms) => decayed(level, ms, 2_000)),
      [1_000_000, 500_000, 250_000, 976],
    );
    let before = Infinity;
    for (let ms = 0; ms < 30_000; ms += 37) {
      const units = decayed(level, ms, 2_000);
      assert.ok(units <= before, `at ${ms} ms`);
      before = units;
    }
    assert.equal(decayed(level, 1_000_000, 2_000), 0);
  });

  test("adds up, to a bound", () => {
    let hormones = noHormones;
    for (let i = 0; i < 100; i += 1) hormones = absorb(hormones, pulse({ id: `a.${i}` }), 0, 2_000);
    assert.equal(levelOf(hormones), hormoneLevelMax);
  });

  test("is not taken twice when it comes by two ways, and memory of it is bounded", () => {
    const once = absorb(noHormones, pulse(), 0, 2_000);
    assert.equal(absorb(once, pulse(), 0, 2_000), once);
    let hormones = once;
    for (let i = 1; i <= 2 * pulsesRememberedMax; i += 1)
      hormones = absorb(hormones, pulse({ id: `a.${i}` }), 0, 2_000);
    assert.equal(hormones.seen.length, pulsesRememberedMax);
  });

  test("settles at Q r T_half / ln 2 when it is secreted steadily", () => {
    let hormones = noHormones;
    for (let i = 0; i < 400; i += 1)
      hormones = absorb(hormones, pulse({ id: `a.${i}`, strength: 10_000 }), i * 250, 2_000);
    const expected = (10_000 * 4 * 2) / Math.LN2;
    // Read just after a pulse, where the saw-tooth is at its top: half a pulse above the mean.
    assert.ok(Math.abs(levelOf(hormones) - expected) < 10_000, `${levelOf(hormones)} against ${expected}`);
  });

  test("is spent when its last place is taken, and not before", () => {
    const called = absorb(noHormones, pulse({ wanted: 2 }), 0, 2_000);
    const first = answered(called, "drone", 0);
    assert.deepEqual([first.levels.drone.units, first.levels.drone.wanted], [400_000, 1]);
    const second = answered(first, "drone", 0);
    assert.deepEqual([second.levels.drone.units, second.levels.drone.wanted], [0, 0]);
  });

  test("that was just answered is not answered again for a caller who has not heard of it", () => {
    const spent = answered(absorb(noHormones, pulse(), 0, 2_000), "drone", 100);
    assert.equal(absorb(spent, pulse({ id: "b.0" }), 200, 2_000).levels.drone.wanted, 0);
    assert.equal(absorb(spent, pulse({ id: "b.0", wanted: 3 }), 200, 2_000).levels.drone.wanted, 2);
    assert.equal(absorb(spent, pulse({ id: "b.0" }), 400, 2_000).levels.drone.wanted, 1);
  });
});
