/** What comes of it: which rules matched what, the score, and what should happen to the exchange. */
import { SECLANG_LIMITS } from "./limits.ts";
import { leadingInteger } from "./number.ts";
import type { Phase } from "./rule.ts";
import type { Transaction } from "./transaction.ts";
import { storeOf } from "./transaction.ts";

export interface Hit {
  readonly id: number;
  readonly phase: Phase;
  /** Rules that only count and jump are not told: not in the log, and they make no verdict. */
  readonly logged: boolean;
  readonly message: string;
  readonly logData: string;
  readonly tags: readonly string[];
  readonly severity: number | null;
  /** Which values it matched, of the chain's first rule; shortened. */
  readonly matches: ReadonlyArray<{ readonly name: string; readonly value: string }>;
}

export interface Judgement {
  /** block: refuse it; watch: let it pass, but something was found; pass: nothing was. */
  readonly verdict: "pass" | "watch" | "block";
  /** Something disruptive matched, were it carried out (block) or not (rules that only detect). */
  readonly disrupted: boolean;
  /** What to answer where the verdict is block; null: close the connection without an answer. */
  readonly status: number | null;
  /** The anomaly scores of the Core Rule Set; 0 where the rules count none. */
  readonly score: { readonly inbound: number; readonly outbound: number };
  readonly hits: readonly Hit[];
  /** Hits that were not kept. */
  readonly hitsDropped: number;
  /** Whether it belongs in the audit log. */
  readonly audit: boolean;
  /** It cost more than a request may: not all of it was looked at, and so it is refused (or watched). To be counted. */
  readonly overrun: boolean;
}

/** May be asked after any phase: what is known by then. */
export function judge(transaction: Transaction): Judgement {
  const { interruption, hits, told } = transaction;
  const isOverrun = transaction.evaluation?.overrun === true;
  return {
    verdict: interruption !== null ? "block" : told || transaction.disrupted ? "watch" : "pass",
    disrupted: transaction.disrupted,
    status: interruption?.kind === "deny" ? interruption.status : null,
    score: { inbound: scoreOf(transaction, "inbound"), outbound: scoreOf(transaction, "outbound") },
    hits,
    hitsDropped: transaction.hitsDropped,
    audit: (transaction.audit || isOverrun) && (told || transaction.disrupted),
    overrun: isOverrun,
  };
}

/** Core Rule Set 4 counts in blocking_..., 3 in anomaly_score and outbound_anomaly_score. */
function scoreOf(transaction: Transaction, side: "inbound" | "outbound"): number {
  const tx = storeOf(transaction, "TX");
  const older = side === "inbound" ? "anomaly_score" : "outbound_anomaly_score";
  return leadingInteger(tx.get(`blocking_${side}_anomaly_score`) ?? tx.get(older) ?? "0");
}

/** A value as evidence. */
export function shorten(value: string): string {
  return value.length <= SECLANG_LIMITS.evidenceCharsMax
    ? value
    : `${value.slice(0, SECLANG_LIMITS.evidenceCharsMax)}...`;
}
