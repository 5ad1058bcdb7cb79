/**
 * Does a real organism grow and shrink as the simulation of the same DNA says? Both under one load, in one plot.
 *
 *   node bench/growth-curve.ts                                       about four minutes; prints a table
 *   node bench/growth-curve.ts --load step --to 60 --duration 3m --out docs/plots/growth.svg
 *
 * The app is examples/board, whose /lab/busy page computes for as many milliseconds by the clock as it is asked to; so a
 * request's cost is known, and as it goes by the clock, cores do not bound it. (The machine's do bound how many such
 * drones can compute at a time without slowing the others' answers: keep --max at or below twice the cores.) Requests
 * are sent at random around the load's rate whether or not earlier ones were answered, as visitors do.
 */
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { coreDna } from "../src/dna/core-dna.ts";
import { loadDna } from "../src/dna/load.ts";
import type { LoadTrace, ShapeName } from "../src/sim/load-trace.ts";
import { shapedTrace, shapeNames, TraceReader } from "../src/sim/load-trace.ts";
import type { Simulation } from "../src/sim/simulation.ts";
import { simulate } from "../src/sim/simulation.ts";
import type { ChartPoint } from "../src/view/chart.ts";
import { renderChart } from "../src/view/chart.ts";
import { formatDuration, parseDurationMs } from "../src/view/units.ts";
import type { Address } from "../test/e2e/client.ts";
import type { Organism } from "../test/e2e/organism.ts";
import { ofClass, repository, startOrganism } from "../test/e2e/organism.ts";

const { values } = parseArgs({
  options: {
    load: { type: "string", default: "ramp" },
    from: { type: "string", default: "4" },
    to: { type: "string", default: "60" },
    cost: { type: "string", default: "25" },
    duration: { type: "string", default: "4m" },
    max: { type: "string", default: String(Math.min(6, 2 * os.availableParallelism())) },
    window: { type: "string", default: "20s" },
    seed: { type: "string", default: "1" },
    out: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const numbers = {
  from: Number(values.from),
  to: Number(values.to),
  costMs: Number(values.cost),
  max: Number(values.max),
  seed: Number(values.seed),
};
const durationMs = parseDurationMs(values.duration);
const windowMs = parseDurationMs(values.window);
const shape = shapeNames.find((name) => name === values.load);
if (shape === undefined || durationMs === null || windowMs === null || Object.values(numbers).some((n) => !(n > 0))) {
  console.error(
    `growth-curve: --load is one of ${shapeNames.join(", ")}; --duration and --window are times; the rest are numbers above 0`,
  );
  process.exit(2);
}

/** How often the living are counted: each count is a run of `cellws ps`. */
const countEveryMs = 2_000;
const sendEveryMs = 10;
/** Requests under way at most: beyond this the generator, and not the organism, would be what is measured. */
const underWayMax = 2_000;
const answerMsMax = 60_000;

interface Counted {
  readonly atMs: number;
  readonly drones: number;
  readonly stem: number;
  readonly cells: number;
}

interface Answer {
  readonly sentMs: number;
  readonly tookMs: number;
  readonly ok: boolean;
}

interface Real {
  readonly counts: readonly Counted[];
  readonly answers: readonly Answer[];
  readonly unsent: number;
  readonly startupMs: number;
}

const dna = {
  cells: { drone: { min: 1, max: numbers.max }, stem: { pool: 2 } },
  growth: { stableWindowMs: windowMs, panicWindowMs: Math.max(1_000, Math.floor(windowMs / 10)) },
};
const { from, to, costMs, seed } = numbers;
const trace = shapedTrace(shape satisfies ShapeName, { from, to, durationMs, costMs });
async function runReal(load: LoadTrace): Promise<Real> {
  const endings: Array<() => Promise<void>> = [];
  try {
    const app = join(repository, "examples/board/server.js");
    const organism = await startOrganism(
      { after: (ending) => endings.push(ending) },
      { app, dna, scratchEnv: { BOARD_DATA: "board" } },
    );
    return await drive(organism, load);
  } finally {
    for (const ending of endings) await ending();
  }
}

async function drive(organism: Organism, load: LoadTrace): Promise<Real> {
  const generator = new Generator(organism.at(), load);
  const counts: Counted[] = [];
  const startMs = performance.now();
  generator.start();
  for (;;) {
    const atMs = performance.now() - startMs;
    if (atMs >= load.durationMs) break;
    const cells = await organism.ps();
    // The count is of some moment between the question and its answer.
    const middleMs = (atMs + performance.now() - startMs) / 2;
    counts.push({
      atMs: middleMs,
      drones: ofClass(cells, "drone").length,
      stem: ofClass(cells, "stem").length,
      cells: cells.length,
    });
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${formatDuration(atMs)}: ${counts.at(-1)!.drones} drones `);
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(0, atMs + countEveryMs - (performance.now() - startMs))),
    );
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const { answers, unsent } = await generator.stop();
  return { counts, answers, unsent, startupMs: startupMsOf(organism) };
}

/** From a drone's taking up its class until its app is ready, by the log: the middle of all. */
function startupMsOf(organism: Organism): number {
  const becameMs = new Map<string, number>();
  const took: number[] = [];
  for (const line of organism.logs().split("\n")) {
    if (!line.startsWith("{")) continue;
    const {
      time,
      event,
      cell,
      class: cellClass,
    } = JSON.parse(line) as { time: string; event?: string; cell?: string; class?: string };
    const atMs = Date.parse(time);
    if (event === "became" && cellClass === "drone" && cell !== undefined) becameMs.set(cell, atMs);
    const sinceMs = event === "app-ready" ? becameMs.get(cell ?? "") : undefined;
    if (sinceMs !== undefined) took.push(atMs - sinceMs);
  }
  took.sort((a, b) => a - b);
  return took[Math.floor(took.length / 2)] ?? 300;
}

/** Sends requests as they are due, and waits for none. */
class Generator {
  readonly #at: Address;
  readonly #load: TraceReader;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: underWayMax });
  readonly #answers: Answer[] = [];
  #startMs = 0;
  #lastMs = 0;
  #due = 0;
  #underWay = 0;
  #unsent = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(at: Address, load: LoadTrace) {
    this.#at = at;
    this.#load = new TraceReader(load);
  }

  start(): void {
    this.#startMs = performance.now();
    this.#due = -Math.log(Math.random());
    this.#timer = setInterval(() => this.#send(), sendEveryMs);
  }

  async stop(): Promise<{ answers: readonly Answer[]; unsent: number }> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const untilMs = performance.now() + answerMsMax;
    while (this.#underWay > 0 && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 50));
    this.#agent.destroy();
    return { answers: this.#answers, unsent: this.#unsent };
  }

  #send(): void {
    const atMs = performance.now() - this.#startMs;
    this.#due -= (this.#load.at(atMs).ratePerSecond * (atMs - this.#lastMs)) / 1000;
    this.#lastMs = atMs;
    while (this.#due <= 0) {
      this.#due -= Math.log(Math.random());
      if (this.#underWay >= underWayMax) this.#unsent += 1;
      else this.#request(atMs);
    }
  }

  #request(sentMs: number): void {
    this.#underWay += 1;
    const done = (ok: boolean): void => {
      this.#underWay -= 1;
      this.#answers.push({ sentMs, tookMs: performance.now() - this.#startMs - sentMs, ok });
    };
    let isOver = false;
    const end = (ok: boolean): void => {
      if (!isOver) done(ok);
      isOver = true;
    };
    http
      .get({ ...this.#at, path: `/lab/busy?ms=${costMs}`, agent: this.#agent, timeout: answerMsMax }, (response) => {
        response.resume();
        response.on("end", () => end(response.statusCode === 200));
        response.on("error", () => end(false));
      })
      .on("timeout", function (this: http.ClientRequest) {
        this.destroy();
      })
      .on("error", () => end(false));
  }
}

async function runSimulation(load: LoadTrace, startupMs: number): Promise<Simulation> {
  const dir = fs.mkdtempSync(join(os.tmpdir(), "cellws-growth-"));
  try {
    fs.writeFileSync(join(dir, "dna.json"), JSON.stringify(dna));
    const loaded = await loadDna({ cwd: dir, app: join(repository, "examples/board/server.js") });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
    // By the clock, not by the CPU: as many can compute at a time as there are drones.
    return simulate({
      dna: coreDna(loaded.dna),
      trace: load,
      seed,
      cores: numbers.max + 2,
      carryMs: 0.3,
      startupMs: Math.max(1, startupMs),
    });
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

interface Comparison {
  readonly dronesMax: { readonly real: number; readonly simulated: number };
  /** When each number of drones was first reached, in ms; null: never. */
  readonly reachedMs: ReadonlyArray<{
    readonly drones: number;
    readonly real: number | null;
    readonly simulated: number | null;
  }>;
  /** When the last shrinking was seen. */
  readonly lastShrunkMs: { readonly real: number | null; readonly simulated: number | null };
  /** Mean over time of the difference, in drones, without its sign. */
  readonly meanDifference: number;
  readonly latencyMs: { readonly real: { p50: number; p99: number }; readonly simulated: { p50: number; p99: number } };
  readonly failed: number;
  readonly unsent: number;
  readonly startupMs: number;
}

function compare({ counts, answers, unsent, startupMs }: Real, { samples, summary }: Simulation): Comparison {
  const simulatedAt = (atMs: number): number =>
    samples.findLast((sample) => sample.atMs <= atMs)?.populations.drone ?? 0;
  const dronesOf = {
    real: counts.map(({ atMs, drones }) => ({ atMs, drones })),
    simulated: samples.map(({ atMs, populations }) => ({ atMs, drones: populations.drone })),
  };
  const max = (of: ReadonlyArray<{ drones: number }>): number =>
    of.reduce((most, { drones }) => Math.max(most, drones), 0);
  const first = (of: ReadonlyArray<{ atMs: number; drones: number }>, wanted: number): number | null =>
    of.find(({ drones }) => drones >= wanted)?.atMs ?? null;
  const lastShrunk = (of: ReadonlyArray<{ atMs: number; drones: number }>): number | null =>
    of.findLast(({ drones }, i) => i > 0 && drones < of[i - 1]!.drones)?.atMs ?? null;
  const most = Math.max(max(dronesOf.real), max(dronesOf.simulated));
  const took = answers
    .filter(({ ok }) => ok)
    .map(({ tookMs }) => tookMs)
    .sort((a, b) => a - b);
  const at = (share: number): number => Math.round(took[Math.floor(share * (took.length - 1))] ?? 0);
  return {
    dronesMax: { real: max(dronesOf.real), simulated: max(dronesOf.simulated) },
    reachedMs: Array.from({ length: most }, (_, i) => ({
      drones: i + 1,
      real: first(dronesOf.real, i + 1),
      simulated: first(dronesOf.simulated, i + 1),
    })),
    lastShrunkMs: { real: lastShrunk(dronesOf.real), simulated: lastShrunk(dronesOf.simulated) },
    meanDifference:
      counts.reduce((sum, { atMs, drones }) => sum + Math.abs(drones - simulatedAt(atMs)), 0) /
      Math.max(1, counts.length),
    latencyMs: {
      real: { p50: at(0.5), p99: at(0.99) },
      simulated: { p50: Math.round(summary.waitMs.p50 + costMs), p99: Math.round(summary.waitMs.p99 + costMs) },
    },
    failed: answers.filter(({ ok }) => !ok).length,
    unsent,
    startupMs,
  };
}

function table(real: Real, simulated: Simulation): string {
  const { dronesMax, reachedMs, lastShrunkMs, meanDifference, latencyMs, failed, unsent, startupMs } = compare(
    real,
    simulated,
  );
  const seconds = (ms: number | null): string => (ms === null ? "-" : `${(ms / 1000).toFixed(1)} s`);
  const rows: string[][] = [
    ["", "real", "simulated"],
    ["drones at most", String(dronesMax.real), String(dronesMax.simulated)],
    ...reachedMs.map(({ drones, real: one, simulated: other }) => [
      `${drones} drones after`,
      seconds(one),
      seconds(other),
    ]),
    ["last shrinking after", seconds(lastShrunkMs.real), seconds(lastShrunkMs.simulated)],
    ["answer p50", `${latencyMs.real.p50} ms`, `${latencyMs.simulated.p50} ms`],
    ["answer p99", `${latencyMs.real.p99} ms`, `${latencyMs.simulated.p99} ms`],
  ];
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => row[i]!.length)));
  return [
    `${trace.name} from ${from} to ${to} requests/s of ${costMs} ms, ${formatDuration(trace.durationMs)}, app startup ${Math.round(startupMs)} ms`,
    ...rows.map((row) =>
      row.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join("  "),
    ),
    `on average ${meanDifference.toFixed(2)} drones apart; of ${real.answers.length} requests ${failed} failed, ${unsent} were not sent`,
  ].join("\n");
}

function plot({ counts, answers, startupMs }: Real, { samples }: Simulation): string {
  const over = (of: (sample: Simulation["samples"][number]) => number | null): ChartPoint[] =>
    samples.map((sample) => [sample.atMs, of(sample)]);
  return renderChart({
    title: "Growing and shrinking: a real organism and its simulation",
    notes: [
      `examples/board, ${trace.name} of ${from} to ${to} requests/s, ${costMs} ms each; app startup ${Math.round(startupMs)} ms; stable window ${formatDuration(windowMs!)}`,
    ],
    x: { label: "time", scale: "time", from: 0, to: trace.durationMs },
    panels: [
      {
        y: { label: "requests/s" },
        height: 100,
        series: [{ name: "load", kind: "area", color: "black", points: over((s) => s.ratePerSecond) }],
      },
      {
        y: { label: "drones" },
        height: 220,
        series: [
          { name: "real", kind: "step", color: "blue", points: counts.map(({ atMs, drones }) => [atMs, drones]) },
          {
            name: "simulated",
            kind: "step",
            color: "orange",
            dash: "dashed",
            points: over((s) => s.populations.drone),
          },
          {
            name: "needed for the load",
            kind: "step",
            color: "grey",
            dash: "dotted",
            points: over((s) => s.dronesNeeded),
          },
        ],
      },
      {
        y: { label: "answer p95, ms" },
        series: [
          { name: "real", kind: "line", color: "blue", points: percentileOver(answers, 0.95) },
          {
            name: "simulated",
            kind: "line",
            color: "orange",
            dash: "dashed",
            points: over((s) => (s.waitMs === null ? null : s.waitMs + costMs)),
          },
        ],
      },
    ],
  });
}

/** Of the answers to requests of each two seconds. */
function percentileOver(answers: readonly Answer[], share: number): ChartPoint[] {
  const spans = new Map<number, number[]>();
  for (const { sentMs, tookMs, ok } of answers) {
    const span = Math.floor(sentMs / countEveryMs);
    if (ok) spans.set(span, [...(spans.get(span) ?? []), tookMs]);
  }
  return [...spans]
    .sort(([a], [b]) => a - b)
    .map(
      ([span, took]) =>
        [span * countEveryMs, took.sort((a, b) => a - b)[Math.floor(share * (took.length - 1))] ?? null] as const,
    );
}

const real = await runReal(trace);
const simulated = await runSimulation(trace, real.startupMs);
if (values.out !== undefined) fs.writeFileSync(values.out, plot(real, simulated));
console.log(
  values.json ? JSON.stringify({ counts: real.counts, ...compare(real, simulated) }) : table(real, simulated),
);
