/**
 * Two gigabytes up and two down through a real organism, while the memory of its B cell and its drone is watched: it should
 * stay flat. See README.md. Ends with 1 where a byte is missing or memory grows with the body.
 */
import { readFileSync } from "node:fs";
import http from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Address } from "../test/e2e/client.ts";
import { ofClass, type PsCell, startOrganism } from "../test/e2e/organism.ts";
import { table } from "./lib/figures.ts";

const MIB = 1024 * 1024;
const { values } = parseArgs({
  options: { mib: { type: "string", default: "2048" }, json: { type: "boolean", default: false } },
});
const mib = Number(values.mib);
if (!Number.isInteger(mib) || mib < 16 || mib > 64 * 1024) {
  console.error(`huge-bodies: --mib must be a number from 16 to 65536, not ${values.mib}`);
  process.exit(2);
}
const bytes = mib * MIB;

const sampleEveryMs = 100;
/** Of the body: until then buffers find their size and code is compiled. */
const warmShare = 0.1;
/** What a heap may move by between two collections. Windows are 256 KiB; a body that were kept would be thirty times this. */
const growthMibMax = 64;
/** Whoever moves less than this on average has stopped. */
const bytesPerSecondMin = 2 * MIB;

interface Watched {
  readonly name: string;
  readonly pid: number;
}

interface Run {
  readonly direction: "up" | "down";
  readonly seconds: number;
  readonly isWhole: boolean;
  /** By process: before, once warm, at most after that, at the end; in MiB. */
  readonly memory: ReadonlyArray<{ name: string; before: number; warm: number; max: number; end: number }>;
}

const endings: Array<() => Promise<void>> = [];
let isSound = false;
try {
  isSound = report(await measure());
} finally {
  for (const ending of endings) await ending();
}
process.exitCode = isSound ? 0 : 1;

async function measure(): Promise<Run[]> {
  const organism = await startOrganism(
    { after: (ending) => endings.push(ending) },
    {
      app: fileURLToPath(new URL("./lib/bodies-app.mjs", import.meta.url)),
      dna: {
        cells: { bCell: { min: 1, max: 1 }, drone: { min: 1, max: 1 } },
        http: { bodyBytesMax: bytes },
      },
    },
  );
  await organism.request({ path: "/down?bytes=1" });
  const cells = await organism.grown({ stem: 2 });
  const watched = [pick(cells, "b-cell"), pick(cells, "drone")];
  return [
    await watch("up", watched, (moved) => upload(organism.at(), moved)),
    await watch("down", watched, (moved) => download(organism.at(), moved)),
  ];
}

function pick(cells: readonly PsCell[], cellClass: "b-cell" | "drone"): Watched {
  const [cell] = ofClass(cells, cellClass);
  if (cell === undefined) throw new Error(`there is no ${cellClass}`);
  return { name: cellClass, pid: cell.pid };
}

async function watch(
  direction: Run["direction"],
  watched: readonly Watched[],
  transfer: (moved: (bytes: number) => void) => Promise<boolean>,
): Promise<Run> {
  const memory = watched.map(({ name, pid }) => {
    const before = residentMib(pid);
    return { name, before, warm: before, max: 0, end: before };
  });
  let movedBytes = 0;
  const sampler = setInterval(() => {
    for (const [i, { pid }] of watched.entries()) {
      const line = memory[i];
      const now = residentMib(pid);
      if (line === undefined || Number.isNaN(now)) continue;
      if (movedBytes < bytes * warmShare) line.warm = Math.max(line.warm, now);
      else line.max = Math.max(line.max, now);
      line.end = now;
    }
    if (!values.json && process.stderr.isTTY)
      process.stderr.write(`\r${direction} ${Math.round(movedBytes / MIB)} MiB `);
  }, sampleEveryMs);
  const startMs = performance.now();
  try {
    const isWhole = await transfer((chunkBytes) => (movedBytes += chunkBytes));
    return { direction, seconds: (performance.now() - startMs) / 1000, isWhole, memory };
  } finally {
    clearInterval(sampler);
    if (!values.json && process.stderr.isTTY) process.stderr.write("\r                    \r");
  }
}

async function upload(at: Address, moved: (bytes: number) => void): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = http.request({
    ...at,
    agent: false,
    method: "POST",
    path: "/up",
    headers: { "content-length": bytes },
    signal: AbortSignal.timeout((bytes / bytesPerSecondMin) * 1000),
  });
  request.on("error", reject);
  request.on("response", (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => (text += part));
    response.on("end", () => resolve(`${response.statusCode} ${text}`));
  });
  await pipeline(Readable.from(body(moved), { objectMode: false }), request);
  return (await promise) === `200 ${bytes}`;
}

function* body(moved: (bytes: number) => void): Generator<Buffer> {
  const chunk = Buffer.alloc(64 * 1024, "x");
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    moved(chunk.length);
    yield chunk;
  }
}

async function download(at: Address, moved: (bytes: number) => void): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  let received = 0;
  const signal = AbortSignal.timeout((bytes / bytesPerSecondMin) * 1000);
  http
    .get({ ...at, agent: false, path: `/down?bytes=${bytes}`, signal }, (response) => {
      response.on("data", (chunk: Buffer) => {
        received += chunk.length;
        moved(chunk.length);
      });
      response.on("end", () => resolve(response.statusCode === 200 && received === bytes));
      response.on("error", reject);
    })
    .on("error", reject);
  return promise;
}

/** NaN where there is no /proc. */
function residentMib(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? Number.NaN) / 1024;
  } catch {
    return Number.NaN;
  }
}

function report(runs: readonly Run[]): boolean {
  const lines = runs.flatMap(({ direction, seconds, isWhole, memory }) =>
    memory.map(({ name, before, warm, max, end }) => ({
      direction,
      process: name,
      mibPerSecond: mib / seconds,
      isWhole,
      beforeMib: before,
      warmMib: warm,
      maxMib: max,
      endMib: end,
      growthMib: max - warm,
    })),
  );
  const sound = lines.every(({ isWhole, growthMib }) => isWhole && growthMib <= growthMibMax);
  if (values.json) {
    console.log(JSON.stringify({ node: process.version, mib, lines, sound }, null, 2));
    return sound;
  }
  console.log(`huge-bodies, ${mib} MiB each way, Node ${process.version}; resident memory in MiB\n`);
  console.log(
    table([
      ["", "MiB/s", "before", "at 10 %", "most after", "end", "growth", "body"],
      ...lines.map((line): [string, ...string[]] => [
        `${line.direction}, ${line.process}`,
        ...[line.mibPerSecond, line.beforeMib, line.warmMib, line.maxMib, line.endMib, line.growthMib].map((x) =>
          x.toFixed(0),
        ),
        line.isWhole ? "whole" : "NOT WHOLE",
      ]),
    ]),
  );
  console.log(sound ? "\nflat" : `\nNOT FLAT: more than ${growthMibMax} MiB of growth, or a body that is not whole`);
  return sound;
}
