/**
 * Drones are killed with SIGKILL twice a second under load: no idempotent request may fail, no POST may run twice, no answer may
 * be another's. See README.md.
 *
 * Each request carries an id, and each answer the id that its app was asked for. The app notes every POST before it does
 * anything else, so that what ran is known even of drones that did not live to tell. The victim is always a drone that
 * has just answered: one that is at work. Ends with 1 where anything is amiss.
 */
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Organism, startOrganism } from "../test/e2e/organism.ts";
import { signalFound } from "../test/e2e/processes.ts";
import { table } from "./lib/figures.ts";
import { quantile } from "./lib/tools.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    clients: { type: "string", default: "24" },
    drones: { type: "string", default: "8" },
    json: { type: "boolean", default: false },
  },
});
const seconds = wholeNumber("seconds", values.seconds, 600);
const clientCount = wholeNumber("clients", values.clients, 500);
const droneCount = wholeNumber("drones", values.drones, 64);

const killEveryMs = 500;
const lookEveryMs = 50;
/** A drone that answered so recently is at work. */
const atWorkMs = 2_000;
/** Of the kills that were due; with fewer nothing is shown. A drone that is not there cannot be killed. */
const killedShareMin = 0.8;
const pauseMsMax = 10;
/** No request may wait for ever; longer than the organism itself lets it wait. */
const requestMsMax = 60_000;
const methods = ["GET", "GET", "GET", "POST", "POST", "PUT", "DELETE"] as const;

interface Outcome {
  readonly id: string;
  readonly method: string;
  /** 0: the connection failed. */
  readonly status: number;
  readonly text: string;
  readonly ms: number;
}

const endings: Array<() => Promise<void>> = [];
let isSound = false;
try {
  isSound = await prove();
} finally {
  for (const ending of endings) await ending();
}
process.exitCode = isSound ? 0 : 1;

async function prove(): Promise<boolean> {
  const organism = await startOrganism(
    { after: (ending) => endings.push(ending) },
    {
      app: fileURLToPath(new URL("./lib/noting-app.mjs", import.meta.url)),
      scratchEnv: { NOTES: "notes" },
      dna: {
        cells: { bCell: { min: 1, max: 1 }, drone: { min: droneCount, max: droneCount }, stem: { pool: 4 } },
        // Deaths that somebody else has caused are no failures of the app, which the organism cannot know.
        restarts: { countMax: 1_000, backoffMsMin: 10, backoffMsMax: 10 },
      },
    },
  );
  const notes = organism.env["NOTES"] ?? "";
  writeFileSync(notes, "");
  await organism.request({ path: "/?id=first" });
  await organism.grown({ drone: droneCount });

  const agent = new http.Agent({ keepAlive: true, maxSockets: clientCount });
  const outcomes: Outcome[] = [];
  const answeredAtMs = new Map<number, number>();
  const endMs = performance.now() + seconds * 1000;
  let sequence = 0;
  const client = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const method = methods[Math.floor(Math.random() * methods.length)] ?? "GET";
      const outcome = await ask(organism, agent, method, String((sequence += 1)));
      outcomes.push(outcome);
      const pid = outcome.status === 200 ? answerOf(outcome)?.pid : undefined;
      if (pid !== undefined) answeredAtMs.set(pid, performance.now());
      await sleep(Math.random() * pauseMsMax);
    }
  };
  const clients = Array.from({ length: clientCount }, client);
  const kills = await killUntil(endMs, organism, answeredAtMs);
  await Promise.all(clients);
  agent.destroy();
  const ran = readFileSync(notes, "utf8").split("\n").filter(Boolean);
  return report(judge(outcomes, ran), outcomes, kills);
}

async function killUntil(
  endMs: number,
  organism: Organism,
  answeredAtMs: Map<number, number>,
): Promise<{ due: number; done: number }> {
  const kills = { due: 0, done: 0 };
  for (let dueMs = performance.now() + killEveryMs; dueMs < endMs; dueMs += killEveryMs) {
    await sleep(Math.max(0, dueMs - performance.now()));
    kills.due += 1;
    // Where none is at work just now, the first that is.
    while (performance.now() < Math.min(dueMs + killEveryMs - lookEveryMs, endMs)) {
      if (killOne(organism, answeredAtMs)) {
        kills.done += 1;
        break;
      }
      await sleep(lookEveryMs);
    }
  }
  return kills;
}

/** False: no drone is at work. */
function killOne(organism: Organism, answeredAtMs: Map<number, number>): boolean {
  const now = performance.now();
  // Of this very organism, by the marker that its processes carry.
  const atWork = organism.processes().filter(({ pid }) => now - (answeredAtMs.get(pid) ?? -Infinity) < atWorkMs);
  const victim = atWork[Math.floor(Math.random() * atWork.length)];
  if (victim === undefined || !signalFound(victim, "SIGKILL")) return false;
  answeredAtMs.delete(victim.pid);
  return true;
}

function ask(organism: Organism, agent: http.Agent, method: string, id: string): Promise<Outcome> {
  const startMs = performance.now();
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const done = (status: number, text: string): void =>
    resolve({ id, method, status, text, ms: performance.now() - startMs });
  const hasBody = method === "POST" || method === "PUT";
  const request = http.request({ ...organism.at(), agent, method, path: `/?id=${id}`, timeout: requestMsMax });
  request.on("response", (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    response.on("end", () => done(response.complete ? (response.statusCode ?? 0) : 0, text));
    response.on("error", (error) => done(0, `within the answer: ${String(error)}`));
  });
  request.on("timeout", () => request.destroy(new Error(`no answer within ${requestMsMax} ms`)));
  request.on("error", (error) => done(0, String(error)));
  request.end(hasBody ? "x".repeat(Number(id) % 2_000) : undefined);
  return promise;
}

function answerOf({ text }: Outcome): { id: string; pid: number } | null {
  try {
    return JSON.parse(text) as { id: string; pid: number };
  } catch {
    return null;
  }
}

interface Judgement {
  failedIdempotent: Outcome[];
  foreignAnswers: Outcome[];
  /** POSTs that were neither answered nor told 502 or 503. */
  unexplainedPosts: Outcome[];
  /** Ran more than once. */
  ranTwice: string[];
  /** Answered 200, and did not run; or told that they had not begun (503), and did. */
  misreported: Outcome[];
  lostPosts: number;
}

function judge(outcomes: readonly Outcome[], ran: readonly string[]): Judgement {
  const runs = new Map<string, number>();
  for (const id of ran) runs.set(id, (runs.get(id) ?? 0) + 1);
  const posts = outcomes.filter(({ method }) => method === "POST");
  const idempotent = outcomes.filter(({ method }) => method !== "POST");
  const isLost = ({ status, text }: Outcome): boolean => status === 502 && text.includes("CELLWS_HTTP_DRONE_LOST");
  return {
    failedIdempotent: idempotent.filter(({ status }) => status !== 200),
    foreignAnswers: outcomes.filter((outcome) => outcome.status === 200 && answerOf(outcome)?.id !== outcome.id),
    unexplainedPosts: posts.filter((post) => post.status !== 200 && post.status !== 503 && !isLost(post)),
    ranTwice: [...runs].filter(([, count]) => count > 1).map(([id]) => id),
    misreported: posts.filter(
      ({ status, id }) => (status === 200 && !runs.has(id)) || (status === 503 && runs.has(id)),
    ),
    lostPosts: posts.filter(isLost).length,
  };
}

function report(judgement: Judgement, outcomes: Outcome[], kills: { due: number; done: number }): boolean {
  const { failedIdempotent, foreignAnswers, unexplainedPosts, ranTwice, misreported, lostPosts } = judgement;
  const count = (method: string): number => outcomes.filter((outcome) => outcome.method === method).length;
  const isKilledEnough = kills.done >= kills.due * killedShareMin;
  const sound =
    isKilledEnough &&
    outcomes.length > 0 &&
    [failedIdempotent, foreignAnswers, unexplainedPosts, ranTwice, misreported].every(({ length }) => length === 0);
  const ms = outcomes.map((outcome) => outcome.ms);
  const figures = {
    node: process.version,
    seconds,
    drones: droneCount,
    kills: kills.done,
    killsDue: kills.due,
    requests: outcomes.length,
    posts: count("POST"),
    failedIdempotent: failedIdempotent.length,
    postsRunTwice: ranTwice.length,
    foreignAnswers: foreignAnswers.length,
    postsToldLost: lostPosts,
    postsRefused: outcomes.filter(({ method, status }) => method === "POST" && status === 503).length,
    postsUnexplained: unexplainedPosts.length,
    postsMisreported: misreported.length,
    msP50: quantile(ms, 0.5),
    msP99: quantile(ms, 0.99),
    msMax: quantile(ms, 1),
    sound,
  };
  if (values.json) console.log(JSON.stringify(figures, null, 2));
  else {
    console.log(`kill-drones, ${seconds} s, ${droneCount} drones, ${clientCount} clients, Node ${process.version}\n`);
    console.log(
      table([
        ["drones killed (due)", `${figures.kills} (${figures.killsDue})`],
        ["requests", figures.requests],
        ["idempotent requests that failed", figures.failedIdempotent],
        ["POSTs that ran twice", figures.postsRunTwice],
        ["answers that were another's", figures.foreignAnswers],
        ["POSTs", figures.posts],
        ["  told 502: their drone died, not run again", figures.postsToldLost],
        ["  told 503: never begun", figures.postsRefused],
        ["  that failed in any other way", figures.postsUnexplained],
        ["  whose outcome was told wrongly", figures.postsMisreported],
        [
          "answer ms, p50 / p99 / max",
          [figures.msP50, figures.msP99, figures.msMax].map((x) => x.toFixed(0)).join(" / "),
        ],
      ]),
    );
    if (!isKilledEnough) console.log("\ntoo few drones were at work to be killed: they did not grow again in time");
    for (const bad of [...failedIdempotent, ...foreignAnswers, ...unexplainedPosts, ...misreported].slice(0, 10)) {
      console.log(`\n${bad.method} ${bad.id} after ${bad.ms.toFixed(0)} ms: ${bad.status} ${bad.text.slice(0, 300)}`);
    }
    console.log(sound ? "\nsound" : "\nNOT SOUND");
  }
  return sound;
}

function wholeNumber(name: string, text: string, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  console.error(`kill-drones: --${name} must be a number from 1 to ${max}, not ${text}`);
  process.exit(2);
}
