import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BanBody } from "../../src/core/record.ts";
import { parseGoDurationMs, readList, renderList } from "../../src/immune/bans/lists.ts";
import { renderNft } from "../../src/immune/bans/nftables.ts";

const wallMs = 1_800_000_000_000;
const ban = (range: string, changes: Partial<BanBody> = {}): BanBody => ({
  kind: "ban",
  range,
  action: "ban",
  reason: "sql-injection",
  offence: 1,
  issuedAtMs: wallMs,
  untilMs: wallMs + 3_600_000,
  incident: `${range}#1`,
  ...changes,
});
const rangesOf = (text: string): string[] => readList(text, wallMs)!.bans.map(({ range }) => range);

describe("a list of bans", () => {
  const bans = [ban("192.0.2.7"), ban("198.51.100.0/24"), ban("2001:db8::/64", { action: "rate-limit" })];

  test("plain: what is banned, one a line, and read back the same", () => {
    const text = renderList(bans, "plain", wallMs);
    assert.equal(text, "192.0.2.7\n198.51.100.0/24\n");
    assert.deepEqual(rangesOf(text), ["192.0.2.7", "198.51.100.0/24"]);
  });

  test("JSON: nothing is lost on the way out and in", () => {
    const read = readList(renderList(bans, "json", wallMs), wallMs)!;
    const expected = bans.map(({ range, action, reason, untilMs }) => ({ range, action, reason, untilMs }));
    assert.deepEqual(read.bans, expected);
  });

  test("CrowdSec: as its importer takes it, and read back the same", () => {
    const text = renderList(bans, "crowdsec", wallMs);
    assert.deepEqual(JSON.parse(text), [
      { duration: "3600s", reason: "cellws/sql-injection", scope: "ip", type: "ban", value: "192.0.2.7" },
      { duration: "3600s", reason: "cellws/sql-injection", scope: "range", type: "ban", value: "198.51.100.0/24" },
      { duration: "3600s", reason: "cellws/sql-injection", scope: "range", type: "throttle", value: "2001:db8::/64" },
    ]);
    const expected = bans.map(({ range, action, untilMs }) => [range, action, untilMs]);
    const read = readList(text, wallMs)!.bans.map(({ range, action, untilMs }) => [range, action, untilMs]);
    assert.deepEqual(read, expected);
  });

  test("is read with comments, blank lines, other spellings and mistakes, which are told", () => {
    const read = readList("# a list\n\n192.0.2.9/24 ; spam\n::ffff:10.0.0.1\r\nexample.com\n300.1.1.1\n", wallMs)!;
    assert.deepEqual(
      read.bans.map(({ range }) => range),
      ["192.0.2.0/24", "10.0.0.1"],
    );
    assert.deepEqual(
      read.skipped.map(({ what }) => what),
      ["example.com", "300.1.1.1"],
    );
  });

  for (const [what, text, ranges] of [
    [
      "alerts as `cscli decisions list -o json` prints them",
      `[{"id":1,"decisions":[{"duration":"3h59m","scenario":"crowdsecurity/http-probing","scope":"Ip","type":"ban","value":"192.0.2.7"}]}]`,
      ["192.0.2.7"],
    ],
    [
      "the stream of CrowdSec's local API, without what is no ban of a range",
      `{"deleted":null,"new":[{"duration":"4h","scope":"Range","type":"ban","value":"192.0.2.0/24"},{"duration":"4h","scope":"Country","type":"ban","value":"XX"},{"duration":"4h","scope":"Ip","type":"captcha","value":"192.0.2.9"},{"duration":"-1s","scope":"Ip","type":"ban","value":"192.0.2.8"}]}`,
      ["192.0.2.0/24"],
    ],
    [
      "`fail2ban-client banned`",
      `[{'sshd': ['192.0.2.7', '2001:db8::1']}, {'nginx': []}]`,
      ["192.0.2.7", "2001:db8::1"],
    ],
    [
      "`fail2ban-client get JAIL banip --with-time`",
      "192.0.2.7 \t2026-01-01 10:00:00 + 600 = 2026-01-01 10:10:00\n192.0.2.8 \t2026-01-01 10:00:00 + -1 = 9999-12-31 23:59:59\n",
      ["192.0.2.7", "192.0.2.8"],
    ],
  ] as const) {
    test(`is read from ${what}`, () => assert.deepEqual(rangesOf(text), ranges));
  }

  test("keeps the times of the list", () => {
    const text = "192.0.2.7 \t2026-01-01 10:00:00 + 600 = 2026-01-01 10:10:00\n192.0.2.8\n";
    const times = readList(text, wallMs)!.bans.map(({ untilMs }) => untilMs);
    assert.deepEqual(times, [wallMs + 600_000, null]);
  });

  for (const text of ["{", '{"a":1}', "[1]", '[{"x":{}}]', '{"bans":[{"range":"192.0.2.7","action":"lifted"}]}']) {
    test(`${text} is none`, () => assert.equal(readList(text, wallMs), null));
  }
});

test("durations are read as Go writes them", () => {
  const cases = { "4h": 14_400_000, "3h59m57.25s": 14_397_250, "-5m": -300_000, "150ms": 150, "1.5h": 5_400_000 };
  for (const [text, ms] of Object.entries(cases)) assert.equal(parseGoDurationMs(text), ms);
  for (const text of ["", "4", "h", "4 h", "4h-1m"]) assert.equal(parseGoDurationMs(text), null);
});

test("the kernel's set holds each banned range once, none inside another, and no milder measure", () => {
  const bans = [
    ban("192.0.2.7"),
    ban("192.0.2.0/24"),
    ban("192.0.3.1", { action: "tarpit" }),
    ban("10.0.0.1", { untilMs: wallMs }),
    ban("2001:db8::/48"),
    ban("2001:db8:0:7::/64"),
  ];
  const text = renderNft(bans, { name: "shop", ports: [80, 443, 80], wallMs });
  assert.deepEqual(text.match(/\S+ timeout \d+s/g), ["192.0.2.0/24 timeout 3600s", "2001:db8::/48 timeout 3600s"]);
  assert.match(text, /tcp dport \{ 80, 443 \} ip saddr @banned4 drop/);
});
