/** Reads Prometheus' text format (and OpenMetrics) strictly, as far as cellws writes it: a second opinion on src/view/metrics.ts. */
import assert from "node:assert/strict";

export interface Family {
  type: string;
  help: string;
  /** By labels, sorted and joined: `class="egg",state="live"`; of histograms with the suffix in front: `_bucket{le="1"}`. */
  samples: Map<string, number>;
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(,|$)/gy;

export function parseExposition(
  text: string,
  format: "prometheus" | "openmetrics" = "prometheus",
): Map<string, Family> {
  assert.ok(text.endsWith("\n"), "the last line ends, too");
  const lines = text.slice(0, -1).split("\n");
  if (format === "openmetrics") assert.equal(lines.pop(), "# EOF");
  const families = new Map<string, Family>();
  let current: [name: string, family: Family] | null = null;
  for (const line of lines) {
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === "HELP") {
      assert.ok(!families.has(name), `${name} comes once`);
      current = [name, { type: "", help: rest, samples: new Map() }];
      families.set(...current);
    } else if (kind === "TYPE") {
      assert.equal(current?.[0], name, "HELP and TYPE stand together");
      assert.match(rest, /^(counter|gauge|histogram)$/);
      current[1].type = rest;
    } else {
      assert.ok(current !== null, `a sample without a family: ${line}`);
      takeSample(line, current, format);
    }
  }
  for (const [name, family] of families) if (family.type === "histogram") checkHistogram(name, family);
  return families;
}

/** The value of one series, or of all of a family together. */
export function valueOf(families: Map<string, Family>, name: string, labels?: string): number {
  const samples = families.get(name)?.samples;
  if (labels !== undefined) return samples?.get(labels) ?? Number.NaN;
  return [...(samples?.values() ?? [])].reduce((a, b) => a + b, 0);
}

function takeSample(line: string, [family, { type, samples }]: [string, Family], format: string): void {
  const [, name = "", labels = "", value = ""] = sampleLine.exec(line) ?? [];
  const suffix = name.slice(family.length);
  const suffixes = type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  const expected = type === "counter" && format === "openmetrics" ? ["_total"] : suffixes;
  assert.ok(name.startsWith(family) && expected.includes(suffix), `${line}: of another family than ${family}`);
  if (type === "counter") assert.ok(name.endsWith("_total"), line);
  labelPair.lastIndex = 0;
  const pairs: string[] = [];
  while (labelPair.lastIndex < labels.length) {
    const at = labelPair.lastIndex;
    const [, label, text] = labelPair.exec(labels) ?? [];
    assert.ok(label !== undefined, `${line}: labels from column ${at} are none`);
    pairs.push(`${label}="${text}"`);
  }
  const key = `${type === "histogram" ? suffix : ""}${type === "histogram" && pairs.length > 0 ? `{${pairs.join(",")}}` : pairs.join(",")}`;
  assert.ok(!samples.has(key), `${line}: twice`);
  const number = value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value);
  assert.ok(!Number.isNaN(number), line);
  samples.set(key, number);
}

function checkHistogram(name: string, { samples }: Family): void {
  const buckets = [...samples].filter(([key]) => key.startsWith("_bucket"));
  const counts = buckets.map(([, count]) => count);
  assert.ok(buckets.at(-1)?.[0].includes('le="+Inf"'), `${name}: the last bucket holds all`);
  assert.deepEqual(
    counts,
    counts.toSorted((a, b) => a - b),
    `${name}: buckets are cumulative`,
  );
  assert.equal(samples.get("_count"), counts.at(-1), `${name}: the count is that of the last bucket`);
  assert.ok(samples.has("_sum"));
}
