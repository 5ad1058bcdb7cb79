import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { CellMetrics } from "../../src/host/cell-metrics.ts";
import { sumCounts } from "../../src/host/counts-left.ts";
import { ownIdentity } from "../../src/host/proc.ts";
import { runDir, type RunDir } from "../../src/host/run-dir.ts";
import type { Snapshot } from "../../src/wire/metrics.ts";

function makeRun(t: TestContext): RunDir {
  const base = mkdtempSync(join(tmpdir(), "cw-"));
  t.after(() => rmSync(base, { recursive: true }));
  const run = runDir("counts", base);
  mkdirSync(run.cellsDir, { recursive: true });
  return run;
}

const stem = (run: RunDir): CellMetrics =>
  new CellMetrics({
    run,
    id: "aaaaaaaaaa",
    process: ownIdentity(),
    bornAs: "stem",
    keeps: true,
    linesLost: () => 2,
    levelOf: () => 500_000,
  });

const valueIn = (snapshot: Snapshot, name: string, ...labels: string[]) =>
  snapshot.find((series) => series.name === name && series.labels.join() === labels.join())?.value ?? 0;

test("what a cell tells is written before it is told, but for what is of the moment", (t) => {
  const run = makeRun(t);
  const metrics = stem(run);
  metrics.became("drone");
  metrics.happened({ type: "probed", id: "b", answer: "stuck" });
  const told = metrics.tell();
  assert.equal(valueIn(told, "cellws_births_total", "stem"), 1);
  assert.equal(valueIn(told, "cellws_differentiations_total", "drone"), 1);
  assert.equal(valueIn(told, "cellws_probes_total", "stuck"), 1);
  assert.equal(valueIn(told, "cellws_log_lines_lost_total"), 2);
  assert.equal(valueIn(told, "cellws_hormone_level_ratio", "neuron"), 0.5);
  const written = sumCounts(run, new Map());
  const lasting = told.filter(({ name }) => name !== "cellws_hormone_level_ratio");
  assert.deepEqual(written.toSorted(byKey), lasting.toSorted(byKey));
});

test("a process that begins anew as the same cell goes on counting where it was, and is not born twice", (t) => {
  const run = makeRun(t);
  const before = stem(run);
  before.became("drone");
  before.happened({ type: "probed", id: "b", answer: "stuck" });
  const told = before.tell();
  const after = stem(run);
  after.became("drone");
  after.happened({ type: "probed", id: "b", answer: "stuck" });
  const toldAfter = after.tell();
  assert.equal(valueIn(toldAfter, "cellws_births_total", "stem"), 1);
  assert.equal(valueIn(toldAfter, "cellws_differentiations_total", "drone"), 1);
  assert.equal(valueIn(toldAfter, "cellws_probes_total", "stuck"), 2);
  for (const { name, labels, value } of told) {
    const now = valueIn(toldAfter, name, ...labels);
    assert.ok(typeof now === "object" || typeof value === "object" || now >= value, `${name} fell`);
  }
});

test("pulses are counted by who secretes them, once for all the links that they go to", (t) => {
  const metrics = stem(makeRun(t));
  const pulse = { class: "drone", strength: 1, wanted: 1, unanswered: 0, hops: 0 } as const;
  const send = (id: string, origin: string, to: string): void =>
    metrics.wished({ type: "send", to, message: { type: "pulse", pulse: { ...pulse, id, origin } } });
  send("p1", "aaaaaaaaaa", "x");
  send("p1", "aaaaaaaaaa", "y");
  send("q1", "somebodyel", "y");
  send("p2", "aaaaaaaaaa", "x");
  assert.equal(valueIn(metrics.tell(), "cellws_hormone_pulses_total", "drone"), 2);
});

function byKey(a: Snapshot[number], b: Snapshot[number]): number {
  return `${a.name} ${a.labels.join()}` < `${b.name} ${b.labels.join()}` ? -1 : 1;
}
