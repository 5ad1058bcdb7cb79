import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PLAIN_STYLE } from "../../src/view/style.ts";
import {
  minuteMs,
  rangesOf,
  renderThreats,
  threatsChart as draw,
  totalsOf,
  type IncidentView,
  type SeenView,
  type ThreatsView,
} from "../../src/view/threats.ts";

/** Forty seconds into a minute. */
const nowMs = Date.parse("2026-11-22T13:02:40Z");
const minute = Math.floor(nowMs / minuteMs);
const incident = (range: string, changes: Partial<IncidentView> = {}): IncidentView => ({
  range,
  action: "ban",
  outcome: "sentenced",
  attackClass: "sql-injection",
  offence: 1,
  requests: 12,
  sources: 1,
  issuedAtMs: nowMs - 90_000,
  untilMs: nowMs + 3_600_000,
  ...changes,
});
const seen = (name: string, count: number, changes: Partial<SeenView> = {}): SeenView => ({
  minute,
  kind: "class",
  name,
  count,
  ...changes,
});
const view = (changes: Partial<ThreatsView> = {}): ThreatsView => ({
  name: "shop",
  sinceMs: nowMs - 10 * minuteMs,
  nowMs,
  incidents: [],
  seen: [],
  reports: [],
  ...changes,
});
const shown = (changes: Partial<ThreatsView>): string[] =>
  renderThreats(view(changes), { ...PLAIN_STYLE, columns: 120 });

describe("sums", () => {
  test("are of attacks, most first and then by name; what was clean is none", () => {
    const counts = [
      seen("probing", 3),
      seen("scanner", 2),
      seen("clean", 900),
      seen("scanner", 4, { minute: minute - 1 }),
      seen("cross-site-scripting", 3),
      seen("942100", 7, { kind: "rule" }),
    ];
    assert.deepEqual(totalsOf(counts, "class"), [
      { name: "scanner", count: 6 },
      { name: "cross-site-scripting", count: 3 },
      { name: "probing", count: 3 },
    ]);
    assert.deepEqual(totalsOf(counts, "rule"), [{ name: "942100", count: 7 }]);
  });

  test("of a range are its largest incident's: a later one counts on from the earlier", () => {
    const incidents = [
      incident("192.0.2.7", { requests: 30, offence: 2 }),
      incident("192.0.2.7"),
      incident("192.0.2.8", { requests: 31 }),
    ];
    assert.deepEqual(rangesOf(incidents), [
      { name: "192.0.2.8", count: 31 },
      { name: "192.0.2.7", count: 30 },
    ]);
  });
});

describe("the tables", () => {
  test("say so where there is nothing, and where there are attacks and no incident", () => {
    assert.deepEqual(shown({}), ["no threats to shop in the last 10m"]);
    assert.deepEqual(shown({ seen: [seen("clean", 5)] }), ["no threats to shop in the last 10m"]);
    assert.deepEqual(shown({ seen: [seen("probing", 5)] }), [
      "no incident in the last 10m",
      "",
      "ATTACKS  REQUESTS",
      "probing         5",
    ]);
  });

  test("tell what was done, for how long yet, what was held back and why, and where it was reported", () => {
    const lines = shown({
      incidents: [
        incident("192.0.2.7"),
        incident("192.0.2.8", { action: "tarpit", untilMs: nowMs - 1 }),
        incident("198.51.100.0/24", { outcome: "too-many-innocents", sources: 9 }),
      ],
      seen: [seen("sql-injection", 36), seen("942100", 36, { kind: "rule" })],
      reports: [{ incident: "192.0.2.7#1", channel: "smtp", state: "waiting", attempts: 2, told: "" }],
    });
    assert.deepEqual(lines, [
      "  WHEN  RANGE            ATTACK         REQUESTS  SOURCES  DONE                        LEFT",
      "1m ago  192.0.2.7        sql-injection        12        1  ban                           1h",
      "1m ago  192.0.2.8        sql-injection        12        1  tarpit                      over",
      "1m ago  198.51.100.0/24  sql-injection        12        9  no ban: too-many-innocents     -",
      "",
      "ATTACKS        REQUESTS",
      "sql-injection        36",
      "",
      "RANGES           REQUESTS",
      "192.0.2.7              12",
      "192.0.2.8              12",
      "198.51.100.0/24        12",
      "",
      "RULES   REQUESTS",
      "942100        36",
      "",
      "REPORT       OVER  STATE    TRIES  ANSWER",
      "192.0.2.7#1  smtp  waiting      2  -",
    ]);
  });

  test("are cut where there is too much, and say of how much", () => {
    const incidents = Array.from({ length: 25 }, (_, i) => incident(`192.0.2.${i}`));
    const rules = Array.from({ length: 15 }, (_, i) => seen(String(900_000 + i), 15 - i, { kind: "rule" }));
    const lines = shown({ incidents, seen: rules });
    assert.equal(lines.filter((line) => line.startsWith("1m ago")).length, 20);
    assert.ok(lines.includes("and 5 incidents before"));
    assert.deepEqual(lines.filter((line) => /^9000\d\d /.test(line)).length, 10);
  });

  test("let no answer of a mail server's at the terminal", () => {
    const told = "550 \u001b]0;owned\u0007no\r\nsuch user";
    const lines = shown({
      incidents: [incident("192.0.2.7")],
      reports: [{ incident: "192.0.2.7#1", channel: "smtp", state: "failed", attempts: 1, told }],
    });
    assert.match(lines.at(-1) ?? "", /550 \\x1b\]0;owned\\x07no\\x0d\\x0asuch user$/);
  });
});

describe("the plot", () => {
  const threatsChart = (of: ThreatsView): string => draw(of, (ms) => new Date(ms).toISOString().slice(0, 16));
  const paths = (svg: string, color: string): string[] =>
    [...svg.matchAll(new RegExp(`<path d="([^"]*)" fill="none" stroke="${color}"`, "g"))].map(([, d]) => d!);
  const [left, right] = [84, 784];

  test("begins where it says and ends now, so that what happens in this minute is seen", () => {
    const svg = threatsChart(view({ seen: [seen("probing", 4)] }));
    assert.match(svg, />0 incidents in 10m 40s, until 2026-11-22T13:02</);
    assert.match(svg, />time since 2026-11-22T12:52</);
    const [path = ""] = paths(svg, "#d55e00");
    const xs = [...path.matchAll(/[ML]([\d.]+) /g)].map(([, x]) => Number(x));
    assert.equal(xs[0], left);
    // Ten of ten minutes and forty seconds: there it rises, and from there on it holds.
    const risesAt = left + ((right - left) * 600) / 640;
    assert.ok(xs.filter((x) => Math.abs(x - risesAt) < 1).length >= 2, path);
    assert.ok(Math.abs(Math.max(...xs) - right) < 1, path);
    assert.ok(!svg.includes("NaN"));
  });

  test("has a panel of clean requests where there were any, and the kinds most seen, each in a colour of its own", () => {
    const kinds = ["a", "b", "c", "d", "e", "f", "g"].map((name, i) => seen(name, 10 - i));
    const svg = threatsChart(view({ seen: [...kinds, seen("clean", 900)] }));
    for (const name of ["a", "b", "c", "d", "e", "f"]) assert.ok(svg.includes(`>${name}</text>`), name);
    assert.ok(!svg.includes(">g</text>"));
    assert.ok(svg.includes(">clean requests</text>"));
    assert.ok(!threatsChart(view({ seen: kinds })).includes(">clean"));
  });

  test("counts a sentence from its issue to its end, and names those for which there is room", () => {
    const incidents = [
      incident("192.0.2.9", { issuedAtMs: nowMs - 2 * minuteMs }),
      incident("192.0.2.8", { issuedAtMs: nowMs - 8 * minuteMs + 1_000, untilMs: nowMs - 5 * minuteMs }),
      incident("192.0.2.7", { issuedAtMs: nowMs - 8 * minuteMs, untilMs: nowMs - 5 * minuteMs }),
      incident("192.0.2.6", { issuedAtMs: nowMs - 9 * minuteMs, outcome: "dry-run" }),
      incident("192.0.2.5", { issuedAtMs: nowMs - 60 * minuteMs }),
    ];
    const svg = threatsChart(view({ incidents }));
    assert.match(svg, />4 incidents in /);
    assert.deepEqual(
      [...svg.matchAll(/>(ban [\d.]+)</g)].map(([, text]) => text!),
      ["ban 192.0.2.7", "ban 192.0.2.9"],
    );
    const [path = ""] = paths(svg, "#222222");
    const heights = [...path.matchAll(/[ML][\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y));
    const levels = heights.filter((y, i) => y !== heights[i - 1]);
    // One from before, two more within a second, both over, one more: 0 1 2 3 2 1 2, though what falls on one spot is drawn as one.
    assert.ok(levels.length >= 4, path);
    assert.ok(levels.at(-1)! > Math.min(...heights) && levels.at(-1)! < Math.max(...heights), "two are in force");
  });

  test("is sound without anything", () => {
    const svg = threatsChart(view({ sinceMs: nowMs }));
    assert.ok(svg.startsWith("<svg") && !svg.includes("NaN") && !svg.includes("Infinity"));
  });
});
