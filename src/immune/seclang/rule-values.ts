/** What a rule looks at in an exchange, and whether something has taken it, or its values, out of the exchange. */
import type { Target } from "./ast.ts";
import { SECLANG_LIMITS } from "./limits.ts";
import { fixedText } from "./macro.ts";
import type { Rule } from "./rule.ts";
import { selects } from "./rule-set.ts";
import type { MatchedValue, Transaction } from "./transaction.ts";
import { entriesOf, isChosen } from "./transaction.ts";

/** The values that a rule looks at, with their names, in the order of its targets. */
export function valuesOf(transaction: Transaction, rule: Rule, targets: readonly Target[], head: Rule): MatchedValue[] {
  const excluded = [...targets.filter(({ mode }) => mode === "exclude"), ...removedFor(transaction, head)];
  const values: MatchedValue[] = [];
  for (const target of targets) {
    if (target.mode === "exclude") continue;
    const exclusions = excluded.filter(({ variable }) => variable === target.variable);
    const chosen = entriesOf(transaction, target);
    const entries =
      exclusions.length === 0 ? chosen : chosen.filter((entry) => !exclusions.some((each) => isChosen(each, entry)));
    if (target.mode === "count") {
      values.push({ name: `&${nameOf(target, keyOf(target))}`, value: String(entries.length) });
      continue;
    }
    for (const { key, value } of entries) {
      if (values.length >= SECLANG_LIMITS.valuesMax) return values;
      values.push({ name: nameOf(target, key), value });
    }
  }
  return values;
}

export function nameOf({ variable }: Pick<Target, "variable">, key: string): string {
  // The names in MATCHED_VARS are whole already.
  return key === "" ? variable : `${variable}:${key}`;
}

export const keyOf = ({ selector }: Target): string =>
  selector.kind === "key" ? selector.key : selector.kind === "regex" ? `/${selector.source}/` : "";

export function removedFor(transaction: Transaction, head: Rule): Target[] {
  if (transaction.removedTargets.length === 0) return [];
  return transaction.removedTargets.flatMap(({ select, target }) => (selects(select, faceOf(head)) ? [target] : []));
}

export const isRemoved = (transaction: Transaction, rule: Rule): boolean =>
  transaction.removedRules.some((select) => selects(select, faceOf(rule)));

export const faceOf = ({
  id,
  tags,
  message,
}: Rule): { id: number; tags: readonly string[]; message: string | null } => ({
  id,
  tags,
  message: message.length === 0 ? null : fixedText(message),
});
