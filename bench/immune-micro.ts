/**
 * What does judging one request cost? CPU time per kind of request, with the Core Rule Set at one paranoia level.
 *
 *     CRS_DIR=... node bench/immune-micro.ts
 *     CRS_DIR=... node bench/immune-micro.ts --paranoia 4 --seconds 3 --plain --json
 *     node bench/immune-micro.ts --builtin      the built-in filters instead, which need no rule set
 *
 * What is timed: opening the exchange, phase 1, the body, phase 2 and the verdict.
 * Time is that of this thread's CPU, so that other work of the machine counts for little.
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { requestKinds, type MadeRequest } from "./lib/immune-requests.ts";
import { evaluateBuiltin } from "../src/immune/builtin/evaluate.ts";
import { parseBody, parseHead } from "../src/immune/builtin/parsed-request.ts";
import { buildBuiltin } from "../src/immune/builtin/screen.ts";
import { loadRules } from "../src/host/immune/load-rules.ts";
import { evaluatePhase } from "../src/immune/seclang/evaluate.ts";
import { judge } from "../src/immune/seclang/judgement.ts";
import { parseSecLang } from "../src/immune/seclang/parse.ts";
import type { RuleSet } from "../src/immune/seclang/rule-set.ts";
import type { Screen } from "../src/immune/seclang/screen.ts";
import { buildScreen } from "../src/immune/seclang/screen.ts";
import { giveRequestBody, openTransaction } from "../src/immune/seclang/transaction.ts";

const options = parseArgs({
  options: {
    paranoia: { type: "string", default: "1" },
    seconds: { type: "string", default: "2" },
    plain: { type: "boolean", default: false },
    builtin: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string" },
  },
}).values;

interface Timing {
  readonly median: number;
  readonly best: number;
}

if (options.builtin) {
  measureBuiltin();
  process.exit(0);
}
const crs = process.env["CRS_DIR"];
if (crs === undefined) {
  console.error("CRS_DIR must name a folder with rules/ and crs-setup.conf.example of the Core Rule Set 4.");
  process.exit(2);
}
const prologue = parseSecLang(
  `SecRuleEngine On
   SecAction "id:900000,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level=${Number(options.paranoia)}"`,
  "bench.conf",
);
const began = performance.now();
const rules = loadRules([path.join(crs, "crs-setup.conf.example"), path.join(crs, "rules")], { prologue });
const loadedMs = performance.now() - began;
const screen = buildScreen(rules);
const readyMs = performance.now() - began;

const results: Array<{ kind: string; us: Timing; bytes: number; plainUs: Timing | null; verdict: string }> = [];
for (const [kind, make] of Object.entries(requestKinds)) {
  if (options.only !== undefined && !kind.includes(options.only)) continue;
  const verdict = run(rules, make(1), screen);
  const us = measure(make, screen);
  const plainUs = options.plain ? measure(make, undefined) : null;
  results.push({ kind, us, plainUs, verdict, bytes: make(7).body.length });
}
if (options.json) {
  console.log(JSON.stringify({ paranoia: Number(options.paranoia), loadedMs, readyMs, results }));
} else {
  console.log(
    `${rules.ruleCount} rules, paranoia ${options.paranoia}; read in ${loadedMs.toFixed(0)} ms, ready after ${readyMs.toFixed(0)} ms`,
  );
  for (const { kind, us, plainUs, bytes, verdict } of results) {
    const ratio =
      plainUs === null
        ? ""
        : `   plain ${plainUs.median.toFixed(0)} us, ratio ${(plainUs.median / us.median).toFixed(1)}`;
    console.log(
      `${kind.padEnd(20)} ${us.median.toFixed(1).padStart(8)} us (best ${us.best.toFixed(1)})   body ${bytes} bytes, ${verdict}${ratio}`,
    );
  }
}

/** Microseconds a request, of batches in the second half: the median, and what nineteen of twenty are above. */
function measure(make: (n: number) => MadeRequest, screen: Screen | undefined): Timing {
  return timing(make, screen === undefined ? 50 : 1000, (each) => run(rules, each, screen));
}

/** The CPU's clock ticks every 4 ms or so: batches of a few microseconds a request must be large. */
function timing(make: (n: number) => MadeRequest, batch: number, judgeOne: (request: MadeRequest) => unknown): Timing {
  const seconds = Number(options.seconds);
  const batches: number[] = [];
  const until = performance.now() + 1000 * seconds;
  let n = 0;
  while (performance.now() < until || batches.length < 5) {
    const requests = Array.from({ length: batch }, () => make((n += 1)));
    const before = process.threadCpuUsage();
    for (const each of requests) judgeOne(each);
    const { user, system } = process.threadCpuUsage(before);
    batches.push((user + system) / batch);
  }
  // The first half warms up.
  const warm = batches.slice(Math.floor(batches.length / 2)).sort((left, right) => left - right);
  return { median: warm[Math.floor(warm.length / 2)]!, best: warm[Math.floor(warm.length / 20)]! };
}

function run(rules: RuleSet, { facts, body }: MadeRequest, screen: Screen | undefined): string {
  const transaction = openTransaction(rules, facts, screen === undefined ? {} : { screen });
  evaluatePhase(transaction, 1);
  if (body !== "") giveRequestBody(transaction, body);
  evaluatePhase(transaction, 2);
  return judge(transaction).verdict;
}

/** Taking the request apart is counted too, as where no rules are loaded. */
function measureBuiltin(): void {
  const began = performance.now();
  const builtin = buildBuiltin();
  const readyMs = performance.now() - began;
  const judgeOne = ({ facts, body }: MadeRequest): number => {
    const head = parseHead(facts);
    const { hits } = evaluateBuiltin(builtin, head, "head");
    return hits.length + (body === "" ? 0 : evaluateBuiltin(builtin, parseBody(head, body), "body").hits.length);
  };
  const batch = 2000;
  const results = Object.entries(requestKinds)
    .filter(([kind]) => options.only === undefined || kind.includes(options.only))
    .map(([kind, make]) => ({
      kind,
      us: timing(make, batch, judgeOne),
      bytes: make(7).body.length,
      hits: judgeOne(make(1)),
    }));
  if (options.json) {
    console.log(JSON.stringify({ filters: builtin.filters.length, readyMs, results }));
    return;
  }
  console.log(`${builtin.filters.length} built-in filters, ready after ${readyMs.toFixed(0)} ms`);
  for (const { kind, us, bytes, hits } of results) {
    console.log(
      `${kind.padEnd(20)} ${us.median.toFixed(1).padStart(8)} us (best ${us.best.toFixed(1)})   body ${bytes} bytes, ${hits} hits`,
    );
  }
}
