import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { test } from "node:test";
import { processLives, readProc } from "../../src/host/proc.ts";
import { createRunDir, recordCell, runDirExists } from "../../src/host/run-dir.ts";
import type { StopProgress } from "../../src/host/stop-organism.ts";
import { stopOrganism } from "../../src/host/stop-organism.ts";
import { DEAD, endChild, family, makeOrganism, makeRunBase } from "../support/fake-organism.ts";

test("every cell is asked once, waited for, and the run directory is gone", async (t) => {
  const organism = await makeOrganism(t, makeRunBase(t), {
    cells: { ...family, cccccccccc: { ...family["cccccccccc"], onStop: 300 } },
  });
  const progress: StopProgress[] = [];
  const outcome = await stopOrganism(organism.run, { drainMs: 7_000, onProgress: (step) => progress.push(step) });

  for (const cell of organism.cells.values()) {
    assert.deepEqual(
      cell.told.filter(({ op }) => op === "stop"),
      [{ op: "stop", drainMs: 7_000 }],
      cell.id,
    );
    assert.equal(processLives(cell), false);
  }
  assert.deepEqual(outcome.cells.map(({ id }) => id).sort(), Object.keys(family).sort());
  assert.deepEqual([outcome.killed, outcome.stuck, outcome.strangers], [[], [], []]);
  assert.equal(outcome.removed, true);
  assert.equal(runDirExists(organism.run), false);
  assert.deepEqual(progress[0]?.waiting.length, 4);
  assert.ok(
    progress.some(({ waiting }) => waiting.length === 1 && waiting[0]?.class === "drone" && waiting[0].inFlight === 3),
    "it is told who still works, and on how much",
  );
});

test("the organism's own drain time is asked for where none is given", async (t) => {
  const organism = await makeOrganism(t, makeRunBase(t), { cells: { aaaaaaaaaa: {} }, file: { drainMsMax: 1_234 } });
  await stopOrganism(organism.run);
  assert.deepEqual(organism.cell("aaaaaaaaaa").told.at(-1), { op: "stop", drainMs: 1_234 });
});

test("cells that hang, that deny, and that stand still are killed after their time, and only then", async (t) => {
  const organism = await makeOrganism(t, makeRunBase(t), {
    cells: {
      aaaaaaaaaa: { class: "neuron" },
      bbbbbbbbbb: { class: "b-cell", onStop: "ignores" },
      cccccccccc: { class: "drone", vitals: "babbles", onStop: "ignores" },
      dddddddddd: { class: "stem" },
    },
  });
  process.kill(organism.cell("dddddddddd").pid, "SIGSTOP");
  const outcome = await stopOrganism(organism.run, { drainMs: 0, graceMs: 300 });
  assert.deepEqual(outcome.killed.map(({ id }) => id).sort(), ["bbbbbbbbbb", "cccccccccc", "dddddddddd"]);
  assert.equal(outcome.removed, true);
  for (const { pid, startTicks } of organism.cells.values()) assert.equal(processLives({ pid, startTicks }), false);
  assert.ok(outcome.elapsedMs >= 300);
});

test(
  "a process that merely has a dead cell's pid is neither waited for nor killed",
  { skip: readProc(process.pid) === null },
  async (t) => {
    const { base } = makeRunBase(t);
    const { run } = await createRunDir("shop", { base, launcher: { pid: process.pid, startTicks: 1 } });
    const bystander = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    t.after(() => endChild(bystander));
    const pid = bystander.pid as number;
    const bornAt = "2026-11-22T12:00:00Z";
    recordCell(run, { id: "aaaaaaaaaa", class: "drone", pid, startTicks: 1, mother: null, generation: 0, bornAt });
    const outcome = await stopOrganism(run, { drainMs: 0, graceMs: 0 });
    assert.deepEqual([outcome.cells, outcome.killed, outcome.removed], [[], [], true]);
    assert.equal(bystander.exitCode ?? bystander.signalCode, null);
  },
);

test("who holds a socket and is nobody that is known is left alone, and so are the files", async (t) => {
  const organism = await makeOrganism(t, makeRunBase(t), {
    cells: { aaaaaaaaaa: { vitals: "silent", onStop: "ignores", records: false } },
  });
  const outcome = await stopOrganism(organism.run, { drainMs: 0, graceMs: 100 });
  assert.deepEqual(outcome.strangers, ["aaaaaaaaaa"]);
  assert.equal(outcome.removed, false);
  assert.equal(runDirExists(organism.run), true);
  assert.equal(processLives(organism.cell("aaaaaaaaaa")), true);
});

test("a launcher that does not end with its organism is ended", async (t) => {
  const { base } = makeRunBase(t);
  const launcher = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  t.after(() => endChild(launcher));
  await once(launcher, "spawn");
  const identity = { pid: launcher.pid as number, startTicks: readProc(launcher.pid as number)?.startTicks ?? 0 };
  const { run } = await createRunDir("shop", { base, launcher: identity });
  const outcome = await stopOrganism(run);
  assert.equal(outcome.launcherEnded, "signalled");
  assert.equal(outcome.removed, true);
  assert.equal(processLives(identity), false);
});

test("what is left of a dead organism is cleared away at once", async (t) => {
  const { base } = makeRunBase(t);
  const { run } = await createRunDir("shop", { base, launcher: DEAD });
  fs.writeFileSync(run.logFile, "last words\n");
  const outcome = await stopOrganism(run);
  assert.deepEqual(outcome.cells, []);
  assert.deepEqual(outcome.leftovers.sort(), ["launcher.json", "log/cellws.log"]);
  assert.equal(fs.existsSync(run.path), false);
});
