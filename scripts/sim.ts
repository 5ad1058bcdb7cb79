/**
 * Runs trials in the simulator and says what they showed. Each seed is run twice and must give the same history.
 *
 *   npm run sim -- --seeds 2000             seeds 1 to 2000
 *   npm run sim -- --seeds 100 --seed 5001  seeds 5001 to 5100
 *
 * The last line is the summary. Exit code 1 where anything was violated; the seed that shows it is printed.
 */
import { parseArgs } from "node:util";
import type { FaultKind, TrialResult } from "../src/sim/trial.ts";
import { faultKinds, runTrial } from "../src/sim/trial.ts";

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "100" }, seed: { type: "string", default: "1" } },
});
const [count, first] = [Number(values.seeds), Number(values.seed)];
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(first)) {
  console.error("sim: --seeds and --seed take whole numbers");
  process.exit(2);
}

const results: TrialResult[] = [];
let violations = 0;
for (let seed = first; seed < first + count; seed += 1) {
  const result = runTrial(seed);
  const again = runTrial(seed);
  const violation =
    result.violation ?? (again.fingerprint === result.fingerprint ? null : "two runs gave two histories");
  results.push(result);
  if (violation !== null) {
    violations += 1;
    console.log(`seed ${seed}: ${violation}`);
  }
  if (results.length % 100 === 0) console.log(`${results.length} of ${count} seeds, ${violations} with a violation`);
}
console.log(summarize());
process.exitCode = violations === 0 ? 0 : 1;

function summarize(): string {
  const sum = (of: (result: TrialResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const recoveries = results
    .flatMap(({ recoveryMs }) => (recoveryMs === null ? [] : [recoveryMs]))
    .sort((a, b) => a - b);
  const at = (share: number): number =>
    recoveries[Math.min(recoveries.length - 1, Math.floor(share * recoveries.length))] ?? 0;
  const faults = faultKinds.map((kind: FaultKind) => `${kind} ${sum((r) => r.faults[kind])}`).join(", ");
  const cellYears = sum((r) => r.cellMs) / (365.25 * 86_400_000);
  const healthy = sum((r) => r.executions.healthy);
  return [
    `sim: ${count} seeds from ${first}, ${violations} violations`,
    `${sum((r) => r.events)} events, ${cellYears.toFixed(3)} virtual cell-years`,
    `faults: ${faults}`,
    `recovery p50 ${at(0.5)} p99 ${at(0.99)} max ${recoveries.at(-1) ?? 0} ms`,
    `voted out: ${sum((r) => r.executions.hung)} hung, ${sum((r) => r.executions.surplus)} surplus, ${healthy} healthy`,
  ].join("; ");
}
