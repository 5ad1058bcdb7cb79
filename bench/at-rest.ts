/** What an organism takes of the CPU while nobody asks it anything: each cell, in percent of one processor. See README.md. */
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { table } from "./lib/figures.ts";
import { installPackage } from "./lib/package.ts";
import { cpuMs } from "./lib/tools.ts";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, settle: { type: "string", default: "60" } },
});
const seconds = Number(values.seconds);
/** V8 compiles what is hot for the better part of a minute. */
const settleSeconds = Number(values.settle);
if (![seconds, settleSeconds].every((n) => Number.isInteger(n) && n >= 1 && n <= 3_600)) {
  console.error("at-rest: --seconds and --settle are whole numbers from 1 to 3600");
  process.exit(2);
}

const installed = process.env["E2E_CELLWS"] === undefined ? await installPackage() : null;
if (installed !== null) process.env["E2E_CELLWS"] = installed.bin;
process.env["CELLWS_NODE"] = process.execPath;
// It reads E2E_CELLWS as it is loaded.
const { startOrganism } = await import("../test/e2e/organism.ts");
const endings: Array<() => Promise<void>> = [];
try {
  const organism = await startOrganism(
    { after: (ending) => endings.push(ending) },
    {
      app: fileURLToPath(new URL("./lib/app.mjs", import.meta.url)),
      name: "at-rest",
      dna: { cells: { bCell: { min: 1, max: 1 }, drone: { min: 1, max: 1 } }, immune: { mode: "off" } },
    },
  );
  await organism.request({ path: "/hello" });
  const cells = await organism.grown({ drone: 1, stem: 2 });
  await sleep(settleSeconds * 1_000);
  const before = cells.map(({ pid }) => cpuMs([pid]));
  const beganMs = performance.now();
  await sleep(seconds * 1_000);
  const elapsedMs = performance.now() - beganMs;
  const shares = cells.map(({ pid }, i) => (100 * (cpuMs([pid]) - (before[i] ?? 0))) / elapsedMs);
  const rows = cells.map((cell, i) => [`  ${cell.class}`, `${(shares[i] ?? 0).toFixed(2)} %`] as const);
  console.log(table([...rows, ["  together", `${shares.reduce((a, b) => a + b, 0).toFixed(2)} %`]]));
} finally {
  for (const ending of endings) await ending();
  installed?.remove();
}
