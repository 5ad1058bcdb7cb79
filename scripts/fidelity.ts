// Compares frameworks' apps under plain Node and under a real organism: node scripts/fidelity.ts [NAME...] [--write] [--keep]
//
// Each app's pinned packages are installed from npm into a temporary folder, the app is built where it needs to be, and the
// same client does the same to both. What was seen must be the same. --write puts the results of this run into
// docs/COMPATIBILITY.md and leaves those of apps that were not run; --keep leaves the folders there.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isDeepStrictEqual, parseArgs, stripVTControlCharacters } from "node:util";
import { Organism } from "../test/e2e/organism.ts";
import { startPlain } from "../test/e2e/plain.ts";
import { fidelityApps, type FidelityApp } from "./fidelity/apps.ts";
import type { At, Step } from "./fidelity/steps.ts";

const installMsMax = 10 * 60_000;
/** In docs/COMPATIBILITY.md the table is between these. */
const BEGIN = "<!-- Below: written by scripts/fidelity.ts --write. -->";
const END = "<!-- Above: written by scripts/fidelity.ts --write. -->";

interface Outcome {
  app: FidelityApp;
  /** Steps that were the same, and in all. */
  same: number;
  count: number;
  differences: string[];
  /** Why it could not be compared; null if it could. */
  failed: string | null;
}

const { values, positionals } = parseArgs({
  options: { write: { type: "boolean", default: false }, keep: { type: "boolean", default: false } },
  allowPositionals: true,
});
const wanted = fidelityApps.filter(
  ({ name }) => positionals.length === 0 || positionals.some((part) => name.toLowerCase().includes(part.toLowerCase())),
);
const outcomes: Outcome[] = [];
for (const app of wanted) {
  console.error(`${app.name} ...`);
  const outcome = await compare(app);
  outcomes.push(outcome);
  console.log(row(outcome));
  for (const difference of outcome.differences) console.log(`    ${difference}`);
}
if (values.write) writeTable(outcomes);
process.exitCode = outcomes.every(({ failed, differences }) => failed === null && differences.length === 0) ? 0 : 1;

async function compare(app: FidelityApp): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "cw-fid-"));
  const outcome: Outcome = { app, same: 0, count: 0, differences: [], failed: null };
  try {
    await prepare(app, folder);
    const steps = app.steps(folder);
    const plain = await underPlainNode(app, folder, steps);
    const organism = await underOrganism(app, folder, steps);
    outcome.count = steps.length;
    steps.forEach((step, i) => {
      if (isDeepStrictEqual(plain[i], organism[i])) outcome.same += 1;
      else outcome.differences.push(`${step.name}: ${JSON.stringify(plain[i])} became ${JSON.stringify(organism[i])}`);
    });
    const broken = steps.findIndex((_, i) => isFailure(plain[i]));
    if (broken !== -1) outcome.failed = `under plain Node: ${steps[broken]?.name}: ${JSON.stringify(plain[broken])}`;
  } catch (error) {
    outcome.failed = error instanceof Error ? error.message : String(error);
  } finally {
    if (!values.keep) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
  return outcome;
}

async function prepare({ name, packages, files, build }: FidelityApp, folder: string): Promise<void> {
  const manifest = { name: "fidelity", private: true, type: "module", dependencies: packages };
  for (const [path, text] of Object.entries({ "package.json": JSON.stringify(manifest), ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  await run(
    `installing ${name}`,
    ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"],
    folder,
  );
  if (build !== undefined) await run(`building ${name}`, build, folder);
}

async function run(what: string, [command = "", ...args]: string[], cwd: string): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), installMsMax);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${what} ended with ${code}: ${stripVTControlCharacters(output).trim().slice(-600)}`);
}

async function underPlainNode({ entry }: FidelityApp, folder: string, steps: readonly Step[]): Promise<unknown[]> {
  const app = await startPlain(join(folder, entry), {
    NODE_ENV: "production",
  });
  try {
    return await transcript(app, steps);
  } finally {
    await app.end();
  }
}

async function underOrganism(
  { entry, host = "::" }: FidelityApp,
  folder: string,
  steps: readonly Step[],
): Promise<unknown[]> {
  // One drone: what an app keeps in memory is compared too.
  const organism = new Organism({
    app: join(folder, entry),
    name: "fidelity",
    dna: { cells: { drone: { min: 1, max: 1 } }, listen: [{ host, port: 0 }] },
    listenInDna: true,
    env: { NODE_ENV: "production" },
  });
  try {
    await organism.start();
    return await transcript(organism.at(), steps);
  } finally {
    await organism.end();
  }
}

async function transcript(at: At, steps: readonly Step[]): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const step of steps) {
    seen.push(await step.run({ host: at.host, port: at.port }).catch((error: unknown) => ({ failed: String(error) })));
  }
  // As JSON, so that what is absent and what is undefined are the same.
  return JSON.parse(JSON.stringify(seen)) as unknown[];
}

function isFailure(seen: unknown): boolean {
  return typeof seen === "object" && seen !== null && "failed" in seen;
}

// ---- The table --------------------------------------------------------------------------------------------------

function row({ app, same, count, failed }: Outcome): string {
  const [version = ""] = Object.values(app.packages);
  const verdict =
    failed === null ? `${same} of ${count} the same` : `not compared: ${failed.split("\n")[0]?.slice(0, 200)}`;
  return `| ${app.name} | ${version} | ${app.tried} | ${verdict} |`;
}

function writeTable(run: readonly Outcome[]): void {
  const file = join(import.meta.dirname, "..", "docs", "COMPATIBILITY.md");
  const page = readFileSync(file, "utf8");
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from === -1 || to === -1) throw new Error(`docs/COMPATIBILITY.md lacks ${BEGIN} or ${END}`);
  const nameOf = (line: string): string => line.split("|")[1]?.trim() ?? "";
  const known = new Set(fidelityApps.map(({ name }) => name));
  const rows = new Map(
    page
      .slice(from, to)
      .split("\n")
      .filter((line) => known.has(nameOf(line)))
      .map((line) => [nameOf(line), line]),
  );
  for (const outcome of run) rows.set(outcome.app.name, row(outcome));
  const ordered = fidelityApps.flatMap(({ name }) => rows.get(name) ?? []);
  const day = new Date().toISOString().slice(0, 10);
  const table = [
    BEGIN,
    "",
    `Last run ${day}, Node ${process.versions.node}.`,
    "",
    "| App | Version | What was done | Seen as under plain Node |",
    "|---|---|---|---|",
    ...ordered,
    "",
    "",
  ];
  writeFileSync(file, page.slice(0, from) + table.join("\n") + page.slice(to));
}
