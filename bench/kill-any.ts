/**
 * Cells of every class are killed with SIGKILL twice a second under load, the first one included: no request may fail. When B cells
 * are killed only requests may be lost whose connection the killed one held, and no connection is refused. See README.md.
 *
 * Who held a connection is not taken on trust: right before a B cell is killed the kernel's tables are read for the
 * connections that it holds. Ends with 1 where anything is amiss.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { CellClass } from "../src/core/cell.ts";
import { signalProcess } from "../src/host/proc.ts";
import type { SurveyedCell } from "../src/wire/survey.ts";
import { type Organism, startOrganism } from "../test/e2e/organism.ts";
import { table } from "./lib/figures.ts";
import { quantile } from "./lib/tools.ts";
import { VerifiedLoad } from "./lib/verified-load.ts";
import { cellsOf, untilWhole } from "./lib/watch.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    "b-seconds": { type: "string", default: "30" },
    rate: { type: "string", default: "2000" },
    every: { type: "string", default: "500" },
    json: { type: "boolean", default: false },
  },
});
const seconds = wholeNumber("seconds", values.seconds, 600);
const bSeconds = wholeNumber("b-seconds", values["b-seconds"], 600);
const rate = wholeNumber("rate", values.rate, 20_000);
const killEveryMs = wholeNumber("every", values.every, 60_000);

const wanted = { neuron: 1, "b-cell": 2, "t-cell": 1, drone: 3, stem: 4 };
const connections = 64;
const timeoutMs = 10_000;
const wholeMsMax = 60_000;
/** Of the kills that were due; with fewer nothing is shown. */
const killedShareMin = 0.8;

interface Phase {
  readonly load: VerifiedLoad;
  readonly kills: Map<CellClass, number>;
  killsDue: number;
  /** Client ports of connections that a killed B cell held. */
  readonly heldByTheDead: Set<number>;
  firstCellDied: boolean;
  wholeAfterMs: number;
}

const endings: Array<() => Promise<void>> = [];
let isSound = false;
try {
  const organism = await startOrganism(
    { after: (ending) => endings.push(ending) },
    {
      app: fileURLToPath(new URL("./lib/echo-app.mjs", import.meta.url)),
      dna: {
        cells: {
          neuron: { min: 1, max: 1 },
          bCell: { min: 2, max: 2 },
          tCell: { min: 1, max: 1 },
          drone: { min: 3, max: 3 },
          stem: { pool: 4 },
        },
        // Deaths that somebody else has caused are no failures of the app, which the organism cannot know.
        restarts: { countMax: 1_000, backoffMsMin: 10, backoffMsMax: 10 },
      },
    },
  );
  await organism.request({ path: "/echo?id=first" });
  const others = await phase(organism, seconds, ["drone", "neuron", "t-cell", "stem"]);
  const bCells = await phase(organism, bSeconds, ["b-cell"]);
  isSound = report(others, bCells);
} finally {
  for (const ending of endings) await ending();
}
process.exitCode = isSound ? 0 : 1;

async function phase(organism: Organism, phaseSeconds: number, classes: readonly CellClass[]): Promise<Phase> {
  const before = await untilWhole(organism, wanted, { everyMs: 50, msMax: wholeMsMax });
  if (before === null) throw new Error(`the organism was not whole within ${wholeMsMax} ms\n${await organism.dump()}`);
  const load = new VerifiedLoad({ port: organism.at().port, ratePerSecond: rate, connections, timeoutMs });
  const result: Phase = {
    load,
    kills: new Map(),
    killsDue: 0,
    heldByTheDead: new Set(),
    firstCellDied: false,
    wholeAfterMs: 0,
  };
  const endMs = performance.now() + phaseSeconds * 1_000;
  const loaded = load.run(phaseSeconds * 1_000);
  for (let dueMs = performance.now() + killEveryMs; dueMs < endMs - killEveryMs; dueMs += killEveryMs) {
    await sleep(Math.max(0, dueMs - performance.now()));
    result.killsDue += 1;
    await killOne(organism, classes, result);
  }
  await loaded;
  const atMs = performance.now();
  const whole = await untilWhole(organism, wanted, { everyMs: 50, msMax: wholeMsMax });
  result.wholeAfterMs = whole === null ? Number.POSITIVE_INFINITY : performance.now() - atMs;
  return result;
}

async function killOne(organism: Organism, classes: readonly CellClass[], result: Phase): Promise<void> {
  const cells = await cellsOf(organism);
  const victims = cells.filter((cell) => classes.includes(cell.class));
  // The first cell of all, once, as the first victim.
  const first = victims.find(({ generation }) => generation === 0);
  const chosen = classes[Math.floor(Math.random() * classes.length)];
  const ofClass = victims.filter((cell) => cell.class === chosen);
  const victim = first ?? pick(ofClass) ?? pick(victims);
  if (victim === undefined) return;
  if (victim.class === "b-cell") {
    // Stopped first, or what it accepts between the look and its end would seem to be another's.
    if (signalProcess(victim, "SIGSTOP") !== "sent") return;
    for (const port of connectionsOf(victim.pid, organism.at().port)) result.heldByTheDead.add(port);
  }
  if (signalProcess(victim, "SIGKILL") !== "sent") return;
  if (victim === first) result.firstCellDied = true;
  result.kills.set(victim.class, (result.kills.get(victim.class) ?? 0) + 1);
}

function pick(cells: readonly SurveyedCell[]): SurveyedCell | undefined {
  return cells[Math.floor(Math.random() * cells.length)];
}

/** Client ports of the connections to `port` that a process holds, as the kernel tells. */
function connectionsOf(pid: number, port: number): number[] {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // Closed meanwhile.
    }
  }
  const portOf = (address = ""): number => Number.parseInt(address.split(":")[1] ?? "", 16);
  return readFileSync("/proc/net/tcp", "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => portOf(fields[1]) === port && inodes.has(fields[9] ?? ""))
    .map((fields) => portOf(fields[2]));
}

function report(others: Phase, bCells: Phase): boolean {
  const unexplained = bCells.load.lost.filter(({ localPort }) => !bCells.heldByTheDead.has(localPort));
  const refused = [...others.load.lost, ...bCells.load.lost].filter(({ kind }) => kind === "refused").length;
  const figuresOf = (seen: Phase) => ({
    sent: seen.load.sent,
    answered: seen.load.answered,
    lost: seen.load.lost.length,
    wrong: seen.load.lost.filter(({ kind }) => kind === "wrong").length,
    killsDue: seen.killsDue,
    kills: Object.fromEntries(seen.kills),
    msP50: quantile(seen.load.latenciesMs, 0.5),
    msP99: quantile(seen.load.latenciesMs, 0.99),
    msMax: quantile(seen.load.latenciesMs, 1),
    wholeAfterMs: seen.wholeAfterMs,
  });
  const killed = (seen: Phase): number => [...seen.kills.values()].reduce((sum, count) => sum + count, 0);
  const isKilledEnough = [others, bCells].every(
    (seen) => killed(seen) >= seen.killsDue * killedShareMin && seen.killsDue > 0,
  );
  const isWhole = [others, bCells].every(({ wholeAfterMs }) => Number.isFinite(wholeAfterMs));
  const sound =
    isKilledEnough &&
    isWhole &&
    others.firstCellDied &&
    others.load.lost.length === 0 &&
    unexplained.length === 0 &&
    refused === 0;
  const figures = {
    node: process.version,
    rate,
    others: figuresOf(others),
    bCells: figuresOf(bCells),
    lostOnOtherConnections: unexplained.length,
    refused,
    firstCellDied: others.firstCellDied,
    sound,
  };
  if (values.json) console.log(JSON.stringify(figures, null, 2));
  else {
    const column = (seen: ReturnType<typeof figuresOf>) => [
      seen.sent,
      Object.entries(seen.kills)
        .map(([name, count]) => `${count} ${name}`)
        .join(", "),
      seen.killsDue,
      seen.lost,
      seen.wrong,
      [seen.msP50, seen.msP99, seen.msMax].map((ms) => ms.toFixed(0)).join(" / "),
      `${(seen.wholeAfterMs / 1_000).toFixed(1)} s`,
    ];
    const [a, b] = [column(figures.others), column(figures.bCells)];
    const names = [
      "requests",
      "killed",
      "kills due",
      "requests lost",
      "answers that were another's",
      "answer ms, p50 / p99 / max",
      "whole after the last",
    ];
    console.log(`kill-any, ${rate} requests/s over ${connections} connections, Node ${process.version}\n`);
    console.log(
      table([
        ["", `any but B cells, ${seconds} s`, `B cells, ${bSeconds} s`],
        ...names.map((name, i) => [name, a[i] ?? "", b[i] ?? ""] as const),
      ]),
    );
    console.log(`\nthe first cell was among them: ${figures.firstCellDied ? "yes" : "NO"}`);
    console.log(`connections refused: ${refused}`);
    console.log(`lost though no killed B cell held the connection: ${others.load.lost.length + unexplained.length}`);
    if (!isKilledEnough) console.log("too few cells were there to be killed: they did not grow again in time");
    for (const lost of [...others.load.lost, ...unexplained].slice(0, 10))
      console.log(`  ${lost.kind}: ${lost.detail}`);
    console.log(sound ? "\nsound" : "\nNOT SOUND");
  }
  return sound;
}

function wholeNumber(name: string, text: string, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  console.error(`kill-any: --${name} must be a number from 1 to ${max}, not ${text}`);
  process.exit(2);
}
