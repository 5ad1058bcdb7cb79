/**
 * Runs the rules of a phase over an exchange, one after the other and each on all of its values.
 *
 * What stands here is the plain way: nothing is remembered from one rule to the next, no rule is passed over because it
 * could not match, and patterns take as long as they take. With a screen (screen.ts) the compiled rules run instead
 * (compiled/run.ts), which must find the same; so the plain way stays, to be read and to be compared with.
 *
 * When a value matches, the rule's effects happen at once (and once for each value: scores add up), even if the rest
 * of its chain does not match. What the chain's first rule wants beyond that (refuse, jump, be told) happens once the
 * whole chain has matched.
 */
import { overrun, runCompiled } from "./compiled/run.ts";
import type { Phase, Rule } from "./rule.ts";
import type { Jump } from "./rule-effects.ts";
import { capture, disrupt, jumpOf, perform, tell } from "./rule-effects.ts";
import type { Step } from "./rule-set.ts";
import { isRemoved, valuesOf } from "./rule-values.ts";
import { SECLANG_LIMITS } from "./limits.ts";
import type { MatchedValue, Transaction } from "./transaction.ts";
import { isOver } from "./transaction.ts";
import type { TransformationName } from "./transformations/table.ts";
import { TRANSFORMATIONS } from "./transformations/table.ts";

/**
 * Phases run in order; one that is left out (a response that never came) is no matter. After an interruption only
 * phase 5 does anything.
 */
export function evaluatePhase(transaction: Transaction, phase: Phase): void {
  if (transaction.evaluation === null) runPlain(transaction, phase);
  else runCompiled(transaction, transaction.evaluation, phase, Infinity);
}

/**
 * The same in pieces, so that large requests do not hold the event loop: at most about `steps` (some 5 ns each) of a
 * phase's work. True: the phase is done; false: call again with the same phase. Without a screen all is done at once.
 */
export function evaluateSlice(transaction: Transaction, phase: Phase, steps: number): boolean {
  if (transaction.evaluation !== null) return runCompiled(transaction, transaction.evaluation, phase, steps);
  runPlain(transaction, phase);
  return true;
}

/** For who had to stop an evaluation from outside: the exchange counts as overrun, and is refused. */
export function giveUp(transaction: Transaction): void {
  if (transaction.evaluation !== null) overrun(transaction, transaction.evaluation);
}

function runPlain(transaction: Transaction, phase: Phase): void {
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
      const match = rule.check.match(stage, transaction);
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
