import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { adminDocument } from "../../scripts/metrics-reference.ts";
import { metrics, organismMetrics } from "../../src/wire/metrics.ts";

const root = new URL("../..", import.meta.url).pathname;

test("docs/ADMIN.md lists the metrics that there are (if not: node scripts/metrics-reference.ts)", () => {
  const { path, text } = adminDocument();
  assert.equal(readFileSync(path, "utf8"), text);
});

test("what docs/ADMIN.md says of metrics in its examples names metrics that there are", () => {
  const { text } = adminDocument();
  const known = new Set<string>(Object.keys({ ...metrics, ...organismMetrics }));
  const named = [...text.matchAll(/\bcellws_[a-z_]+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, ""));
  assert.deepEqual(
    named.filter((name) => !known.has(name)),
    [],
  );
});

test("each metric of the table is counted somewhere", () => {
  const sources = globSync("src/**/*.ts", { cwd: root })
    .filter((file) => file !== "src/wire/metrics.ts")
    .map((file) => readFileSync(`${root}/${file}`, "utf8"))
    .join("\n");
  const uncounted = Object.keys({ ...metrics, ...organismMetrics }).filter((name) => !sources.includes(name));
  assert.deepEqual(uncounted, []);
});
