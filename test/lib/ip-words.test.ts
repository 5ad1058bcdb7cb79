import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { formatIpRange, parseIpAddress } from "../../src/lib/ip-range.ts";
import { canonicalRange, newIpWords, rangeOfWords, readIpWords } from "../../src/lib/ip-words.ts";

const read = (text: string): string | null => {
  const words = newIpWords();
  const family = readIpWords(text, words);
  return family === 0 ? null : formatIpRange(rangeOfWords(family, words, family === 4 ? 32 : 128));
};

describe("an address as a socket tells it", () => {
  for (const [text, meant] of [
    ["192.0.2.7", "192.0.2.7"],
    ["255.255.255.255", "255.255.255.255"],
    ["0.0.0.0", "0.0.0.0"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::FFFF:c000:207", "192.0.2.7"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["fe80::1%eth0", "fe80::1"],
    ["fe80::%very-long-interface-name-that-somebody-thought-of", "fe80::"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6"],
    ["2001:db8::192.0.2.1", "2001:db8::c000:201"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ] as const) {
    test(`${text} is ${meant}`, () => assert.equal(read(text), meant));
  }

  for (const text of [
    ..."|1|:|.|:::|1.2.3|1.2.3.4.5|1.2.3.256|01.2.3.4|1.2.3.|.1.2.3|1.2.3.4 |1:2|1:2:3:4:5:6:7:8:9|1::2::3|12345::".split(
      "|",
    ),
    ..."1:2:3:4:5:6:7:1.2.3.4|::1.2.3|g::|1:|:1|1:2:3:4:5:6:7:|1:2:3:4:5:6:7:8::|::1:%eth0|localhost|undefined".split(
      "|",
    ),
    "1".repeat(60),
  ]) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(read(text), null));
  }

  test("is read as the slow reader reads it, whatever the text", () => {
    const plausible = fc.stringMatching(/^[0-9a-f:.]{0,20}$/);
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), plausible), (text) => {
        const slow = parseIpAddress(text);
        assert.equal(read(text), slow === null ? null : canonicalRange(formatIpRange(slow)));
      }),
      { numRuns: 2_000 },
    );
  });
});

test("a range has one spelling", () => {
  assert.equal(canonicalRange("192.0.2.9/24"), "192.0.2.0/24");
  assert.equal(canonicalRange("::ffff:192.0.2.0/120"), "192.0.2.0/24");
  assert.equal(canonicalRange("2001:DB8:0:0::/64"), "2001:db8::/64");
  assert.equal(canonicalRange("192.0.2.7/32"), "192.0.2.7");
  assert.equal(canonicalRange("not a range"), null);
});
