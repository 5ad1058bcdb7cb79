/**
 * A thousand connections that send a byte of a head now and then, and a thousand that ask for much and read next to nothing:
 * how long do the others wait, before and during? See README.md. Ends with 1 where the others feel it.
 *
 * Attackers come from many addresses (127.0.1.x; where only 127.0.0.1 is to be had, from that one), because a limit on the
 * connections of an address is not what is shown here. What the organism closes is opened again at once, as an attacker would.
 */
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Address } from "../test/e2e/client.ts";
import { ofClass, type Organism, startOrganism } from "../test/e2e/organism.ts";
import { table } from "./lib/figures.ts";
import { quantile } from "./lib/tools.ts";

const { values } = parseArgs({
  options: {
    attackers: { type: "string", default: "1000" },
    seconds: { type: "string", default: "20" },
    json: { type: "boolean", default: false },
  },
});
const attackerCount = wholeNumber("attackers", values.attackers, 8_000);
const seconds = wholeNumber("seconds", values.seconds, 600);

/** The others: so many requests a second, whatever comes back. */
const paceEveryMs = 10;
const othersMsMax = 30_000;
/** "Not slowed": this much of what it was before, or this little in all, since two millisecond-sized numbers differ by chance. */
const slowedRatioMax = 2;
const slowedMsMax = 50;

interface Phase {
  readonly name: string;
  readonly ms: number[];
  readonly failed: number;
  readonly bCellMib: number;
  readonly openAttackers: number;
}

const endings: Array<() => Promise<void>> = [];
let isSound = false;
try {
  isSound = report(await measure());
} finally {
  for (const ending of endings) await ending();
}
process.exitCode = isSound ? 0 : 1;

async function measure(): Promise<Phase[]> {
  const organism = await startOrganism(
    { after: (ending) => endings.push(ending) },
    {
      app: fileURLToPath(new URL("./lib/bodies-app.mjs", import.meta.url)),
      dna: { cells: { bCell: { min: 1, max: 1 }, drone: { min: 2, max: 2 } }, drain: { msMax: 1_000 } },
    },
  );
  await organism.request({ path: "/down?bytes=1" });
  const cells = await organism.grown({ drone: 2, stem: 2 });
  const bCellPid = ofClass(cells, "b-cell")[0]?.pid ?? 0;
  // Not the first requests: code is compiled, connections are opened.
  await observe(organism, bCellPid, "warming up", null, 2);
  const phases = [await observe(organism, bCellPid, "before", null, seconds / 2)];
  const attack = startAttack(organism.at());
  try {
    phases.push(await observe(organism, bCellPid, "arriving", attack, null));
    phases.push(await observe(organism, bCellPid, "during", attack, seconds));
  } finally {
    attack.end();
  }
  await sleep(1_000);
  phases.push(await observe(organism, bCellPid, "after", null, seconds / 2));
  return phases;
}

interface Attack {
  openCount(): number;
  isWhole(): boolean;
  end(): void;
}

function startAttack({ host, port }: Address): Attack {
  const script = fileURLToPath(new URL("./lib/attacker.ts", import.meta.url));
  const child = fork(script, [host, String(port), String(attackerCount)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let told = { open: 0, isWhole: false };
  child.on("message", (message: typeof told) => (told = message));
  // What has ended attacks nobody; the figures show how many there were.
  child.on("exit", () => (told = { open: 0, isWhole: true }));
  return { openCount: () => told.open, isWhole: () => told.isWhole, end: () => void child.kill("SIGKILL") };
}

/** Watches what the others feel: at an even pace, on kept connections and on new ones in turn. */
async function observe(
  organism: Organism,
  bCellPid: number,
  name: string,
  attack: Attack | null,
  /** Null: until all attackers have come. */
  forSeconds: number | null,
): Promise<Phase> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const ms: number[] = [];
  let failed = 0;
  const pending: Array<Promise<void>> = [];
  const startMs = performance.now();
  const isOver = (): boolean =>
    forSeconds === null ? attack?.isWhole() !== false : performance.now() - startMs >= forSeconds * 1000;
  for (let i = 0; !isOver(); i += 1) {
    const dueMs = startMs + i * paceEveryMs;
    if (dueMs > performance.now()) await sleep(dueMs - performance.now());
    const askedMs = performance.now();
    const answered = ask(organism.at(), i % 4 === 0 ? false : agent).then(
      () => void ms.push(performance.now() - askedMs),
      () => void (failed += 1),
    );
    pending.push(answered);
  }
  await Promise.all(pending);
  agent.destroy();
  return { name, ms, failed, bCellMib: residentMib(bCellPid), openAttackers: attack?.openCount() ?? 0 };
}

function ask(at: Address, agent: http.Agent | false): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const request = http.get({ ...at, agent, path: "/down?bytes=100", timeout: othersMsMax }, (response) => {
    response.resume();
    response.on("error", reject);
    response.on("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(`${response.statusCode}`))));
  });
  request.on("timeout", () => request.destroy(new Error("timeout")));
  request.on("error", reject);
  return promise;
}

/** NaN where there is no /proc. */
function residentMib(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? Number.NaN) / 1024;
  } catch {
    return Number.NaN;
  }
}

function report(phases: readonly Phase[]): boolean {
  const lines = phases.map(({ name, ms, failed, bCellMib, openAttackers }) => ({
    phase: name,
    attackers: openAttackers,
    requests: ms.length,
    failed,
    msP50: quantile(ms, 0.5),
    msP99: quantile(ms, 0.99),
    msMax: quantile(ms, 1),
    bCellMib,
  }));
  const before = lines.find(({ phase }) => phase === "before");
  // While they arrive they have their socket buffers filled, which is traffic as any other: shown, and not judged.
  const during = lines.find(({ phase }) => phase === "during");
  const isSlowed = (key: "msP50" | "msP99"): boolean =>
    before === undefined ||
    during === undefined ||
    (during[key] > slowedMsMax && during[key] > slowedRatioMax * before[key]);
  const sound =
    lines.every(({ failed, requests }) => failed === 0 && requests > 0) &&
    !isSlowed("msP50") &&
    !isSlowed("msP99") &&
    // Slow senders are closed and come again; most are there at any time.
    (during?.attackers ?? 0) >= attackerCount;
  if (values.json) {
    console.log(JSON.stringify({ node: process.version, attackers: attackerCount, lines, sound }, null, 2));
    return sound;
  }
  console.log(`slowloris, ${attackerCount} slow senders and ${attackerCount} slow readers, Node ${process.version}\n`);
  console.log(
    table([
      ["the others", "attackers", "requests", "failed", "ms p50", "ms p99", "ms max", "B cell MiB"],
      ...lines.map((line): [string, ...Array<string | number>] => [
        line.phase,
        line.attackers,
        line.requests,
        line.failed,
        ...[line.msP50, line.msP99, line.msMax].map((x) => x.toFixed(1)),
        line.bCellMib.toFixed(0),
      ]),
    ]),
  );
  console.log(sound ? "\nthe others did not feel it" : "\nTHE OTHERS FELT IT");
  return sound;
}

function wholeNumber(name: string, text: string, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  console.error(`slowloris: --${name} must be a number from 1 to ${max}, not ${text}`);
  process.exit(2);
}
