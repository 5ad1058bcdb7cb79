/**
 * What a rule set does first in every exchange: its configuration (fold.ts) up to the first rule that looks at the
 * request. Of the Core Rule Set these are some 25 rules that fill TX with 45 names. It is made once, and each exchange
 * begins behind it.
 */
import type { Hit } from "../judgement.ts";
import { SECLANG_LIMITS } from "../limits.ts";
import type { StoreBase } from "../store.ts";
import { storeBase } from "../store.ts";
import type { CompiledStep } from "./compile.ts";
import type { MatchedValue } from "./evaluation.ts";
import type { Settled } from "./fold.ts";

export interface Opening {
  /** The place of the first step that is not part of it. */
  readonly next: number;
  readonly tx: StoreBase;
  readonly hits: readonly Hit[];
  readonly matched: readonly MatchedValue[];
  /** Whether any of the hits is to be told. */
  readonly told: boolean;
  readonly highestSeverity: number | null;
}

/** Of the steps of phase 1. */
export function openingOf(steps: readonly CompiledStep[], settled: Settled): Opening {
  const tx = new Map<string, string>();
  const hits: Hit[] = [];
  let matched: readonly MatchedValue[] = [];
  let told = false;
  let highestSeverity: number | null = null;
  let index = 0;
  while (index < steps.length) {
    const conclusion = settled[index]!;
    if (conclusion === "never") {
      index += 1;
      continue;
    }
    if (conclusion === null || conclusion.sets === null || conclusion.hit === null) break;
    const { sets, hit } = conclusion;
    // At a bound each one is counted, which is not done here.
    if (hits.length >= SECLANG_LIMITS.hitsMax || tx.size + sets.length > SECLANG_LIMITS.collectionKeysMax) break;
    const { head, jump } = steps[index]!;
    for (const [name, value] of sets) {
      if (value === null) tx.delete(name);
      else tx.set(name, value);
    }
    if (head.check !== null) ({ matched } = conclusion);
    hits.push(hit);
    told ||= head.log;
    if (head.severity !== null) highestSeverity = Math.min(head.severity, highestSeverity ?? Infinity);
    index = jump;
  }
  return { next: index, tx: storeBase(tx), hits, matched, told, highestSeverity };
}
