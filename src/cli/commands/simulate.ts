/**
 * `cellws simulate`: what would my organism do under that load? The cells' own decisions, with the user's DNA, in a
 * simulated machine: minutes of load in a second, before it is tried in earnest.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { InvalidArgumentError } from "commander";
import { CellwsError } from "../../lib/cellws-error.ts";
import type { Dna } from "../../dna/dna.ts";
import type { WorkloadLimits } from "../../sim/workload.ts";
import type { LoadTrace, ShapeName } from "../../sim/load-trace.ts";
import {
  costMsMax,
  durationMsMax,
  parseTraceCsv,
  ratePerSecondMax,
  shapeDurationMs,
  shapedTrace,
  shapeNames,
  timesAsMuch,
} from "../../sim/load-trace.ts";
import type { Simulation } from "../../sim/simulation.ts";
import { simulate } from "../../sim/simulation.ts";
import { renderSimulationSummary, simulationChart } from "../../view/simulation.ts";
import { formatDuration, parseDurationMs } from "../../view/units.ts";
import type { CliCommand, CliContext } from "../command.ts";
import { judgeOutput, writeWhole } from "../output.ts";
import { addExamples, parseCountOption, parseDurationOption } from "../command.ts";

interface SimulateOptions {
  dna?: string;
  load: string;
  from?: number;
  to?: number;
  duration?: number;
  cost?: number;
  times?: number;
  cores?: number;
  startup?: number;
  carry?: number;
  seed?: number;
  out?: string;
  json?: boolean;
  samples?: boolean;
  progress?: boolean;
}

const defaults = { from: 10, to: 80, costMs: 20, startupMs: 300, carryMs: 0.15, seed: 1 } as const;
/** A file beyond this is no trace: rowsMax rows of fifty characters. */
const traceBytesMax = 10 * 1024 * 1024;
const coresMax = 1_024;

export const command: CliCommand<SimulateOptions> = {
  define(command) {
    command
      .argument("[app]", "the app, where the DNA does not name it (it is not run)")
      .option("--dna <file>", "the DNA (default: dna.ts or dna.js here, if there is one)")
      .requiredOption("--load <trace>", "a CSV of time, requests/s, cost; or a shape:\nstep, ramp, spike, day")
      .option("--from <rate>", `of a shape: requests/s at rest (default: ${defaults.from})`, parseRateOption)
      .option("--to <rate>", `of a shape: requests/s at most (default: ${defaults.to})`, parseRateOption)
      .option("--duration <time>", "of a shape: how long (default: 10m, ramp 20m, day 24h)", parseDurationOption)
      .option("--cost <time>", `CPU time of one request (default: ${defaults.costMs}ms)`, parseCostOption)
      .option("--times <factor>", "as many times the requests", parseFactorOption)
      .option("--cores <count>", "of the simulated machine (default: as here)", parseCountOption)
      .option("--startup <time>", `how long the app takes to load (default: ${defaults.startupMs}ms)`, parseCostOption)
      .option("--carry <time>", `CPU time of a B cell a request (default: ${defaults.carryMs}ms)`, parseCostOption)
      .option("--seed <number>", "of chance; the same gives the same (default: 1)", parseCountOption)
      .option("--out <file>", "write the plot here, as SVG")
      .option("--json", "print { trace, options, summary } as JSON")
      .option("--samples", "with --json: also the samples over time")
      .option("--progress", "tell how far it is, even if stderr is no terminal");
    addExamples(command, [
      ["cellws simulate --load step --out plot.svg", "8 times the load, and back"],
      ["cellws simulate --load day --times 10", "a day, at ten times the load"],
      ["cellws simulate --load monday.csv --cores 8", "what was measured"],
    ]);
    command.addHelpText(
      "after",
      `
A row of the CSV holds until the next: 90,250,12ms means that from second 90 on
250 requests a second come, each of which takes 12 ms of CPU. The cost may be
left out (then --cost holds). # begins a comment.

Shapes: step is up for half of the time, ramp rises and falls, spike lasts a
twentieth, day has a morning, a noon and an evening.

Nothing is started and the app is not run. What is simulated, and what not:
docs/SIMULATE.md.`,
    );
  },
  async run(context, [app], options) {
    const cores = options.cores ?? os.availableParallelism();
    if (cores < 1 || cores > coresMax) throw usage("--cores", String(cores), `1 to ${coresMax}`);
    const out = options.out === undefined ? null : judgeOutput("--out", path.resolve(context.cwd, options.out));
    const trace = readTrace(options, context.cwd);
    const { dna, limits, revision, name } = await readDna(context, app, options.dna, cores);
    const model = {
      seed: options.seed ?? defaults.seed,
      cores,
      carryMs: options.carry ?? defaults.carryMs,
      startupMs: options.startup ?? defaults.startupMs,
    };
    const progress = new Progress(context, options.progress);
    const simulation = simulate({ dna, limits, trace, ...model, onProgress: (share) => progress.tell(share) });
    progress.end();

    const loadName = options.times === undefined ? trace.name : `${trace.name}, ${options.times}-fold`;
    const view = {
      title: `${name} under ${loadName}`,
      notes: [
        `simulated: DNA ${revision.slice(0, 12)}, ${cores} cores, app startup ${formatDuration(model.startupMs)}, seed ${model.seed}`,
      ],
      ...simulation,
    };
    if (out !== null) writeWhole(out, simulationChart(view));
    if (options.json === true)
      context.out(JSON.stringify(jsonOf(simulation, { ...model, revision, samples: options.samples === true })));
    else for (const line of renderSimulationSummary(view, context.style)) context.out(line);
    if (out !== null) context.note(`cellws: the plot is in ${out}`);
    return 0;
  },
};

function readTrace(options: SimulateOptions, cwd: string): LoadTrace {
  const costMs = options.cost ?? defaults.costMs;
  const times = options.times ?? 1;
  const shape = shapeNames.find((name) => name === options.load);
  const trace = shape === undefined ? readCsv(options, cwd, costMs) : makeShape(shape, options, costMs);
  const peak = Math.max(...trace.points.map((point) => point.ratePerSecond)) * times;
  if (peak > ratePerSecondMax)
    throw usage("--times", `a peak of ${peak} requests/s`, `at most ${ratePerSecondMax} requests/s`);
  return timesAsMuch(trace, times);
}

function makeShape(name: ShapeName, options: SimulateOptions, costMs: number): LoadTrace {
  const durationMs = options.duration ?? shapeDurationMs[name];
  if (durationMs < shapeMsMin || durationMs > durationMsMax) {
    throw usage(
      "--duration",
      formatDuration(durationMs),
      `${formatDuration(shapeMsMin)} to ${formatDuration(durationMsMax)}`,
    );
  }
  return shapedTrace(name, { from: options.from ?? defaults.from, to: options.to ?? defaults.to, durationMs, costMs });
}

/** Shorter than this no organism has time to answer anything. */
const shapeMsMin = 10_000;

function readCsv(options: SimulateOptions, cwd: string, costMs: number): LoadTrace {
  const file = path.resolve(cwd, options.load);
  for (const option of ["from", "to", "duration"] as const) {
    if (options[option] !== undefined)
      throw usage(`--${option}`, "given with a CSV", `a shape for --load: ${shapeNames.join(", ")}`);
  }
  let text: string;
  try {
    const { size } = fs.statSync(file);
    if (size > traceBytesMax) throw usage("--load", `${size} bytes in ${file}`, `at most ${traceBytesMax} bytes`);
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof CellwsError) throw error;
    throw new CellwsError("CELLWS_E_TRACE", 2, "the load trace cannot be read", {
      path: "--load",
      found: (error as Error).message,
      expected: `the path of a CSV, or one of ${shapeNames.join(", ")}`,
      hint: "Nothing was simulated or written.",
    });
  }
  return parseTraceCsv(text, { file: options.load, costMs });
}

async function readDna(context: CliContext, app: string | undefined, dnaFile: string | undefined, cores: number) {
  const [{ loadDna }, { formatDiagnostics }, { coreDna }] = await Promise.all([
    import("../../dna/load.ts"),
    import("../../dna/diagnostic.ts"),
    import("../../dna/core-dna.ts"),
  ]);
  // Defaults follow the simulated machine: more cores allow more drones.
  const machine = { cpuCount: cores, memoryBytes: cores * memoryBytesPerCore };
  const loaded = await loadDna({ cwd: context.cwd, dnaFile, app, machine });
  const found = loaded.ok ? loaded.warnings : loaded.diagnostics;
  if (found.length > 0) context.note(formatDiagnostics(found, { color: context.noteStyle.color }));
  if (loaded.ok) {
    const { dna, revision } = loaded;
    return { dna: coreDna(dna), limits: limitsOf(dna), revision, name: dna.name };
  }
  throw new CellwsError("CELLWS_E_DNA", 2, "nothing was simulated: the DNA has mistakes (see above)", {
    hint: "`cellws check` judges the DNA by itself.",
  });
}

function limitsOf({ http: { queue, droneConcurrencyMax } }: Dna): WorkloadLimits {
  return {
    waitingCountMax: queue.countMax,
    waitingMsMax: queue.msMax,
    waitingMsTarget: queue.msTarget,
    droneUnansweredMax: droneConcurrencyMax,
  };
}

/** A simulated machine has memory enough that the cores and not it bound the drones. */
const memoryBytesPerCore = 4 * 1024 ** 3;

function jsonOf(
  { trace, summary, samples }: Simulation,
  {
    samples: withSamples,
    ...options
  }: { samples: boolean; seed: number; cores: number; carryMs: number; startupMs: number; revision: string },
): object {
  const { name, durationMs } = trace;
  return { trace: { name, durationMs }, options, summary, ...(withSamples ? { samples } : {}) };
}

/** One line on a terminal, rewritten; a line every tenth where it was asked for and is no terminal. */
class Progress {
  readonly #context: CliContext;
  readonly #isWanted: boolean;
  readonly #startedMs = performance.now();
  #toldMs = 0;
  #toldTenths = 0;
  #isShown = false;

  constructor(context: CliContext, asked: boolean | undefined) {
    this.#context = context;
    this.#isWanted = asked === true || context.isInteractive;
  }

  tell(share: number): void {
    const nowMs = performance.now();
    if (!this.#isWanted || share === 0 || nowMs - this.#startedMs < quietMs) return;
    const leftMs = ((nowMs - this.#startedMs) * (1 - share)) / share;
    const line = `cellws: ${Math.floor(share * 100)}% simulated, about ${formatDuration(Math.max(1_000, leftMs))} to go`;
    if (this.#context.isInteractive) {
      if (nowMs - this.#toldMs < rewriteMs) return;
      process.stderr.write(`\r\x1b[K${line}`);
      this.#isShown = true;
    } else {
      const tenths = Math.floor(share * 10);
      if (tenths <= this.#toldTenths) return;
      this.#toldTenths = tenths;
      this.#context.note(line);
    }
    this.#toldMs = nowMs;
  }

  end(): void {
    if (this.#isShown) process.stderr.write("\r\x1b[K");
  }
}

/** What takes less needs no telling. */
const quietMs = 1_000;
const rewriteMs = 200;

function usage(option: string, found: string, expected: string): CellwsError {
  return new CellwsError("CELLWS_E_USAGE", 2, `${option} cannot be used so`, { path: option, found, expected });
}

function parseRateOption(text: string): number {
  const rate = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || rate > ratePerSecondMax) {
    throw new InvalidArgumentError(`Write requests a second, a number from 0 to ${ratePerSecondMax}.`);
  }
  return rate;
}

function parseFactorOption(text: string): number {
  const factor = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || factor > 10_000) throw new InvalidArgumentError("Write a number from 0 to 10000.");
  return factor;
}

/** `20ms`, `1.5s`; a bare number is milliseconds here, as in the CSV. */
function parseCostOption(text: string): number {
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) : parseDurationMs(text);
  if (ms === null || ms <= 0 || ms > costMsMax)
    throw new InvalidArgumentError("Write a time above 0, such as 20ms or 1.5s.");
  return ms;
}
