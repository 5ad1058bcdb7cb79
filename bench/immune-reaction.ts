/**
 * How long from the request that makes it too much until the attacker is refused by every cell? See README.md.
 *
 * A real organism with eight B cells and more, on one machine. Through a trusted proxy's field each trial is an attacker of
 * its own: four requests that a rule takes for code execution, of which three are not yet enough. The clock starts before the
 * fourth is written. Over one kept connection to each B cell the same client then asks for a harmless page again and again; each
 * cell's time is when its first refusal has arrived. So what is measured is the whole way: judging, the mark's way over
 * kin links, the ledger, the sentence, its write to the disk, the record's way back to every cell, and the refusal.
 *
 * A p99 wants some hundreds of trials: 200 take about two minutes. It tells how far it is on standard error; with `--samples FILE`
 * each trial is appended there, and what is there already counts, so that a run may be interrupted and gone on with.
 *
 * Ends with 1 where a cell does not refuse in time, three requests were enough, or it was interrupted before the end.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Organism, startOrganism } from "../test/e2e/organism.ts";
import { table } from "./lib/figures.ts";
import { quantile } from "./lib/tools.ts";

const { values } = parseArgs({
  options: {
    trials: { type: "string", default: "200" },
    cells: { type: "string", default: "8" },
    samples: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const trials = Number(values.trials);
const cellCount = Number(values.cells);

/** Between two questions to a cell: finer than what is to be told, and no load to speak of. */
const askEveryMs = 2;
const refusedMsMax = 5_000;
/** Between two trials, so that one does not run into the next. */
const pauseMs = 100;
/** One after the other, until each cell has taken one. */
const connectionsMax = 500;
const edgesMs = [2, 5, 10, 20, 50, 100, 250, 1_000, refusedMsMax];
const tellEveryMs = 5_000;

/** One trial: milliseconds until each cell refused, the one that judged first. */
type Sample = readonly number[];

const interruption = new AbortController();
process.once("SIGINT", () => interruption.abort());

const endings: Array<() => Promise<void>> = [];
try {
  process.exitCode = (await measure()) ? 0 : 1;
} finally {
  for (const ending of endings.reverse()) await ending();
}

async function measure(): Promise<boolean> {
  const samples = readSamples();
  const rule = `SecRule ARGS "@contains attack" "id:1000,phase:2,deny,log,tag:'attack-rce'"\n`;
  const app = `import http from "node:http";\nhttp.createServer((_q, s) => s.end("x")).listen(3000);\n`;
  const organism = await startOrganism(
    { after: (ending) => endings.push(ending) },
    {
      app: "app.mjs",
      files: { "app.mjs": app, "rules.conf": rule },
      scratchEnv: { RULES: "rules.conf" },
      dna: `export default {
        http: { trustedProxies: ["127.0.0.0/8"] },
        cells: {
          bCell: { min: ${cellCount}, max: ${cellCount} }, tCell: { min: 1, max: 2 },
          drone: { min: 1, max: 1 }, stem: { pool: 2 },
        },
        immune: { mode: "block", rules: [process.env.RULES], bans: { perMinuteMax: 10_000 } },
      };`,
    },
  );
  await organism.request();
  await organism.grown({ "b-cell": cellCount, "t-cell": 1, stem: 2 });
  const agents = await connectToAll(organism);
  const progress = tellProgress(samples.length);
  while (samples.length < trials && !interruption.signal.aborted) {
    const sample = await tryOne(organism, [...agents.values()], samples.length);
    samples.push(sample);
    if (values.samples !== undefined)
      appendFileSync(values.samples, `${JSON.stringify({ cells: cellCount, ms: sample })}\n`);
    progress(samples.length);
    await sleep(pauseMs);
  }
  for (const agent of agents.values()) agent.destroy();
  return report(samples);
}

/** An attacker of his own. */
async function tryOne(organism: Organism, agents: readonly http.Agent[], trial: number): Promise<Sample> {
  const client = `203.${trial >> 8}.${trial & 255}.7`;
  const [first] = agents;
  for (let i = 0; i < 3; i += 1) await ask(organism, first!, client, `/?q=attack${i}`);
  await sleep(pauseMs);
  for (const agent of agents) {
    if ((await ask(organism, agent, client, "/")).status !== 200) throw new Error("three requests were enough");
  }
  const startMs = performance.now();
  const last = ask(organism, first!, client, "/?q=attack3");
  return Promise.all(
    agents.map(async (agent, i) => {
      // The cell that judges the attack answers it first.
      if (i === 0) await last;
      for (;;) {
        const { status } = await ask(organism, agent, client, "/");
        const ms = performance.now() - startMs;
        if (status === 403) return ms;
        if (ms > refusedMsMax) throw new Error(`a cell did not refuse within ${refusedMsMax} ms`);
        await sleep(askEveryMs);
      }
    }),
  );
}

/** Of earlier runs with as many cells. */
function readSamples(): Sample[] {
  const file = values.samples;
  if (file === undefined || !existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines
    .map((line) => JSON.parse(line) as { cells: number; ms: Sample })
    .map(({ cells, ms }, i) => {
      if (cells !== cellCount)
        throw new Error(`${file}, line ${i + 1}: of ${cells} cells, and this run has ${cellCount}`);
      return ms;
    });
}

function tellProgress(before: number): (done: number) => void {
  const startMs = performance.now();
  let toldMs = startMs;
  return (done) => {
    const nowMs = performance.now();
    if (nowMs - toldMs < tellEveryMs) return;
    toldMs = nowMs;
    const leftMs = ((nowMs - startMs) / (done - before)) * (trials - done);
    console.error(`${done} of ${trials} trials, ${Math.ceil(leftMs / 1_000)} s left`);
  };
}

/** A kept connection to each B cell, known by how it numbers its requests. */
async function connectToAll(organism: Organism): Promise<Map<string, http.Agent>> {
  const agents = new Map<string, http.Agent>();
  for (let i = 0; i < connectionsMax && agents.size < cellCount; i += 8) {
    // Several at once: the kernel wakes another cell when one is busy.
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        const { requestId } = await ask(organism, agent, "192.0.2.1", "/");
        const cell = requestId.slice(0, requestId.lastIndexOf("-"));
        if (agents.has(cell)) agent.destroy();
        else agents.set(cell, agent);
      }),
    );
  }
  if (agents.size < cellCount) throw new Error(`reached ${agents.size} of ${cellCount} B cells`);
  return agents;
}

function ask(
  organism: Organism,
  agent: http.Agent,
  client: string,
  path: string,
): Promise<{ status: number; requestId: string }> {
  return new Promise((resolve, reject) => {
    const headers = { "X-Forwarded-For": client };
    const request = http.get({ ...organism.at(), agent, path, headers }, (response) => {
      response.resume();
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, requestId: String(response.headers["x-request-id"]) }),
      );
    });
    request.on("error", reject);
  });
}

function report(samples: readonly Sample[]): boolean {
  if (samples.length === 0) return false;
  const perCell = samples.flat();
  const everyCell = samples.map((ms) => Math.max(...ms));
  const owns = samples.map(([ms]) => ms!);
  const of = (ms: number[]) => ({
    p50: quantile(ms, 0.5),
    p90: quantile(ms, 0.9),
    p99: quantile(ms, 0.99),
    max: Math.max(...ms),
  });
  const figures = {
    trials: samples.length,
    cells: cellCount,
    perCell: of(perCell),
    everyCell: of(everyCell),
    judge: of(owns),
  };
  const counts = edgesMs.map((edge, i) => {
    const from = edgesMs[i - 1] ?? 0;
    return [edge, everyCell.filter((ms) => ms > from && ms <= edge).length] as const;
  });
  if (values.json) {
    console.log(JSON.stringify({ ...figures, distribution: counts }));
  } else {
    const row = (name: string, { p50, p90, p99, max }: ReturnType<typeof of>): [string, ...string[]] => [
      name,
      ...[p50, p90, p99, max].map((ms) => ms.toFixed(1)),
    ];
    console.log(
      table([
        ["ms until refusal", "p50", "p90", "p99", "max"],
        row("by the last of all cells", figures.everyCell),
        row("by any cell", figures.perCell),
        row("by the cell that judged", figures.judge),
      ]),
    );
    console.log(`\nthe last of ${cellCount} B cells, ${samples.length} attackers:`);
    const most = Math.max(...counts.map(([, count]) => count));
    for (const [edge, count] of counts) {
      console.log(
        `${`<= ${edge} ms`.padStart(10)} ${String(count).padStart(5)} ${"#".repeat(Math.round((40 * count) / most))}`,
      );
    }
  }
  return samples.length >= trials;
}
