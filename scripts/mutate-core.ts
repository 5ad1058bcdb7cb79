/**
 * Is every rule of the mind needed? Takes them away one at a time, in a copy of the sources, and runs scenarios, tests of the
 * core and random trials against what is left, until something notices.
 *
 *   npm run mutate                      all of scripts/mutations.ts
 *   npm run mutate -- --only "a vote"   those whose rule holds that text; may be said several times
 *   npm run mutate -- --from "a vote"   the first such and all after it
 *   npm run mutate -- --judge tests     nobody but these judges: does a test fail that was written for a rule?
 *
 * Exit code 1 where a rule was not missed that the table does not explain, 2 where there is no such rule or judge.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Mutation } from "./mutations.ts";
import { mutations } from "./mutations.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [""] },
    from: { type: "string", default: "" },
    judge: { type: "string", multiple: true, default: [] },
  },
});
const root = path.resolve(import.meta.dirname, "..");
const copied = ["src", "scripts", "test/core", "test/sim", "test/wire", "test/host", "test/support", "test/scenarios"];

const organismTest = "test/core/organism.test.ts";
/** What tests rules on states made by hand. The trials of whole organisms are a judge of their own. */
const ruleTests = [
  ...fs.readdirSync(path.join(root, "test/core")).map((file) => `test/core/${file}`),
  "test/wire/belief.test.ts",
].filter((file) => file !== organismTest);

/** What may notice, the simulator first; each within its time. A run that does not end has noticed too. */
const judges = [
  { name: "scenarios", args: ["scripts/play-scenarios.ts"], msMax: 300_000 },
  { name: "trials", args: ["scripts/sim.ts", "--seeds", "40", "--once", "--first-violation"], msMax: 300_000 },
  { name: "tests", args: ["--test", ...ruleTests], msMax: 120_000 },
  { name: "organism", args: ["--test", organismTest], msMax: 300_000 },
] as const;
const asked = values.judge.length === 0 ? judges : judges.filter(({ name }) => values.judge.includes(name));

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cellws-mutate-"));
try {
  process.exitCode = run();
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

function run(): number {
  for (const part of copied) fs.cpSync(path.join(root, part), path.join(folder, part), { recursive: true });
  fs.copyFileSync(path.join(root, "package.json"), path.join(folder, "package.json"));
  fs.symlinkSync(fs.realpathSync(path.join(root, "node_modules")), path.join(folder, "node_modules"));
  const start = mutations.findIndex(({ rule }) => rule.includes(values.from));
  const chosen = mutations.filter(({ rule }, i) => i >= start && values.only.some((text) => rule.includes(text)));
  if (start === -1 || chosen.length === 0 || asked.length === 0) {
    console.error(
      `mutate: no such rule in scripts/mutations.ts, or no judge of ${judges.map(({ name }) => name).join(", ")}`,
    );
    return 2;
  }
  for (const mutation of chosen) assertThere(mutation);
  const alone = noticedBy();
  if (alone !== null) {
    console.error(`mutate: the ${alone} fail as the sources stand`);
    return 1;
  }
  let unexplained = 0;
  let noticed = 0;
  for (const mutation of chosen) {
    const judge = tryOne(mutation);
    if (judge !== null) noticed += 1;
    else if (mutation.survives === undefined) unexplained += 1;
    const outcome = judge === null ? (mutation.survives === undefined ? "NOT NOTICED" : "explained") : judge;
    console.log(`${outcome.padEnd(12)} ${mutation.file.padEnd(24)} ${mutation.rule}`);
  }
  const explained = chosen.length - noticed - unexplained;
  const share = ((100 * noticed) / chosen.length).toFixed(1);
  console.log(
    `mutate: ${chosen.length} rules, ${noticed} missed when taken away (${share} %), ${explained} explained, ${unexplained} neither`,
  );
  return unexplained === 0 ? 0 : 1;
}

/** Before the first is tried: the whole table takes half an hour. */
function assertThere({ file, find, rule }: Mutation): void {
  const count = fs.readFileSync(path.join(folder, file), "utf8").split(find).length - 1;
  if (count !== 1) throw new Error(`"${rule}": its text is there ${count} times in ${file}, and not once`);
}

/** Which judge noticed, or null. */
function tryOne({ file, find, replace }: Mutation): string | null {
  const at = path.join(folder, file);
  const source = fs.readFileSync(at, "utf8");
  fs.writeFileSync(
    at,
    source.replace(find, () => replace),
  );
  try {
    return noticedBy();
  } finally {
    fs.writeFileSync(at, source);
  }
}

function noticedBy(): string | null {
  for (const { name, args, msMax } of asked) {
    const { status } = spawnSync(process.execPath, args, { cwd: folder, timeout: msMax, killSignal: "SIGKILL" });
    if (status !== 0) return name;
  }
  return null;
}
