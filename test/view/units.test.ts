import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatShare,
  formatUrl,
  parseDurationMs,
} from "../../src/view/units.ts";

test("ages have one unit, rounded down", () => {
  const cases: Array<[number, string]> = [
    [0, "0s"],
    [999, "0s"],
    [59_999, "59s"],
    [60_000, "1m"],
    [3_599_999, "59m"],
    [3_600_000, "1h"],
    [86_400_000 * 12 + 1, "12d"],
  ];
  for (const [ms, text] of cases) assert.equal(formatAge(ms), text);
});

test("durations in sentences have two units where the second says something", () => {
  const cases: Array<[number, string]> = [
    [0, "0ms"],
    [523.4, "523ms"],
    [45_000, "45s"],
    [45_900, "45s"],
    [60_000, "1m"],
    [65_000, "1m 5s"],
    [7_500_000, "2h 5m"],
    [86_400_000, "1d"],
  ];
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
});

test("memory is told in powers of 1024 with two or three digits", () => {
  const cases: Array<[number, string]> = [
    [0, "0B"],
    [999, "999B"],
    [1_000, "1.0K"],
    [1_024 * 1_024, "1.0M"],
    [62 * 1_024 * 1_024, "62M"],
    [1_400 * 1_024 * 1_024, "1.4G"],
    [2 ** 50, "1024T"],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

test("no amount of memory takes more than five places", () => {
  fc.assert(fc.property(fc.nat(2 ** 48), (bytes) => assert.ok(formatBytes(bytes).length <= 5)));
});

test("shares and counts read well", () => {
  assert.equal(formatShare(0.874), "87%");
  assert.equal(formatShare(1), "100%");
  assert.equal(formatCount(1, "cell"), "1 cell");
  assert.equal(formatCount(2, "process", "processes"), "2 processes");
});

test("addresses are printed as one types them", () => {
  const cases: Array<[string, number, boolean, string]> = [
    ["127.0.0.1", 8080, false, "http://127.0.0.1:8080/"],
    ["127.0.0.1", 80, false, "http://127.0.0.1/"],
    ["0.0.0.0", 443, true, "https://localhost/"],
    ["::", 80, true, "https://localhost:80/"],
    ["::1", 3000, false, "http://[::1]:3000/"],
    ["shop.example", 8443, true, "https://shop.example:8443/"],
  ];
  for (const [host, port, tls, url] of cases) assert.equal(formatUrl({ host, port, tls }), url);
});

test("durations are read with a unit, or as seconds, and nothing else is", () => {
  const cases: Array<[string, number | null]> = [
    ["10m", 600_000],
    ["90s", 90_000],
    ["90", 90_000],
    ["1.5h", 5_400_000],
    ["1d", 86_400_000],
    ["1500ms", 1_500],
    ["0", 0],
    ["", null],
    ["-1s", null],
    ["10 m", null],
    ["1e9s", null],
    ["m", null],
    ["1w", null],
  ];
  for (const [text, ms] of cases) assert.equal(parseDurationMs(text), ms, text);
});
