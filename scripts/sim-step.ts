/**
 * How a simulated organism answers a step: does it overshoot, does it oscillate, and is its gain what theory allows?
 *
 *   npm run sim:step                             the tables
 *   npm run sim:step -- --out docs/plots/step.svg    and the plot
 *   npm run sim:step -- --seeds 20               organisms for each line; 10 where it is not said
 *
 * Two loops lie in each other. The outer one is the load's: eight times as many requests come, drones saturate, more are
 * wanted. The inner one is the pool's, out of which all growth comes: so many stem cells are missing, and are made up for. For
 * a loop that does not know what is under way theory has dN/dt = k (N* - N(t - tau)): no overshoot up to k tau = 1/e, a
 * stable end up to pi/2. Here tau is from when a cell is missed until its replacement is counted, and k the share of the deficit
 * that goes in a second, both measured. Ours may be faster than 1/e, because it counts the births that are under way.
 */
import fs from "node:fs";
import { parseArgs } from "node:util";
import type { CoreDna } from "../src/core/dna.ts";
import { controlPeriodMs } from "../src/core/limits.ts";
import { shapedTrace } from "../src/sim/load-trace.ts";
import type { Sample } from "../src/sim/simulation.ts";
import { deadbandOf, simulate } from "../src/sim/simulation.ts";
import { World } from "../src/sim/world.ts";
import type { ChartColor, ChartPoint, Series } from "../src/view/chart.ts";
import { renderChart } from "../src/view/chart.ts";
import { plainCoreDna } from "../test/support/core-dna.ts";

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "10" }, out: { type: "string" } },
});
const seeds = Number(values.seeds);
if (!Number.isInteger(seeds) || seeds < 1) {
  console.error("sim-step: --seeds takes a whole number");
  process.exit(2);
}

const dna: CoreDna = { ...plainCoreDna, population: { ...plainCoreDna.population, drone: { min: 1, max: 64 } } };
/** What a request costs of CPU time, and how long the load stays eight times as high. */
const costMs = 20;
const durationMs = 600_000;
const lookMs = 50;
const fillLooks = 200;

const steps = [20, 40, 80].map((from) => ({ from, runs: range(seeds).map((seed) => stepOf(from, seed)) }));
const fills = [5, 10, 20].map((pool) => ({ pool, runs: range(seeds).map((seed) => fillOf(pool, seed)) }));
printSteps();
printFills();
if (values.out !== undefined) fs.writeFileSync(values.out, plot());

function stepOf(from: number, seed: number): ReturnType<typeof simulate> {
  const trace = shapedTrace("step", { from, to: 8 * from, durationMs, costMs });
  return simulate({ dna, trace, seed, cores: 64, carryMs: 0.15, startupMs: 500 });
}

function printSteps(): void {
  console.log("eight times the load, requests of 20 ms:");
  console.log("  requests/s   needed  most drones  overshoot  deadband  turns  too few for, s");
  for (const { from, runs } of steps) {
    const drones = runs.map(({ summary }) => summary.drones);
    const most = (of: (one: (typeof drones)[number]) => number): number => Math.max(...drones.map(of));
    const cells = [
      `${from} to ${8 * from}`.padStart(12),
      String(most((d) => d.neededMax)).padStart(8),
      String(most((d) => d.max)).padStart(12),
      String(most((d) => d.overshoot)).padStart(10),
      String(most((d) => d.deadband)).padStart(9),
      String(most((d) => d.turns)).padStart(6),
      (most((d) => d.tooFewMs) / 1000).toFixed(1).padStart(16),
    ];
    console.log(cells.join(" "));
  }
}

interface Fill {
  /** Stem cells at each look after four fifths of them died at once. */
  readonly stems: readonly number[];
  readonly gainPerSecond: number;
  readonly delayMs: number;
  readonly overshoot: number;
}

/** Four fifths of the pool die at once: that is the deficit, known to all at once, with nothing else in the loop. */
function fillOf(stemPool: number, seed: number): Fill {
  const delaysMs = { birth: [60, 160], message: [0, 2], appLoad: [0, 0], drain: [0, 20], notice: [0, 5] } as const;
  const world = new World({ seed, dna: { ...dna, stemPool }, delaysMs });
  world.tell(world.spawnEgg(), { type: "first-connection" });
  world.run(90_000);
  const sinceMs = world.nowMs;
  for (const { self } of world.ofClass("stem").slice(leftOf(stemPool))) world.kill(self);
  const stems: number[] = [];
  for (let look = 0; look < fillLooks; look += 1) {
    stems.push(world.ofClass("stem").length);
    world.run(lookMs);
  }
  const done = stems.findIndex((count) => stemPool - count <= deadbandOf(stemPool));
  // The share of the deficit that goes in a second, until what is left is within the deadband.
  const deficits = stems.slice(0, done).reduce((sum, count) => sum + (stemPool - count), 0);
  const filled = (stems[done] ?? 0) - (stems[0] ?? 0);
  return {
    stems,
    gainPerSecond: (1000 * filled) / (deficits * lookMs),
    delayMs: birthMs(world, sinceMs),
    overshoot: Math.max(...stems) - stemPool,
  };
}

function leftOf(stemPool: number): number {
  return Math.ceil(stemPool / 5);
}

/** From when a cell sees that one is missing, a look and a half after the death on average, until the daughter is counted. */
function birthMs(world: World, sinceMs: number): number {
  const begun = new Map<string, number>();
  const spans: number[] = [];
  for (const { atMs, cell, text } of world.log) {
    const daughter = /^divides: (\w+)$/.exec(text)?.[1];
    if (atMs >= sinceMs && daughter !== undefined) begun.set(daughter, atMs);
    if (text === "became stem" && begun.has(cell)) spans.push(atMs - begun.get(cell)!);
  }
  return mean(spans) + controlPeriodMs / 2;
}

function printFills(): void {
  console.log("four fifths of the stem cells die at once:");
  console.log("  pool  k, 1/s  tau, s  k tau  overshoot by theory, %  seen, cells  whole after, s");
  for (const { pool, runs } of fills) {
    const { gainPerSecond: k, delayMs } = meanOf(runs);
    const deficit = pool - leftOf(pool);
    const theory = Math.max(...theoryOf(pool, k, delayMs)) - pool;
    const wholeMs = Math.max(...runs.map(({ stems }) => stems.findIndex((count) => count >= pool) * lookMs));
    const cells = [
      String(pool).padStart(6),
      k.toFixed(2).padStart(7),
      (delayMs / 1000).toFixed(2).padStart(7),
      ((k * delayMs) / 1000).toFixed(2).padStart(6),
      ((100 * Math.max(0, theory)) / deficit).toFixed(1).padStart(23),
      String(Math.max(...runs.map(({ overshoot }) => overshoot))).padStart(12),
      (wholeMs / 1000).toFixed(2).padStart(15),
    ];
    console.log(cells.join(" "));
  }
}

function meanOf(runs: readonly Fill[]): { gainPerSecond: number; delayMs: number } {
  return {
    gainPerSecond: mean(runs.map(({ gainPerSecond }) => gainPerSecond)),
    delayMs: mean(runs.map(({ delayMs }) => delayMs)),
  };
}

/** N(t) of dN/dt = k (N* - N(t - tau)), from what was left, at each look. */
function theoryOf(pool: number, k: number, delayMs: number): number[] {
  const stepMs = 10;
  const past = Math.round(delayMs / stepMs);
  const n = [leftOf(pool)];
  for (let i = 1; i < (fillLooks * lookMs) / stepMs; i += 1) {
    const delayed = n[Math.max(0, i - 1 - past)]!;
    n.push(n[i - 1]! + (k * (pool - delayed) * stepMs) / 1000);
  }
  return n.filter((_, i) => i % (lookMs / stepMs) === 0);
}

function plot(): string {
  const step = steps[1]!.runs[0]!;
  const of = (name: string, color: ChartColor, value: (sample: Sample) => number, dash?: Series["dash"]): Series => ({
    name,
    kind: "step",
    color,
    ...(dash === undefined ? {} : { dash }),
    points: step.samples.map((sample): ChartPoint => [sample.atMs / 1000, value(sample)]),
  });
  return renderChart({
    title: "An organism under eight times the load",
    notes: ["40 to 320 requests a second of 20 ms, and back", "made by: npm run sim:step"],
    x: { label: "seconds" },
    panels: [
      {
        y: { label: "drones", from: 0 },
        series: [
          of("drones", "blue", ({ populations }) => populations.drone),
          of("needed", "black", ({ dronesNeeded }) => dronesNeeded, "dashed"),
        ],
      },
    ],
  });
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, value) => sum + value, 0) / Math.max(1, numbers.length);
}
