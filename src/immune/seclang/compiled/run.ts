/**
 * Runs the compiled rules of a phase: finds what evaluate.ts finds, with each value looked at once.
 *
 * It can be stopped between two values and go on later, so that no body, however large, holds the event loop: a rule that
 * was stopped goes on behind the last value that it was asked about. What a rule does happens only when all its values
 * are judged.
 *
 * Whatever the patterns cost is charged to the exchange's meter. Once that is spent the exchange is *overrun*: it is
 * interrupted as by a rule that denies, since what was not looked at cannot be called harmless.
 */
import { assert } from "../../../lib/assert.ts";
import { SECLANG_LIMITS } from "../limits.ts";
import type { Match } from "../operators/kind.ts";
import type { BoundedRegex } from "../pattern/bounded-regex.ts";
import type { Phase, Rule } from "../rule.ts";
import { capture, disrupt, perform, tell } from "../rule-effects.ts";
import { nameOf } from "../rule-values.ts";
import { LayeredStore } from "../store.ts";
import type { MatchedValue, Transaction } from "../transaction.ts";
import { interrupt, isOver, setInStore, storeOf } from "../transaction.ts";
import type { CompiledPhase, CompiledStep, Link, PureCheck, Taken } from "./compile.ts";
import { BODY_VARIABLES } from "./compile.ts";
import type { Conclusion } from "./fold.ts";
import type { Asking, Evaluation, Finding, Pause, ValueSource, View } from "./evaluation.ts";
import { NO_PART } from "./evaluation.ts";
import { findLive, hasCandidate } from "./live.ts";
import type { Reading } from "./reading.ts";
import { takenFrom } from "./taken.ts";
import { valuesFor, valuesOfPart } from "./values.ts";

/** Runs the phase, or as much of it as `steps` allow (Infinity: all). True: it is done. */
export function runCompiled(transaction: Transaction, evaluation: Evaluation, phase: Phase, steps: number): boolean {
  const { paused } = evaluation;
  assert(paused === null || paused.phase === phase, "a stopped phase is finished before another one begins");
  evaluation.paused = null;
  if (isOver(transaction, phase) || evaluation.overrun) {
    evaluation.isOrderly = false;
    return true;
  }
  const compiled = evaluation.compiled.phases[phase];
  if (paused === null) beginPhase(transaction, evaluation, phase);
  const begin = paused === null && evaluation.isOrderly ? open(transaction, compiled) : 0;
  evaluation.aside = 0;
  const floor = evaluation.meter.left - Math.max(steps, SLICE_STEPS_MIN);
  let index = paused?.step ?? begin;
  let resume = paused?.isWithin === true ? paused : null;
  while (index < compiled.steps.length) {
    const step = compiled.steps[index]!;
    const conclusion = evaluation.isOrderly && compiled.settled !== null ? compiled.settled[index]! : null;
    if (conclusion === "never") {
      index += 1;
      continue;
    }
    if (conclusion !== null) {
      settle(transaction, step.head, conclusion);
      index = step.jump;
      continue;
    }
    if (step.spared !== null && resume === null) {
      const live = evaluation.view!.live ?? findLive(transaction, evaluation, floor);
      if (live === null) {
        evaluation.paused = { phase, step: index, isWithin: false, link: 0, values: null };
        return false;
      }
      if ((live[step.spared.word]! & step.spared.bit) === 0) {
        index += 1;
        continue;
      }
    }
    if (transaction.removedRules.length === 0 || !isRemoved(transaction, evaluation, step.head)) {
      const outcome = runStep(transaction, evaluation, step, index, resume, floor);
      if (outcome === PAUSED) return false;
      if (isOver(transaction, phase) || outcome === END_OF_PHASE || evaluation.overrun) break;
      index = outcome === NO_MATCH ? index + 1 : outcome;
    } else index += 1;
    resume = null;
    lookAtRemovals(transaction, evaluation);
  }
  evaluation.isOrderly &&= index >= compiled.steps.length;
  transaction.rule = null;
  // Phase 2 begins with what phase 1 has seen.
  if (phase !== 1) evaluation.view = null;
  return true;
}

/** Gives the place of the first step that is not done by then. */
function open(transaction: Transaction, { opening }: CompiledPhase): number {
  if (opening === null) return 0;
  transaction.stores.set("TX", new LayeredStore(opening.tx));
  transaction.hits.push(...opening.hits);
  transaction.told ||= opening.told;
  transaction.matched = opening.matched as MatchedValue[];
  transaction.highestSeverity = opening.highestSeverity;
  return opening.next;
}

function settle(transaction: Transaction, head: Rule, { matched, hit, sets }: Conclusion): void {
  transaction.rule = head;
  // Nobody adds to what a rule before has matched.
  if (head.check !== null) transaction.matched = matched as MatchedValue[];
  if (sets === null) for (const effect of head.effects) perform(transaction, effect);
  else for (const [key, value] of sets) setInStore(transaction, "TX", key, value);
  tell(transaction, head, matched, hit);
}

/** A smaller slice might end before a single large value is looked at, and begin there anew for ever. */
const SLICE_STEPS_MIN = 300_000;

const NO_MATCH = -1;
const PAUSED = -2;
const END_OF_PHASE = -3;

function lookAtRemovals({ removedRules, removedTargets }: Transaction, evaluation: Evaluation): void {
  for (; evaluation.removalsSeen < removedRules.length; evaluation.removalsSeen += 1) {
    if (evaluation.compiled.unsettles(removedRules[evaluation.removalsSeen]!)) evaluation.isOrderly = false;
  }
  if (removedTargets.some(isOfTx)) evaluation.isOrderly = false;
}

const isOfTx = ({ target }: Transaction["removedTargets"][number]): boolean => target.variable === "TX";

function beginPhase(transaction: Transaction, evaluation: Evaluation, phase: Phase): void {
  // What was settled at load supposes that TX is empty at first, and that phase 1 was run to its end before phase 2.
  if (phase === 1) evaluation.isOrderly = evaluation.phasesBegun === 0 && storeOf(transaction, "TX").size === 0;
  else if (phase !== 2 || evaluation.phasesBegun !== 1) evaluation.isOrderly = false;
  evaluation.phasesBegun += 1;
  const compiled = evaluation.compiled.phases[phase];
  const { view } = evaluation;
  if (phase === 2 && evaluation.isOrderly && view !== null) evaluation.view = keepHead(view, compiled);
  else evaluation.view = openView(phase, compiled);
}

function openView(phase: Phase, compiled: CompiledPhase): View {
  const { emptyParts } = compiled.domain;
  // Copies of full length: V8 keeps a list that is filled here and there as a slow table.
  const [parts, lives] = [emptyParts.slice(), emptyParts.slice()];
  return {
    phase,
    compiled,
    readings: new Map(),
    variables: new Map(),
    parts,
    lives,
    live: null,
    joining: null,
    asking: null,
  };
}

/** From phase 1 to phase 2 only what the body brings has changed. */
function keepHead(view: View, compiled: CompiledPhase): View {
  for (const variable of BODY_VARIABLES) view.variables.delete(variable);
  for (const part of compiled.domain.bodyParts) {
    view.parts[part] = undefined;
    view.lives[part] = undefined;
  }
  return { ...view, phase: 2, compiled, live: null };
}

/** Where to go on, or one of the signs above. */
function runStep(
  transaction: Transaction,
  evaluation: Evaluation,
  { head, links, jump }: CompiledStep,
  index: number,
  resume: Pause | null,
  floor: number,
): number {
  let values = resume?.values ?? null;
  for (let at = resume?.link ?? 0; at < links.length; at += 1) {
    const matched = runLink(transaction, evaluation, links[at]!, head, floor);
    if (matched === "paused") {
      evaluation.paused = { phase: evaluation.view!.phase, step: index, isWithin: true, link: at, values };
      return PAUSED;
    }
    if (matched === null) return NO_MATCH;
    values ??= matched;
  }
  tell(transaction, head, values!);
  return disrupt(transaction, head) === null ? jump : END_OF_PHASE;
}

function runLink(
  transaction: Transaction,
  evaluation: Evaluation,
  link: Link,
  head: Rule,
  floor: number,
): readonly MatchedValue[] | "paused" | null {
  const { rule, source, check } = link;
  const view = evaluation.view!;
  if (source.kind === "nothing") {
    transaction.rule = head;
    for (const effect of rule.effects) performHere(transaction, view, effect);
    return NOTHING_MATCHED;
  }
  if (check === null) return runImpure(transaction, evaluation, link, head);
  const stopped = view.asking?.rule === rule ? view.asking : null;
  view.asking = null;
  if (stopped !== null) {
    transaction.rule = head;
    return runPure(transaction, evaluation, link, check, stopped, floor);
  }
  const taken = takenFrom(transaction, evaluation, link, head);
  // The first link would not be run without a candidate.
  if (check.isSpared && rule !== head) {
    const found = hasCandidate(transaction, evaluation, link, check, taken, floor);
    if (found !== true) return found === "paused" ? found : null;
  }
  transaction.rule = head;
  const chosen = sourcesOf(transaction, view, link, check, taken);
  const sources = chosen ?? [{ part: NO_PART, values: valuesFor(transaction, view, link, head, taken) }];
  const asking = { rule, sources, source: 0, value: 0, findings: [] };
  return runPure(transaction, evaluation, link, check, asking, floor);
}

const NOTHING_MATCHED: readonly MatchedValue[] = [];

/** The values of those parts in which the check has a chance; null: all are to be listed. */
function sourcesOf(
  transaction: Transaction,
  view: View,
  { source }: Link,
  { isSpared, word, bit }: PureCheck,
  taken: Taken | null,
): readonly ValueSource[] | null {
  if (!isSpared || taken !== null || source.kind !== "list") return null;
  const sources: ValueSource[] = [];
  let count = 0;
  for (const part of source.list.parts) {
    const values = valuesOfPart(transaction, view, part);
    count += values.length;
    const lives = view.lives[part.index];
    if (values.length === 0 || (lives !== undefined && (lives[word]! & bit) === 0)) continue;
    sources.push({ part: part.index, values });
  }
  return count > SECLANG_LIMITS.valuesMax ? null : sources;
}

/** First all answers, then what they lead to: the answers depend on the values alone. */
function runPure(
  transaction: Transaction,
  evaluation: Evaluation,
  { rule, chain }: Link,
  check: PureCheck,
  { sources, source: first, value: firstValue, findings }: Asking,
  floor: number,
): readonly MatchedValue[] | "paused" | null {
  const { negated } = rule.check!.operator;
  const { meter } = evaluation;
  const view = evaluation.view!;
  for (let source = first; source < sources.length; source += 1) {
    const { part, values } = sources[source]!;
    for (let index = source === first ? firstValue : 0; index < values.length; index += 1) {
      const value = values[index]!;
      const { reading } = value;
      if (reading.isLasting && part !== NO_PART && !hasChance(reading, part, check)) continue;
      let occurs = false;
      if (rule.multiMatch && !reading.isUntouchedBy(chain)) {
        for (const stage of reading.stages(chain, negated ? 0 : check.needs.bytesMin)) {
          const match = answer(transaction, evaluation, rule, check, stage);
          occurs ||= match !== null;
          if ((match === null) === negated) findings.push({ value, stage, match });
        }
      } else {
        const stage = reading.through(chain);
        const match = answer(transaction, evaluation, rule, check, stage);
        occurs = match !== null;
        if ((match === null) === negated) findings.push({ value, stage, match });
      }
      if (!occurs && check.isSpared && reading.isLasting && meter.left >= 0) reading.strikeLives(check);
      if (meter.left < 0) return overrun(transaction, evaluation);
      evaluation.aside += VALUE_STEPS;
      if (meter.left - evaluation.aside < floor) {
        view.asking = { rule, sources, source, value: index + 1, findings };
        return "paused";
      }
    }
  }
  return findings.length === 0 ? null : carryOut(transaction, view, rule, findings);
}

/** Of a value that is asked about, short as it may be: 50 ns. */
const VALUE_STEPS = 10;
/** Of a call of an operator, beyond the bytes that it looks at: 0.2 us. */
const CALL_STEPS = 40;

/** Of a reading that is kept between exchanges. */
function hasChance(reading: Reading, part: number, { word, bit }: PureCheck): boolean {
  const lives = reading.livesIn(part);
  return lives === null || (lives[word]! & bit) !== 0;
}

function answer(
  transaction: Transaction,
  evaluation: Evaluation,
  rule: Rule,
  check: PureCheck,
  stage: Reading,
): Match | null {
  const { number, needs } = check;
  const { meter } = evaluation;
  if (number !== -1) {
    if (!stage.isCandidate(check)) return null;
    const kept = stage.matchOf(number);
    if (kept !== undefined) return kept;
  }
  let match: Match | null;
  evaluation.aside += CALL_STEPS;
  if (needs.regex === null) {
    // Operators that are no patterns are linear: two bytes are about a step.
    meter.left -= 1 + (stage.text.length >> 1);
    match = matchOf(transaction, evaluation, rule, check, stage);
  } else {
    match = runRegex(needs.regex, stage, meter, rule.capture);
    if (meter.left < 0) return match;
  }
  if (number === -1) return match;
  if (match === null) stage.strike(check);
  else stage.keepMatch(number, match);
  return match;
}

/** Phrases have been searched for with those of all other rules: no automaton of their own is needed. */
function matchOf(
  transaction: Transaction,
  evaluation: Evaluation,
  { check: ruleCheck }: Rule,
  { number }: PureCheck,
  stage: Reading,
): Match | null {
  const { match } = ruleCheck!;
  if (match.phrases !== undefined && number !== -1) {
    const first = evaluation.view!.compiled.domain.table.firstText(number, stage.text);
    if (first !== undefined) return first === null ? null : [first];
  }
  return match(stage.text, transaction);
}

/** One search may take a part of the whole only: it cannot be stopped and go on later. */
function runRegex(regex: BoundedRegex, stage: Reading, meter: { left: number }, groups: boolean): Match | null {
  if (meter.left <= SEARCH_STEPS_MAX) return regex.exec(stage, meter, groups);
  const own = { left: SEARCH_STEPS_MAX };
  const match = regex.exec(stage, own, groups);
  meter.left = own.left < 0 ? -1 : meter.left - (SEARCH_STEPS_MAX - own.left);
  return match;
}

/** About 20 ms. */
const SEARCH_STEPS_MAX = 4_000_000;

/** An operator that looks at variables too is asked value by value, each seeing what the one before has done. */
function runImpure(
  transaction: Transaction,
  evaluation: Evaluation,
  link: Link,
  head: Rule,
): readonly MatchedValue[] | null {
  const { rule, chain, needs } = link;
  const view = evaluation.view!;
  transaction.rule = head;
  const values = valuesFor(transaction, view, link, head, takenFrom(transaction, evaluation, link, head));
  const { operator, match: ask } = rule.check!;
  let matched: MatchedValue[] | null = null;
  for (const value of values) {
    for (const stage of rule.multiMatch ? value.reading.stages(chain, 0) : [value.reading.through(chain)]) {
      const match =
        needs!.regexFor === null ? ask(stage.text, transaction) : askFilledIn(transaction, evaluation, link, stage);
      if (evaluation.meter.left < 0) return overrun(transaction, evaluation);
      if ((match === null) !== operator.negated) continue;
      const done = carryOut(transaction, view, rule, [{ value, stage, match }], matched === null);
      if (matched === null) matched = done;
      else matched.push(...done);
    }
  }
  return matched;
}

function askFilledIn(
  transaction: Transaction,
  { meter }: Evaluation,
  { rule, needs }: Link,
  stage: Reading,
): Match | null {
  const regex = needs!.regexFor!(transaction);
  if (regex === null) meter.left = -1;
  return regex === null ? null : runRegex(regex, stage, meter, rule.capture);
}

/** What the rule does for each value that it matches, in their order. */
function carryOut(
  transaction: Transaction,
  view: View,
  rule: Rule,
  findings: readonly Finding[],
  isFirst = true,
): MatchedValue[] {
  const matched: MatchedValue[] = [];
  if (isFirst) transaction.matched = [];
  for (const { value, stage, match } of findings) {
    const found = { name: nameOf(value, value.key), value: stage.text };
    matched.push(found);
    if (transaction.matched.length < SECLANG_LIMITS.valuesMax) transaction.matched.push(found);
    if (rule.capture && match !== null) capture(transaction, match);
    for (const effect of rule.effects) performHere(transaction, view, effect);
  }
  return matched;
}

function performHere(transaction: Transaction, view: View, effect: Rule["effects"][number]): void {
  perform(transaction, effect);
  if (effect.kind !== "ctl") return;
  const { kind } = effect.control;
  if (kind === "remove-rules" || kind === "remove-targets") return;
  // Other controls may change what variables hold (REQUEST_BODY, the processor): read them anew.
  view.variables.clear();
  view.parts.fill(undefined);
  view.lives.fill(undefined);
  view.live = null;
  view.joining = null;
}

/** What was not looked at cannot be called harmless. Also for a watchdog that had to stop an evaluation. */
export function overrun(transaction: Transaction, evaluation: Evaluation): null {
  evaluation.overrun = true;
  evaluation.paused = null;
  interrupt(transaction, { kind: "deny", status: 403 });
  return null;
}

function isRemoved({ removedRules }: Transaction, { compiled }: Evaluation, head: Rule): boolean {
  return removedRules.some((select) => compiled.selected(select).has(head));
}
