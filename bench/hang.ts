/**
 * How long a stopped drone does harm, and whether a machine without a processor to spare makes anybody accuse anybody.
 *
 *     node bench/hang.ts --stops 20            SIGSTOP a drone, again and again, under load
 *     node bench/hang.ts --saturate 600        every core kept busy by others for so many seconds: who is accused?
 *     node bench/hang.ts --shells 20           a drone starts a shell that its DNA forbids: how long do both live?
 *
 * Out of service is measured as clients feel it: the last request, counted from the stop, that had to wait for the stopped
 * drone. Voted out is the moment when a majority has signed; ended, when the process is gone; replaced, when as many
 * drones as before have answered. Ends with 1 where nobody was voted out who should be, or somebody else was.
 */
import { spawn } from "node:child_process";
import http from "node:http";
import os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Organism, PsCell } from "../test/e2e/organism.ts";
import { ofClass, startOrganism, watchLife } from "../test/e2e/organism.ts";
import { until } from "../test/e2e/wait.ts";
import { table } from "./lib/figures.ts";
import { quantile } from "./lib/tools.ts";

const { values } = parseArgs({
  options: {
    stops: { type: "string" },
    saturate: { type: "string" },
    shells: { type: "string" },
    clients: { type: "string", default: "8" },
    /** Processes that keep a core busy each, at ordinary priority. */
    burners: { type: "string", default: String(2 * os.availableParallelism()) },
    json: { type: "boolean", default: false },
  },
});
const clients = Number(values.clients);
/** Newborns vote after five seconds, a voter signs one sentence in ten: between two trials everybody must be able to. */
const restMs = 11_000;
const slowMs = 100;

const endings: Array<() => Promise<void>> = [];
try {
  const sound =
    values.saturate !== undefined
      ? await saturate(Number(values.saturate))
      : values.shells !== undefined
        ? await shells(Number(values.shells))
        : await stops(Number(values.stops ?? 20));
  process.exitCode = sound ? 0 : 1;
} finally {
  for (const ending of endings) await ending();
}

async function begin(membrane: object = {}): Promise<Organism> {
  const organism = await startOrganism(
    { after: (ending) => endings.push(ending) },
    {
      app: "hole.mjs",
      dna: { immune: { mode: "off" }, cells: { drone: { min: 2, max: 2 }, bCell: { min: 1, max: 1 } }, membrane },
    },
  );
  await organism.request({ path: "/pid" });
  await organism.grown({ drone: 2, stem: 2 });
  await sleep(restMs);
  return organism;
}

/** Keeps asking `/pid`; each answer goes to `heard`. Returns what ends it. */
function load(organism: Organism, heard: (outcome: Outcome) => void): () => void {
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
  const over = new AbortController();
  const client = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const outcome = await ask(organism, agent);
      // What is under way when the load ends is cut by us.
      if (!over.signal.aborted) heard(outcome);
      await sleep(5);
    }
  };
  for (let i = 0; i < clients; i += 1) void client();
  return () => {
    over.abort();
    agent.destroy();
  };
}

interface Outcome {
  readonly askedMs: number;
  readonly tookMs: number;
  readonly ok: boolean;
  readonly pid: number;
}

function ask(organism: Organism, agent: http.Agent): Promise<Outcome> {
  const askedMs = performance.now();
  return new Promise((resolve) => {
    const done = (ok: boolean, pid = 0): void => resolve({ askedMs, tookMs: performance.now() - askedMs, ok, pid });
    const request = http.get({ ...organism.at(), path: "/pid", agent }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("end", () => done(response.statusCode === 200, Number(text)));
      response.on("error", () => done(false));
    });
    request.on("error", () => done(false));
  });
}

async function stops(count: number): Promise<boolean> {
  const organism = await begin();
  const figures = {
    outOfService: [] as number[],
    votedOut: [] as number[],
    ended: [] as number[],
    replaced: [] as number[],
  };
  let failed = 0;
  let asked = 0;
  for (let trial = 0; trial < count; trial += 1) {
    const outcomes: Outcome[] = [];
    const end = load(organism, (outcome) => outcomes.push(outcome));
    await sleep(1_000);
    const victim = pick(ofClass(await organism.ps(), "drone"), trial);
    const lives = watchLife(victim);
    const stoppedMs = performance.now();
    organism.kill(victim, "SIGSTOP");
    await until("the sentence", () => condemned(organism, victim), { msMax: 60_000 });
    const votedMs = performance.now() - stoppedMs;
    await until("the end", () => !lives(), { msMax: 60_000 });
    const endedMs = performance.now() - stoppedMs;
    // Two other drones than the stopped one have answered since.
    const replacedMs = await until("two drones to answer", () => {
      const since = outcomes.filter(({ askedMs, pid }) => askedMs > stoppedMs && pid !== victim.pid);
      const first = new Map(
        since
          .filter(({ ok }) => ok)
          .map(({ pid, askedMs, tookMs }) => [pid, askedMs + tookMs])
          .toReversed() as Array<[number, number]>,
      );
      return first.size >= 2 ? Math.max(...first.values()) - stoppedMs : null;
    });
    await sleep(500);
    end();
    const late = outcomes.filter(({ askedMs, tookMs }) => askedMs + tookMs > stoppedMs + slowMs && tookMs > slowMs);
    figures.outOfService.push(Math.max(0, ...late.map(({ askedMs }) => askedMs - stoppedMs)));
    figures.votedOut.push(votedMs);
    figures.ended.push(endedMs);
    figures.replaced.push(replacedMs);
    failed += outcomes.filter(({ ok }) => !ok).length;
    asked += outcomes.length;
    progress(
      `stop ${trial + 1} of ${count}: voted out after ${Math.round(votedMs)}, replaced after ${Math.round(replacedMs)} ms`,
    );
    await organism.grown({ drone: 2, stem: 2 });
    await sleep(restMs);
  }
  print(figures);
  const others = sentences(organism) - count;
  console.log(`${asked} requests, ${failed} failed; ${others} others voted out`);
  return failed === 0 && others === 0;
}

async function shells(count: number): Promise<boolean> {
  const organism = await begin({ confine: false, children: false });
  const figures = { votedOut: [] as number[], ended: [] as number[], shellEnded: [] as number[] };
  for (let trial = 0; trial < count; trial += 1) {
    const drones = ofClass(await organism.ps(), "drone");
    const startedMs = performance.now();
    const answer = await organism.request({ path: "/leave-running?command=sleep+77;true" });
    if (answer.status !== 200) throw new Error(`the shell did not start: ${answer.text}`);
    const isShell = (): boolean => organism.processes().some(({ command }) => command.includes("sleep 77"));
    await until("the sentence", () => drones.find((drone) => condemned(organism, drone)), { msMax: 30_000 });
    const votedMs = performance.now() - startedMs;
    const victim = drones.find((drone) => condemned(organism, drone));
    const lives = victim === undefined ? () => false : () => organism.pids().includes(victim.pid);
    await until("the end", () => !lives(), { msMax: 30_000 });
    figures.ended.push(performance.now() - startedMs);
    await until("the shell's end", () => !isShell(), { msMax: 30_000 });
    figures.shellEnded.push(performance.now() - startedMs);
    figures.votedOut.push(votedMs);
    progress(`shell ${trial + 1} of ${count}: voted out after ${Math.round(votedMs)} ms`);
    await organism.grown({ drone: 2, stem: 2 });
    await sleep(restMs);
  }
  print(figures);
  const verified = await organism.cli("certificates", "verify");
  const others = sentences(organism) - count;
  console.log(`certificates: ${verified.code === 0 ? "all hold" : verified.stdout}; ${others} others voted out`);
  return verified.code === 0 && others === 0;
}

async function saturate(seconds: number): Promise<boolean> {
  const organism = await begin({ children: false, confine: false });
  const burners = Array.from({ length: Number(values.burners) }, () =>
    spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }),
  );
  endings.unshift(async () => burners.forEach((burner) => burner.kill("SIGKILL")));
  const outcomes: Outcome[] = [];
  const end = load(organism, (outcome) => outcomes.push(outcome));
  const before = (await organism.ps()).map(({ id }) => id);
  for (let passed = 0; passed < seconds; passed += 30) {
    await sleep(Math.min(30, seconds - passed) * 1_000);
    progress(`${Math.min(passed + 30, seconds)} of ${seconds} s: ${outcomes.length} requests`);
  }
  end();
  for (const burner of burners) burner.kill("SIGKILL");
  const after = (await organism.ps()).map(({ id }) => id);
  const accused = organism
    .logs()
    .split("\n")
    .filter((line) => /"event":"condemned"/.test(line) && !/"reason":"surplus"/.test(line));
  const ms = outcomes.map(({ tookMs }) => tookMs);
  console.log(
    `${seconds} s with ${burners.length} burners on ${os.availableParallelism()} cores, load average ${os.loadavg()[1]?.toFixed(0)}: ` +
      `${accused.length} accused; ` +
      `${before.filter((id) => after.includes(id)).length} of ${before.length} cells live on; ` +
      `${outcomes.length} requests, ${outcomes.filter(({ ok }) => !ok).length} failed, ` +
      `p50 ${Math.round(quantile(ms, 0.5))} ms, p99 ${Math.round(quantile(ms, 0.99))} ms`,
  );
  return accused.length === 0;
}

/** Beside the figures, which go to the standard output. */
function progress(text: string): void {
  console.error(`hang: ${text}`);
}

function condemned(organism: Organism, { id }: PsCell): boolean {
  return organism.logs().includes(`"event":"condemned","condemned":"${id}"`);
}

/** Cells that were voted out for anything but being one too many. */
function sentences(organism: Organism): number {
  const lines = organism.logs().match(/"condemned":"\w+","reason":"(?!surplus)\w+"/g) ?? [];
  return new Set(lines).size;
}

function pick(drones: readonly PsCell[], trial: number): PsCell {
  const drone = drones[trial % drones.length];
  if (drone === undefined) throw new Error("there is no drone");
  return drone;
}

function print(figures: Readonly<Record<string, number[]>>): void {
  if (values.json) return console.log(JSON.stringify(figures));
  const rows = Object.entries(figures).map(([name, ms]): [string, ...string[]] => {
    const at = (share: number): string => `${Math.round(quantile(ms, share))} ms`;
    return [name, at(0), at(0.5), at(0.9), at(1)];
  });
  console.log(table([["", "least", "p50", "p90", "most"], ...rows]));
}
