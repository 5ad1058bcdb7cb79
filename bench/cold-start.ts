/**
 * How long the first visitor of a dormant organism waits, and what the egg costs until then. See README.md.
 *
 * Every run is a new organism, because there is only one first request in a life. Runs of the organism and of plain
 * Node alternate, so that what else the machine does falls on both.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Address } from "../test/e2e/client.ts";
import { appFile, startOrganism } from "../test/e2e/organism.ts";
import { freePort } from "../test/e2e/plain.ts";
import { inheritedEnv } from "../test/e2e/processes.ts";

const app = "http-esm.mjs";
/** So that the egg's own start is over, and the machine quiet, when the first visitor comes. */
const restMs = 300;
const runsMax = 1_000;
const plainStartMsMax = 30_000;

const { values } = parseArgs({
  options: { runs: { type: "string", default: "30" }, json: { type: "boolean", default: false } },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1 || runs > runsMax) {
  console.error(`cold-start: --runs must be a number from 1 to ${runsMax}, not ${values.runs}`);
  process.exit(2);
}

const firstMs: number[] = [];
const secondMs: number[] = [];
const plainMs: number[] = [];
const eggRssMiB: number[] = [];
const eggPrivateMiB: number[] = [];

for (let turn = 1; turn <= runs; turn += 1) {
  await runOrganism();
  plainMs.push(await runPlain());
  if (!values.json && process.stderr.isTTY) process.stderr.write(`\r${turn}/${runs} `);
}
if (!values.json && process.stderr.isTTY) process.stderr.write("\r");
report();

async function runOrganism(): Promise<void> {
  const endings: Array<() => Promise<void>> = [];
  try {
    const organism = await startOrganism({ after: (ending) => endings.push(ending) }, { app });
    const [egg] = await organism.ps();
    if (egg?.class !== "egg") throw new Error("there is no egg before the first request");
    await sleep(restMs);
    const memory = memoryOf(egg.pid);
    if (memory !== null) {
      eggRssMiB.push(memory.rssMiB);
      eggPrivateMiB.push(memory.privateMiB);
    }
    firstMs.push(await timed(() => get(organism.at())));
    secondMs.push(await timed(() => get(organism.at())));
  } finally {
    for (const ending of endings) await ending();
  }
}

async function runPlain(): Promise<number> {
  const at = { host: "127.0.0.1", port: await freePort() };
  await sleep(restMs);
  const start = performance.now();
  const child = spawn(process.execPath, [appFile(app)], {
    env: { ...inheritedEnv(), PORT: String(at.port) },
    stdio: "ignore",
  });
  try {
    while (!(await get(at).then(Boolean, () => false))) {
      if (performance.now() - start > plainStartMsMax) throw new Error(`${app} does not answer under plain Node`);
      await sleep(1);
    }
    return performance.now() - start;
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

/** A whole exchange on a connection of its own; written here and not taken from the tests, to have nothing in the way. */
function get(at: Address): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .get({ ...at, path: "/hello", agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          if (response.statusCode === 200 && text === "hello") resolve(text);
          else reject(new Error(`answered ${response.statusCode}: ${text}`));
        });
        response.on("error", reject);
      })
      .on("error", reject);
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Null where there is no /proc. */
function memoryOf(pid: number): { rssMiB: number; privateMiB: number } | null {
  let rollup: string;
  try {
    rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  } catch {
    return null;
  }
  const kib = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1] ?? Number.NaN);
  return { rssMiB: kib("Rss") / 1024, privateMiB: (kib("Private_Clean") + kib("Private_Dirty")) / 1024 };
}

interface Summary {
  min: number;
  p50: number;
  p90: number;
  max: number;
}

function summarize(samples: number[]): Summary | null {
  if (samples.length === 0) return null;
  const sorted = samples.toSorted((a, b) => a - b);
  // Nearest rank: a value that was measured, and none between two.
  const rank = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] as number;
  return { min: rank(1 / sorted.length), p50: rank(0.5), p90: rank(0.9), max: rank(1) };
}

function report(): void {
  const first = summarize(firstMs);
  const plain = summarize(plainMs);
  const result = {
    node: process.version,
    runs,
    firstAnswerMs: first,
    secondAnswerMs: summarize(secondMs),
    plainNodeMs: plain,
    ratio: first !== null && plain !== null ? first.p50 / plain.p50 : null,
    eggRssMiB: summarize(eggRssMiB),
    eggPrivateMiB: summarize(eggPrivateMiB),
  };
  if (values.json) {
    console.log(JSON.stringify(result, null, 2));
    return;
  }
  console.log(`cold start, ${runs} runs, Node ${process.version}, ${app}\n`);
  console.log(row("", ["min", "p50", "p90", "max"]));
  console.log(summaryRow("first answer, ms", result.firstAnswerMs));
  console.log(summaryRow("second answer, ms", result.secondAnswerMs));
  console.log(summaryRow("plain node, ms", result.plainNodeMs));
  console.log(row("ratio of the medians", ["", result.ratio?.toFixed(2) ?? "-"]));
  console.log(summaryRow("egg resident, MiB", result.eggRssMiB));
  console.log(summaryRow("egg private, MiB", result.eggPrivateMiB));
}

function summaryRow(name: string, summary: Summary | null): string {
  if (summary === null) return row(name, ["-", "-", "-", "-"]);
  return row(
    name,
    [summary.min, summary.p50, summary.p90, summary.max].map((value) => value.toFixed(1)),
  );
}

function row(name: string, cells: string[]): string {
  return `${name.padEnd(24)}${cells.map((cell) => cell.padStart(10)).join("")}`;
}
