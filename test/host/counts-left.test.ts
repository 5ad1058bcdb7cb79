import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { describe, test, type TestContext } from "node:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buryTheDead, sumCounts, writeCounts } from "../../src/host/counts-left.ts";
import { ownIdentity, type ProcessIdentity } from "../../src/host/proc.ts";
import { cellCountsPath, runDir, type RunDir } from "../../src/host/run-dir.ts";
import type { Snapshot } from "../../src/wire/metrics.ts";

const crashed = () => ({ cause: "crashed", reason: null }) as const;

function makeRun(t: TestContext): RunDir {
  const base = mkdtempSync(join(tmpdir(), "cw-"));
  t.after(() => rmSync(base, { recursive: true }));
  const run = runDir("counts", base);
  mkdirSync(run.cellsDir, { recursive: true });
  return run;
}

/** A process that has been. */
async function deadProcess(): Promise<ProcessIdentity> {
  const child = spawn("true");
  await once(child, "exit");
  return { pid: child.pid ?? 0, startTicks: 1 };
}

const requests = (value: number): Snapshot => [{ name: "cellws_http_requests_total", labels: [], value }];
const sumOf = (snapshot: Snapshot, name = "cellws_http_requests_total", ...labels: string[]) =>
  snapshot.find((series) => series.name === name && series.labels.join() === labels.join())?.value ?? 0;

describe("the counts of an organism", () => {
  test("are those of the living, as they tell them, and those of the dead, as they left them", async (t) => {
    const run = makeRun(t);
    writeCounts(run, "living", { ...ownIdentity(), class: "b-cell", snapshot: requests(5) });
    writeCounts(run, "silent", { ...ownIdentity(), class: "b-cell", snapshot: requests(10) });
    writeCounts(run, "dead", { ...(await deadProcess()), class: "b-cell", snapshot: requests(100) });
    assert.equal(sumOf(sumCounts(run, new Map([["living", requests(7)]]))), 117);
    buryTheDead(run, crashed);
    assert.ok(!existsSync(cellCountsPath(run, "dead")), "its file is not needed any more");
    const sum = sumCounts(run, new Map([["living", requests(7)]]));
    assert.equal(sumOf(sum), 117, "burying changes nothing");
    assert.equal(sumOf(sum, "cellws_deaths_total", "b-cell", "crashed"), 1);
  });

  test("take in each dead cell once, however often and by whomever it is buried", async (t) => {
    const run = makeRun(t);
    const dead = { ...(await deadProcess()), class: "drone", snapshot: requests(3) } as const;
    writeCounts(run, "dead", dead);
    buryTheDead(run, crashed);
    buryTheDead(run, crashed);
    // Somebody was ended between the entry in the ledger and the removal of the file.
    writeCounts(run, "dead", dead);
    assert.equal(sumOf(sumCounts(run, new Map())), 3);
    // It had told somebody just before.
    assert.equal(sumOf(sumCounts(run, new Map([["dead", requests(3)]]))), 3);
    buryTheDead(run, crashed);
    const sum = sumCounts(run, new Map());
    assert.deepEqual([sumOf(sum), sumOf(sum, "cellws_deaths_total", "drone", "crashed")], [3, 1]);
    assert.deepEqual(readdirSync(run.cellsDir), []);
  });

  test("keep a cell above ground until it is known what it died of, but not for ever", async (t) => {
    const run = makeRun(t);
    writeCounts(run, "dead", { ...(await deadProcess()), class: "stem", snapshot: requests(1) });
    buryTheDead(run, () => null);
    assert.ok(existsSync(cellCountsPath(run, "dead")));
    assert.equal(sumOf(sumCounts(run, new Map())), 1);
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(cellCountsPath(run, "dead"), longAgo, longAgo);
    buryTheDead(run, () => null);
    assert.equal(sumOf(sumCounts(run, new Map()), "cellws_deaths_total", "stem", "unknown"), 1);
  });

  test("name the reason of the certificate that a cell was ended by", async (t) => {
    const run = makeRun(t);
    writeCounts(run, "dead", { ...(await deadProcess()), class: "drone", snapshot: [] });
    buryTheDead(run, () => ({ cause: "condemned", reason: "hung" }));
    assert.equal(sumOf(sumCounts(run, new Map()), "cellws_certificates_total", "hung"), 1);
  });

  test("bear damaged files, and leave out what was measured of the moment", async (t) => {
    const run = makeRun(t);
    const open = { name: "cellws_http_open_connections", labels: [], value: 3 } as const;
    writeCounts(run, "dead", { ...(await deadProcess()), class: "b-cell", snapshot: [...requests(2), open] });
    writeFileSync(cellCountsPath(run, "torn"), '{"pid":1,');
    writeFileSync(run.countsLeftFile, "nonsense");
    const sum = sumCounts(run, new Map());
    assert.deepEqual([sumOf(sum), sumOf(sum, "cellws_http_open_connections")], [2, 0]);
  });

  test("cannot be written where there is no run directory, and that hurts nobody", (t) => {
    const run = makeRun(t);
    rmSync(run.path, { recursive: true });
    assert.equal(writeCounts(run, "living", { ...ownIdentity(), class: "stem", snapshot: [] }), false);
    buryTheDead(run, crashed);
    assert.deepEqual(sumCounts(run, new Map()), []);
  });
});
