/**
 * Where the time of a request goes: an organism under load with V8's profiler in each cell. Prints what the B cell and the
 * drone spend by function, and draws a flame graph of each. See README.md.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installPackage } from "./lib/package.ts";
import { saturate, workloads } from "./lib/load.ts";
import { dearest, flameGraph, mergeProfiles, type CpuProfile } from "./lib/profile.ts";
import { table } from "./lib/figures.ts";
import { provide } from "./lib/tools.ts";

const connections = 64;
const warmUpSeconds = 2;
const functionsMax = 20;

const { values } = parseArgs({
  options: {
    workload: { type: "string", default: "hello" },
    seconds: { type: "string", default: "6" },
    out: { type: "string" },
    immune: { type: "string", default: "off" },
  },
});
const load = workloads.find(({ name }) => name === values.workload);
const seconds = Number(values.seconds);
if (load === undefined || !Number.isInteger(seconds) || seconds < 1 || seconds > 600) {
  console.error(
    `profile: --workload is one of ${workloads.map(({ name }) => name).join(", ")}; --seconds from 1 to 600`,
  );
  process.exit(2);
}
if (provide([{ command: "wrk", debianPackage: "wrk" }]).length > 0) {
  console.error("profile: cannot measure without wrk\n  Install it: apt-get install wrk");
  process.exit(1);
}

const installed = await installPackage();
process.env["E2E_CELLWS"] = installed.bin;
process.env["CELLWS_NODE"] = process.execPath;
// It reads E2E_CELLWS as it is loaded.
const { ofClass, startOrganism } = await import("../test/e2e/organism.ts");
const folder = mkdtempSync(join(tmpdir(), "cellws-profiles-"));
const endings: Array<() => Promise<void>> = [];
try {
  const organism = await startOrganism(
    { after: (ending) => endings.push(ending) },
    {
      app: fileURLToPath(new URL("./lib/app.mjs", import.meta.url)),
      name: "profiled",
      env: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}` },
      dna: {
        cells: { bCell: { min: 1, max: 1 }, drone: { min: 1, max: 1 }, stem: { pool: 1 } },
        immune: { mode: values.immune },
      },
    },
  );
  await organism.request({ path: "/hello" });
  const cells = await organism.grown({ drone: 1 });
  await saturate(organism.at().port, load, connections, warmUpSeconds);
  const { requestsPerSecond } = await saturate(organism.at().port, load, connections, seconds);
  console.log(`${load.title}: ${Math.round(requestsPerSecond)} requests a second under the profiler`);
  // Each cell writes its profile as it leaves.
  await organism.stop();
  for (const cellClass of ["b-cell", "drone"] as const) {
    const pids = ofClass(cells, cellClass).map(({ pid }) => pid);
    report(cellClass, readProfiles(pids));
  }
} finally {
  for (const ending of endings) await ending();
  rmSync(folder, { recursive: true, force: true });
  installed.remove();
}

/** Files are called CPU.<date>.<time>.<pid>.<thread>.<number>.cpuprofile. */
function readProfiles(pids: readonly number[]): CpuProfile[] {
  const files = readdirSync(folder).filter((file) => pids.includes(Number(file.split(".")[3])));
  if (files.length === 0) throw new Error(`no profile of ${pids.join(", ")} among ${readdirSync(folder).join(", ")}`);
  return files.map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile);
}

function report(cellClass: string, profiles: readonly CpuProfile[]): void {
  const root = mergeProfiles(profiles);
  console.log(`\n${cellClass}: ${(root.totalUs / 1e6).toFixed(1)} s busy`);
  const rows = dearest(root, functionsMax).map(
    ({ name, place, selfUs }) => [`  ${name}  ${place}`, `${((100 * selfUs) / root.totalUs).toFixed(1)} %`] as const,
  );
  console.log(table(rows));
  if (values.out === undefined) return;
  mkdirSync(values.out, { recursive: true });
  const file = join(values.out, `flame-${cellClass}-${values.workload}.svg`);
  writeFileSync(file, `${flameGraph(root, `${cellClass}, ${load?.title ?? ""}: share of busy time`)}\n`);
  console.log(`  ${file}`);
}
