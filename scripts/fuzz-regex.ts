/**
 * Searches for values that cost the rule engine more than they may.
 *
 *     CRS_DIR=... node scripts/fuzz-regex.ts --rounds 2000 --seed 1
 *
 * Values of up to 8 KB are made from pieces of attacks, one piece or a few again and again (what makes patterns
 * backtrack is repetition), and from the texts and classes of the rule set's own patterns; the dearest so far are
 * mutated further. Each stands in a form's field, and is judged with all paranoia levels. Cost is steps, which the same
 * seed repeats, and CPU time, which it does not: with the dearest by either the search goes on, and these are printed
 * in the end. Exits with 1 where a value took more CPU time than `--ms-max` in each of five runs.
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { loadRules } from "../src/host/immune/load-rules.ts";
import { evaluatePhase } from "../src/immune/seclang/evaluate.ts";
import { parseSecLang } from "../src/immune/seclang/parse.ts";
import { judge } from "../src/immune/seclang/judgement.ts";
import { buildScreen } from "../src/immune/seclang/screen.ts";
import { giveRequestBody, openTransaction } from "../src/immune/seclang/transaction.ts";
import { urlEncode } from "../src/immune/seclang/transformations/url-encode.ts";
import { attackValues } from "../test/immune/attack-values.ts";
import { crsFolder, skipWithoutCrs } from "../test/immune/ftw/rule-places.ts";
import { PIECES } from "./attack-pieces.ts";
import { seededRandom } from "./seeded-random.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    "ms-max": { type: "string", default: "50" },
    paranoia: { type: "string", default: "4" },
  },
});
if (skipWithoutCrs !== false) {
  console.error(skipWithoutCrs);
  process.exit(2);
}

const VALUE_BYTES = 8192;
const KEPT = 12;
const rules = loadRules([path.join(crsFolder, "crs-setup.conf.example"), path.join(crsFolder, "rules")], {
  prologue: parseSecLang(
    `SecRuleEngine DetectionOnly
     SecAction "id:900005,phase:1,nolog,pass,setvar:tx.blocking_paranoia_level=${Number(options.paranoia)}"`,
    "fuzz.conf",
  ),
});
const screen = buildScreen(rules);

interface Cost {
  readonly value: string;
  readonly steps: number;
  readonly ms: number;
  readonly overrun: boolean;
}

// Warm: what is looked for is what a value costs, not what the first request does.
for (let i = 0; i < 50; i += 1) costOf("a harmless value, and a few words");
for (const { value } of attackValues()) costOf(value);

const random = seededRandom(Number(options.seed), 0);
const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
const ownPieces = piecesOfRules();
let bySteps: Cost[] = [];
let byTime: Cost[] = [];
let overruns = 0;
for (const { value } of attackValues()) note(costOf(value));
for (let round = 0; round < Number(options.rounds); round += 1) {
  const value = random() < 0.5 || bySteps.length === 0 ? fresh() : mutate(pick([...bySteps, ...byTime]).value);
  note(costOf(value));
  if ((round + 1) % 500 === 0) {
    console.log(`${round + 1} values; most steps ${bySteps[0]!.steps}, most time ${byTime[0]!.ms.toFixed(1)} ms`);
  }
}

// Time is noisy: what is dear is dear in each of five runs.
const dearest = [...bySteps, ...byTime].map(({ value, steps }) => {
  const runs = Array.from({ length: 5 }, () => costOf(value));
  return { value, steps, ms: Math.min(...runs.map(({ ms }) => ms)), overrun: runs.some(({ overrun }) => overrun) };
});
dearest.sort((left, right) => right.ms - left.ms);
for (const { value, steps, ms, overrun } of dearest.slice(0, KEPT)) {
  const shown = JSON.stringify(value.slice(0, 60));
  console.log(
    `${ms.toFixed(1).padStart(6)} ms ${String(steps).padStart(9)} steps${overrun ? " overrun" : ""}  ${shown}`,
  );
}
console.log(`${overruns} values were given up (overrun)`);
if (dearest[0]!.ms > Number(options["ms-max"])) {
  console.error(
    `a value takes ${dearest[0]!.ms.toFixed(1)} ms (seed ${options.seed}): ${JSON.stringify(dearest[0]!.value)}`,
  );
  process.exitCode = 1;
}

function note(cost: Cost): void {
  if (cost.overrun) overruns += 1;
  bySteps = [...bySteps, cost].sort((left, right) => right.steps - left.steps).slice(0, KEPT);
  byTime = [...byTime, cost].sort((left, right) => right.ms - left.ms).slice(0, KEPT);
}

function costOf(value: string): Cost {
  const transaction = openTransaction(
    rules,
    {
      uniqueId: "1",
      clientAddress: "192.0.2.7",
      clientPort: 1,
      serverAddress: "192.0.2.1",
      serverPort: 80,
      method: "POST",
      target: "/form",
      protocol: "HTTP/1.1",
      headers: [
        "Host",
        "example.org",
        "Accept",
        "*/*",
        "User-Agent",
        "Mozilla/5.0",
        "Content-Type",
        "application/x-www-form-urlencoded",
      ],
    },
    { screen },
  );
  const body = `field=${urlEncode(value)}`;
  const before = process.threadCpuUsage();
  evaluatePhase(transaction, 1);
  giveRequestBody(transaction, body);
  const { left } = transaction.evaluation!.meter;
  evaluatePhase(transaction, 2);
  const { user, system } = process.threadCpuUsage(before);
  const steps = left - transaction.evaluation!.meter.left;
  return { value, steps, ms: (user + system) / 1000, overrun: judge(transaction).overrun };
}

function fresh(): string {
  const parts = Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(random() < 0.6 ? ownPieces : PIECES));
  const [front, back] = [random() < 0.5 ? pick(PIECES) : "", random() < 0.5 ? pick(PIECES) : ""];
  const unit = random() < 0.8 ? parts.join("") : "";
  if (unit !== "") return fill(front, unit, back);
  let value = "";
  while (value.length < VALUE_BYTES) value += pick(parts);
  return value.slice(0, VALUE_BYTES);
}

function fill(front: string, unit: string, back: string): string {
  const room = Math.max(0, VALUE_BYTES - front.length - back.length);
  return front + unit.repeat(Math.ceil(room / unit.length)).slice(0, room) + back;
}

function mutate(value: string): string {
  const at = Math.floor(random() * value.length);
  const length = 1 + Math.floor(random() * 32);
  switch (Math.floor(random() * 4)) {
    case 0:
      return (value.slice(0, at) + pick(ownPieces) + value.slice(at)).slice(0, VALUE_BYTES);
    case 1:
      return fill("", value.slice(at, at + length) || "a", pick(PIECES));
    case 2: {
      const piece = pick([...ownPieces, ...PIECES]);
      const step = 16 + Math.floor(random() * 256);
      let sown = "";
      for (let i = 0; i < value.length; i += step) sown += value.slice(i, i + step) + piece;
      return sown.slice(0, VALUE_BYTES);
    }
    default:
      return value.slice(0, at) + value.slice(at + length) + pick(PIECES);
  }
}

/** Texts that patterns require: with them a value is run through the pattern at all. */
function piecesOfRules(): string[] {
  const pieces = new Set<string>();
  for (const { steps } of [screen.compiled.phases[1], screen.compiled.phases[2]]) {
    for (const { links } of steps) {
      for (const { needs } of links) for (const text of needs?.literals?.slice(0, 20) ?? []) pieces.add(text);
    }
  }
  return [...pieces];
}
