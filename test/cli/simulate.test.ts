import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { cellws } from "../e2e/organism.ts";

function folder(t: TestContext, files: Record<string, string>): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "cw-sim-"));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const all = {
    "app.mjs": "export default { fetch() {} }",
    "dna.mjs": `export default { app: "./app.mjs" }`,
    ...files,
  };
  for (const [name, text] of Object.entries(all)) fs.writeFileSync(path.join(dir, name), text);
  return dir;
}

const shortStep = ["simulate", "--load", "step", "--duration", "30s", "--cores", "4"];

test("simulate prints a summary, and writes a plot with everything in it", async (t) => {
  const cwd = folder(t, {});
  const { code, stdout, stderr } = await cellws([...shortStep, "--out", "plot.svg"], { cwd });
  assert.equal(code, 0, stderr);
  for (const label of ["requests", "first answer", "overshoot", "settling", "voted out"]) {
    assert.match(stdout, new RegExp(`^ {2}${label} +\\S`, "m"));
  }
  const svg = fs.readFileSync(path.join(cwd, "plot.svg"), "utf8");
  for (const label of ["requests/s", "drones", "stem cells", "B cells", "neurons", "waiting, ms", "hormone"]) {
    assert.ok(svg.includes(label), label);
  }
  assert.deepEqual(fs.readdirSync(cwd).sort(), ["app.mjs", "dna.mjs", "plot.svg"]);
});

test("simulate --json is one JSON object with trace, options and summary; nothing is written that was not asked for", async (t) => {
  const cwd = folder(t, { "load.csv": "time,rps,cost\n0,5,10\n20,50,10\n" });
  const { code, stdout, stderr } = await cellws(["simulate", "--load", "load.csv", "--json", "--samples"], { cwd });
  assert.deepEqual([code, stderr], [0, ""]);
  const { trace, summary, samples } = JSON.parse(stdout) as {
    trace: object;
    summary: { requests: { came: number } };
    samples: unknown[];
  };
  assert.deepEqual(trace, { name: "load.csv", durationMs: 40_000 });
  assert.ok(Math.abs(summary.requests.came - 1_100) < 150);
  assert.equal(samples.length, 160);
  assert.deepEqual(fs.readdirSync(cwd).sort(), ["app.mjs", "dna.mjs", "load.csv"]);
});

test("simulate refuses what it cannot use before it simulates, and an older plot stays as it was", async (t) => {
  const cwd = folder(t, { "bad.csv": "0,5\n10,many\n", "plot.svg": "old" });
  const cases: Array<[args: string[], message: RegExp]> = [
    [["--load", "bad.csv"], /CELLWS_E_TRACE: line 2, column 4[^]*found: many/],
    [["--load", "stpe"], /CELLWS_E_TRACE[^]*one of step, ramp, spike, day/],
    [["--load", "bad.csv", "--from", "3"], /--from cannot be used so/],
    [["--load", "step", "--duration", "1s"], /--duration cannot be used so/],
    [["--load", "step", "--cost", "0"], /Write a time above 0/],
    [["--load", "step", "--times", "-1"], /--times|argument/],
    [["--load", "step", "--cores", "0"], /--cores cannot be used so/],
    [["--load", "step", "--dna", "nowhere.ts"], /CELLWS_E_DNA_NOT_FOUND/],
    [["--load", "step", "--out", "nowhere/plot.svg"], /no folder/],
    [[], /required option '--load/],
  ];
  await Promise.all(
    cases.map(async ([args, message]) => {
      const { code, stdout, stderr } = await cellws(["simulate", "--out", "plot.svg", ...args], { cwd });
      assert.deepEqual([code, stdout], [2, ""], args.join(" "));
      assert.match(stderr, message);
    }),
  );
  assert.equal(fs.readFileSync(path.join(cwd, "plot.svg"), "utf8"), "old");
});

test("simulate tells how far it is where that is asked for, on stderr only", async (t) => {
  const cwd = folder(t, {});
  const args = ["simulate", "--load", "step", "--duration", "45m", "--progress", "--json"];
  const { code, stdout, stderr } = await cellws(args, { cwd });
  assert.equal(code, 0);
  assert.ok(JSON.parse(stdout));
  // On a machine that is fast enough there is nothing to tell.
  if (stderr !== "") assert.match(stderr, /^cellws: \d+% simulated, about \S+/);
});
