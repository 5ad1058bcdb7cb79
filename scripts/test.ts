/**
 * What `npm test` runs: first the checks of the source, then the tests, then a look for what they have left running.
 *
 *   npm test                                      everything
 *   npm test -- test/e2e/end.test.ts              these files only, without the checks
 *   npm test -- --test-name-pattern='drain'       options of `node --test` are passed on
 *
 * Programs that tests need beyond npm are installed here where that is possible (root on Debian or Ubuntu). Elsewhere
 * it says what to install and which tests are left out meanwhile: those skip themselves, and say so.
 */
import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describeProcesses, findMarked, signalFound } from "../test/e2e/processes.ts";

/** A program that some tests call. Adding one is a line here and a `skip` in its tests. */
interface Component {
  name: string;
  /** Exits 0 where the program is there. */
  probe: readonly [command: string, ...args: string[]];
  debianPackages: readonly string[];
  /** What is not tested without it. */
  neededBy: string;
}

const components: readonly Component[] = [
  {
    name: "openssl",
    probe: ["openssl", "version"],
    debianPackages: ["openssl"],
    neededBy: "apps that listen for HTTPS (test/e2e/frameworks.test.ts, plain.test.ts)",
  },
  {
    name: "curl",
    probe: ["curl", "--version"],
    debianPackages: ["curl"],
    neededBy: "the commands of the READMEs (test/e2e/board.test.ts)",
  },
  {
    name: "nft",
    probe: ["nft", "--version"],
    debianPackages: ["nftables", "iproute2"],
    neededBy:
      "bans in the kernel, and on real connections (test/immune/nftables.test.ts, test/e2e/kernel.test.ts, enforcement.test.ts)",
  },
  {
    name: "systemd-notify",
    probe: ["systemd-notify", "--version"],
    debianPackages: ["systemd"],
    neededBy: "what service managers are told, and the units' own verifier (test/e2e/service.test.ts)",
  },
  {
    name: "python3",
    probe: ["python3", "--version"],
    debianPackages: ["python3-minimal"],
    neededBy: "the service manager of the tests (test/e2e/service.test.ts)",
  },
];

/** Two at a time: end-to-end tests mostly wait, but each has half a dozen processes, and two cores are common. */
const testFilesAtATime = 2;
/** For one test. Far above any wait inside it (test/e2e/wait.ts): it only ends what hangs without a bound of its own. */
const testMsMax = 180_000;
/** Between a test's end and the moment when the last of its processes has left the process table. */
const goneMsMax = 2_000;

const given = process.argv.slice(2);
const files = given.filter((arg) => !arg.startsWith("-"));
const options = given.filter((arg) => arg.startsWith("-"));

process.exitCode = await main();

async function main(): Promise<number> {
  console.log(`test: Node ${process.version} on ${process.platform}, ${process.arch}`);
  const missing = ensureComponents();

  const checked = files.length > 0 ? null : run("checks of the source", process.execPath, ["scripts/check.ts"]);
  const runId = randomUUID();
  const tested = await runTests(runId);
  const clean = await nothingIsLeft(runId);

  for (const { name, neededBy, debianPackages } of missing) {
    console.log(`test: skipped without ${name}: ${neededBy}. Debian package: ${debianPackages.join(" ")}`);
  }
  const verdicts = { checks: checked, tests: tested, "nothing left running": clean };
  for (const [what, ok] of Object.entries(verdicts))
    console.log(`${ok === null ? "-   " : ok ? "ok  " : "FAIL"} ${what}`);
  return Object.values(verdicts).includes(false) ? 1 : 0;
}

/** Installs what is missing where it may. Returns what is missing still. */
function ensureComponents(): Component[] {
  const missing = components.filter((component) => !isThere(component));
  if (missing.length === 0) return [];
  const packages = missing.flatMap(({ debianPackages }) => debianPackages);
  const mayInstall = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  if (!mayInstall) {
    console.log(`test: not installed: ${missing.map(({ name }) => name).join(", ")}.`);
    console.log(`test: on Debian and Ubuntu: sudo apt-get install -y ${packages.join(" ")}`);
    return missing;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  // The lists of a fresh container are empty, those of an old one name packages that are gone.
  run("apt-get update", "apt-get", ["update", "-qq"], env);
  run(`apt-get install ${packages.join(" ")}`, "apt-get", install, env);
  return missing.filter((component) => !isThere(component));
}

function isThere({ probe: [command, ...args] }: Component): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

function run(what: string, command: string, args: string[], env = process.env): boolean {
  console.log(`test: ${what}`);
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"], env });
  if (error !== undefined) console.log(`test: ${what}: ${error.message}`);
  return status === 0;
}

async function runTests(runId: string): Promise<boolean> {
  const args = ["--test", `--test-concurrency=${testFilesAtATime}`, `--test-timeout=${testMsMax}`, ...options];
  const wanted = files.length > 0 ? files : ["test/**/*.test.ts"];
  console.log(`test: node ${[...args, ...wanted].join(" ")}`);
  const child = spawn(process.execPath, [...args, ...wanted], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, TEST_RUN_ID: runId },
  });
  // Ctrl-C reaches the whole process group: the tests end their organisms, and we wait for them to have done so.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on("error", (error) => {
      console.log(`test: ${error.message}`);
      resolve(false);
    });
    child.on("close", (code) => resolve(code === 0));
  });
}

/** Whatever the tests started and have not ended is a failure; it is listed, and ended here. */
async function nothingIsLeft(runId: string): Promise<boolean> {
  const deadline = performance.now() + goneMsMax;
  let left = findMarked("TEST_RUN_ID", runId);
  while (left.length > 0 && performance.now() < deadline) {
    await sleep(50);
    left = findMarked("TEST_RUN_ID", runId);
  }
  if (left.length === 0) return true;
  console.log(`test: the tests have left processes running, which are ended now:\n${describeProcesses(left)}`);
  for (const found of left) signalFound(found, "SIGKILL");
  return false;
}
