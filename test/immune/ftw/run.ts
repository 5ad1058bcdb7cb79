/**
 * Runs go-ftw regression tests over the engine, without sockets, and judges each by the rule ids that the log would
 * show: all of `expect_ids` and none of `no_expect_ids`.
 *
 * The response side is what albedo, the test suite's server, would send: `/reflect` answers what the body asks for.
 */
import fs from "node:fs";
import path from "node:path";
import { parseAllDocuments } from "yaml";
import { evaluatePhase } from "../../../src/immune/seclang/evaluate.ts";
import type { ResponseFacts } from "../../../src/immune/seclang/facts.ts";
import type { Judgement } from "../../../src/immune/seclang/judgement.ts";
import { judge } from "../../../src/immune/seclang/judgement.ts";
import type { RuleSet } from "../../../src/immune/seclang/rule-set.ts";
import type { TransactionOptions } from "../../../src/immune/seclang/transaction.ts";
import {
  giveRequestBody,
  giveResponse,
  giveResponseBody,
  openTransaction,
  wantsResponseBody,
} from "../../../src/immune/seclang/transaction.ts";
import type { FtwInput, FtwRequest } from "./raw-request.ts";
import { requestOf } from "./raw-request.ts";

export interface FtwStage {
  /** `942100-3`, or `942100-3.2` for the second stage. */
  readonly name: string;
  readonly input: FtwInput;
  readonly expectIds: readonly number[];
  readonly noExpectIds: readonly number[];
  readonly matchRegex: string | null;
}

interface FtwFile {
  rule_id: number;
  tests: Array<{
    test_id: number;
    stages: Array<{
      input: FtwInput;
      output?: { log?: { expect_ids?: number[]; no_expect_ids?: number[]; match_regex?: string } };
    }>;
  }>;
}

/** The stages of a folder that say what the log must or must not show; those that only check a status are the HTTP reader's. */
export function readStages(folder: string): FtwStage[] {
  const files = fs.globSync(path.join(folder, "*.yaml")).sort();
  return files.flatMap((file) =>
    parseAllDocuments(fs.readFileSync(file, "utf8")).flatMap((document) => stagesOf(document.toJS() as FtwFile)),
  );
}

function stagesOf({ rule_id, tests }: FtwFile): FtwStage[] {
  return tests.flatMap(({ test_id, stages }) =>
    stages.flatMap(({ input, output }, index) => {
      const log = output?.log;
      if (log?.expect_ids === undefined && log?.no_expect_ids === undefined && log?.match_regex === undefined)
        return [];
      return [
        {
          name: `${rule_id}-${test_id}${index === 0 ? "" : `.${index + 1}`}`,
          input,
          expectIds: log.expect_ids ?? [],
          noExpectIds: log.no_expect_ids ?? [],
          matchRegex: log.match_regex ?? null,
        },
      ];
    }),
  );
}

/** What is wrong with the ids that fired, or null. */
export function checkStage(rules: RuleSet, stage: FtwStage, options: TransactionOptions = {}): string | null {
  const request = requestOf(stage.input);
  const hits = request.isRefused ? [] : runRequest(rules, request, options).hits;
  const logged = new Set(hits.filter((hit) => hit.logged).map(({ id }) => id));
  const missing = stage.expectIds.filter((id) => !logged.has(id));
  const wrong = stage.noExpectIds.filter((id) => logged.has(id));
  if (missing.length > 0) return `${missing.join(", ")} did not fire`;
  if (wrong.length > 0) return `${wrong.join(", ")} fired`;
  if (stage.matchRegex === null) return null;
  const regex = new RegExp(stage.matchRegex);
  const log = hits.flatMap(({ message, logData, matches }) => [message, logData, ...matches.map(({ name }) => name)]);
  return log.some((line) => regex.test(line)) ? null : `nothing told fits ${stage.matchRegex}`;
}

export function runRequest(
  rules: RuleSet,
  { facts, body }: Pick<FtwRequest, "facts" | "body">,
  options: TransactionOptions = {},
): Judgement {
  const transaction = openTransaction(rules, facts, options);
  evaluatePhase(transaction, 1);
  giveRequestBody(transaction, body);
  evaluatePhase(transaction, 2);
  const response = responseOf(facts.target, body);
  giveResponse(transaction, response.facts);
  evaluatePhase(transaction, 3);
  if (wantsResponseBody(transaction)) giveResponseBody(transaction, response.body);
  evaluatePhase(transaction, 4);
  evaluatePhase(transaction, 5);
  return judge(transaction);
}

function responseOf(target: string, requestBody: string): { facts: ResponseFacts; body: string } {
  const reflected = target.startsWith("/reflect") ? reflectedSpec(requestBody) : {};
  const headers = Object.entries(reflected.headers ?? {}).flat();
  if (!headers.some((text, i) => i % 2 === 0 && text.toLowerCase() === "content-type")) {
    headers.push("Content-Type", "text/plain; charset=utf-8");
  }
  const body =
    reflected.encodedBody === undefined
      ? Buffer.from(reflected.body ?? "", "utf8").toString("latin1")
      : Buffer.from(reflected.encodedBody, "base64").toString("latin1");
  return { facts: { status: reflected.status ?? 200, reason: "OK", protocol: "HTTP/1.1", headers }, body };
}

interface ReflectSpec {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  encodedBody?: string;
}

function reflectedSpec(requestBody: string): ReflectSpec {
  try {
    return JSON.parse(Buffer.from(requestBody, "latin1").toString("utf8")) as ReflectSpec;
  } catch {
    return {};
  }
}
