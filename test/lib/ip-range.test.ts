import assert from "node:assert/strict";
import { test } from "node:test";
import * as net from "node:net";
import * as fc from "fast-check";
import { formatIpRange, networkOf, parseIpAddress, parseIpRange } from "../../src/lib/ip-range.ts";

const right: ReadonlyArray<[text: string, canonical: string]> = [
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["192.0.2.7/32", "192.0.2.7"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["::", "::"],
  ["::1", "::1"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8::/32", "2001:db8::/32"],
  ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
  ["1::", "1::"],
  ["::ffff:192.0.2.1", "::ffff:c000:201"],
  ["64:ff9b::192.0.2.1/96", "64:ff9b::c000:201/96"],
];

for (const [text, canonical] of right) {
  test(`${text} is read, and written ${canonical}`, () => {
    const range = parseIpRange(text);
    assert.ok(range !== null);
    assert.equal(formatIpRange(range), canonical);
  });
}

const wrong = [
  "",
  "10",
  "10.0.0",
  "10.0.0.0.0",
  "256.0.0.1",
  "010.0.0.1",
  "10.0.0.1 ",
  " 10.0.0.1",
  "-1.0.0.0",
  "1.2.3.4/",
  "1.2.3.4/33",
  "1.2.3.4/08",
  "1.2.3.4/8/8",
  "1.2.3.4/-1",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7::8",
  "12345::",
  "g::",
  "fe80::1%eth0",
  "::1.2.3",
  "1.2.3.4::",
  "::/129",
  "localhost",
  "/8",
];

for (const text of wrong) {
  test(`${JSON.stringify(text)} is neither an address nor a range`, () => assert.equal(parseIpRange(text), null));
}

test("a network has no bits beyond its prefix", () => {
  assert.equal(formatIpRange(networkOf(parseIpRange("10.1.2.3/8")!)), "10.0.0.0/8");
  assert.equal(formatIpRange(networkOf(parseIpRange("2001:db8:ffff::1/33")!)), "2001:db8:8000::/33");
  assert.equal(formatIpRange(networkOf(parseIpRange("10.1.2.3/0")!)), "0.0.0.0/0");
});

test("an address is read exactly where node:net takes it for one, and what is written reads the same", () => {
  const part = fc.oneof(fc.integer({ min: 0, max: 300 }).map(String), fc.constantFrom("", "01"));
  const group = fc.oneof(
    fc.integer({ min: 0, max: 0x1_0000 }).map((value) => value.toString(16)),
    fc.constantFrom("", "0", "00", "1.2.3.4"),
  );
  const text = fc.oneof(
    fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join(".")),
    fc.array(group, { minLength: 2, maxLength: 9 }).map((groups) => groups.join(":")),
    fc.ipV4(),
    fc.ipV6(),
  );
  fc.assert(
    fc.property(text, (candidate) => {
      const address = parseIpAddress(candidate);
      assert.equal(address?.family ?? 0, net.isIP(candidate), candidate);
      if (address !== null) assert.deepEqual(parseIpAddress(formatIpRange(address)), address);
    }),
    { numRuns: 2_000 },
  );
});
