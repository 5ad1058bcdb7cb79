/**
 * Runs the rules of a phase over an exchange, one after the other and each on all of its values.
 *
 * This is the plain way: nothing is remembered from one rule to the next, and no rule is passed over because it could
 * not match, unless the caller hands in a screen (screen.ts), with which the same rules must match. A faster engine
 * must find the same too; so this one stays, to be compared with.
 *
 * When a value matches, the rule's effects happen at once (and once for each value: scores add up), even if the rest
 * of its chain does not match. What the chain's first rule wants beyond that (refuse, jump, be told) happens once the
 * whole chain has matched.
 */
import type { Target } from "./ast.ts";
import { shorten } from "./judgement.ts";
import { SECLANG_LIMITS } from "./limits.ts";
import { expandMacro, fixedText } from "./macro.ts";
import { leadingInteger } from "./number.ts";
import type { Match } from "./operators/kind.ts";
import type { Control, Phase, Rule, RuleEffect } from "./rule.ts";
import type { Step } from "./rule-set.ts";
import { selects } from "./rule-set.ts";
import type { MatchedValue, Transaction } from "./transaction.ts";
import { entriesOf, interrupt, isChosen, setInStore, storeOf } from "./transaction.ts";
import type { TransformationName } from "./transformations/table.ts";
import { TRANSFORMATIONS } from "./transformations/table.ts";
import { unreachable } from "../../lib/assert.ts";

/**
 * Phases run in order; one that is left out (a response that never came) is no matter. After an interruption only
 * phase 5 does anything.
 */
export function evaluatePhase(transaction: Transaction, phase: Phase): void {
  if (isOver(transaction, phase)) return;
  const steps = transaction.rules.phases[phase];
  let index = 0;
  while (index < steps.length) {
    const step = steps[index]!;
    index += 1;
    if (step.kind === "marker" || isRemoved(transaction, step.rule)) continue;
    const jump = runChain(transaction, step.rule);
    if (isOver(transaction, phase)) break;
    if (jump === null) continue;
    if (jump.kind === "end-of-phase") break;
    index = jump.kind === "skip" ? behindRules(steps, index, jump.count) : behindMarker(steps, index, jump.name);
  }
  transaction.rule = null;
}

function isOver({ engine, interruption, allowed }: Transaction, phase: Phase): boolean {
  if (engine === "off") return true;
  if (phase === 5) return false;
  return interruption !== null || allowed === "all" || (allowed === "request" && phase <= 2);
}

type Jump =
  | { readonly kind: "end-of-phase" }
  | { readonly kind: "skip"; readonly count: number }
  | { readonly kind: "behind"; readonly name: string };

/** Null: go on with the next rule. */
function runChain(transaction: Transaction, head: Rule): Jump | null {
  const values = runRule(transaction, head, head);
  if (values === null) return null;
  let jump = jumpOf(head);
  for (let rule = head.chained; rule !== null; rule = rule.chained) {
    if (runRule(transaction, rule, head) === null) return null;
    jump = jumpOf(rule) ?? jump;
  }
  tell(transaction, head, values);
  return disrupt(transaction, head) ?? jump;
}

/** The values that matched, as the operator saw them; null: none did. */
function runRule(transaction: Transaction, rule: Rule, head: Rule): readonly MatchedValue[] | null {
  transaction.rule = head;
  if (rule.check === null) {
    for (const effect of rule.effects) perform(transaction, effect);
    return [];
  }
  // Read before what was matched is forgotten: the targets may be MATCHED_VARS.
  const values = valuesOf(transaction, rule, rule.check.targets, head);
  const matched: MatchedValue[] = [];
  let isFirst = true;
  for (const { name, value } of values) {
    for (const stage of stagesOf(value, rule.transformations, rule.multiMatch)) {
      const match = transaction.screen.mayMatch(rule, stage) ? rule.check.match(stage, transaction) : null;
      if ((match === null) !== rule.check.operator.negated) continue;
      if (isFirst) transaction.matched = [];
      isFirst = false;
      matched.push({ name, value: stage });
      if (transaction.matched.length < SECLANG_LIMITS.valuesMax) transaction.matched.push({ name, value: stage });
      if (rule.capture && match !== null) capture(transaction, match);
      for (const effect of rule.effects) perform(transaction, effect);
    }
  }
  return matched.length === 0 ? null : matched;
}

/** The values that a rule looks at, with their names, in the order of its targets. */
function valuesOf(transaction: Transaction, rule: Rule, targets: readonly Target[], head: Rule): MatchedValue[] {
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

function nameOf({ variable }: Target, key: string): string {
  // The names in MATCHED_VARS are whole already.
  return key === "" ? variable : `${variable}:${key}`;
}

const keyOf = ({ selector }: Target): string =>
  selector.kind === "key" ? selector.key : selector.kind === "regex" ? `/${selector.source}/` : "";

function removedFor(transaction: Transaction, head: Rule): Target[] {
  if (transaction.removedTargets.length === 0) return [];
  return transaction.removedTargets.flatMap(({ select, target }) => (selects(select, faceOf(head)) ? [target] : []));
}

const isRemoved = (transaction: Transaction, rule: Rule): boolean =>
  transaction.removedRules.some((select) => selects(select, faceOf(rule)));

const faceOf = ({ id, tags, message }: Rule): { id: number; tags: readonly string[]; message: string | null } => ({
  id,
  tags,
  message: message.length === 0 ? null : fixedText(message),
});

/** What the operator is asked about: the transformed value, or with multiMatch each stage that differs. */
function stagesOf(value: string, names: readonly TransformationName[], each: boolean): string[] {
  const stages = [value];
  for (const name of names) {
    const last = stages.at(-1)!;
    const next = TRANSFORMATIONS[name](last);
    if (!each) stages[0] = next;
    else if (next !== last) stages.push(next);
  }
  return stages;
}

/** TX:0 is the whole find; those of an earlier rule go, or a group that took no part would show its last value. */
function capture(transaction: Transaction, match: Match): void {
  for (let i = 0; i <= CAPTURES_MAX; i += 1) setInStore(transaction, "TX", String(i), match[i] ?? null);
}

const CAPTURES_MAX = 9;

function perform(transaction: Transaction, effect: RuleEffect): void {
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
function tell(transaction: Transaction, head: Rule, values: readonly MatchedValue[]): void {
  if (head.severity !== null && head.severity < (transaction.highestSeverity ?? Infinity)) {
    transaction.highestSeverity = head.severity;
  }
  transaction.told ||= head.log;
  if (transaction.hits.length >= SECLANG_LIMITS.hitsMax) {
    transaction.hitsDropped += 1;
    return;
  }
  transaction.hits.push({
    id: head.id,
    phase: head.phase,
    logged: head.log,
    message: expandMacro(head.message, transaction),
    logData: shorten(expandMacro(head.logData, transaction)),
    tags: head.tags,
    severity: head.severity,
    matches: values.slice(0, MATCHES_TOLD_MAX).map(({ name, value }) => ({ name, value: shorten(value) })),
  });
}

/** Of one hit. A rule that matches a thousand values says no more than one that matches ten. */
const MATCHES_TOLD_MAX = 10;

function disrupt(transaction: Transaction, head: Rule): Jump | null {
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

function jumpOf({ skip, skipAfter }: Rule): Jump | null {
  if (skipAfter !== null) return { kind: "behind", name: skipAfter };
  return skip > 0 ? { kind: "skip", count: skip } : null;
}

function behindRules(steps: readonly Step[], from: number, count: number): number {
  let index = from;
  for (let left = count; left > 0 && index < steps.length; index += 1) if (steps[index]!.kind === "rule") left -= 1;
  return index;
}

/** A marker that stands before (or a rule of another phase) ends the phase, as ModSecurity has it. */
function behindMarker(steps: readonly Step[], from: number, name: string): number {
  for (let index = from; index < steps.length; index += 1) {
    const step = steps[index]!;
    if ((step.kind === "marker" ? step.name : String(step.rule.id)) === name) return index + 1;
  }
  return steps.length;
}
