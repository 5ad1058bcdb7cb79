/**
 * The request path beside what people run today: requests a second at saturation, latency at half of nginx's saturating
 * load, CPU a request, memory. All in one run, in turns, so that whatever else the machine does falls on all. See README.md.
 */
import { parseArgs } from "node:util";
import type { Contestant } from "./lib/contestants.ts";
import { pace, saturate, workloads } from "./lib/load.ts";
import { installPackage } from "./lib/package.ts";
import { cpuMs, median, memoryMiB, provide, quantile } from "./lib/tools.ts";

// Measured is what users install; the harness reads this as it is loaded. All with the Node that runs the benchmark.
const installed = process.env["E2E_CELLWS"] === undefined ? await installPackage() : null;
if (installed !== null) process.env["E2E_CELLWS"] = installed.bin;
process.env["CELLWS_NODE"] = process.execPath;
const { alone, setups } = await import("./lib/contestants.ts");

const tools = [
  { command: "wrk", debianPackage: "wrk" },
  { command: "h2load", debianPackage: "nghttp2-client" },
  { command: "nginx", debianPackage: "nginx-light" },
  { command: "haproxy", debianPackage: "haproxy" },
];
const connections = 64;
const warmUpSeconds = 2;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "4" },
    only: { type: "string", default: "nginx,cellws,cellws-filters,cellws-2,haproxy,node,cluster,proxy" },
    workloads: { type: "string", default: workloads.map(({ name }) => name).join(",") },
    json: { type: "boolean", default: false },
  },
});
const rounds = positive("rounds", values.rounds, 100);
const seconds = positive("seconds", values.seconds, 600);
const chosen = choose("only", values.only, setups);
const loads = choose("workloads", values.workloads, workloads);
const yardstick = chosen[0] as (typeof chosen)[number];

const missing = provide(tools);
if (missing.length > 0) {
  const packages = missing.map((tool) => tool.debianPackage).join(" ");
  console.error(`throughput: cannot measure without ${missing.map((tool) => tool.command).join(", ")}`);
  console.error(`  Install it: apt-get install ${packages}`);
  process.exit(1);
}

interface Row {
  contestant: string;
  workload: string;
  requestsPerSecond: number;
  ratio: number;
  cpuUsPerRequest: number;
  errors: number;
}

interface PacedRow {
  contestant: string;
  requestsPerSecond: number;
  p50Us: number;
  p99Us: number;
  p999Us: number;
  p99Ratio: number;
  cpuUsPerRequest: number;
  memoryMiB: number;
  failed: number;
}

const running: Contestant[] = [];
let failed = false;
try {
  for (const setup of chosen) running.push(await setup.start());
  for (const contestant of running)
    for (const load of loads)
      await alone(contestant, running, () => saturate(contestant.port, load, connections, warmUpSeconds));
  const saturated = await measureSaturation();
  const paced = await measurePaced(saturated);
  report(saturated, paced);
  failed = saturated.some(({ errors }) => errors > 0) || paced.some((row) => row.failed > 0);
} finally {
  for (const contestant of running) await contestant.end();
  installed?.remove();
}
process.exitCode = failed ? 1 : 0;

async function measureSaturation(): Promise<Row[]> {
  const samples = new Map<string, number[]>();
  const cpuUs = new Map<string, number[]>();
  const errors = new Map<string, number>();
  for (let round = 1; round <= rounds; round += 1) {
    for (const load of loads) {
      tell(`round ${round} of ${rounds}: ${load.title}`);
      // Turned round each time: whoever comes first would always meet the same rest of the turn before.
      for (const contestant of round % 2 === 0 ? running.toReversed() : running) {
        const { name, port } = contestant;
        const key = `${name} ${load.name}`;
        const pids = contestant.pids();
        const before = cpuMs(pids);
        const result = await alone(contestant, running, () => saturate(port, load, connections, seconds));
        const usedUs = ((cpuMs(pids) - before) * 1000) / (result.requestsPerSecond * seconds);
        cpuUs.set(key, [...(cpuUs.get(key) ?? []), usedUs]);
        samples.set(key, [...(samples.get(key) ?? []), result.requestsPerSecond]);
        errors.set(key, (errors.get(key) ?? 0) + result.errors);
      }
    }
  }
  const rate = (contestant: string, workload: string): number => median(samples.get(`${contestant} ${workload}`) ?? []);
  return running.flatMap(({ name }) =>
    loads.map((load) => ({
      contestant: name,
      workload: load.name,
      requestsPerSecond: Math.round(rate(name, load.name)),
      ratio: rate(name, load.name) / rate(yardstick.name, load.name),
      cpuUsPerRequest: median(cpuUs.get(`${name} ${load.name}`) ?? []),
      errors: errors.get(`${name} ${load.name}`) ?? 0,
    })),
  );
}

/** All get the same: half of what saturates the yardstick. */
async function measurePaced(saturated: readonly Row[]): Promise<PacedRow[]> {
  const [load] = loads;
  const path = load?.requests[0]?.path ?? "/hello";
  const full = saturated.find((row) => row.contestant === yardstick.name && row.workload === load?.name);
  const rate = (full?.requestsPerSecond ?? 0) / 2;
  const latencies = new Map<string, number[]>();
  const used = new Map<string, { cpuMs: number; count: number; failed: number }>();
  for (let round = 1; round <= rounds; round += 1) {
    tell(`round ${round} of ${rounds}: ${load?.title ?? ""} at ${Math.round(rate)} requests a second`);
    for (const contestant of round % 2 === 0 ? running.toReversed() : running) {
      const pids = contestant.pids();
      const before = cpuMs(pids);
      const result = await alone(contestant, running, () => pace(contestant.port, path, rate, connections, seconds));
      const sum = used.get(contestant.name) ?? { cpuMs: 0, count: 0, failed: 0 };
      used.set(contestant.name, {
        cpuMs: sum.cpuMs + cpuMs(pids) - before,
        count: sum.count + result.count,
        failed: sum.failed + result.failed,
      });
      latencies.set(contestant.name, (latencies.get(contestant.name) ?? []).concat(result.latenciesUs));
    }
  }
  const p99 = (name: string): number => quantile(latencies.get(name) ?? [], 0.99);
  return running.map((contestant) => {
    const { name } = contestant;
    const samples = latencies.get(name) ?? [];
    const sum = used.get(name) ?? { cpuMs: 0, count: 1, failed: 0 };
    return {
      contestant: name,
      requestsPerSecond: Math.round(rate),
      p50Us: quantile(samples, 0.5),
      p99Us: p99(name),
      p999Us: quantile(samples, 0.999),
      p99Ratio: p99(name) / p99(yardstick.name),
      cpuUsPerRequest: (sum.cpuMs * 1000) / sum.count,
      memoryMiB: memoryMiB(contestant.pids()),
      failed: sum.failed,
    };
  });
}

function report(saturated: readonly Row[], paced: readonly PacedRow[]): void {
  if (values.json) {
    console.log(JSON.stringify({ connections, seconds, rounds, saturated, paced }, null, 2));
    return;
  }
  console.log(
    `\nRequests a second, ${connections} kept connections, median of ${rounds} x ${seconds} s; ratio to ${yardstick.title}`,
  );
  for (const load of loads) {
    console.log(`\n  ${load.title}`);
    for (const row of saturated.filter(({ workload }) => workload === load.name)) {
      const errors = row.errors === 0 ? "" : `  ${row.errors} ERRORS`;
      console.log(
        `    ${titleOf(row.contestant).padEnd(46)} ${String(row.requestsPerSecond).padStart(8)}  x ${row.ratio.toFixed(2)}  ${row.cpuUsPerRequest.toFixed(1).padStart(8)} us CPU each${errors}`,
      );
    }
  }
  console.log(
    `\n${loads[0]?.title ?? ""} at ${paced[0]?.requestsPerSecond ?? 0} requests a second (half of what saturates ${yardstick.name})`,
  );
  console.log(`${" ".repeat(50)} p50 us   p99 us p99.9 us  p99 ratio  CPU us/req  memory MiB`);
  for (const row of paced) {
    const cells = [row.p50Us, row.p99Us, row.p999Us].map((us) => String(Math.round(us)).padStart(8));
    const errors = row.failed === 0 ? "" : `  ${row.failed} FAILED`;
    console.log(
      `    ${titleOf(row.contestant).padEnd(46)}${cells.join(" ")}  ${row.p99Ratio.toFixed(2).padStart(9)}  ${row.cpuUsPerRequest.toFixed(1).padStart(10)}  ${row.memoryMiB.toFixed(0).padStart(10)}${errors}`,
    );
  }
}

function titleOf(name: string): string {
  return setups.find((setup) => setup.name === name)?.title ?? name;
}

function tell(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

function positive(option: string, text: string, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  console.error(`throughput: --${option} must be a number from 1 to ${max}, not ${text}`);
  process.exit(2);
}

function choose<T extends { name: string }>(option: string, text: string, from: readonly T[]): T[] {
  return text.split(",").map((name) => {
    const found = from.find((one) => one.name === name);
    if (found !== undefined) return found;
    console.error(`throughput: --${option} knows ${from.map((one) => one.name).join(", ")}, not ${name}`);
    process.exit(2);
  });
}
