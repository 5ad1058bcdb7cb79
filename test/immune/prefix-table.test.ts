import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { PrefixTable } from "../../src/immune/bans/prefix-table.ts";
import { formatIpRange, networkOf, parseIpRange, type IpRange } from "../../src/lib/ip-range.ts";

describe("a table of prefixes", () => {
  test("answers with the longest prefix that holds the address, however the address is spelt", () => {
    const table = new PrefixTable();
    table.set("192.0.2.0/24", { action: 1, untilMs: 100 });
    table.set("192.0.2.7", { action: 2, untilMs: 100 });
    table.set("10.0.0.0/8", { action: 3, untilMs: 100 });
    table.set("2001:db8::/48", { action: 4, untilMs: 100 });
    table.set("2001:db8:0:5::/64", { action: 5, untilMs: 100 });
    const actions = [
      "192.0.2.7",
      "::ffff:192.0.2.8",
      "10.255.0.1",
      "11.0.0.1",
      "2001:db8:0:5::1",
      "2001:db8:0:6::1%lo",
    ];
    assert.deepEqual(
      actions.map((address) => table.actionFor(address, 0)),
      [2, 1, 3, 0, 5, 4],
    );
    assert.deepEqual(table.lookUp("192.0.2.9", 0), { range: "192.0.2.0/24", action: 1, untilMs: 100 });
    assert.equal(table.actionFor("no address", 0), 0);
  });

  test("takes an entry whose time is over as not there, and a wider one then holds", () => {
    const table = new PrefixTable();
    table.set("192.0.2.0/24", { action: 1, untilMs: 200 });
    table.set("192.0.2.7", { action: 2, untilMs: 100 });
    assert.equal(table.actionFor("192.0.2.7", 99), 2);
    assert.equal(table.actionFor("192.0.2.7", 100), 1);
    assert.equal(table.actionFor("192.0.2.7", 200), 0);
    assert.equal(table.size, 2);
    assert.equal(table.sweep(200, 100), 2);
    assert.equal(table.size, 0);
  });

  test("refuses what is no range, and says what was not there", () => {
    const table = new PrefixTable();
    assert.equal(table.set("192.0.2.0/33", { action: 1, untilMs: 1 }), false);
    assert.equal(table.delete("192.0.2.0/24"), false);
    assert.equal(table.get("nonsense"), null);
    assert.equal(table.size, 0);
  });

  test("finds after any additions, removals and sweeps what a list of ranges finds", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 120 }), fc.array(address, { maxLength: 20 }), (changes, addresses) => {
        const table = new PrefixTable();
        const list = new Map<string, { action: number; untilMs: number }>();
        let nowMs = 0;
        for (const { range, kind, action, untilMs } of changes) {
          if (kind === "set") {
            table.set(range, { action, untilMs });
            list.set(range, { action, untilMs });
          } else if (kind === "delete") assert.equal(table.delete(range), list.delete(range));
          else {
            nowMs += 1;
            table.sweep(nowMs, 1_000);
            for (const [key, entry] of list) if (entry.untilMs <= nowMs) list.delete(key);
          }
          assert.equal(table.size, list.size);
        }
        for (const text of [...addresses, ...list.keys()].map((range) => range.split("/")[0]!)) {
          const { longest, strongest } = slowly(list, text, nowMs);
          assert.equal(table.actionFor(text, nowMs), longest, text);
          assert.equal(table.severityFor(text, nowMs), strongest, text);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("gives places back: ten times over the same ranges it does not grow", () => {
    const table = new PrefixTable();
    const fill = (): void => {
      for (let i = 0; i < 2_000; i += 1) table.set(`10.${i >> 8}.${i & 255}.${i % 7}`, { action: 1, untilMs: 1 });
    };
    fill();
    const { bytes } = table;
    for (let round = 0; round < 10; round += 1) {
      table.sweep(2, 100_000);
      assert.equal(table.size, 0);
      fill();
    }
    assert.equal(table.bytes, bytes);
  });
});

function slowly(
  list: ReadonlyMap<string, { action: number; untilMs: number }>,
  text: string,
  nowMs: number,
): { longest: number; strongest: number } {
  const address = parseIpRange(text)!;
  let longest = { bits: -1, action: 0 };
  let strongest = 0;
  for (const [range, { action, untilMs }] of list) {
    const { family, value, prefixBits } = parseIpRange(range)!;
    if (family !== address.family || untilMs <= nowMs) continue;
    if (networkOf({ ...address, prefixBits }).value !== value) continue;
    if (prefixBits > longest.bits) longest = { bits: prefixBits, action };
    strongest = Math.max(strongest, action);
  }
  return { longest: longest.action, strongest };
}

/** Close together, so that prefixes nest and share paths. */
const ipv4 = fc
  .tuple(fc.constantFrom(10n, 192n), fc.bigInt(0n, 3n), fc.bigInt(0n, 3n), fc.bigInt(0n, 255n))
  .map(([a, b, c, d]) => (a << 24n) | (b << 16n) | (c << 8n) | d);
const ipv6 = fc
  .tuple(fc.constantFrom(0x2001_0db8n, 0xfe80_0000n), fc.bigInt(0n, 7n), fc.bigInt(0n, 3n))
  .map(([a, b, c]) => (a << 96n) | (b << 62n) | c);
const toText = (range: IpRange): string => formatIpRange(networkOf(range));
const address = fc.oneof(
  ipv4.map((value) => toText({ family: 4, value, prefixBits: 32 })),
  ipv6.map((value) => toText({ family: 6, value, prefixBits: 128 })),
);
const range = fc.oneof(
  fc
    .tuple(ipv4, fc.integer({ min: 0, max: 32 }))
    .map(([value, bits]) => toText({ family: 4, value, prefixBits: bits })),
  fc
    .tuple(ipv6, fc.integer({ min: 0, max: 128 }))
    .map(([value, bits]) => toText({ family: 6, value, prefixBits: bits })),
);
const change = fc.record({
  range,
  kind: fc.constantFrom("set", "set", "set", "delete", "sweep"),
  action: fc.integer({ min: 1, max: 255 }),
  untilMs: fc.integer({ min: 1, max: 30 }),
});
