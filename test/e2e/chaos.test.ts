/** `cellws chaos` on a real organism: what it does, what it says, and that nothing is left stopped. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { readProc } from "../../src/host/proc.ts";
import { bin, cellws, sharedOrganism } from "./organism.ts";
import { within } from "./wait.ts";

interface Account {
  seed: number;
  endedEarly: boolean;
  requests: { answered: number; lost: number; unexcused: number };
  strikes: Array<{ harm: string; class: string; pid: number; healedMs: number | null }>;
}

describe("cellws chaos", () => {
  const organism = sharedOrganism({
    app: "echo.mjs",
    scratchEnv: { FLIP: "flip" },
    dna: {
      cells: { neuron: { max: 1 }, bCell: { max: 1 }, drone: { min: 2, max: 2 } },
      restarts: { windowMs: 1_000 },
    },
  });

  test("without --yes it says what it would do, and not even sends a request: a dormant egg sleeps on", async () => {
    const { code, stderr } = await organism().cli("chaos", "--for", "1s");
    assert.equal(code, 2);
    assert.match(stderr, /CELLWS_E_CHAOS_NOT_ALLOWED/);
    assert.match(stderr, /kill, stop, slow any of its cells about every 2s for 1s/);
    assert.deepEqual(
      (await organism().ps()).map((cell) => cell.class),
      ["egg"],
    );
  });

  test("it kills whom it was told to under load, gives an account of it, and there is a picture", async () => {
    const picture = organism().scratch("chaos.svg");
    const harm = ["--cells", "drone,stem,neuron", "--how", "kill", "--for", "3s", "--every", "600ms", "--seed", "7"];
    const load = ["--path", "/?{id}", "--rate", "50", "--connections", "4"];
    const args = ["chaos", "--name", organism().name, "--yes", "--json", ...harm, ...load, "--out", picture];
    const { env, workDir: cwd } = organism();
    const { code, stdout, stderr } = await cellws(args, { env, cwd, msMax: chaosMsMax });
    const account = JSON.parse(stdout || "null") as Account | null;
    assert.ok(account !== null, stderr);
    assert.ok(account.strikes.length >= 1, `${account.strikes.length} strikes`);
    for (const { harm: how, class: cellClass, pid } of account.strikes) {
      assert.equal(how, "kill");
      assert.match(cellClass, /^(drone|stem|neuron)$/);
      assert.ok(!organism().pids().includes(pid), "who was killed is dead");
    }
    assert.ok(account.requests.answered > 0);
    // That nothing is lost is for bench/kill-any.ts to show, on a machine of its own. Here: what was is not hushed up.
    const isWell = account.requests.unexcused === 0 && account.strikes.every(({ healedMs }) => healedMs !== null);
    assert.equal(code, isWell ? 0 : 1, stderr);
    assert.equal(account.seed, 7);
    const svg = readFileSync(picture, "utf8");
    for (const word of ["answered right", "lost", "killed", "drones", "healed after, s"]) {
      assert.ok(svg.includes(word), word);
    }
  });

  test("Ctrl-C ends it early, tells what was so far, and nobody is left stopped", async () => {
    const child = spawn(
      bin,
      ["chaos", "--name", organism().name, "--yes", "--json", "--how", "stop", "--cells", "stem", "--every", "300ms"],
      {
        env: organism().env,
        cwd: organism().workDir,
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
    const ended = once(child, "close");
    await organism().until("a stopped cell", () => organism().cellPids().some(isStopped));
    child.kill("SIGINT");
    await within("chaos to end", ended);
    const account = JSON.parse(printed) as Account;
    assert.equal(account.endedEarly, true);
    assert.ok(account.strikes.length > 0);
    assert.deepEqual(organism().cellPids().filter(isStopped), []);
  });

  for (const [what, args] of [
    ["a class that there is none of", ["--cells", "drone,liver"]],
    ["a harm that it cannot do", ["--how", "maim"]],
    ["a rate beyond its bounds", ["--rate", "1000000"]],
    ["a path that is none", ["--path", "hello"]],
    ["a duration beyond its bounds", ["--for", "2d"]],
    ["a picture in a folder that is not there", ["--out", "nowhere/chaos.svg"]],
  ] as const) {
    test(`it refuses ${what}, and harms nobody`, async () => {
      const { code, stderr } = await organism().cli("chaos", "--yes", ...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /CELLWS_E_USAGE/);
    });
  }

  test("an app that does not answer twice the same is not put to the test", async () => {
    const { code, stderr } = await organism().cli("chaos", "--yes", "--path", "/flips");
    assert.equal(code, 1, stderr);
    assert.match(stderr, /CELLWS_E_CHAOS_LOAD[\s\S]*\/flips: answered 200, then 500/);
  });
});

/** Beyond all that a run waits for: the organism to be ready, the strikes, the healing, and what is under way. */
const chaosMsMax = 90_000;

const isStopped = (pid: number): boolean => readProc(pid)?.state === "T";
