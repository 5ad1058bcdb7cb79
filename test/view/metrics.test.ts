import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetricsView } from "../../src/view/metrics.ts";
import { cellsToldMax, chooseFormat, renderMetrics } from "../../src/view/metrics.ts";
import type { Snapshot } from "../../src/wire/metrics.ts";
import { metrics, organismMetrics } from "../../src/wire/metrics.ts";
import type { SurveyedCell } from "../../src/wire/survey.ts";
import { parseExposition, valueOf } from "../support/exposition.ts";

const cell = (index: number): SurveyedCell => ({
  id: `cell${index}`,
  class: "drone",
  pid: index + 1,
  startTicks: 1,
  mother: null,
  generation: 1,
  bornAt: "2026-01-01T00:00:00Z",
  state: "live",
  evidence: index % 2 === 0 ? "self" : "kin",
  load: index % 2 === 0 ? 0.25 : null,
  rssBytes: 1_000,
  inFlight: 0,
  app: { state: "ready" },
});

const view = (cells: number, snapshot: Snapshot = []): MetricsView => ({
  survey: {
    name: 'a "quoted"\\name\n',
    organism: "o",
    revision: "r",
    cells: Array.from({ length: cells }, (_, i) => cell(i)),
    ghosts: [],
    strangers: [],
    app: { state: "ready" },
  },
  readiness: { ready: true, why: "" },
  snapshot,
  startedAtSeconds: 1.5,
});

const bounds = metrics.cellws_cold_start_seconds.bounds.length + 1;
const counted: Snapshot = [
  { name: "cellws_http_requests_total", labels: [], value: 12 },
  { name: "cellws_deaths_total", labels: ["drone", "crashed"], value: 2 },
  {
    name: "cellws_cold_start_seconds",
    labels: [],
    value: { sum: 1.25, counts: Array.from({ length: bounds }, () => 1) },
  },
];

for (const format of ["prometheus", "openmetrics"] as const) {
  test(`in ${format}'s format every line is one that a strict reader takes`, () => {
    const families = parseExposition(renderMetrics(view(3, counted), format), format);
    const suffix = format === "openmetrics" ? "" : "_total";
    assert.equal(valueOf(families, `cellws_http_requests${suffix}`), 12);
    assert.equal(valueOf(families, `cellws_deaths${suffix}`, `class="drone",cause="crashed"`), 2);
    assert.equal(valueOf(families, "cellws_cold_start_seconds", "_count"), bounds);
    assert.equal(valueOf(families, "cellws_cells", `class="drone",state="live"`), 3);
    assert.equal(valueOf(families, "cellws_cells_unanswered"), 1);
    assert.equal(valueOf(families, "cellws_cell_event_loop_utilization_ratio", `cell="cell0",class="drone"`), 0.25);
    const [name] = [...(families.get("cellws_info")?.samples.keys() ?? [])];
    assert.equal(name, String.raw`name="a \"quoted\"\\name\n",organism="o",revision="r"`);
  });
}

test("what has not been counted yet is told as 0 where its labels are known", () => {
  const families = parseExposition(renderMetrics(view(1), "prometheus"));
  assert.equal(valueOf(families, "cellws_http_responses_total", `status="5xx"`), 0);
  assert.equal(valueOf(families, "cellws_http_lost_total"), 0);
  assert.equal(valueOf(families, "cellws_http_time_to_head_seconds", "_count"), 0);
  const untold = Object.keys({ ...metrics, ...organismMetrics }).filter((name) => !families.has(name));
  for (const name of untold) {
    const { type, labels } = { ...metrics, ...organismMetrics }[name as keyof typeof metrics];
    assert.ok(type === "gauge" || Object.values(labels).includes(null), `${name} can be told as 0, and is not`);
  }
});

test("of a crowd of cells the number is told and not each", () => {
  const families = parseExposition(renderMetrics(view(cellsToldMax + 1), "prometheus"));
  assert.equal(valueOf(families, "cellws_cells"), cellsToldMax + 1);
  assert.ok(!families.has("cellws_cell_resident_memory_bytes"));
});

test("who does not ask for OpenMetrics gets what everybody reads", () => {
  assert.equal(chooseFormat(undefined), "prometheus");
  assert.equal(chooseFormat("*/*"), "prometheus");
  assert.equal(chooseFormat("text/html"), "prometheus");
  assert.equal(chooseFormat("application/openmetrics-text;version=1.0.0,text/plain;q=0.1"), "openmetrics");
});
