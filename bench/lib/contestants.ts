/** What is compared: the same app behind cellws and behind what people put there today, each as it is usually set up. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startOrganism } from "../../test/e2e/organism.ts";
import { accepts, freePort } from "../../test/e2e/plain.ts";
import { inheritedEnv } from "../../test/e2e/processes.ts";
import { modSecurityModule, nginxConf } from "./nginx.ts";
import { run, withDescendants } from "./tools.ts";

export interface Contestant {
  readonly name: string;
  readonly port: number;
  /** All processes that serve it. */
  pids(): number[];
  end(): Promise<void>;
}

export interface Setup {
  readonly name: string;
  readonly title: string;
  start(): Promise<Contestant>;
}

const app = fileURLToPath(new URL("./app.mjs", import.meta.url));
const clusterApp = fileURLToPath(new URL("./cluster.mjs", import.meta.url));
const proxy = fileURLToPath(new URL("./node-proxy.mjs", import.meta.url));
/** As many app processes where several are the point: what the machine for which the figures are given has. */
export const appProcesses = 2;

const startMsMax = 30_000;
const settleMs = 500;

export const setups: readonly Setup[] = [
  { name: "nginx", title: "nginx (1 worker) -> node:http, Unix socket", start: () => startNginx() },
  {
    name: "cellws",
    title: "cellws, 1 B cell, 1 drone, no filters",
    start: () => startCellws("cellws", 1, { mode: "off" }),
  },
  {
    name: "cellws-filters",
    title: "cellws, 1 B cell, 1 drone, built-in filters",
    start: () => startCellws("cellws-filters", 1),
  },
  {
    name: "cellws-2",
    title: "cellws, 1 B cell, 2 drones, no filters",
    start: () => startCellws("cellws-2", appProcesses, { mode: "off" }),
  },
  { name: "haproxy", title: "HAProxy (1 thread) -> node:http, Unix socket", start: startHaproxy },
  { name: "node", title: "node:http alone", start: () => startNode("node", app) },
  { name: "cluster", title: `node:cluster, ${appProcesses} workers`, start: () => startNode("cluster", clusterApp) },
  { name: "proxy", title: "node:http proxy -> node:http", start: startNodeProxy },
  { name: "pm2", title: `PM2 cluster mode, ${appProcesses} workers`, start: startPm2 },
];

/** One B cell and so many drones; `immune` is that section of its DNA. */
export async function startCellws(name: string, drones: number, immune: object = {}): Promise<Contestant> {
  const endings: Array<() => Promise<void>> = [];
  const cells = { bCell: { min: 1, max: 1 }, drone: { min: drones, max: drones } };
  const organism = await startOrganism(
    { after: (ending) => endings.push(ending) },
    { app, name, dna: { cells, immune } },
  );
  await organism.request({ path: "/hello" });
  await organism.grown({ drone: drones });
  return {
    name,
    port: organism.at().port,
    pids: () => organism.pids(),
    end: async () => {
      for (const ending of endings) await ending();
    },
  };
}

/**
 * While one of them is measured the others stand still: they are there so that all take turns, and what they do at rest is not to be
 * paid for by another. Then all go on, and have a moment to find themselves again.
 */
export async function alone<T>(one: Contestant, all: readonly Contestant[], deed: () => Promise<T>): Promise<T> {
  const others = all.filter((other) => other !== one).flatMap((other) => other.pids());
  signal(others, "SIGSTOP");
  try {
    return await deed();
  } finally {
    signal(others, "SIGCONT");
    await sleep(others.length === 0 ? 0 : settleMs);
  }
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Behind nginx with ModSecurity, whose configuration is `rules`: the same app, the same worker. */
export function startModSecurity(rules: string): Promise<Contestant> {
  return startNginx("modsecurity", rules);
}

async function startNginx(name = "nginx", rules: string | null = null): Promise<Contestant> {
  return await behind(name, (dir, socket, port) => {
    if (rules !== null) writeFileSync(join(dir, "rules.conf"), rules);
    const conf = nginxConf({
      dir,
      port,
      ...(rules === null ? {} : { module: modSecurityModule }),
      http: [
        "keepalive_requests 1000000",
        "client_max_body_size 0",
        "client_body_buffer_size 64k",
        ...(rules === null ? [] : ["modsecurity on", `modsecurity_rules_file ${dir}/rules.conf`]),
      ],
      upstream: [`server unix:${socket}`, "keepalive 128", "keepalive_requests 1000000"],
      location: [
        "proxy_pass http://app",
        "proxy_http_version 1.1",
        'proxy_set_header Connection ""',
        "proxy_set_header Host $host",
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for",
        "proxy_set_header X-Forwarded-Proto $scheme",
      ],
    });
    writeFileSync(join(dir, "nginx.conf"), conf);
    return start("nginx", ["-p", dir, "-c", join(dir, "nginx.conf")]);
  });
}

async function startHaproxy(): Promise<Contestant> {
  return await behind("haproxy", (dir, socket, port) => {
    writeFileSync(
      join(dir, "haproxy.cfg"),
      `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend front
  bind 127.0.0.1:${port}
  default_backend app
backend app
  server app unix@${socket}
`,
    );
    return start("haproxy", ["-db", "-f", join(dir, "haproxy.cfg")]);
  });
}

function startNodeProxy(): Promise<Contestant> {
  return behind("proxy", (_, socket, port) => start(process.execPath, [proxy], { PORT: String(port), APP: socket }));
}

/** A front that is started by `front`, before the app at a Unix socket. */
async function behind(
  name: string,
  front: (dir: string, socket: string, port: number) => ChildProcess,
): Promise<Contestant> {
  const dir = mkdtempSync(join(tmpdir(), `cellws-${name}-`));
  const socket = join(dir, "app.sock");
  const port = await freePort();
  const node = start(process.execPath, [app], { PORT: socket });
  for (let waitedMs = 0; !existsSync(socket) && waitedMs < startMsMax; waitedMs += 20) await sleep(20);
  return await contestant(name, port, [node, front(dir, socket, port)], () =>
    rmSync(dir, { recursive: true, force: true }),
  );
}

async function startNode(name: string, file: string): Promise<Contestant> {
  const port = await freePort();
  const env = { PORT: String(port), WORKERS: String(appProcesses), APP_FILE: app };
  return await contestant(name, port, [start(process.execPath, [file], env)]);
}

/** PM2 is no dependency: it is installed for the run, and keeps all it writes in its own folder. */
async function startPm2(): Promise<Contestant> {
  const dir = mkdtempSync(join(tmpdir(), "cellws-pm2-"));
  const port = await freePort();
  process.stderr.write("installing pm2 ...\n");
  await run("npm", ["install", "--prefix", dir, "--no-audit", "--no-fund", "--silent", "pm2@7"]);
  const pm2 = join(dir, "node_modules", "pm2", "bin", "pm2");
  const env = { PM2_HOME: join(dir, "home"), PORT: String(port) };
  const child = start(
    process.execPath,
    [pm2, "start", app, "-i", String(appProcesses), "--no-daemon", "--silent"],
    env,
  );
  return await contestant("pm2", port, [child], () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
}

function start(command: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(command, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...inheritedEnv(), NODE_ENV: "production", ...env },
  });
}

async function contestant(
  name: string,
  port: number,
  children: readonly ChildProcess[],
  cleanUp: () => void = () => undefined,
): Promise<Contestant> {
  const pids = (): number[] => withDescendants(children.flatMap((child) => child.pid ?? []));
  const end = async (): Promise<void> => {
    const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
    const exits = running.map((child) => once(child, "exit"));
    for (const child of running) child.kill("SIGTERM");
    const late = setTimeout(() => {
      for (const child of running) child.kill("SIGKILL");
    }, 5_000);
    await Promise.all(exits);
    clearTimeout(late);
    cleanUp();
  };
  for (let waitedMs = 0; !(await accepts({ host: "127.0.0.1", port })); waitedMs += 50) {
    if (waitedMs > startMsMax) {
      await end();
      throw new Error(`${name} does not listen on port ${port}`);
    }
    await sleep(50);
  }
  return { name, port, pids, end };
}
