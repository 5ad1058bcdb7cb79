/**
 * What was found in one request, put together from whoever looked at it: rules, built-in filters, filters of the user's.
 *
 * A finding is what the outside is told: the audit log a line (`auditEntryOf`), T cells a mark (`markOf`). Both are
 * made where the request is, and bounded and masked here: what leaves the cell is evidence, not the request.
 */
import type { RequestFacts } from "./seclang/facts.ts";
import type { BuiltinHit } from "./builtin/evaluate.ts";
import type { Judgement } from "./seclang/judgement.ts";
import { attackClassOf, type AttackClass } from "./ledger/attack-class.ts";
import type { Mark } from "./ledger/mark.ts";
import { maskTarget, maskValue } from "./masking.ts";

export type Verdict = "pass" | "watch" | "block";

export interface Finding {
  readonly verdict: Verdict;
  /** In detect mode: it would have been blocked. */
  readonly wouldBlock: boolean;
  /** As the Core Rule Set counts: a critical rule is 5. */
  readonly score: number;
  /** Rules that are to be told, each once, in the order in which they fired. */
  readonly rules: readonly number[];
  /** Filters of the user's that objected. */
  readonly filters: readonly string[];
  readonly attackClass: AttackClass;
  /** Not all of it was looked at: it cost more than a request may, or something that looks at it failed. */
  readonly overrun: boolean;
  /** Whether it belongs in the audit log. */
  readonly audit: boolean;
  /** Of what a mark tells; only asked for where there is one. */
  evidence(): string;
}

/** What a filter of the user's found. */
export interface FilterObjection {
  readonly filter: string;
  readonly verdict: "watch" | "block";
  readonly reason: string;
  readonly score: number;
}

/** One line of the audit log. */
export interface AuditEntry {
  readonly time: string;
  readonly requestId: string;
  readonly client: string;
  readonly method: string;
  readonly target: string;
  readonly verdict: Verdict;
  readonly score: number;
  readonly rules: readonly number[];
  readonly cell: string | null;
  readonly filters?: readonly string[];
  readonly overrun?: true;
}

export const findingLimits = {
  /** Of a target in the audit log. */
  targetCharsMax: 8 * 1024,
  /** Of a mark's evidence: it travels from cell to cell. */
  evidenceCharsMax: 512,
  /** Of one matched value in it. */
  valueCharsMax: 120,
  /** Rules that a mark tells. */
  markRulesMax: 32,
} as const;

/** What each of those who looked has found. */
export interface Found {
  readonly judgement: Judgement;
  readonly builtin: readonly BuiltinHit[];
  readonly objections: readonly FilterObjection[];
}

export function findingOf(
  { judgement, builtin, objections }: Found,
  request: Pick<RequestFacts, "method" | "target">,
  { mode, scoreMin, failed }: { mode: "detect" | "block"; scoreMin: number; failed: boolean },
): Finding {
  const told = judgement.hits.filter(({ logged }) => logged);
  const builtinScore = builtin.reduce((sum, hit) => sum + hit.score, 0);
  const filtersBlock = builtinScore >= scoreMin || objections.some(({ verdict }) => verdict === "block");
  const wantsBlock = judgement.disrupted || filtersBlock || failed;
  const isBlocked = judgement.verdict === "block" || (mode === "block" && (filtersBlock || failed));
  const isFound = builtin.length > 0 || objections.length > 0 || failed;
  const rulesScore = Math.max(judgement.score.inbound, judgement.score.outbound);
  const isToldOf = judgement.verdict !== "pass" || judgement.overrun || told.length > 0 || rulesScore > 0;
  if (!isFound && !isToldOf) return nothing;
  const isWatched = judgement.verdict === "watch" || isFound;
  return {
    verdict: isBlocked ? "block" : isWatched ? "watch" : "pass",
    wouldBlock: wantsBlock,
    score: objections.reduce((sum, objection) => sum + objection.score, rulesScore + builtinScore),
    rules: [...new Set([...told, ...builtin].map(({ id }) => id))],
    filters: objections.map(({ filter }) => filter),
    attackClass: classOf(told, builtin),
    overrun: judgement.overrun || failed,
    audit: judgement.audit || isFound,
    evidence: () => evidenceOf(request, told, builtin, objections),
  };
}

/** Of most requests: nobody found anything, nor counted anything. */
const nothing: Finding = {
  verdict: "pass",
  wouldBlock: false,
  score: 0,
  rules: [],
  filters: [],
  attackClass: "other",
  overrun: false,
  audit: false,
  evidence: () => "",
};

export function auditEntryOf(
  finding: Finding,
  facts: Pick<RequestFacts, "uniqueId" | "clientAddress" | "method" | "target">,
  { time, cell }: { time: string; cell: string | null },
): AuditEntry {
  return {
    time,
    requestId: facts.uniqueId,
    client: facts.clientAddress,
    method: facts.method,
    target: maskTarget(facts.target, findingLimits.targetCharsMax),
    verdict: finding.verdict,
    score: finding.score,
    rules: finding.rules,
    cell,
    ...(finding.filters.length === 0 ? {} : { filters: finding.filters }),
    ...(finding.overrun ? { overrun: true as const } : {}),
  };
}

/** `id`: of the mark, and not only of the request: who sends requests may name them all alike. */
export function markOf(
  finding: Finding,
  { id, client, cell, atMs }: Pick<Mark, "id" | "client" | "cell" | "atMs">,
): Mark {
  return {
    id,
    client,
    attackClass: finding.attackClass,
    rules: finding.rules.slice(0, findingLimits.markRulesMax),
    // What blocks weighs as a critical rule at least, however it is counted.
    score: Math.max(5, finding.score),
    cell,
    atMs,
    evidence: finding.evidence(),
  };
}

type ToldHit = Judgement["hits"][number];

/** Severities of ModSecurity, 2 being critical; a rule that names none weighs as a notice. */
const severityWeights: Readonly<Record<number, number>> = { 0: 5, 1: 5, 2: 5, 3: 4, 4: 3, 5: 2 };

/** The class that the rules which fired weigh most for; those that only sum up have no tag of an attack. */
function classOf(told: readonly ToldHit[], builtin: readonly BuiltinHit[]): AttackClass {
  const weights = new Map<AttackClass, number>();
  for (const { attackClass, score } of builtin) weights.set(attackClass, (weights.get(attackClass) ?? 0) + score);
  for (const { tags, severity } of told) {
    const classes = new Set(tags.filter((tag) => tag.startsWith("attack-")).map(attackClassOf));
    for (const each of classes) {
      // Of a rule that fits two classes the one that is known says more.
      const weight = (severityWeights[severity ?? 6] ?? 1) * (each === "other" ? 0.5 : 1);
      weights.set(each, (weights.get(each) ?? 0) + weight);
    }
  }
  let best: AttackClass = "other";
  for (const [each, weight] of weights) if (weight > (weights.get(best) ?? 0)) best = each;
  return best;
}

function evidenceOf(
  { method, target }: Pick<RequestFacts, "method" | "target">,
  told: readonly ToldHit[],
  builtin: readonly BuiltinHit[],
  objections: readonly FilterObjection[],
): string {
  const path = target.split("?", 1)[0]!;
  const parts = [`${method} ${shortened(path, findingLimits.valueCharsMax)}`];
  for (const { filter, reason } of objections)
    parts.push(`${filter}: ${shortened(reason, findingLimits.valueCharsMax)}`);
  for (const { name, where, matched } of builtin) {
    parts.push(`${name} ${where}=${shortened(maskValue(where, matched), findingLimits.valueCharsMax)}`);
  }
  const seen = new Set<string>();
  for (const { id, matches } of told) {
    const [match] = matches;
    // Rules that sum scores up match what rules have counted, and nothing of the request.
    if (match === undefined || match.name.startsWith("TX:")) continue;
    const value = `${match.name}=${shortened(maskValue(match.name, match.value), findingLimits.valueCharsMax)}`;
    if (seen.has(value)) continue;
    seen.add(value);
    parts.push(`${id} ${value}`);
  }
  return shortened(parts.join("; "), findingLimits.evidenceCharsMax);
}

function shortened(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 3)}...`;
}
