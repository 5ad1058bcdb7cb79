/**
 * Runs trials in the simulator and says what they showed. Each seed is run twice and must give the same history.
 *
 *   npm run sim -- --seeds 2000             seeds 1 to 2000
 *   npm run sim -- --seeds 100 --seed 5001  seeds 5001 to 5100
 *   npm run sim -- --mass-deaths 3          instead: 30, 50, 80 and 95 % of 200 cells die at once, in so many organisms
 *   npm run sim -- --seeds 2000 --results trials.jsonl    keeps each result there; called again it goes on where it was ended
 *
 * With --first-violation it stops at the first; with --once no seed is run again to compare the histories. The last line is the summary. Exit code 1 where anything was violated; the
 * seed that shows it is printed.
 */
import fs from "node:fs";
import { parseArgs } from "node:util";
import type { MassDeath } from "../src/sim/mass-death.ts";
import { massDeaths, recoveryMsMax } from "../src/sim/mass-death.ts";
import { misdeeds } from "../src/sim/infection.ts";
import type { TrialResult } from "../src/sim/trial.ts";
import { faultKinds, runTrial } from "../src/sim/trial.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    "mass-deaths": { type: "string" },
    "first-violation": { type: "boolean", default: false },
    once: { type: "boolean", default: false },
    results: { type: "string" },
  },
});
const [count, first] = [Number(values.seeds), Number(values.seed)];
const deaths = values["mass-deaths"] === undefined ? null : Number(values["mass-deaths"]);
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(first) || (deaths !== null && !(deaths >= 1))) {
  console.error("sim: --seeds, --seed and --mass-deaths take whole numbers");
  process.exit(2);
}
process.exitCode = deaths === null ? runTrials() : runMassDeaths(deaths);

function runTrials(): number {
  const results: TrialResult[] = [];
  const kept = keptResults(values.results);
  let violations = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const result = kept.get(seed) ?? runTwice(seed);
    if (values.results !== undefined && !kept.has(seed))
      fs.appendFileSync(values.results, `${JSON.stringify(result)}\n`);
    const { violation } = result;
    results.push(result);
    if (violation !== null) {
      violations += 1;
      console.log(`seed ${seed}: ${violation}`);
      if (values["first-violation"]) break;
    }
    if (results.length % 100 === 0) console.log(`${results.length} of ${count} seeds, ${violations} with a violation`);
  }
  for (const line of recoveryTable(results)) console.log(line);
  console.log(summarize(results, violations));
  return violations === 0 ? 0 : 1;
}

/** A seed must give the same history each time. */
function runTwice(seed: number): TrialResult {
  const result = runTrial(seed);
  if (values.once || result.violation !== null) return result;
  const isSame = runTrial(seed).fingerprint === result.fingerprint;
  return isSame ? result : { ...result, violation: "two runs gave two histories" };
}

function keptResults(file: string | undefined): ReadonlyMap<number, TrialResult> {
  if (file === undefined || !fs.existsSync(file)) return new Map();
  const lines = fs
    .readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return new Map(lines.map((line) => JSON.parse(line) as TrialResult).map((result) => [result.seed, result]));
}

/** Recovery against the largest share of the working cells that a fault took away in the quarter of a minute before. */
function recoveryTable(results: readonly TrialResult[]): string[] {
  const rows = [
    [0, 10],
    [10, 30],
    [30, 50],
    [50, 80],
    [80, 101],
  ] as const;
  return rows.map(([from, to]) => {
    const these = results.filter(({ lossPercent: loss }) => loss >= from && loss < to);
    const times = recoveriesOf(these);
    const label = `${from} to ${Math.min(100, to)} % lost shortly before`.padEnd(34);
    const service = timesOf(these, ({ serviceMs }) => serviceMs);
    return `${label} ${String(times.length).padStart(5)} trials, at work ${spread(service)}, whole ${spread(times)} ms`;
  });
}

function summarize(results: readonly TrialResult[], violations: number): string {
  const sum = (of: (result: TrialResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const cellYears = sum((r) => r.cellMs) / (365.25 * 86_400_000);
  // Where deaths left the infected a majority nothing was promised: see the last words.
  const healthy = sum((r) => (r.excused > 0 ? 0 : r.executions.healthy));
  const sentences = sum(({ executions: { hung, infected, worn, outdated } }) => hung + infected + worn + outdated);
  // The rule of three: none in n makes the rate less than 3/n, with 95 % confidence.
  const bound = healthy === 0 && sentences > 0 ? ` (below ${((100 * 3) / sentences).toFixed(3)} % of sentences)` : "";
  return [
    `sim: ${results.length} seeds from ${first}, ${violations} violations`,
    `${sum((r) => r.events)} events, ${cellYears.toFixed(3)} virtual cell-years`,
    `faults: ${faultKinds.map((kind) => `${kind} ${sum((r) => r.faults[kind])}`).join(", ")}`,
    `messages: ${sum((r) => r.mishaps.lost)} lost, ${sum((r) => r.mishaps.doubled)} doubled, ` +
      `${sum((r) => r.mishaps.overtaken)} overtaken, ${sum((r) => r.mishaps.refused)} not believed`,
    `${sum((r) => r.infectedCells)} infected cells: ${misdeeds.map((deed) => `${deed} ${sum((r) => r.misdeeds[deed])}`).join(", ")}`,
    `every class at work again ${spread(timesOf(results, (r) => r.serviceMs))} ms`,
    `whole again ${spread(recoveriesOf(results))} ms`,
    `renewed after that ${spread(timesOf(results, (r) => r.renewalMs))} ms`,
    `${sum((r) => r.sleeps)} sleeps, the last ${spread(timesOf(results, (r) => r.sleepMs))} ms after the last request`,
    `above a cap ${((100 * sum((r) => r.aboveCapMs)) / sum((r) => r.virtualMs)).toFixed(3)} % of the time`,
    `voted out: ${sum((r) => r.executions.hung)} hung, ${sum((r) => r.executions.infected)} infected, ` +
      `${sum((r) => r.executions.surplus)} surplus, ${sum((r) => r.executions.worn)} worn out, ` +
      `${sum((r) => r.executions.outdated)} outdated, ${healthy} healthy${bound}`,
    `no promise held in ${sum((r) => (r.excused > 0 ? 1 : 0))} trials, where deaths left the infected a majority`,
  ].join("; ");
}

function runMassDeaths(seeds: number): number {
  const percents = [30, 50, 80, 95];
  const runs: MassDeath[] = [];
  for (let seed = first; seed < first + seeds; seed += 1) {
    for (const run of massDeaths(seed, percents)) {
      runs.push(run);
      const { percent, killed, cells, recoveryMs } = run;
      const outcome = recoveryMs === null ? `not whole within ${recoveryMsMax} ms` : `whole after ${recoveryMs} ms`;
      console.error(`seed ${seed}, ${percent} %: ${killed} of ${cells} have died, ${outcome}`);
    }
  }
  const failed = runs.filter(({ recoveryMs }) => recoveryMs === null).length;
  for (const percent of percents) {
    const these = runs.filter((run) => run.percent === percent);
    const times = these.map(({ recoveryMs }) => recoveryMs ?? recoveryMsMax).sort((a, b) => a - b);
    const { cells, killed } = these[0] ?? { cells: 0, killed: 0 };
    console.log(
      `${percent} %: ${killed} of ${cells} cells die; one tree and full populations after ${spread(times)} ms`,
    );
  }
  console.log(`mass deaths: ${seeds} seeds from ${first}, ${failed} not whole within ${recoveryMsMax} ms`);
  return failed === 0 ? 0 : 1;
}

function recoveriesOf(results: readonly TrialResult[]): number[] {
  return timesOf(results, ({ recoveryMs }) => recoveryMs);
}

function timesOf(results: readonly TrialResult[], of: (result: TrialResult) => number | null): number[] {
  return results.flatMap((result) => of(result) ?? []).sort((a, b) => a - b);
}

function spread(sorted: readonly number[]): string {
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return `p50 ${at(0.5)} p99 ${at(0.99)} max ${sorted.at(-1) ?? 0}`;
}
