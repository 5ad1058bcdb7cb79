/**
 * What a rule does once it matches: variables set, controls, the hit that is told, and what becomes of the exchange.
 * How it was found that the rule matches is not known here: the plain and the compiled evaluation share it.
 */
import type { Hit } from "./judgement.ts";
import { shorten } from "./judgement.ts";
import { SECLANG_LIMITS } from "./limits.ts";
import type { MacroValues } from "./macro.ts";
import { expandMacro } from "./macro.ts";
import { leadingInteger } from "./number.ts";
import type { Match } from "./operators/kind.ts";
import type { Control, Rule, RuleEffect } from "./rule.ts";
import type { MatchedValue, Transaction } from "./transaction.ts";
import { interrupt, setInStore, storeOf } from "./transaction.ts";
import { unreachable } from "../../lib/assert.ts";

/** Where to go on in the phase, if not with the next rule. */
export type Jump =
  | { readonly kind: "end-of-phase" }
  | { readonly kind: "skip"; readonly count: number }
  | { readonly kind: "behind"; readonly name: string };

/** TX:0 is the whole find; those of an earlier rule go, or a group that took no part would show its last value. */
export function capture(transaction: Transaction, match: Match): void {
  const count = Math.min(CAPTURES.length, match.length);
  const end = Math.max(count, transaction.capturesMax);
  for (let i = 0; i < end; i += 1) setInStore(transaction, "TX", CAPTURES[i]!, (i < count ? match[i] : null) ?? null);
  transaction.capturesMax = count;
}

const CAPTURES = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;

export function perform(transaction: Transaction, effect: RuleEffect): void {
  switch (effect.kind) {
    case "setvar": {
      const key = expandMacro(effect.key, transaction);
      if (effect.change.kind === "unset") return setInStore(transaction, effect.store, key, null);
      const value = expandMacro(effect.change.value, transaction);
      if (effect.change.kind === "set") return setInStore(transaction, effect.store, key, value);
      const before = leadingInteger(storeOf(transaction, effect.store).get(key.toLowerCase()) ?? "");
      const sign = effect.change.kind === "add" ? 1 : -1;
      return setInStore(transaction, effect.store, key, String(before + sign * leadingInteger(value)));
    }
    case "initcol": {
      const key = expandMacro(effect.key, transaction);
      transaction.storeKeys.set(effect.store, key);
      transaction.stores.set(effect.store, transaction.options.collections?.open(effect.store, key) ?? new Map());
      transaction.capturesMax = CAPTURES.length;
      return;
    }
    case "expirevar": {
      const key = transaction.storeKeys.get(effect.store);
      if (key === undefined) return;
      const variable = expandMacro(effect.key, transaction).toLowerCase();
      const seconds = leadingInteger(expandMacro(effect.seconds, transaction));
      transaction.options.collections?.expire(effect.store, key, variable, seconds);
      return;
    }
    case "ctl":
      return control(transaction, effect.control);
    default:
      return unreachable(effect);
  }
}

function control(transaction: Transaction, what: Control): void {
  switch (what.kind) {
    case "remove-rules":
      transaction.removedRules.push(what.select);
      return;
    case "remove-targets":
      transaction.removedTargets.push({ select: what.select, target: what.target });
      return;
    case "rule-engine":
      transaction.engine = what.mode;
      return;
    case "body-processor":
      transaction.processor = what.name;
      return;
    case "force-request-body":
      transaction.forceRequestBody = what.on;
      return;
    case "request-body-access":
      transaction.requestBodyAccess = what.on;
      return;
    case "response-body-access":
      transaction.responseBodyAccess = what.on;
      return;
    case "request-body-limit":
      transaction.requestBodyBytesMax = what.bytes;
      return;
    case "audit":
      transaction.audit = what.on;
      return;
    default:
      unreachable(what);
  }
}

/** Message and data are filled in now and not when the first rule matched: they may show what the last one caught. */
export function tell(
  transaction: Transaction,
  head: Rule,
  values: readonly MatchedValue[],
  ready: Hit | null = null,
): void {
  if (head.severity !== null && head.severity < (transaction.highestSeverity ?? Infinity)) {
    transaction.highestSeverity = head.severity;
  }
  transaction.told ||= head.log;
  if (transaction.hits.length >= SECLANG_LIMITS.hitsMax) {
    transaction.hitsDropped += 1;
    return;
  }
  transaction.hits.push(ready ?? hitOf(head, values, transaction));
}

export function hitOf(head: Rule, values: readonly MatchedValue[], macros: MacroValues): Hit {
  return {
    id: head.id,
    phase: head.phase,
    logged: head.log,
    message: expandMacro(head.message, macros),
    logData: shorten(expandMacro(head.logData, macros)),
    tags: head.tags,
    severity: head.severity,
    matches: values.slice(0, MATCHES_TOLD_MAX).map(({ name, value }) => ({ name, value: shorten(value) })),
  };
}

/** Of one hit. A rule that matches a thousand values says no more than one that matches ten. */
const MATCHES_TOLD_MAX = 10;

export function disrupt(transaction: Transaction, head: Rule): Jump | null {
  const { disruption } = head;
  switch (disruption.kind) {
    case "pass":
      return null;
    case "allow":
      if (disruption.scope === "phase") return { kind: "end-of-phase" };
      transaction.allowed = disruption.scope;
      return { kind: "end-of-phase" };
    case "deny":
    case "drop":
      interrupt(transaction, disruption);
      return null;
    default:
      return unreachable(disruption);
  }
}

export function jumpOf({ skip, skipAfter }: Rule): Jump | null {
  if (skipAfter !== null) return { kind: "behind", name: skipAfter };
  return skip > 0 ? { kind: "skip", count: skip } : null;
}
