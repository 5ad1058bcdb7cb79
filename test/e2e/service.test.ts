/**
 * Under a service manager: the units that are written, the sockets that are taken over, what is told, and that even the death of all
 * cells refuses no connection. The manager is service-manager.py, which speaks systemd's protocol; the units are judged by
 * systemd's own verifier.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { request } from "./client.ts";
import { appFile, bin, cellws, Organism, type OrganismOptions } from "./organism.ts";
import { freePort } from "./plain.ts";
import { signalFound } from "./processes.ts";
import { until, within } from "./wait.ts";

const has = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;
const noNotify =
  has("systemd-notify", "--version") && has("python3", "--version")
    ? false
    : "needs systemd-notify (Debian: systemd) and python3";
const noVerify = has("systemd-analyze", "--version") ? false : "needs systemd-analyze (Debian: systemd)";

interface Told {
  event: "listening" | "started" | "notified" | "ended";
  port?: number;
  pid?: number;
  code?: number;
  lines?: string[];
}

interface Managed {
  readonly organism: Organism;
  readonly port: number;
  readonly told: readonly Told[];
  readonly manager: ChildProcess;
  /** Everything that was notified, line by line. */
  readonly lines: () => string[];
}

/** An organism whose launcher is a service manager's child. `port`: for the DNA, where it differs from what is passed. */
async function underManager(
  t: TestContext,
  watchdogSeconds: number,
  options: OrganismOptions,
  before: (organism: Organism) => Promise<void> = async () => undefined,
): Promise<Managed> {
  const organism = new Organism(options);
  await before(organism);
  const notifySocket = join(organism.home, "notify.sock");
  const port = await freePort();
  const start = [bin, "start", appFile(options.app), "--name", organism.name, "--port", String(port)];
  const dna = options.dna === undefined ? [] : ["--dna", organism.writeDna(options.dna)];
  const script = join(import.meta.dirname, "service-manager.py");
  const manager = spawn("python3", [script, notifySocket, String(watchdogSeconds), ...start, ...dna], {
    env: { ...organism.env, LISTEN_PORT: String(port) },
    cwd: organism.workDir,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const told: Told[] = [];
  let printed = "";
  let rest = "";
  manager.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith('{"event"')) told.push(JSON.parse(line) as Told);
  });
  manager.stderr.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const ended = once(manager, "exit");
  t.after(async () => {
    if (!("passed" in t) || t.passed === false) console.error(printed);
    if (manager.exitCode === null) manager.kill("SIGTERM");
    await within("the service manager to end", ended);
    await organism.gone();
    await organism.end();
  });
  const lines = (): string[] => told.flatMap((one) => one.lines ?? []);
  await until("READY=1", () => lines().includes("READY=1"), { explain: () => printed });
  return { organism, port, told, manager, lines };
}

test(
  "it takes the passed socket, says that it is ready, feeds the watchdog by its cells and tells that it ends",
  { skip: noNotify },
  async (t) => {
    const { organism, port, lines, told, manager } = await underManager(t, 1, { app: "http-esm.mjs" });
    const at = { host: "127.0.0.1", port };
    await until("a dormant egg to feed the watchdog", () => lines().includes("WATCHDOG=1"));
    assert.equal((await request(at, { path: "/hello" })).text, "hello");
    await until("the status to name all classes", () =>
      lines().some((line) => /^STATUS=living; cells: .*\d neuron, \d b-cell, .*\d drone, \d stem$/.test(line)),
    );

    // The launcher is no cell: without it the organism goes on, and says so.
    const launcher = told.find(({ event }) => event === "started")?.pid ?? assert.fail("it was started");
    const found = organism.processes().find(({ pid }) => pid === launcher) ?? assert.fail("the launcher lives");
    assert.equal(readFileSync(`/proc/${launcher}/environ`, "utf8").includes("LISTEN_FDS=1"), true);
    const drone = (await organism.ps()).find((cell) => cell.class === "drone") ?? assert.fail("a drone lives");
    for (const variable of ["LISTEN_FDS", "LISTEN_PID"]) {
      assert.ok(
        !readFileSync(`/proc/${drone.pid}/environ`, "utf8").includes(`${variable}=`),
        `cells do not have ${variable}`,
      );
    }
    assert.ok(signalFound(found, "SIGTERM"));
    await until("STOPPING=1", () => lines().includes("STOPPING=1"));
    await until("the manager to see the end", () => told.some(({ event, code }) => event === "ended" && code === 0));
    await until("the manager to end", () => manager.exitCode !== null);
  },
);

test(
  "after the death of every cell and the launcher no connection is refused, and it comes back with its bans",
  { skip: noNotify },
  async (t) => {
    const { organism, port, told } = await underManager(t, 0, { app: "http-esm.mjs" }, async (unborn) => {
      const { code, stderr } = await unborn.cli("bans", "add", "192.0.2.0/24", "--for", "1h");
      assert.equal(code, 0, stderr);
    });
    const at = { host: "127.0.0.1", port };
    assert.equal((await request(at, { path: "/hello" })).text, "hello");
    await organism.grown();

    const victims = organism.processes().filter(({ command }) => !command.includes("service-manager.py"));
    for (const victim of victims) signalFound(victim, "SIGKILL");
    // Nobody lives; the socket does. These wait for the next organism.
    const answers = await Promise.all(Array.from({ length: 8 }, () => request(at, { path: "/hello" })));

    assert.deepEqual(
      answers.map(({ status }) => status),
      Array.from({ length: 8 }, () => 200),
    );
    assert.equal(told.filter(({ event }) => event === "started").length, 2);
    assert.match((await organism.cli("bans")).stdout, /192\.0\.2\.0\/24/);
  },
);

test(
  "a lone drone leaves the sockets to the service manager, which starts the organism anew",
  { skip: noNotify },
  async (t) => {
    const { organism, port, told } = await underManager(t, 0, { app: "http-esm.mjs" });
    const at = { host: "127.0.0.1", port };
    assert.equal((await request(at, { path: "/hello" })).text, "hello");
    const [drone] = (await organism.grown({ stem: 2 })).filter((cell) => cell.class === "drone");
    const launcher = told.find(({ event }) => event === "started")?.pid;
    const spared = [drone?.pid, launcher];
    for (const victim of organism.processes()) {
      if (spared.includes(victim.pid) || victim.command.includes("service-manager.py")) continue;
      signalFound(victim, "SIGKILL");
    }
    assert.equal((await request(at, { path: "/hello" })).text, "hello");
    assert.equal(told.filter(({ event }) => event === "started").length, 2);
  },
);

test("sockets on other ports than the DNA's are refused, and nothing is started", { skip: noNotify }, async (t) => {
  const organism = new Organism({ app: "http-esm.mjs" });
  t.after(() => organism.end());
  const script = join(import.meta.dirname, "service-manager.py");
  const other = await freePort();
  const args = [
    script,
    join(organism.home, "notify.sock"),
    "0",
    bin,
    "start",
    appFile("http-esm.mjs"),
    "--name",
    organism.name,
  ];
  const manager = spawn("python3", [...args, "--port", String(other)], {
    env: { ...organism.env, LISTEN_PORT: "0" },
    cwd: organism.workDir,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  manager.stdout.resume();
  manager.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const [code] = (await within("the manager to give up", once(manager, "close"))) as [number | null];
  assert.equal(code, 0);
  assert.match(errors, /CELLWS_E_LISTEN_FDS/);
  assert.match(errors, new RegExp(`port ${other}`));
});

test("the written units are sound to systemd's own verifier", { skip: noVerify }, async (t) => {
  const organism = new Organism({ app: "http-esm.mjs", name: "shop" });
  t.after(() => organism.end());
  const folder = organism.scratch("units");
  mkdirSync(folder);
  const dna = organism.writeDna({
    app: appFile("http-esm.mjs"),
    listen: [{ port: 18_080 }, { port: 18_443, host: "::" }],
  });
  const service = (...args: string[]) =>
    cellws(["service", "systemd", "--dna", dna, "--name", "shop", ...args], {
      env: organism.env,
      cwd: organism.workDir,
    });
  const { code, stdout, stderr } = await service("--as", "root", "--out", folder);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /enable --now shop\.socket shop\.service/);

  const units = ["shop.service", "shop.socket"].map((file) => join(folder, file));
  const verified = spawnSync("systemd-analyze", ["verify", "--man=no", ...units], { encoding: "utf8" });
  const complaints = verified.stderr.split("\n").filter((line) => line.includes("shop."));
  assert.deepEqual(complaints, []);
  assert.match(readFileSync(units[1] ?? "", "utf8"), /ListenStream=127\.0\.0\.1:18080\nListenStream=\[::\]:18443\n/);

  const printed = await service("--user");
  assert.equal(printed.code, 0, printed.stderr);
  assert.match(printed.stdout, /WantedBy=default\.target/);
  assert.doesNotMatch(printed.stdout, /User=/);
});

for (const [what, args, code] of [
  ["a manager that it does not know", ["service", "upstart"], "CELLWS_E_USAGE"],
  ["port 0, which no unit can name", ["service", "systemd", appFile("http-esm.mjs"), "--port", "0"], "CELLWS_E_USAGE"],
  [
    "a watchdog shorter than a busy machine's pauses",
    ["service", "systemd", appFile("http-esm.mjs"), "--watchdog", "1s"],
    "CELLWS_E_USAGE",
  ],
  ["an app that is not there", ["service", "systemd", "./nowhere.js"], "CELLWS_E_DNA"],
  [
    "drones of another user in a service that is not root's",
    ["service", "systemd", "--dna", join(import.meta.dirname, "apps/guest-dna.mjs"), "--as", "www"],
    "CELLWS_E_USAGE[^]*--as root",
  ],
] as const) {
  test(`service refuses ${what}`, async () => {
    const result = await cellws([...args]);
    assert.equal(result.code, 2, result.stdout);
    assert.match(result.stderr, new RegExp(code));
  });
}
