// Knocking at the doors in a run directory: who counts as a stranger that answers.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { cellSocketPath, guestCellsDir } from "../../src/host/run-dir.ts";
import type { Seeker } from "../../src/host/strangers.ts";
import { seekStrangers } from "../../src/host/strangers.ts";
import type { CellSummary } from "../../src/wire/control.ts";
import { endChild, makeOrganism, makeRunBase, organismFile } from "../support/fake-organism.ts";

const seeker: Seeker = {
  organism: organismFile("shop").organism,
  id: "seeker",
  hasGuests: false,
  timeoutMs: 400,
  isStranger: (id) => id !== "seeker" && id !== "known",
};
const whole = { pid: 1, startTicks: 1, mother: null, generation: 1, bornAt: "", state: "live" } as const;
const neuron: CellSummary = { ...whole, id: "brain", class: "neuron" };
const us: CellSummary = { ...whole, id: "seeker", class: "stem" };

test("finds those who answer, and what they say of whom they know", async (t) => {
  const { run } = await makeOrganism(t, makeRunBase(t), {
    cells: {
      lost: { class: "drone", others: [] },
      settled: { class: "drone", others: [neuron] },
      sister: { class: "drone", others: [us] },
    },
  });
  const found = await seekStrangers(run, seeker);
  assert.deepEqual(
    found.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    [
      { id: "lost", isAble: false, knowsUs: false },
      { id: "settled", isAble: true, knowsUs: false },
      { id: "sister", isAble: true, knowsUs: true },
    ],
  );
});

test("passes over whom the seeker knows, other organisms, and whoever is silent, babbles or is not who the door says", async (t) => {
  const { run } = await makeOrganism(t, makeRunBase(t), {
    cells: {
      known: {},
      foreign: { organism: "another" },
      silent: { vitals: "silent" },
      babbles: { vitals: "babbles" },
      "hangs-up": { vitals: "hangs-up" },
      renamed: {},
    },
  });
  fs.renameSync(cellSocketPath(run, "renamed"), path.join(run.cellsDir, "posing.sock"));
  assert.deepEqual(await seekStrangers(run, seeker), []);
});

test("finds nobody behind the doors of the dead, and where there is no house any more", async (t) => {
  const { run, cell } = await makeOrganism(t, makeRunBase(t), { cells: { dead: {} } });
  assert.equal((await seekStrangers(run, seeker)).length, 1);
  await endChild(cell("dead").child);
  assert.ok(fs.existsSync(cellSocketPath(run, "dead")));
  assert.deepEqual(await seekStrangers(run, seeker), []);
  fs.rmSync(run.path, { recursive: true });
  assert.deepEqual(await seekStrangers(run, seeker), []);
});

test("does not believe what is in the guests' folder, where there is one", async (t) => {
  const { run } = await makeOrganism(t, makeRunBase(t), { cells: { guest: {} } });
  fs.mkdirSync(guestCellsDir(run));
  fs.renameSync(cellSocketPath(run, "guest"), path.join(guestCellsDir(run), "guest.sock"));
  assert.deepEqual(await seekStrangers(run, { ...seeker, hasGuests: true }), []);
  assert.equal((await seekStrangers(run, seeker)).length, 1);
});
