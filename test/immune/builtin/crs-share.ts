/**
 * How many of the Core Rule Set's positive tests the built-in filters catch by themselves, by class of attack.
 *
 * A test is positive that expects a rule to fire on a request. It is caught when the filters' score is enough to refuse
 * the request, whichever filters they were; what the HTTP reader refuses before any filter sees it is counted apart.
 * Files are the classes of the Core Rule Set: 942 is SQL injection. Files are split in two halves by their names, so
 * that filters can be written looking at one and be judged by the other.
 */
import fs from "node:fs";
import path from "node:path";
import { createHash } from "node:crypto";
import { BLOCKING_SCORE, evaluateBuiltin, scoreOf, type BuiltinHit } from "../../../src/immune/builtin/evaluate.ts";
import { parseBody, parseHead } from "../../../src/immune/builtin/parsed-request.ts";
import type { BuiltinScreen } from "../../../src/immune/builtin/screen.ts";
import type { RequestFacts } from "../../../src/immune/seclang/facts.ts";
import type { FtwRequest } from "../ftw/raw-request.ts";
import { requestOf } from "../ftw/raw-request.ts";
import { readStages } from "../ftw/run.ts";

/** Classes of the Core Rule Set, by the first digits of its ids, that tests are counted by. */
export const CLASSES: Readonly<Record<string, string>> = {
  "913": "scanners",
  "920": "protocol enforcement",
  "921": "protocol attacks",
  "922": "multipart attacks",
  "930": "local files",
  "931": "remote files",
  "932": "commands",
  "933": "PHP",
  "934": "generic: Node, SSRF, templates, NoSQL",
  "941": "cross-site scripting",
  "942": "SQL injection",
  "943": "session fixation",
  "944": "Java",
};

/**
 * The classes of attack that the filters name. Not 920: it enforces what a request has to look like (a header Accept, a
 * host that is no number), and much of it honest clients do not keep to.
 */
export const NAMED_CLASSES: ReadonlySet<string> = new Set(Object.keys(CLASSES).filter((prefix) => prefix !== "920"));

export interface Sample {
  readonly name: string;
  readonly classOf: string;
  /** The lowest paranoia level of the rules that it expects. */
  readonly paranoia: number;
  /** In the half of the files that filters were written without. */
  readonly isHeldOut: boolean;
  readonly request: FtwRequest;
}

export interface Outcome {
  readonly sample: Sample;
  readonly score: number;
  readonly hits: readonly BuiltinHit[];
  /** Refused by the reader, so that no filter sees it. */
  readonly isRefused: boolean;
}

export function readSamples(crsFolder: string): Sample[] {
  const levels = readLevels(path.join(crsFolder, "rules"));
  const tests = path.join(crsFolder, "tests");
  return fs
    .readdirSync(tests)
    .sort()
    .flatMap((folder) => readStages(path.join(tests, folder)))
    .filter(({ name, expectIds }) => expectIds.length > 0 && CLASSES[name.slice(0, 3)] !== undefined)
    .map(({ name, input, expectIds }) => ({
      name,
      classOf: name.slice(0, 3),
      paranoia: Math.min(...expectIds.map((id) => levels.get(id) ?? 1)),
      isHeldOut: isHeldOut(name.split("-")[0]!),
      request: requestOf(input),
    }));
}

function isHeldOut(file: string): boolean {
  return (createHash("sha1").update(`cellws${file}`).digest()[0]! & 1) === 1;
}

function readLevels(folder: string): Map<number, number> {
  const levels = new Map<number, number>();
  for (const file of fs.globSync(path.join(folder, "*.conf"))) {
    for (const rule of fs.readFileSync(file, "utf8").split(/\n(?=SecRule|SecAction)/)) {
      const id = /\bid:(\d+)/.exec(rule);
      const level = /paranoia-level\/(\d)/.exec(rule);
      if (id !== null && level !== null) levels.set(Number(id[1]), Number(level[1]));
    }
  }
  return levels;
}

export function judgeSample(screen: BuiltinScreen, sample: Sample): Outcome {
  const { request } = sample;
  if (request.isRefused) return { sample, score: 0, hits: [], isRefused: true };
  const hits = judgeRequest(screen, request.facts, request.body);
  return { sample, score: scoreOf(hits), hits, isRefused: false };
}

export function judgeRequest(screen: BuiltinScreen, facts: RequestFacts, body: string): BuiltinHit[] {
  const head = parseHead(facts);
  const { hits } = evaluateBuiltin(screen, head, "head");
  if (body === "") return hits;
  return [...hits, ...evaluateBuiltin(screen, parseBody(head, body), "body").hits];
}

export const isCaught = ({ score, isRefused }: Outcome): boolean => isRefused || score >= BLOCKING_SCORE;

export interface Share {
  readonly caught: number;
  readonly all: number;
}

export function shareOf(outcomes: readonly Outcome[]): Share {
  return { caught: outcomes.filter(isCaught).length, all: outcomes.length };
}
