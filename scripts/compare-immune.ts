/**
 * Do the compiled rules find what the plain evaluation finds? On all requests of the Core Rule Set's tests, and on as
 * many as wanted that were made from them by mutation.
 *
 *     CRS_DIR=... node scripts/compare-immune.ts --requests 1000000 --seed 1
 *     CRS_DIR=... node scripts/compare-immune.ts --requests 400000 --first 600000 --seed 1    goes on where it was ended
 *
 * Requests are mixed, cut, repeated, escaped anew and sown with pieces of attacks; paranoia is 4, so that all rules take
 * part. Compared is the whole judgement: rules, scores, messages, evidence. The plain evaluation runs on V8's own
 * expressions, so requests are kept short, or it would not come to an end. The same seed gives the same requests, and
 * each is known by its number: `--only N` runs one again and shows it. Exits with 1 at the first difference.
 */
import fs from "node:fs";
import path from "node:path";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { loadRules } from "../src/host/immune/load-rules.ts";
import { parseSecLang } from "../src/immune/seclang/parse.ts";
import { buildScreen } from "../src/immune/seclang/screen.ts";
import { urlEncode } from "../src/immune/seclang/transformations/url-encode.ts";
import type { FtwRequest } from "../test/immune/ftw/raw-request.ts";
import { requestOf } from "../test/immune/ftw/raw-request.ts";
import { crsFolder, skipWithoutCrs } from "../test/immune/ftw/rule-places.ts";
import { readStages, runRequest } from "../test/immune/ftw/run.ts";
import { seededRandom } from "./seeded-random.ts";
import { PIECES } from "./attack-pieces.ts";

/** Longer ones take the plain evaluation seconds. */
const BYTES_MAX = 2048;

const { values: options } = parseArgs({
  options: {
    requests: { type: "string", default: "10000" },
    first: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
if (skipWithoutCrs !== false) {
  console.error(skipWithoutCrs);
  process.exit(2);
}

const rules = loadRules([path.join(crsFolder, "crs-setup.conf.example"), path.join(crsFolder, "rules")], {
  prologue: parseSecLang(
    `SecRuleEngine DetectionOnly
     SecResponseBodyAccess On
     SecAction "id:900005,phase:1,nolog,pass,setvar:tx.blocking_paranoia_level=4,\\
       setvar:tx.crs_validate_utf8_encoding=1,setvar:tx.arg_name_length=100,setvar:tx.arg_length=400"`,
    "compare.conf",
  ),
});
const screen = buildScreen(rules);
const corpus = fs
  .readdirSync(path.join(crsFolder, "tests"))
  .sort()
  .flatMap((folder) => readStages(path.join(crsFolder, "tests", folder)))
  .map(({ input }) => requestOf(input))
  .filter(({ isRefused }) => !isRefused);

type Request = Pick<FtwRequest, "facts" | "body">;

let compared = 0;
let hits = 0;
const began = performance.now();
const [first, count] = [Number(options.first), Number(options.requests)];
if (options.only !== undefined) {
  compare(mutated(Number(options.only)), options.only, true);
} else {
  for (const [index, request] of corpus.entries()) if (sizeOf(request) < BYTES_MAX) compare(request, `test ${index}`);
  console.log(`${compared} requests of the tests: the same`);
  for (let done = 0; done < count; done += 1) {
    compare(mutated(first + done), String(first + done));
    if ((done + 1) % 10_000 === 0) {
      const seconds = ((performance.now() - began) / 1000).toFixed(0);
      console.log(`${done + 1} mutated requests from ${first}: the same (${hits} hits, ${seconds} s)`);
    }
  }
}
console.log(`${compared} requests compared, ${hits} hits in each, seed ${options.seed}: no difference`);

function compare(request: Request, name: string, isShown = false): void {
  const plain = runRequest(rules, request);
  const compiled = runRequest(rules, request, { screen });
  compared += 1;
  hits += plain.hits.length;
  if (isShown) console.log(JSON.stringify(request, null, 2));
  if (isDeepStrictEqual(plain, compiled)) return;
  const idsOf = (judgement: typeof plain): string => judgement.hits.map(({ id }) => id).join(" ");
  console.error(`request ${name} (seed ${options.seed}) is judged differently`);
  console.error(JSON.stringify(request, null, 2));
  console.error(`plain:    ${idsOf(plain)}`);
  console.error(`compiled: ${idsOf(compiled)}`);
  for (const [index, hit] of plain.hits.entries()) {
    if (isDeepStrictEqual(hit, compiled.hits[index])) continue;
    console.error(JSON.stringify({ plain: hit, compiled: compiled.hits[index] ?? null }, null, 2));
    break;
  }
  process.exit(1);
}

/** Each number has its own randomness, so that one request can be made again without those before. */
function mutated(number: number): Request {
  const random = seededRandom(Number(options.seed), number);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  for (;;) {
    const one = pick(corpus);
    const other = pick(corpus);
    let { target } = one.facts;
    let { body } = one;
    const headers = [...one.facts.headers];
    const times = 1 + Math.floor(random() * 4);
    for (let i = 0; i < times; i += 1) {
      const place = random();
      if (place < 0.4) target = mutate(target, other.facts.target);
      else if (place < 0.7 && body !== "") body = mutate(body, other.body);
      else if (headers.length > 0) {
        const at = 2 * Math.floor((random() * headers.length) / 2) + 1;
        headers[at] = mutate(headers[at]!, pick([other.facts.target, ...other.facts.headers])).replace(/[\r\n\0]/g, "");
      }
    }
    const request = { facts: { ...one.facts, target: target.replace(/[ \r\n\0]/g, "+"), headers }, body };
    if (sizeOf(request) < BYTES_MAX) return request;
  }

  function mutate(text: string, other: string): string {
    const at = Math.floor(random() * (text.length + 1));
    const [left, right] = [text.slice(0, at), text.slice(at)];
    switch (Math.floor(random() * 9)) {
      case 0:
        return left + other.slice(Math.floor(random() * other.length));
      case 1:
        return left + pick(PIECES) + right;
      case 2:
        return left + right.slice(1 + Math.floor(random() * 4));
      case 3:
        return left + urlEncode(pick(PIECES)) + right;
      case 4:
        return left + right.slice(0, 1).repeat(1 + Math.floor(random() * 40)) + right.slice(1);
      case 5:
        return left + String.fromCharCode(Math.floor(random() * 256)) + right.slice(1);
      case 6:
        return random() < 0.5 ? text.toUpperCase().replace(/[^\0-\xff]/g, "?") : text.toLowerCase();
      case 7:
        return urlEncode(text);
      default:
        return `${text}${text.includes("?") ? "&" : "?"}a=${urlEncode(pick(PIECES) + other.slice(0, 40))}`;
    }
  }
}

function sizeOf({ facts, body }: Request): number {
  return facts.headers.reduce((size, text) => size + text.length, facts.target.length + body.length);
}
