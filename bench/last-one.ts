/**
 * All cells but one are killed at once, for each class as the survivor: how long until somebody is answered again, and how
 * long until the organism is whole? See README.md.
 *
 * The client asks over a new connection each time, as a visitor would, from the moment of the killing on. Where a listening
 * socket lives on, in every survivor but a drone, its first connection waits in the kernel's queue; a lone drone's
 * organism opens the sockets anew, and until then connections are refused. Ends with 1 where an organism did not heal.
 */
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { CellClass } from "../src/core/cell.ts";
import type { SurveyedCell } from "../src/wire/survey.ts";
import { type Organism, startOrganism } from "../test/e2e/organism.ts";
import { signalFound } from "../test/e2e/processes.ts";
import { table } from "./lib/figures.ts";
import { quantile } from "./lib/tools.ts";
import { untilWhole } from "./lib/watch.ts";

const survivors = ["neuron", "b-cell", "t-cell", "stem", "drone"] satisfies CellClass[];
const wanted = { neuron: 1, "b-cell": 1, "t-cell": 1, drone: 2, stem: 2 };

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "10" },
    only: { type: "string", default: survivors.join(",") },
    json: { type: "boolean", default: false },
  },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1 || runs > 1_000)
  usage(`--runs must be a number from 1 to 1000, not ${values.runs}`);
const chosen = values.only.split(",").map((name) => survivors.find((one) => one === name) ?? usage(`no class ${name}`));

/** The aims of the issue that this program was written for: the median, and the whole. */
const answerMsP50Aim = 1_000;
const wholeMsAim = 5_000;
/** Far beyond any healing: then it has not healed. */
const msMax = 60_000;
const lookEveryMs = 25;
const askAgainMs = 5;
/** Between two rounds, so that newborns have grown up as they would have in a life without calamities. */
const restMs = 1_000;

interface Round {
  answerMs: number;
  wholeMs: number;
  refused: number;
}

const endings: Array<() => Promise<void>> = [];
const rounds = new Map<CellClass, Round[]>();
try {
  const organism = await startOrganism(
    { after: (ending) => endings.push(ending) },
    {
      app: fileURLToPath(new URL("./lib/app.mjs", import.meta.url)),
      dna: {
        cells: {
          neuron: { min: 1, max: 1 },
          bCell: { min: 1, max: 1 },
          tCell: { min: 1, max: 1 },
          drone: { min: 2, max: 2 },
          stem: { pool: 2 },
        },
        // A calamity a minute is none of the app's doing, which the organism cannot know.
        restarts: { windowMs: 1_000 },
      },
    },
  );
  await organism.request({ path: "/hello" });
  for (let turn = 1; turn <= runs; turn += 1) {
    for (const survivor of chosen) {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${turn} of ${runs}: ${survivor}`);
      const round = await killAllBut(organism, survivor);
      rounds.set(survivor, [...(rounds.get(survivor) ?? []), round]);
    }
  }
} finally {
  for (const ending of endings) await ending();
}
process.exitCode = report() ? 0 : 1;

async function killAllBut(organism: Organism, survivor: CellClass): Promise<Round> {
  const before = await untilWhole(organism, wanted, { everyMs: lookEveryMs, msMax });
  if (before === null) throw new Error(`the organism was not whole within ${msMax} ms\n${await organism.dump()}`);
  await sleep(restMs);
  const spared = before.filter((cell) => cell.class === survivor);
  const [kept] = spared.slice(Math.floor(Math.random() * spared.length)) as [SurveyedCell];
  const victims = organism.processes().filter(({ pid }) => pid !== kept.pid && pid !== organism.launcher.pid);
  const startMs = performance.now();
  for (const victim of victims) signalFound(victim, "SIGKILL");
  const answered = firstAnswer(organism.at().port, startMs);
  const after = await untilWhole(organism, wanted, { everyMs: lookEveryMs, msMax });
  const wholeMs = performance.now() - startMs;
  const { answerMs, refused } = await answered;
  if (after === null || (!after.some(({ id }) => id === kept.id) && survivor !== "stem")) {
    console.error(`after all but a ${survivor} had died:\n${await organism.dump()}`);
  }
  return { answerMs, refused, wholeMs: after === null ? Number.POSITIVE_INFINITY : wholeMs };
}

async function firstAnswer(port: number, startMs: number): Promise<{ answerMs: number; refused: number }> {
  let refused = 0;
  while (performance.now() - startMs < msMax) {
    const outcome = await ask(port);
    if (outcome === "answered") return { answerMs: performance.now() - startMs, refused };
    if (outcome === "refused") refused += 1;
    await sleep(askAgainMs);
  }
  return { answerMs: Number.POSITIVE_INFINITY, refused };
}

function ask(port: number): Promise<"answered" | "refused" | "failed"> {
  return new Promise((resolve) => {
    let text = "";
    const socket = net.connect(port, "127.0.0.1", () =>
      socket.write("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    );
    const timer = setTimeout(() => socket.destroy(), msMax);
    socket.setEncoding("latin1").on("data", (data: string) => (text += data));
    let code: string | undefined;
    socket.on("error", (error: NodeJS.ErrnoException) => (code = error.code));
    socket.on("close", () => {
      clearTimeout(timer);
      if (/^HTTP\/1\.1 200 [\s\S]*hello$/.test(text)) resolve("answered");
      else resolve(code === "ECONNREFUSED" ? "refused" : "failed");
    });
  });
}

function report(): boolean {
  const figures = chosen.map((survivor) => {
    const seen = rounds.get(survivor) ?? [];
    const of = (get: (round: Round) => number) =>
      [0.5, 0.9, 1].map((share) => Math.round(quantile(seen.map(get), share)));
    const [answerMsP50 = 0, answerMsP90 = 0, answerMsMax = 0] = of(({ answerMs }) => answerMs);
    const [wholeMsP50 = 0, wholeMsP90 = 0, wholeMsMax = 0] = of(({ wholeMs }) => wholeMs);
    const refused = seen.filter((round) => round.refused > 0).length;
    return {
      survivor,
      runs: seen.length,
      answerMsP50,
      answerMsP90,
      answerMsMax,
      wholeMsP50,
      wholeMsP90,
      wholeMsMax,
      refused,
    };
  });
  if (values.json) console.log(JSON.stringify({ node: process.version, figures }, null, 2));
  else {
    console.log(`\nlast-one, ${runs} rounds a class, Node ${process.version}\n`);
    console.log(
      table([
        ["survivor", "answer ms p50", "p90", "max", "whole ms p50", "p90", "max", "rounds with refusals"],
        ...figures.map(
          (f) =>
            [
              f.survivor,
              f.answerMsP50,
              f.answerMsP90,
              f.answerMsMax,
              f.wholeMsP50,
              f.wholeMsP90,
              f.wholeMsMax,
              f.refused,
            ] as const,
        ),
      ]),
    );
    const late = figures.filter((f) => f.answerMsP50 > answerMsP50Aim || f.wholeMsMax > wholeMsAim);
    if (late.length > 0) console.log(`\nslower than aimed at: ${late.map(({ survivor }) => survivor).join(", ")}`);
  }
  return figures.every((f) => Number.isFinite(f.answerMsMax) && Number.isFinite(f.wholeMsMax));
}

function usage(message: string): never {
  console.error(`last-one: ${message}`);
  process.exit(2);
}
