/**
 * `cellws chaos`: is it true, on my own app? Sends load, kills, stops and slows cells meanwhile, and says what was lost and how soon all
 * was well again. It does harm, so it wants to be told that it may.
 */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { InvalidArgumentError } from "commander";
import type { CellClass } from "../../core/cell.ts";
import { cellClasses } from "../../core/cell.ts";
import type { Dna } from "../../dna/dna.ts";
import type { RunDir } from "../../host/run-dir.ts";
import { dnaPath } from "../../host/run-dir.ts";
import { surveyOrganism } from "../../host/survey.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import type { OrganismFile } from "../../wire/control.ts";
import type { SurveyedCell } from "../../wire/survey.ts";
import type { ChaosView } from "../../view/chaos.ts";
import { chaosChart, renderChaos } from "../../view/chaos.ts";
import { urlOf } from "../../view/start.ts";
import { formatCount, formatDuration, isEveryAddress } from "../../view/units.ts";
import { Load } from "../chaos/load.ts";
import type { Harm } from "../chaos/mischief.ts";
import { chooseStrike, Dice, harms, Mischief } from "../chaos/mischief.ts";
import type { Populations } from "../chaos/tally.ts";
import { sliceMs, Tally } from "../chaos/tally.ts";
import type { CliCommand, CliContext, OrganismOptions } from "../command.ts";
import { addExamples, addOrganismOptions, parseCountOption, parseDurationOption } from "../command.ts";
import { findOrganism } from "../organism.ts";

interface ChaosOptions extends OrganismOptions {
  yes?: boolean;
  for?: number;
  every?: number;
  cells?: CellClass[];
  how?: Harm[];
  path?: string[];
  rate?: number;
  connections?: number;
  seed?: number;
  out?: string;
}

const defaults = { forMs: 30_000, everyMs: 2_000, rate: 50, connections: 16 } as const;
const bounds = {
  forMs: { min: 1_000, max: 3_600_000 },
  everyMs: { min: 100, max: 600_000 },
  rate: { min: 1, max: 10_000 },
  connections: { min: 1, max: 1_000 },
} as const;
const pathsMax = 32;

/** As a user would give up; longer than the organism takes to end what hangs. */
const requestMsMax = 15_000;
const lookEveryMs = 100;
const askMs = 500;
/** After the last strike: how long the organism may take to be whole before it is said that it did not heal. */
const healMsMax = 20_000;
/** Before the first: until everybody is there whom the DNA wants. */
const readyMsMax = 20_000;
const lossesShownMax = 5;

export const command: CliCommand<ChaosOptions> = {
  define(command) {
    addOrganismOptions(command, { json: "print what happened as JSON" });
    command
      .option("--yes", "you may harm this organism: kill, stop and slow its cells")
      .option("--for <time>", `how long (default: ${formatDuration(defaults.forMs)})`, parseDurationOption)
      .option(
        "--every <time>",
        `between two strikes, on average (default: ${formatDuration(defaults.everyMs)})`,
        parseDurationOption,
      )
      .option("--cells <classes>", "whom: drone, b-cell, ... (default: every class)", parseClasses)
      .option("--how <harms>", `what: ${harms.join(", ")} (default: all)`, parseHarms)
      .option(
        "--path <path>",
        "what to ask for, several times for several; {id} in it\nmust come back (default: /)",
        addPath,
      )
      .option("--rate <count>", `requests a second (default: ${defaults.rate})`, parseCountOption)
      .option("--connections <count>", `kept connections (default: ${defaults.connections})`, parseCountOption)
      .option("--seed <number>", "throw the same dice again", parseCountOption)
      .option("--out <file>", "write the picture over time here, as SVG");
    addExamples(command, [
      ["cellws chaos --yes", "for half a minute"],
      ["cellws chaos --yes --out chaos.svg", "with a picture"],
      ["cellws chaos --yes --cells drone --how kill --every 500ms", "fast"],
      ["cellws chaos --yes --path '/echo?{id}' --rate 500", "with ids"],
    ]);
    command.addHelpText(
      "after",
      `
It asks with GET only. An answer counts when it has the status that it had
before, and the body if that was always the same. Ctrl-C ends it early;
nothing is left stopped. Exit status: 1 when a request was lost for which
there is no excuse (a connection dies with the B cell that holds it; nothing
else may be lost), an answer was another's, or it did not heal.
More: docs/CHAOS.md.`,
    );
  },
  async run(context, _args, options) {
    const plan = planOf(options);
    const out = options.out === undefined ? null : path.resolve(context.cwd, options.out);
    if (out !== null && !fs.statSync(path.dirname(out), { throwIfNoEntry: false })?.isDirectory()) {
      throw usage("--out", `no folder ${path.dirname(out)}`, "a file in a folder that exists");
    }
    const { run, file } = await findOrganism(options.name, { cwd: context.cwd, accept: "living" });
    if (file === null)
      throw new CellwsError("CELLWS_E_NO_ORGANISM", 1, `'${run.name}' does not say where it listens yet`);
    if (options.yes !== true) throw notAllowed(file, plan);

    const view = await unleash(run, file, plan, context);
    if (out !== null) writePicture(out, chaosChart(view));
    if (options.json === true) context.out(JSON.stringify({ name: run.name, ...view }));
    else for (const line of renderChaos(view, context.style)) context.out(line);
    if (out !== null) context.note(`cellws: the picture is in ${out}`);
    const wrong = view.requests.byLoss["wrong"] ?? 0;
    const isHealed = view.strikes.every(({ healedMs }) => healedMs !== null);
    return view.requests.unexcused > 0 || wrong > 0 || !isHealed ? 1 : 0;
  },
};

interface Plan {
  readonly forMs: number;
  readonly everyMs: number;
  readonly classes: readonly CellClass[];
  readonly harms: readonly Harm[];
  readonly paths: readonly string[];
  readonly rate: number;
  readonly connections: number;
  readonly seed: number;
}

function planOf(options: ChaosOptions): Plan {
  const within = (option: string, value: number, { min, max }: { min: number; max: number }, unit = ""): number => {
    if (value >= min && value <= max) return value;
    throw usage(option, `${value}${unit}`, `${min}${unit} to ${max}${unit}`);
  };
  return {
    forMs: within("--for", options.for ?? defaults.forMs, bounds.forMs, "ms"),
    everyMs: within("--every", options.every ?? defaults.everyMs, bounds.everyMs, "ms"),
    classes: options.cells ?? cellClasses,
    harms: options.how ?? harms,
    paths: options.path ?? ["/"],
    rate: within("--rate", options.rate ?? defaults.rate, bounds.rate),
    connections: within("--connections", options.connections ?? defaults.connections, bounds.connections),
    seed: options.seed ?? crypto.randomInt(1_000_000),
  };
}

async function unleash(run: RunDir, file: OrganismFile, plan: Plan, context: CliContext): Promise<ChaosView> {
  const dice = new Dice(plan.seed);
  const mischief = new Mischief();
  const tally = new Tally();
  const tell = progressLine(context);
  const listener = file.listen[0];
  if (listener === undefined) throw new CellwsError("CELLWS_E_CHAOS_LOAD", 1, "the organism listens nowhere");
  const target = { ...listener, host: isEveryAddress(listener.host) ? "127.0.0.1" : listener.host };
  const { paths, rate, connections } = plan;
  const load = new Load({ target, paths, ratePerSecond: rate, connections, timeoutMs: requestMsMax }, (outcome) =>
    tally.add(outcome),
  );
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  const loaded = new AbortController();
  let running: Promise<void> = Promise.resolve();
  try {
    const learned = await load.learn().catch((error: Error) => {
      throw new CellwsError("CELLWS_E_CHAOS_LOAD", 1, "the app does not answer well enough to be put to the test", {
        path: "--path",
        found: error.message,
        expected: "the same status twice, before anything was done to it",
        hint: "See `cellws status`. Nothing was harmed.",
      });
    });
    const wanted = wantedOf(run, file);
    await untilReady(run, wanted, interrupted.signal);

    const startedMs = performance.now();
    const nowMs = (): number => performance.now() - startedMs;
    running = load.run(loaded.signal);
    let nextStrikeMs = plan.everyMs / 2;
    const isOver = (): boolean =>
      interrupted.signal.aborted || (nowMs() >= plan.forMs && (tally.isHealed || nowMs() >= plan.forMs + healMsMax));
    while (!isOver()) {
      const { cells } = (await surveyOrganism(run, { timeoutMs: askMs })).survey;
      tally.saw(cells, wanted, nowMs());
      mischief.letGo();
      if (nowMs() >= nextStrikeMs && nowMs() < plan.forMs && !interrupted.signal.aborted) {
        const moving = cells.filter((cell) => !mischief.isStopped(cell));
        const strike = chooseStrike(moving, plan, dice);
        if (strike !== null && mischief.strike(strike)) tally.struck(strike, nowMs());
        // Between half and one and a half of it: no two organisms are struck in step.
        nextStrikeMs = nowMs() + (plan.everyMs * (500 + dice.below(1_001))) / 1_000;
      }
      tell(
        `${formatDuration(nowMs())}: ${formatCount(tally.strikes.length, "cell")} struck, ${tally.answered} answered, ${tally.lost} lost, ${describe(cells)}`,
      );
      await sleep(lookEveryMs, undefined, { signal: interrupted.signal }).catch(() => undefined);
    }
    const durationMs = nowMs();
    loaded.abort();
    await mischief.end();
    await running;
    tell(null);
    const requests = requestsOf(tally);
    return {
      title: `${run.name}: ${formatCount(tally.strikes.length, "strike")} in ${formatDuration(durationMs)}`,
      notes: [
        `${rate} requests/s to ${urlOf(listener)} over ${connections} connections; ${[...learned].map(([asked, how]) => `${asked} verified by ${how.verification}`).join(", ")}`,
      ],
      durationMs,
      seed: plan.seed,
      endedEarly: interrupted.signal.aborted,
      requests,
      latencyMs: { p50: tally.latencyMs(0.5), p99: tally.latencyMs(0.99), max: tally.latencyMs(1) },
      strikes: tally.strikes,
      slices: tally.slices(),
      sliceMs,
      census: tally.census,
    };
  } finally {
    loaded.abort();
    await mischief.end();
    await running;
    for (const signal of signals) process.off(signal, interrupt);
  }
}

function requestsOf(tally: Tally): ChaosView["requests"] {
  const { answered, lost, unexcused, lossCounts: byLoss, losses } = tally;
  const worstFirst = losses.toSorted((a, b) => Number(a.isExcused) - Number(b.isExcused));
  return { answered, lost, unexcused, byLoss, firstLosses: worstFirst.slice(0, lossesShownMax) };
}

/** Whom the DNA wants at least. */
function wantedOf(run: RunDir, file: OrganismFile): Populations {
  try {
    const { cells } = JSON.parse(fs.readFileSync(dnaPath(run, file.revision), "utf8")) as Pick<Dna, "cells">;
    return {
      neuron: cells.neuron.min,
      "b-cell": cells.bCell.min,
      "t-cell": cells.tCell.min,
      drone: cells.drone.min,
      stem: cells.stem.pool,
    };
  } catch (error) {
    throw new CellwsError("CELLWS_E_CHAOS_LOAD", 1, "the organism's DNA cannot be read", {
      found: (error as Error).message,
      hint: "Nothing was harmed.",
    });
  }
}

async function untilReady(run: RunDir, wanted: Populations, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + readyMsMax;
  for (;;) {
    const { cells } = (await surveyOrganism(run, { timeoutMs: askMs })).survey;
    const lacking = Object.entries(wanted).filter(
      ([cellClass, count]) =>
        cells.filter((cell) => cell.class === cellClass && cell.state !== "draining").length < count,
    );
    if (lacking.length === 0 || signal.aborted) return;
    if (performance.now() > deadlineMs) {
      throw new CellwsError("CELLWS_E_CHAOS_LOAD", 1, "the organism is not whole, even before anything is done to it", {
        found: describe(cells),
        expected: Object.entries(wanted)
          .map(([cellClass, count]) => `${count} ${cellClass}`)
          .join(", "),
        hint: "See `cellws status`. Nothing was harmed.",
      });
    }
    await sleep(lookEveryMs);
  }
}

function describe(cells: readonly SurveyedCell[]): string {
  return cellClasses
    .map((cellClass) => ({ cellClass, count: cells.filter((cell) => cell.class === cellClass).length }))
    .filter(({ count }) => count > 0)
    .map(({ cellClass, count }) => `${count} ${cellClass}`)
    .join(", ");
}

const repeatMs = 5_000;

/** In a terminal one line that changes; elsewhere one now and then. Null: over. */
function progressLine({ isInteractive, note }: CliContext): (line: string | null) => void {
  let toldMs = performance.now();
  return (line) => {
    if (isInteractive) return void process.stderr.write(`\r\u001b[K${line === null ? "" : `chaos ${line}`}`);
    if (line === null || performance.now() - toldMs < repeatMs) return;
    toldMs = performance.now();
    note(`chaos ${line}`);
  };
}

function notAllowed(file: OrganismFile, { forMs, everyMs, classes, harms: how }: Plan): CellwsError {
  const whom = classes.length === cellClasses.length ? "any of its cells" : classes.join(", ");
  return new CellwsError("CELLWS_E_CHAOS_NOT_ALLOWED", 2, `nothing was harmed: say --yes, and '${file.name}' will be`, {
    found: `${file.name} at ${file.listen.map(urlOf).join(" ")}`,
    expected: "--yes",
    hint: `It would ${how.join(", ")} ${whom} about every ${formatDuration(everyMs)} for ${formatDuration(forMs)}, under load. Do not begin with what others depend on.`,
  });
}

function writePicture(file: string, text: string): void {
  try {
    fs.writeFileSync(file, text);
  } catch (error) {
    throw new CellwsError("CELLWS_E_OUTPUT", 1, "the picture could not be written", {
      path: file,
      found: (error as Error).message,
    });
  }
}

function parseClasses(text: string): CellClass[] {
  return parseList(text, cellClasses);
}

function parseHarms(text: string): Harm[] {
  return parseList(text, harms);
}

function parseList<T extends string>(text: string, from: readonly T[]): T[] {
  return [...new Set(text.split(","))].map((word) => {
    const found = from.find((one) => one === word.trim());
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`Write some of ${from.join(", ")}, with commas between them.`);
  });
}

function addPath(text: string, before: string[] = []): string[] {
  if (!/^\/[\x21-\x7e]*$/.test(text)) throw new InvalidArgumentError("Write a path as in a URL, beginning with /.");
  if (before.length >= pathsMax) throw new InvalidArgumentError(`At most ${pathsMax} paths.`);
  return [...before, text];
}

function usage(option: string, found: string, expected: string): CellwsError {
  return new CellwsError("CELLWS_E_USAGE", 2, `${option} cannot be used so`, { path: option, found, expected });
}
