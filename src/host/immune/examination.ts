/**
 * One request before its guard: head, then body, then (where the DNA wants it) the answer; after each step a ruling.
 *
 * Small steps are done at once, and the ruling is there. Large ones take turns with the event loop (turns.ts), and a
 * promise of the ruling is given, which never rejects: where something that looks fails (a filter that throws, a bug), the
 * request counts as overrun, for what was not looked at cannot be called harmless.
 *
 * It holds no sockets and waits for nobody: whoever has the connection asks, and carries out.
 */
import type { FilterRequest, FilterVerdict } from "../../dna/functions.ts";
import type { ResponseHead } from "../../http/message.ts";
import type { FilterObjection, Finding } from "../../immune/finding.ts";
import { findingOf } from "../../immune/finding.ts";
import { openBuiltin, type BuiltinHit, type BuiltinRun } from "../../immune/builtin/evaluate.ts";
import { isBinary } from "../../immune/builtin/parsed-request.ts";
import { evaluatePhase } from "../../immune/seclang/evaluate.ts";
import type { RequestFacts } from "../../immune/seclang/facts.ts";
import type { Judgement } from "../../immune/seclang/judgement.ts";
import { judge } from "../../immune/seclang/judgement.ts";
import type { Phase } from "../../immune/seclang/rule.ts";
import type { Transaction } from "../../immune/seclang/transaction.ts";
import {
  giveRequestBody,
  giveResponse,
  giveResponseBody,
  openTransaction,
  wantsResponseBody,
} from "../../immune/seclang/transaction.ts";
import type { Guard } from "./guard.ts";
import { evaluateInTurns, isSmall, runFairlyWatched, stepInTurns } from "./turns.ts";

/** `status` null: the connection is to be closed without an answer. */
export type Ruling = { readonly kind: "pass" } | { readonly kind: "block"; readonly status: number | null };

/** A filter is asked on the event loop: it has so long of the processor, and 50 requests a second like that fill two cells. */
const FILTER_MS_MAX = 50;
const REASON_CHARS_MAX = 200;
/** What a filter's block counts where it names no score: as a critical rule. */
const FILTER_SCORE = 5;

const PASS: Ruling = { kind: "pass" };

export class Examination {
  readonly facts: RequestFacts;
  readonly #guard: Guard;
  readonly #transaction: Transaction;
  readonly #headBytes: number;
  #bodyBytes: Buffer = NO_BYTES;
  #objections: FilterObjection[] = [];
  /** What the built-in filters found, and whether it is enough. */
  #builtinHits: BuiltinHit[] = [];
  #builtinScore = 0;
  #isBuiltinOverrun = false;
  /** Why what looks could not: for the log. */
  failure: string | null = null;
  #isFinished = false;

  constructor(guard: Guard, facts: RequestFacts) {
    this.#guard = guard;
    this.facts = facts;
    const startedMs = performance.now();
    this.#transaction = openTransaction(guard.rules, facts, {
      screen: guard.screen,
      duration: () => performance.now() - startedMs,
    });
    let headBytes = facts.target.length;
    for (const text of facts.headers) headBytes += text.length;
    this.#headBytes = headBytes;
  }

  /** Phase 1. */
  head(): Ruling | Promise<Ruling> {
    return this.#run(1, "head", this.#headBytes);
  }

  /** How much of the body is to be kept for `body`. One byte more tells that there was more. */
  get bodyBytesWanted(): number {
    const { requestBodyAccess, requestBodyBytesMax, processor, engine } = this.#transaction;
    const forFilters = this.#guard.filters.length > 0 ? this.#guard.filterBodyBytesMax : 0;
    if (!requestBodyAccess || engine === "off") return forFilters;
    // An upload of bytes that nobody can read goes through as it comes.
    const isOfUse = this.#guard.hasRules || (this.#guard.builtin !== null && !isBinary(this.facts));
    if (!isOfUse) return forFilters;
    const { requestBodyNoFilesBytesMax } = this.#transaction.rules.settings;
    const forRules =
      processor === "MULTIPART" ? requestBodyBytesMax : Math.min(requestBodyBytesMax, requestBodyNoFilesBytesMax);
    return Math.max(forRules, forFilters);
  }

  /** Phase 2, and the filters: `bytes` is the body or its beginning; empty where there is none. */
  body(bytes: Buffer): Ruling | Promise<Ruling> {
    this.#bodyBytes = bytes;
    if (bytes.length > 0) this.#guarded(() => giveRequestBody(this.#transaction, bytes.latin1Slice()));
    // After an interruption nothing more is asked; where rules only detect, each is heard.
    const ruling = this.#run(2, bytes.length > 0 ? "body" : null, this.#headBytes + bytes.length);
    return onRuling(ruling, (ruled) => {
      if (ruled.kind === "pass" && this.#guard.filters.length > 0) this.#askFilters();
      return this.#ruling();
    });
  }

  /** Phase 3. */
  response({ status, reason, headers }: ResponseHead): Ruling | Promise<Ruling> {
    giveResponse(this.#transaction, { status, reason, headers, protocol: this.facts.protocol });
    return this.#run(3, null, 0);
  }

  /** More of the body came than is looked at. */
  get isBodyCut(): boolean {
    return this.#transaction.inboundOverLimit;
  }

  /** Asked after phase 3. 0: not at all. */
  get responseBodyBytesWanted(): number {
    return wantsResponseBody(this.#transaction) ? this.#transaction.rules.settings.responseBodyBytesMax : 0;
  }

  /** Phase 4: the answer's body, or its beginning. */
  responseBody(bytes: Buffer): Ruling | Promise<Ruling> {
    this.#guarded(() => giveResponseBody(this.#transaction, bytes.latin1Slice()));
    return this.#run(4, null, bytes.length);
  }

  /** What was found up to now, at the end of it: phase 5 sums up, for the log. */
  finish(): Finding {
    if (!this.#isFinished) {
      this.#isFinished = true;
      if (this.#transaction.told || this.#transaction.disrupted) {
        this.#guarded(() => evaluatePhase(this.#transaction, 5));
      }
    }
    return findingOf(
      { judgement: this.judgement(), builtin: this.#builtinHits, objections: this.#objections },
      this.facts,
      {
        mode: this.#guard.mode,
        scoreMin: this.#guard.scoreMin,
        failed: this.failure !== null || this.#isBuiltinOverrun,
      },
    );
  }

  /** What the built-in filters found. */
  get builtinHits(): readonly BuiltinHit[] {
    return this.#builtinHits;
  }

  /** For who wants to know more than a finding tells. */
  judgement(): Judgement {
    return judge(this.#transaction);
  }

  #run(phase: Phase, part: "head" | "body" | null, bytes: number): Ruling | Promise<Ruling> {
    if (!isSmall(bytes)) return this.#runInTurns(phase, part, bytes);
    this.#guarded(() => {
      evaluatePhase(this.#transaction, phase);
      const run = this.#openBuiltin(part);
      if (run === null) return;
      void stepInTurns(run, bytes);
      this.#takeBuiltin(run);
    });
    return this.#ruling();
  }

  async #runInTurns(phase: Phase, part: "head" | "body" | null, bytes: number): Promise<Ruling> {
    try {
      await evaluateInTurns(this.#transaction, phase, bytes);
      const run = this.#openBuiltin(part);
      if (run !== null) {
        await stepInTurns(run, bytes);
        this.#takeBuiltin(run);
      }
    } catch (error) {
      this.#failed(error);
    }
    return this.#ruling();
  }

  /** Null where they do not run, or nothing is left for them to decide. */
  #openBuiltin(part: "head" | "body" | null): BuiltinRun | null {
    const { builtin } = this.#guard;
    if (builtin === null || part === null || this.#transaction.interruption !== null) return null;
    return openBuiltin(builtin, this.#transaction, part);
  }

  #takeBuiltin({ hits, overrun }: BuiltinRun): void {
    for (const hit of hits) {
      this.#builtinHits.push(hit);
      this.#builtinScore += hit.score;
    }
    this.#isBuiltinOverrun ||= overrun;
  }

  #ruling(): Ruling {
    const { interruption } = this.#transaction;
    const { mode, status, scoreMin } = this.#guard;
    if (interruption !== null) return { kind: "block", status: this.#statusOf(interruption) };
    const isRefused =
      this.failure !== null ||
      this.#isBuiltinOverrun ||
      this.#builtinScore >= scoreMin ||
      this.#objections.some(({ verdict }) => verdict === "block");
    return isRefused && mode === "block" ? { kind: "block", status } : PASS;
  }

  #statusOf(interruption: NonNullable<Transaction["interruption"]>): number | null {
    if (interruption.kind !== "deny") return null;
    // 403 is what a rule says that says nothing.
    return interruption.status === 403 ? this.#guard.status : interruption.status;
  }

  #askFilters(): void {
    const request = filterRequestOf(this.facts, this.#bodyBytes);
    for (const { name, call } of this.#guard.filters) {
      try {
        const answered = runFairlyWatched(() => ({ verdict: call(request) }), FILTER_MS_MAX);
        if (answered === null) throw new Error(`it took more than ${FILTER_MS_MAX} ms of the processor`);
        const objection = objectionOf(name, answered.verdict ?? "pass");
        if (objection !== null) this.#objections.push(objection);
      } catch (error) {
        this.failure ??= `the filter ${name} of the DNA: ${error instanceof Error ? error.message : String(error)}`;
      }
    }
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A bug: where it is matters most. */
  #failed(error: unknown): void {
    this.failure ??= error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

const NO_BYTES = Buffer.alloc(0);

/** Goes on at once where there is nothing to wait for: most requests need no promise. */
export function onRuling<Result>(
  ruling: Ruling | Promise<Ruling>,
  goOn: (ruling: Ruling) => Result,
): Result | Promise<Result> {
  return ruling instanceof Promise ? ruling.then((ruled) => goOn(ruled)) : goOn(ruling);
}

function objectionOf(filter: string, verdict: Exclude<FilterVerdict, undefined>): FilterObjection | null {
  if (verdict === "pass") return null;
  if (verdict === "watch" || verdict === "block") return objectionOf(filter, { verdict });
  const isKnown = typeof verdict === "object" && (verdict.verdict === "watch" || verdict.verdict === "block");
  // A promise, for one: nobody waits for it, and nobody may take it for "pass".
  if (!isKnown) throw new Error(`it answered neither "pass", "watch" nor "block": ${typeof verdict}`);
  const score = verdict.score ?? (verdict.verdict === "block" ? FILTER_SCORE : 0);
  return {
    filter,
    verdict: verdict.verdict,
    reason: (typeof verdict.reason === "string" ? verdict.reason : verdict.verdict).slice(0, REASON_CHARS_MAX),
    score: Number.isFinite(score) ? score : 0,
  };
}

function filterRequestOf(facts: RequestFacts, body: Buffer): FilterRequest {
  const { target } = facts;
  const question = target.indexOf("?");
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let i = 0; i + 1 < facts.headers.length; i += 2) {
    const name = facts.headers[i]!.toLowerCase();
    const value = facts.headers[i + 1]!;
    headers[name] = headers[name] === undefined ? value : `${headers[name]}${name === "cookie" ? "; " : ", "}${value}`;
  }
  return Object.freeze({
    requestId: facts.uniqueId,
    client: facts.clientAddress,
    method: facts.method,
    target,
    path: question === -1 ? target : target.slice(0, question),
    query: Object.freeze(queryOf(question === -1 ? "" : target.slice(question + 1))),
    headers: Object.freeze(headers),
    body: new Uint8Array(body),
  });
}

function queryOf(text: string): Record<string, string[]> {
  const query: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of new URLSearchParams(text)) (query[name] ??= []).push(value);
  return query;
}
