/**
 * A B cell's immune side: it has each request examined, and tells what came of it: the audit log, the witness (whose word
 * reaches the T cells), the metrics, and of what went wrong the cell's own log.
 *
 * What is told are marks of what is malicious, and sightings of the rest that judgement needs: that most of a range's
 * requests are harmless, which paths are not there, how logins end, who is slow or speaks no HTTP.
 */
import { performance } from "node:perf_hooks";
import type { Dna } from "../../dna/dna.ts";
import type { BodyContext } from "../../host/body.ts";
import { machineNowMs } from "../../host/clock.ts";
import type { Counters, Count } from "../../host/counters.ts";
import { AuditLog } from "../../host/immune/audit-log.ts";
import { Examination, onRuling } from "../../host/immune/examination.ts";
import { loadGuard, type Guard } from "../../host/immune/guard.ts";
import { isNamed } from "../../http/field-names.ts";
import { httpErrors, type HttpErrorCode } from "../../http/http-error.ts";
import { readLooseHead } from "../../http/loose-head.ts";
import type { ExchangeRequest, HeaderList } from "../../http/message.ts";
import { auditEntryOf, markOf, type AuditEntry, type Finding, type Verdict } from "../../immune/finding.ts";
import type { Witness } from "../../immune/ledger/mark.ts";
import { hash32 } from "../../lib/hash.ts";
import type { CellLog } from "../../host/log.ts";
import type { Convey, Heard } from "./conveyance.ts";
import type { JudgeRefused } from "./http1-connection.ts";
import type { HeldBytes } from "./held-bytes.ts";
import { ResponseScreening } from "./response-screening.ts";
import { Screening, type ScreeningDesk } from "./screening.ts";

/** Of requests that pass so many are told a second; beyond it each stands for several. */
const cleanPerSecondMax = 200;
/** Failures to look at a request, told a second: an attack must not become a flood of our own. */
const failuresPerSecondMax = 5;

/** Null: the DNA wants nothing judged. Throws where its rules have a mistake: a cell that cannot filter takes no requests. */
export async function openImmunity(context: BodyContext): Promise<Immunity | null> {
  const { immune } = context.dna;
  const startedMs = performance.now();
  const guard = await loadGuard(immune);
  if (guard === null) return null;
  const { rules, mode } = guard;
  const tookMs = Math.round(performance.now() - startedMs);
  context.log.info(
    "filter-ready",
    { mode, rules: rules.ruleCount, filters: guard.filters.length, tookMs },
    `filters requests (${mode}) by ${rules.ruleCount} rules`,
  );
  for (const { place, text } of rules.notices) {
    context.log.debug("rule-notice", { file: place.file, line: place.line }, text);
  }
  return new Immunity(context, guard);
}

export class Immunity {
  readonly #cell: string;
  readonly #guard: Guard;
  readonly #witness: Witness;
  readonly #log: CellLog;
  readonly #audit: AuditLog | null;
  readonly #counts: Counts;
  readonly #loginPaths: ReadonlySet<string>;
  #markCount = 0;
  readonly #clean = new Sampler(cleanPerSecondMax);
  readonly #failures = new Sampler(failuresPerSecondMax);

  constructor({ id, dna, witness, counters, log }: BodyContext, guard: Guard) {
    this.#cell = id;
    this.#guard = guard;
    this.#witness = witness;
    this.#log = log;
    this.#counts = new Counts(counters);
    this.#loginPaths = new Set(dna.immune.bans.loginPaths);
    this.#audit = openAudit(dna.immune, log);
    if (this.#audit !== null) {
      const audit = this.#audit;
      counters.read("cellws_immune_audit_lines_lost_total", {}, () => audit.lost);
    }
  }

  /** The same ways of answering, behind the guard. `held`: what the ingress counts, once there is one. */
  screened(convey: Convey, held: () => HeldBytes): Convey {
    const desk: ScreeningDesk = {
      get held() {
        return held();
      },
      responses: this.#guard.responses,
      examine: (request, heard) => this.#examine(request, heard),
      conclude: (examination, request) => this.#conclude(examination, request),
      answered: (request, status) => this.#answered(request, status),
    };
    return (request, client, carry, heard) =>
      new Screening(desk, request, heard, client, (side, examination) => {
        if (!desk.responses) return convey(request, side, carry, heard);
        const screening = { held: desk.held, examination };
        return convey(request, side, (inner) => new ResponseScreening(screening, request, inner, carry), heard);
      });
  }

  /** cellws itself refused a request, or cut a connection. */
  refused(code: HttpErrorCode, client: string): void {
    if (httpErrors[code].blame !== "client" || code === "CELLWS_HTTP_REFUSED") return;
    const kind = slowCodes.has(code) ? "slow" : "protocol-error";
    this.#witness.sight({ kind, client, atMs: machineNowMs() });
  }

  /**
   * Of a head that is no HTTP, rules may still say what it was. It has been refused whatever they say: so where they
   * find nothing, there is nothing to tell but the fault itself, which `refused` does.
   */
  readonly judgeRefused: JudgeRefused = (text, connection, requestId) => {
    const head = readLooseHead(text);
    const examination = new Examination(this.#guard, {
      uniqueId: requestId,
      clientAddress: connection.remoteAddress,
      clientPort: connection.remotePort,
      serverAddress: connection.localAddress,
      serverPort: connection.localPort,
      ...head,
    });
    void onRuling(examination.head(), async (ruling) => {
      if (ruling.kind === "pass") await examination.body(Buffer.alloc(0));
      const finding = examination.finish();
      this.#count(finding, examination);
      if (finding.audit) this.#audit?.write(this.#entryOf({ ...finding, verdict: "block" }, examination));
      if (finding.wouldBlock) this.#mark(finding, requestId, connection.remoteAddress);
    });
  };

  async close(): Promise<void> {
    await this.#audit?.close();
  }

  #examine(request: ExchangeRequest, { headers, protocol }: Heard): Examination {
    return new Examination(this.#guard, {
      uniqueId: request.requestId,
      clientAddress: request.remoteAddress,
      clientPort: request.remotePort,
      serverAddress: request.localAddress,
      serverPort: request.localPort,
      method: request.method,
      target: request.target,
      protocol,
      headers,
    });
  }

  #conclude(examination: Examination, request: ExchangeRequest): void {
    const finding = examination.finish();
    this.#count(finding, examination);
    if (finding.audit) this.#audit?.write(this.#entryOf(finding, examination));
    if (finding.wouldBlock) this.#mark(finding, request.requestId, request.remoteAddress);
    // Also what was watched and let through. Where a rule finds something in every request (a Host that is a number, say), nobody
    // would be clean otherwise, and an office with one attacker in it would look like nothing but attackers.
    else if (finding.verdict !== "block") this.#sightClean(request);
  }

  #count(finding: Finding, { isBodyCut, failure, facts }: Examination): void {
    this.#counts.count(finding, isBodyCut);
    if (failure !== null) this.#tellFailure(failure, facts.uniqueId);
  }

  #entryOf(finding: Finding, { facts }: Examination): AuditEntry {
    return auditEntryOf(finding, facts, { time: new Date().toISOString(), cell: this.#cell });
  }

  #mark(finding: Finding, requestId: string, client: string): void {
    this.#markCount += 1;
    this.#witness.mark(
      markOf(finding, {
        // A client behind a proxy may name all its requests alike: each of its marks counts all the same.
        id: `${this.#cell}-${this.#markCount.toString(36)}-${requestId}`,
        client,
        cell: this.#cell,
        atMs: machineNowMs(),
      }),
    );
  }

  #sightClean({ remoteAddress, headers, target }: ExchangeRequest): void {
    const count = this.#clean.take();
    if (count === 0) return;
    this.#witness.sight({
      kind: "clean",
      client: remoteAddress,
      atMs: machineNowMs(),
      count,
      print: printOf(headers),
      path: hash32(pathOf(target)),
    });
  }

  #answered({ remoteAddress, target, method }: ExchangeRequest, status: number): void {
    const path = pathOf(target);
    if (status === 404) {
      this.#witness.sight({ kind: "missing", client: remoteAddress, atMs: machineNowMs(), path: hash32(path) });
    }
    // To look at the form is no try.
    if (method !== "POST" || !this.#loginPaths.has(path)) return;
    const failed = status === 401 || status === 403;
    this.#witness.sight({ kind: "login", client: remoteAddress, atMs: machineNowMs(), failed });
  }

  #tellFailure(reason: string, requestId: string): void {
    if (this.#failures.take() === 0) return;
    const text = "a request could not be judged as a whole, and is treated as an attack";
    this.#log.error("filter-failed", { requestId, reason }, text);
  }
}

/** So many a second, each with the number of those that it stands for. */
class Sampler {
  readonly #perSecondMax: number;
  #second = 0;
  #taken = 0;
  #skipped = 0;

  constructor(perSecondMax: number) {
    this.#perSecondMax = perSecondMax;
  }

  /** 0: not this one. */
  take(): number {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) this.#taken = 0;
    this.#second = second;
    if (this.#taken >= this.#perSecondMax) {
      this.#skipped += 1;
      return 0;
    }
    this.#taken += 1;
    const count = 1 + this.#skipped;
    this.#skipped = 0;
    return count;
  }
}

class Counts {
  readonly #byVerdict: Readonly<Record<Verdict, Count>>;
  readonly #overrun: Count;
  readonly #unseen: Count;
  readonly #counters: Counters;

  constructor(counters: Counters) {
    this.#counters = counters;
    const of = (verdict: Verdict): Count => counters.counter("cellws_immune_judged_total", { verdict });
    this.#byVerdict = { pass: of("pass"), watch: of("watch"), block: of("block") };
    this.#overrun = counters.counter("cellws_immune_overrun_total", {});
    this.#unseen = counters.counter("cellws_immune_unseen_bodies_total", {});
  }

  count(finding: Finding, isBodyCut: boolean): void {
    this.#byVerdict[finding.verdict].value += 1;
    if (finding.overrun) this.#overrun.value += 1;
    if (isBodyCut) this.#unseen.value += 1;
    if (finding.wouldBlock) this.#counters.add("cellws_immune_attacks_total", { class: finding.attackClass });
  }
}

function openAudit({ audit, auditBytesMax }: Dna["immune"], log: CellLog): AuditLog | null {
  if (audit === null) return null;
  const losses = new Sampler(1);
  return new AuditLog({
    file: audit,
    bytesMax: auditBytesMax,
    onLost: (lines, reason) => {
      if (losses.take() === 0) return;
      log.warn(
        "audit-lines-lost",
        { lines, reason },
        `${lines} lines of the audit log could not be written: ${reason}`,
      );
    },
  });
}

const slowCodes: ReadonlySet<HttpErrorCode> = new Set<HttpErrorCode>([
  "CELLWS_HTTP_HEAD_TIMEOUT",
  "CELLWS_HTTP_BODY_TIMEOUT",
  "CELLWS_HTTP_BODY_TOO_SLOW",
  "CELLWS_HTTP_REQUEST_TIMEOUT",
]);

function pathOf(target: string): string {
  const question = target.indexOf("?");
  return question === -1 ? target : target.slice(0, question);
}

/** Tells clients behind one address apart, about: what browsers send that differs from person to person. */
function printOf(headers: HeaderList): number {
  let text = "";
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (isNamed(name, "user-agent") || isNamed(name, "accept-language") || isNamed(name, "cookie")) {
      text += `${headers[i + 1] as string}\n`;
    }
  }
  return hash32(text);
}
