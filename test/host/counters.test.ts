import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Counters, otherLabel, seriesPerMetricMax } from "../../src/host/counters.ts";
import type { Snapshot } from "../../src/wire/metrics.ts";
import { addUp, lasting, metrics, organismMetrics, readSnapshot } from "../../src/wire/metrics.ts";

const valueIn = (snapshot: Snapshot, name: string, ...labels: string[]) =>
  snapshot.find((series) => series.name === name && series.labels.join() === labels.join())?.value;

describe("a cell's counters", () => {
  test("count by labels, and are the same counter for the same labels", () => {
    const counters = new Counters();
    counters.add("cellws_votes_total", { reason: "hung" });
    counters.counter("cellws_votes_total", { reason: "hung" }).value += 2;
    counters.add("cellws_votes_total", { reason: "surplus" });
    const told = counters.snapshot();
    assert.equal(valueIn(told, "cellws_votes_total", "hung"), 3);
    assert.equal(valueIn(told, "cellws_votes_total", "surplus"), 1);
  });

  test("tell of what others keep as it is when they are asked", () => {
    const counters = new Counters();
    let lost = 1;
    counters.read("cellws_log_lines_lost_total", {}, () => lost);
    lost = 5;
    assert.equal(valueIn(counters.snapshot(), "cellws_log_lines_lost_total"), 5);
  });

  test("do not grow without end when a label takes any value", () => {
    const counters = new Counters();
    for (let i = 0; i < 10 * seriesPerMetricMax; i += 1)
      counters.add("cellws_http_refused_total", { code: `code-${i}` });
    const told = counters.snapshot();
    assert.equal(told.length, seriesPerMetricMax);
    assert.equal(valueIn(told, "cellws_http_refused_total", otherLabel), 9 * seriesPerMetricMax + 1);
  });

  test("keep what was counted when the class changes, and measure no more what the old one did", () => {
    const counters = new Counters();
    counters.gauge("cellws_http_open_connections", {}, () => 7);
    counters.add("cellws_http_connections_total", {});
    counters.forgetGauges();
    assert.deepEqual(
      counters.snapshot().map(({ name }) => name),
      ["cellws_http_connections_total"],
    );
  });
});

describe("what several cells tell", () => {
  const cell = (requests: number, waitSeconds: number, latencies: readonly number[]): Snapshot => {
    const counters = new Counters();
    counters.add("cellws_http_requests_total", {}, requests);
    counters.gauge("cellws_http_longest_wait_seconds", {}, () => waitSeconds);
    counters.gauge("cellws_http_open_connections", {}, () => 1);
    for (const seconds of latencies) counters.histogram("cellws_http_time_to_head_seconds").observe(seconds);
    return counters.snapshot();
  };

  test("is added up: counters and histograms, gauges as the table says", () => {
    const sum = addUp([cell(3, 0.5, [0.001, 40]), cell(4, 0.25, [0.0011])]);
    assert.equal(valueIn(sum, "cellws_http_requests_total"), 7);
    assert.equal(valueIn(sum, "cellws_http_longest_wait_seconds"), 0.5);
    assert.equal(valueIn(sum, "cellws_http_open_connections"), 2);
    const latency = valueIn(sum, "cellws_http_time_to_head_seconds");
    assert.ok(typeof latency === "object");
    assert.deepEqual([latency.counts[0], latency.counts[1], latency.counts.at(-1)], [1, 1, 1], "a bound is inclusive");
    assert.ok(Math.abs(latency.sum - 40.0021) < 1e-9);
  });

  test("outlives a cell but for what was measured of the moment", () => {
    const kept = lasting(cell(1, 1, [1])).map(({ name }) => name);
    assert.deepEqual(kept, ["cellws_http_requests_total", "cellws_http_time_to_head_seconds"]);
  });

  test("comes through JSON unchanged, and what is not a series is left out", () => {
    const told = cell(3, 0.5, [0.1]);
    assert.deepEqual(readSnapshot(JSON.parse(JSON.stringify(told))), told);
    const nonsense = [
      null,
      { name: "toString", labels: [], value: 1 },
      { name: "cellws_votes_total", labels: [], value: 1 },
      { name: "cellws_http_requests_total", labels: [], value: "1" },
      { name: "cellws_http_time_to_head_seconds", labels: [], value: { sum: 1, counts: [1] } },
    ];
    assert.deepEqual(readSnapshot(nonsense), []);
    assert.deepEqual(readSnapshot("nothing"), []);
  });
});

test("no two metrics are one family where OpenMetrics drops the suffix of counters", () => {
  const families = [...Object.keys(metrics), ...Object.keys(organismMetrics)].map((name) =>
    name.replace(/_total$/, ""),
  );
  assert.deepEqual(
    families.filter((name, i) => families.indexOf(name) !== i),
    [],
  );
});

test("names and units follow Prometheus' conventions", () => {
  for (const [name, { type, help }] of Object.entries({ ...metrics, ...organismMetrics })) {
    assert.match(name, /^cellws_[a-z0-9]+(_[a-z0-9]+)*$/);
    assert.equal(name.endsWith("_total"), type === "counter", `${name}: counters, and only they, end in _total`);
    assert.doesNotMatch(name, /_(ms|milliseconds|percent|kilobytes)(_|$)/, "base units");
    assert.match(help, /^[A-Z].*\.$/, `${name}: a sentence`);
  }
});
