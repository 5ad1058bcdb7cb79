import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { commandNames } from "../../src/cli/commands.ts";
import { createRunDir, writeOrganismFile } from "../../src/host/run-dir.ts";
import type { RunDir } from "../../src/host/run-dir.ts";
import type { CellwsResult, RunBase } from "../support/fake-organism.ts";
import {
  DEAD,
  family,
  makeOrganism,
  makeRunBase,
  organismFile,
  runCellws,
  startCellws,
} from "../support/fake-organism.ts";

test("a command that there is not, or an option, is refused with the one that was meant", async (t) => {
  const base = makeRunBase(t);
  const cases: Array<[args: string[], message: RegExp]> = [
    [["stauts"], /unknown command 'stauts'\n {2}Did you mean status\?/],
    [["help", "lgos"], /unknown command 'lgos'\n {2}Did you mean logs\?/],
    [["treee", "--help"], /unknown command 'treee'\n {2}Did you mean tree\?/],
    [["ps", "--jsn"], /unknown option '--jsn'\n {2}Did you mean --json\?/],
    [["logs", "--since", "yesterday"], /'yesterday' is invalid\. Write a number with ms, s, m, h or d/],
    [["logs", "-n", "-1"], /Write a whole number/],
    [["logs", "--class", "king"], /Allowed choices are egg, stem/],
    [["ps", "extra"], /too many arguments/],
    [["ps", "--name", "No Name"], /CELLWS_E_NAME_INVALID/],
  ];
  await Promise.all(
    cases.map(async ([args, message]) => {
      const { status, stdout, stderr } = await runCellws(args, base);
      assert.equal(status, 2, args.join(" "));
      assert.equal(stdout, "");
      assert.match(stderr, /^cellws: CELLWS_E_/);
      assert.match(stderr, message);
    }),
  );
});

test("the version is the package's, and no command at all is answered with the help", async (t) => {
  const base = makeRunBase(t);
  const packageFile = new URL("../../package.json", import.meta.url);
  const { version } = JSON.parse(fs.readFileSync(packageFile, "utf8")) as { version: string };
  assert.deepEqual(await runCellws(["--version"], base), { status: 0, stdout: `${version}\n`, stderr: "" });
  const { status, stdout, stderr } = await runCellws([], base);
  assert.deepEqual([status, stdout], [2, ""]);
  for (const name of commandNames) assert.match(stderr, new RegExp(`^  ${name} `, "m"));
});

test("each command has a help with examples that fits into 80 columns", async (t) => {
  const base = makeRunBase(t);
  await Promise.all(
    commandNames.map(async (name) => {
      const { status, stdout } = await runCellws(["help", name], base);
      assert.equal(status, 0);
      assert.match(stdout, /\nExamples:\n {2}\$ /);
      for (const line of stdout.split("\n")) assert.ok(line.length <= 80, `${name}: ${line}`);
    }),
  );
});

test("commands that ask a living organism load nothing that they do not need", () => {
  for (const name of ["ps", "tree", "status", "stop", "logs"]) {
    const packages = packagesOf(fileURLToPath(new URL(`../../src/cli/commands/${name}.ts`, import.meta.url)));
    assert.deepEqual([...packages], name === "logs" ? ["commander"] : packages.size === 0 ? [] : ["commander"], name);
  }
});

test("where nothing runs, that is told, with how to begin", async (t) => {
  const base = makeRunBase(t);
  for (const args of [["ps"], ["stop"], ["status", "--json"], ["logs", "-f"]]) {
    const { status, stdout, stderr } = await runCellws(args, base);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /^cellws: CELLWS_E_NO_ORGANISM: no organism is running\n/);
    assert.match(stderr, /cellws start app\.js/);
  }
});

test("ps --json prints the cells with exactly the promised keys, eldest first", async (t) => {
  const base = makeRunBase(t);
  const organism = await makeOrganism(t, base, { cells: family });
  const { status, stdout, stderr } = await runCellws(["ps", "--json"], base);
  assert.deepEqual([status, stderr], [0, ""]);
  const {
    organism: id,
    revision,
    cells,
  } = JSON.parse(stdout) as { organism: string; revision: string; cells: unknown[] };
  assert.deepEqual([id, revision], ["k3f9a7p2qx", "5f2c9e1ab034"]);
  assert.equal(cells.length, 4);
  const { bornAt, ...neuron } = cells[0] as { bornAt: string };
  assert.ok(Number.isFinite(Date.parse(bornAt)));
  assert.deepEqual(neuron, {
    id: "aaaaaaaaaa",
    class: "neuron",
    pid: organism.cell("aaaaaaaaaa").pid,
    mother: null,
    generation: 0,
    state: "live",
    load: 0.04,
    rssBytes: 62 * 1024 * 1024,
    inFlight: 0,
  });
});

test("a cell that hangs, babbles or stands still is listed by what its kin know, and that is said", async (t) => {
  const base = makeRunBase(t);
  const organism = await makeOrganism(t, base, {
    cells: {
      aaaaaaaaaa: { class: "neuron" },
      bbbbbbbbbb: { class: "drone", vitals: "hangs-up" },
      cccccccccc: { class: "drone", vitals: "babbles" },
      dddddddddd: { class: "drone" },
      eeeeeeeeee: { class: "stem", vitals: "silent", records: false },
    },
  });
  process.kill(organism.cell("dddddddddd").pid, "SIGSTOP");
  const { status, stdout, stderr } = await runCellws(["ps"], base);
  assert.equal(status, 0);
  const lines = stdout.trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => line.split(/ +/)[0]),
    ["ID", "aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc", "dddddddddd", "eeeeeeeeee"],
  );
  for (const line of lines.slice(2)) assert.match(line, / live +- +\d+M +-$/);
  assert.match(stderr, /^cellws: bbbbbbbbbb gave no reply that can be read \(the cell hung up/m);
  assert.match(stderr, /^cellws: cccccccccc gave no reply that can be read \(not JSON: HTTP/m);
  assert.match(stderr, /^cellws: dddddddddd did not answer in time$/m);
  assert.match(stderr, /^cellws: eeeeeeeeee did not answer in time$/m);
});

test("tree draws the family", async (t) => {
  const base = makeRunBase(t);
  const { cell } = await makeOrganism(t, base, { cells: family });
  const { stdout } = await runCellws(["tree"], base);
  assert.equal(
    stdout,
    `
neuron aaaaaaaaaa pid ${cell("aaaaaaaaaa").pid} 2m
|- b-cell bbbbbbbbbb pid ${cell("bbbbbbbbbb").pid} 2m
|- drone cccccccccc pid ${cell("cccccccccc").pid} 2m
\`- stem dddddddddd pid ${cell("dddddddddd").pid} 2m

4 cells
`.trimStart(),
  );
  const { roots } = JSON.parse((await runCellws(["tree", "--json"], base)).stdout) as {
    roots: Array<{ id: string; daughters: unknown[] }>;
  };
  assert.deepEqual(
    roots.map(({ id, daughters }) => [id, daughters.length]),
    [["aaaaaaaaaa", 3]],
  );
});

test("status ends with 0 while requests are answered, and with 1 and the reason while not", async (t) => {
  const base = makeRunBase(t);
  const error = {
    code: "CELLWS_E_APP_LOAD",
    message: "no database",
    stack: "Error: no database\n    at /srv/app.js:3:9",
  };
  const failed = { state: "failed", error, attempts: 3, retryInMs: 60_000 } as const;
  await makeOrganism(t, base, { name: "well", cells: family });
  await makeOrganism(t, base, { name: "egg", cells: { aaaaaaaaaa: { class: "egg" } } });
  await makeOrganism(t, base, {
    name: "ill",
    cells: { ...family, cccccccccc: { class: "drone", app: failed, appHealth: failed } },
  });
  const well = await runCellws(["status", "--name", "well"], base);
  assert.equal(well.status, 0);
  assert.match(well.stdout, /state +serving/);
  assert.match(well.stdout, /http:\/\/127\.0\.0\.1:8080\//);

  const egg = await runCellws(["status", "--name", "egg", "--json"], base);
  assert.equal(egg.status, 0);
  assert.deepEqual((JSON.parse(egg.stdout) as { phase: string }).phase, "dormant");

  const ill = await runCellws(["status", "--name", "ill"], base);
  assert.equal(ill.status, 1);
  assert.match(ill.stdout, /failing - the app does not run, clients get 503/);
  assert.match(
    ill.stdout,
    /CELLWS_E_APP_LOAD: no database\n +at \/srv\/app\.js:3:9\n +tried 3 times; next attempt in 1m/,
  );
  assert.equal(ill.stderr, "");
});

test("of several organisms the one of this directory is meant, else a name is asked for", async (t) => {
  const base = makeRunBase(t);
  const here = fs.realpathSync(base.runtimeDir);
  await makeOrganism(t, base, { name: "shop", cells: { aaaaaaaaaa: {} }, file: { cwd: here } });
  await makeOrganism(t, base, { name: "board", cells: { bbbbbbbbbb: {} }, file: { cwd: "/srv/board" } });

  const elsewhere = await runCellws(["ps"], base, { cwd: "/" });
  assert.equal(elsewhere.status, 2);
  assert.match(elsewhere.stderr, /^cellws: CELLWS_E_NAME_NEEDED: /);
  assert.match(elsewhere.stderr, /board \(\/srv\/board\), shop \(/);

  assert.match((await runCellws(["ps"], base, { cwd: here })).stdout, /^aaaaaaaaaa /m);
  assert.match((await runCellws(["ps", "--name", "board"], base, { cwd: here })).stdout, /^bbbbbbbbbb /m);

  const unknown = await runCellws(["ps", "--name", "bord"], base);
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /CELLWS_E_NO_ORGANISM: there is no organism named 'bord'\n {2}found: board, shop/);
});

test("a dead organism is not running, its log can be read, and stop clears it away", async (t) => {
  const base = makeRunBase(t);
  const run = await makeDead(base);
  for (const args of [["ps"], ["status", "--name", "shop"]]) {
    const { status, stderr } = await runCellws(args, base);
    assert.equal(status, 1);
    assert.match(stderr, /CELLWS_E_NO_ORGANISM/);
  }
  const logs = await runCellws(["logs"], base);
  assert.deepEqual([logs.status, logs.stdout], [0, "| last words\n"]);

  const stop = await runCellws(["stop"], base);
  assert.deepEqual([stop.status, stop.stdout], [0, "shop was not running; cleared away what it had left (3 files)\n"]);
  assert.equal(fs.existsSync(run.path), false);
  assert.equal((await runCellws(["stop", "--name", "shop"], base)).status, 1);
});

test("stop ends every cell and leaves nothing", async (t) => {
  const base = makeRunBase(t);
  const organism = await makeOrganism(t, base, { cells: family });
  const { status, stdout, stderr } = await runCellws(["stop", "--timeout", "3s"], base);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^shop has ended: 4 cells in \d+m?s, nothing is left\n$/);
  assert.match(stderr, /^waiting for 4 cells, 3 requests in flight/);
  for (const cell of organism.cells.values()) assert.deepEqual(cell.told.at(-1), { op: "stop", drainMs: 3_000 });
  assert.deepEqual(fs.readdirSync(base.base), []);
});

test("stop that could not end everything says what is left, and fails", async (t) => {
  const base = makeRunBase(t);
  await makeOrganism(t, base, { cells: { aaaaaaaaaa: { vitals: "silent", onStop: "ignores", records: false } } });
  const { status, stdout, stderr } = await runCellws(["stop", "--timeout", "0", "--json"], base);
  assert.equal(status, 1);
  assert.deepEqual((JSON.parse(stdout) as { strangers: string[] }).strangers, ["aaaaaaaaaa"]);
  assert.match(stderr, /CELLWS_E_NOT_ENDED: not everything of 'shop' could be ended\n {2}found: .*aaaaaaaaaa\.sock/);
});

const line = (seconds: number, more: Record<string, unknown>): string => {
  const time = new Date(Date.now() - seconds * 1_000).toISOString();
  return JSON.stringify({ level: "info", time, pid: 7, cell: "aaaaaaaaaa", class: "neuron", event: "x", ...more });
};

test("logs prints the last lines, filtered by cell, class, level and age", async (t) => {
  const base = makeRunBase(t);
  const run = await makeDead(base);
  fs.writeFileSync(`${run.logFile}.1`, `${line(7_200, { msg: "old" })}\n`);
  const lines = [
    line(300, { msg: "one" }),
    line(200, { msg: "two", cell: "bbbbbbbbbb", class: "drone", level: "error" }),
    "Segmentation fault",
    line(100, { msg: "three", cell: "bbbbbbbbbb", class: "drone" }),
  ];
  fs.writeFileSync(run.logFile, lines.map((one) => `${one}\n`).join(""));
  const cases: Array<[args: string[], messages: string[]]> = [
    [[], ["old", "one", "two", "raw", "three"]],
    [
      ["-n", "2"],
      ["raw", "three"],
    ],
    [
      ["--since", "250s"],
      ["two", "raw", "three"],
    ],
    [["--since", "1h", "-n", "1"], ["three"]],
    [
      ["--class", "neuron"],
      ["old", "one"],
    ],
    [
      ["--cell", "bbb"],
      ["two", "three"],
    ],
    [["--level", "warn"], ["two"]],
    [["--level", "warn", "--class", "neuron"], []],
  ];
  await Promise.all(
    cases.map(async ([args, messages]) => {
      const { status, stdout } = await runCellws(["logs", ...args], base);
      assert.equal(status, 0);
      const seen = stdout
        .trimEnd()
        .split("\n")
        .flatMap((one) => (one === "" ? [] : one.startsWith("| ") ? ["raw"] : [one.split(" ").at(-1)]));
      assert.deepEqual(seen, messages, args.join(" "));
    }),
  );
  const json = await runCellws(["logs", "--json"], base);
  const events = json.stdout
    .trimEnd()
    .split("\n")
    .map((one) => JSON.parse(one) as { event: string; msg: string });
  assert.deepEqual(events[3], { event: "raw", msg: "Segmentation fault" });
  assert.equal(json.stdout.split("\n")[4], lines[3], "a line of ours is printed as it is");
});

test("logs -f prints what is there, what comes, and ends with the organism", async (t) => {
  const base = makeRunBase(t);
  const organism = await makeOrganism(t, base, { cells: { aaaaaaaaaa: {} } });
  fs.writeFileSync(organism.run.logFile, `${line(9, { msg: "first" })}\n`);
  const { printed, result } = startCellws(t, ["logs", "-f"], base);
  await until(() => printed().includes("first"));
  fs.appendFileSync(organism.run.logFile, `${line(1, { msg: "second" })}\n`);
  await until(() => printed().includes("second"));
  await runCellws(["stop"], base);
  const { status, stdout, stderr } = await result;
  assert.deepEqual([status, stderr], [0, "cellws: shop has ended\n"]);
  assert.match(stdout, /^.*first\n.*second\n$/);
});

test("Ctrl-C ends logs -f, and that is no failure", async (t) => {
  const base = makeRunBase(t);
  await makeDead(base);
  const { child, printed, result } = startCellws(t, ["logs", "-f"], base);
  await until(() => printed() !== "");
  child.kill("SIGINT");
  assert.deepEqual(await result, { status: 0, stdout: "| last words\n", stderr: "" });
});

test("who reads only the beginning of the log, as head does, is no failure", async (t) => {
  const base = makeRunBase(t);
  const run = await makeDead(base);
  fs.writeFileSync(run.logFile, `${line(9, { padding: "x".repeat(200) })}\n`.repeat(20_000));
  const script = path.join(base.runtimeDir, "head.sh");
  const binary = fileURLToPath(new URL("../../bin/cellws", import.meta.url));
  fs.writeFileSync(script, `{ "${binary}" logs -n 20000; echo "status $?" >&2; } | head -1`);
  const { stderr } = await runShell(script, base);
  assert.equal(stderr, "status 0\n");
});

async function until(isTrue: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  while (!isTrue()) {
    assert.ok(performance.now() < deadlineMs, "it takes too long");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function makeDead({ base }: RunBase): Promise<RunDir> {
  const { run } = await createRunDir("shop", { base, launcher: DEAD });
  writeOrganismFile(run, organismFile("shop"));
  fs.writeFileSync(run.logFile, "last words\n");
  return run;
}

async function runShell(script: string, { runtimeDir }: RunBase): Promise<CellwsResult> {
  const { execFile } = await import("node:child_process");
  return new Promise((resolve) => {
    const child = execFile(
      "sh",
      [script],
      { env: { ...process.env, XDG_RUNTIME_DIR: runtimeDir } },
      (_error, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

/** Names of the packages that a file imports when it is loaded, itself or through others of ours. */
function packagesOf(file: string, seen = new Set<string>(), packages = new Set<string>()): Set<string> {
  if (seen.has(file)) return packages;
  seen.add(file);
  const source = fs.readFileSync(file, "utf8");
  for (const [, specifier = ""] of source.matchAll(/^(?:import|export) (?!type )[^;]*?from "([^"]+)"/gm)) {
    if (specifier.startsWith(".")) packagesOf(path.resolve(path.dirname(file), specifier), seen, packages);
    else if (!specifier.startsWith("node:")) packages.add(specifier);
  }
  return packages;
}
