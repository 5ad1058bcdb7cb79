/**
 * The same harm done to the same app behind cellws, PM2 in cluster mode, node:cluster with respawn, and nginx in front of two processes
 * that PM2 keeps: how many requests are lost, and when is all well again? See README.md.
 *
 * Each meets each harm newly started, under the same load with verified answers (lib/verified-load.ts), one after the other.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readProc, signalProcess } from "../src/host/proc.ts";
import { startOrganism } from "../test/e2e/organism.ts";
import { accepts, freePort } from "../test/e2e/plain.ts";
import { inheritedEnv } from "../test/e2e/processes.ts";
import { nginxConf } from "./lib/nginx.ts";
import { provide, quantile, run, withDescendants } from "./lib/tools.ts";
import { VerifiedLoad } from "./lib/verified-load.ts";

const app = fileURLToPath(new URL("./lib/echo-app.mjs", import.meta.url));
const clusterApp = fileURLToPath(new URL("./lib/respawning-cluster.mjs", import.meta.url));
/** For all: a leak meets its end at the same size. */
const heapMiBMax = 160;
const workers = 2;
const connections = 32;
const timeoutMs = 4_000;
const startMsMax = 30_000;
/** The harm begins when the load has settled. */
const harmAtMs = 1_500;
/** Until all workers listen, and not only the first. */
const settleMs = 1_500;
/** Still losing in the last second: it has not healed. */
const lastSecondMs = 1_000;

interface Contestant {
  readonly port: number;
  /** What a person who knows it would call its master. */
  masters(): Promise<number[]>;
  end(): Promise<void>;
}

const setups = {
  cellws: { title: "cellws", start: startCellws },
  pm2: { title: "PM2, cluster mode", start: startPm2Cluster },
  cluster: { title: "node:cluster, respawn", start: startCluster },
  nginx: { title: "nginx -> 2 x node (PM2)", start: startNginx },
} as const satisfies Record<string, { title: string; start: () => Promise<Contestant> }>;

interface Meeting {
  readonly contestant: Contestant;
  readonly load: VerifiedLoad;
  readonly endMs: number;
}

/** Returns the processes that were harmed and that another should take the place of. */
type Harm = (meeting: Meeting) => Promise<number[]>;

const harms = {
  workers: { title: "a worker killed every 1.5 s", harm: killWorkers },
  master: { title: "the master killed", harm: killMaster },
  stop: { title: "a worker stopped (SIGSTOP)", harm: stopWorker },
  leak: { title: "a leak: 4 MiB a request, ten times a second", harm: leak },
} as const satisfies Record<string, { title: string; harm: Harm }>;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    rate: { type: "string", default: "400" },
    only: { type: "string", default: Object.keys(setups).join(",") },
    harms: { type: "string", default: Object.keys(harms).join(",") },
    json: { type: "boolean", default: false },
  },
});
const seconds = wholeNumber("seconds", values.seconds, 300);
const rate = wholeNumber("rate", values.rate, 10_000);
const chosen = choose("only", values.only, setups);
const chosenHarms = choose("harms", values.harms, harms);

interface Row {
  harm: string;
  contestant: string;
  sent: number;
  lost: number;
  refused: number;
  msP99: number;
  /** From the first harm to the last request that was lost; null: none was, or they were to the end. */
  lossesForMs: number | null;
  lostToTheEnd: boolean;
  /** For each that was harmed, how long until another answered in its place; the longest. Null: nobody came. */
  replacedMs: number | null;
}

const needsPm2 = chosen.some((name) => name === "pm2" || name === "nginx");
const missing = provide(chosen.includes("nginx") ? [{ command: "nginx", debianPackage: "nginx-light" }] : []);
if (missing.length > 0) {
  console.error("chaos: cannot measure without nginx; on Debian: apt-get install nginx-light");
  process.exit(1);
}
const pm2Dir = mkdtempSync(join(tmpdir(), "cellws-pm2-"));
try {
  if (needsPm2) {
    process.stderr.write("installing pm2 ...\n");
    await run("npm", ["install", "--prefix", pm2Dir, "--no-audit", "--no-fund", "--silent", "pm2@7"]);
  }
  const rows: Row[] = [];
  for (const harm of chosenHarms) for (const name of chosen) rows.push(await meet(harm, name));
  report(rows);
} finally {
  rmSync(pm2Dir, { recursive: true, force: true, maxRetries: 5 });
}

async function meet(harmName: keyof typeof harms, name: keyof typeof setups): Promise<Row> {
  process.stderr.write(`${harms[harmName].title}: ${setups[name].title}\n`);
  const contestant = await setups[name].start();
  try {
    const load = new VerifiedLoad({ port: contestant.port, ratePerSecond: rate, connections, timeoutMs });
    const startMs = performance.now();
    const endMs = startMs + seconds * 1_000;
    const loaded = load.run(seconds * 1_000);
    await sleep(harmAtMs);
    const harmedMs = performance.now();
    const before = new Set(load.answeredBy.keys());
    const harmed = await harms[harmName].harm({ contestant, load, endMs });
    await loaded;
    const newcomers = [...load.answeredBy].filter(([pid]) => !before.has(pid)).map(([, { firstMs }]) => firstMs);
    const replaced = newcomers.toSorted((a, b) => a - b)[Math.max(0, harmed.length - 1)];
    const lastLostMs = Math.max(...load.lost.map(({ atMs }) => atMs), Number.NEGATIVE_INFINITY);
    const lostToTheEnd = lastLostMs > endMs - lastSecondMs;
    return {
      harm: harmName,
      contestant: name,
      sent: load.sent,
      lost: load.lost.length,
      refused: load.lost.filter(({ kind }) => kind === "refused").length,
      msP99: quantile(load.latenciesMs, 0.99),
      lossesForMs: load.lost.length === 0 || lostToTheEnd ? null : lastLostMs - harmedMs,
      lostToTheEnd,
      replacedMs: replaced === undefined || harmed.length === 0 ? null : replaced - harmedMs,
    };
  } finally {
    await contestant.end();
  }
}

// Harms.

async function killWorkers({ load, endMs }: Meeting): Promise<number[]> {
  const killed: number[] = [];
  // The last one early enough that its successor can be seen.
  while (performance.now() < endMs - 3_000) {
    const pid = oneAtWork(load);
    if (pid !== null && kill(pid, "SIGKILL")) killed.push(pid);
    await sleep(1_500);
  }
  return killed;
}

async function killMaster({ contestant }: Meeting): Promise<number[]> {
  for (const pid of await contestant.masters()) kill(pid, "SIGKILL");
  return [];
}

async function stopWorker({ load, endMs }: Meeting): Promise<number[]> {
  const pid = oneAtWork(load);
  if (pid === null) return [];
  kill(pid, "SIGSTOP");
  await sleep(endMs - performance.now());
  // Whoever has not ended it meanwhile would otherwise not be ended by its own end.
  kill(pid, "SIGCONT");
  return [pid];
}

async function leak({ contestant, load, endMs }: Meeting): Promise<number[]> {
  const pid = oneAtWork(load);
  const leaking = new VerifiedLoad({
    port: contestant.port,
    ratePerSecond: 10,
    connections: 2,
    timeoutMs,
    path: "/leak?mib=4&",
  });
  await leaking.run(Math.max(0, endMs - performance.now() - 1_000));
  // They are requests like any other.
  load.sent += leaking.sent;
  load.answered += leaking.answered;
  load.lost.push(...leaking.lost);
  return pid === null ? [] : [pid];
}

/** One that has just answered. */
function oneAtWork(load: VerifiedLoad): number | null {
  const atWork = [...load.answeredBy].filter(([, { lastMs }]) => performance.now() - lastMs < 300).map(([pid]) => pid);
  return atWork[Math.floor(Math.random() * atWork.length)] ?? null;
}

function kill(pid: number, signal: NodeJS.Signals): boolean {
  const startTicks = readProc(pid)?.startTicks;
  return startTicks !== undefined && signalProcess({ pid, startTicks }, signal) === "sent";
}

// Contestants.

/** There is no master: the first cell and the launcher are what comes nearest. */
async function startCellws(): Promise<Contestant> {
  const endings: Array<() => Promise<void>> = [];
  const organism = await startOrganism(
    { after: (ending) => endings.push(ending) },
    {
      app,
      env: { NODE_OPTIONS: `--max-old-space-size=${heapMiBMax}` },
      dna: { cells: { bCell: { min: 1, max: 1 }, drone: { min: workers, max: workers } } },
    },
  );
  await organism.request({ path: "/echo?id=first" });
  await organism.grown({ drone: workers, stem: 2 });
  return {
    port: organism.at().port,
    masters: async () => [
      organism.launcher.pid ?? 0,
      ...(await organism.ps()).filter(({ generation }) => generation === 0).map(({ pid }) => pid),
    ],
    end: async () => {
      for (const ending of endings) await ending();
    },
  };
}

async function startCluster(): Promise<Contestant> {
  const port = await freePort();
  const env = { PORT: String(port), WORKERS: String(workers), APP_FILE: app };
  return await supervised(port, process.execPath, [`--max-old-space-size=${heapMiBMax}`, clusterApp], env);
}

async function startPm2Cluster(): Promise<Contestant> {
  const port = await freePort();
  return await startPm2(port, [
    { name: "app", script: app, instances: workers, exec_mode: "cluster", env: { PORT: port } },
  ]);
}

/** PM2 keeps the two, nginx chooses between them and tries the other where one fails. */
async function startNginx(): Promise<Contestant> {
  const [port, ...ports] = [await freePort(), await freePort(), await freePort()];
  const apps = ports.map((own) => ({ name: `app-${own}`, script: app, exec_mode: "fork", env: { PORT: own } }));
  const pm2 = await startPm2(ports[0] ?? 0, apps);
  const dir = mkdtempSync(join(tmpdir(), "cellws-nginx-"));
  const conf = nginxConf({
    dir,
    port,
    http: ["keepalive_requests 1000000"],
    upstream: [...ports.map((own) => `server 127.0.0.1:${own}`), "keepalive 64"],
    location: [
      "proxy_pass http://app",
      "proxy_http_version 1.1",
      'proxy_set_header Connection ""',
      "proxy_connect_timeout 1s",
      "proxy_read_timeout 2s",
      "proxy_next_upstream error timeout",
    ],
  });
  writeFileSync(join(dir, "nginx.conf"), conf);
  const front = await supervised(port, "nginx", ["-p", dir, "-c", join(dir, "nginx.conf")]);
  return {
    port,
    masters: async () => [...(await front.masters()), ...(await pm2.masters())],
    end: async () => {
      await front.end();
      await pm2.end();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

interface Pm2App {
  name: string;
  script: string;
  exec_mode: string;
  instances?: number;
  env: Record<string, number>;
}

async function startPm2(port: number, apps: readonly Pm2App[]): Promise<Contestant> {
  const home = mkdtempSync(join(tmpdir(), "cellws-pm2-home-"));
  const ecosystem = join(home, "ecosystem.config.json");
  const limits = { node_args: `--max-old-space-size=${heapMiBMax}`, max_memory_restart: `${heapMiBMax}M` };
  writeFileSync(ecosystem, JSON.stringify({ apps: apps.map((one) => ({ ...one, ...limits })) }));
  const pm2 = join(pm2Dir, "node_modules", "pm2", "bin", "pm2");
  const args = [pm2, "start", ecosystem, "--no-daemon", "--silent"];
  return await supervised(port, process.execPath, args, { PM2_HOME: home }, () =>
    rmSync(home, { recursive: true, force: true, maxRetries: 5 }),
  );
}

/** A process that is started, and ended with all that it has begotten. */
async function supervised(
  port: number,
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
  cleanUp: () => void = () => undefined,
): Promise<Contestant> {
  const child = spawn(command, args, {
    stdio: ["ignore", "ignore", "ignore"],
    env: { ...inheritedEnv(), NODE_ENV: "production", ...env },
  });
  const family = new Map<number, number>();
  // Whoever outlives its master is no descendant any more when all is to end.
  const watch = setInterval(() => {
    for (const pid of withDescendants(child.pid === undefined ? [] : [child.pid])) {
      const startTicks = readProc(pid)?.startTicks;
      if (startTicks !== undefined) family.set(pid, startTicks);
    }
  }, 100);
  const exited = once(child, "exit");
  const end = async (): Promise<void> => {
    clearInterval(watch);
    child.kill("SIGTERM");
    await Promise.race([exited, sleep(3_000)]);
    for (const [pid, startTicks] of family) signalProcess({ pid, startTicks }, "SIGKILL");
    await exited;
    cleanUp();
  };
  for (let waitedMs = 0; !(await accepts({ host: "127.0.0.1", port })); waitedMs += 50) {
    if (waitedMs > startMsMax || child.exitCode !== null) {
      await end();
      throw new Error(`${command} ${args.join(" ")} does not listen on port ${port}`);
    }
    await sleep(50);
  }
  await sleep(settleMs);
  return { port, masters: async () => (child.pid === undefined ? [] : [child.pid]), end };
}

function report(rows: readonly Row[]): void {
  if (values.json) {
    console.log(JSON.stringify({ node: process.version, seconds, rate, connections, rows }, null, 2));
    return;
  }
  const version = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  console.log(
    `${rate} requests/s over ${connections} kept connections, ${seconds} s each, Node ${process.version}, cellws ${version.version}\n`,
  );
  console.log("| Harm | | requests lost | of them refused | lost for | another answers after |");
  console.log("|---|---|---|---|---|---|");
  for (const row of rows) {
    const lostFor = row.lost === 0 ? "–" : row.lostToTheEnd ? "to the end" : secondsText(row.lossesForMs);
    const title = harms[row.harm as keyof typeof harms].title;
    const replaced = row.harm === "master" || row.harm === "workers" ? "" : secondsText(row.replacedMs);
    console.log(
      `| ${title} | ${setups[row.contestant as keyof typeof setups].title} | ${row.lost} of ${row.sent} | ${row.refused} | ${lostFor} | ${replaced} |`,
    );
  }
}

function secondsText(ms: number | null): string {
  return ms === null ? "never" : `${(ms / 1_000).toFixed(1)} s`;
}

function wholeNumber(name: string, text: string, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  console.error(`chaos: --${name} must be a number from 1 to ${max}, not ${text}`);
  process.exit(2);
}

function choose<T extends object>(option: string, text: string, from: T): Array<keyof T & string> {
  return text.split(",").map((name) => {
    if (Object.hasOwn(from, name)) return name as keyof T & string;
    console.error(`chaos: --${option} knows ${Object.keys(from).join(", ")}, not ${name}`);
    process.exit(2);
  });
}
