/**
 * Runs the compiled rules of a phase: finds what evaluate.ts finds, with each value looked at once.
 *
 * It can be stopped between two values and go on later, so that no body, however large, holds the event loop: answers
 * of checks are kept with the values, and a rule that was stopped begins anew and has them. What a rule does happens
 * only when all its values are judged.
 *
 * Whatever the patterns cost is charged to the exchange's meter. Once that is spent the exchange is *overrun*: it is
 * interrupted as by a rule that denies, since what was not looked at cannot be called harmless.
 */
import type { Target } from "../ast.ts";
import { assert } from "../../../lib/assert.ts";
import { SECLANG_LIMITS } from "../limits.ts";
import type { Match } from "../operators/kind.ts";
import type { BoundedRegex } from "../pattern/bounded-regex.ts";
import type { Phase, Rule } from "../rule.ts";
import { capture, disrupt, perform, tell } from "../rule-effects.ts";
import { keyOf, nameOf, valuesOf } from "../rule-values.ts";
import type { MatchedValue, Transaction } from "../transaction.ts";
import { entriesOf, interrupt, isChosen, isOver, setInStore, storeOf } from "../transaction.ts";
import type { VariableName } from "../variable-names.ts";
import type { CompiledPhase, CompiledRules, CompiledStep, Link, List, PureCheck, Taken } from "./compile.ts";
import { BODY_VARIABLES } from "./compile.ts";
import type { Conclusion } from "./fold.ts";
import type { Evaluation, Pause, Value, View } from "./evaluation.ts";
import type { Part } from "./parts.ts";
import { join, JOINED } from "./parts.ts";
import { Reading } from "./reading.ts";
import type { Candidates } from "./screen-table.ts";

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
  const floor = evaluation.meter.left - Math.max(steps, SLICE_STEPS_MIN);
  let index = paused?.step ?? 0;
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
  if (removedTargets.length > 0 && removedTargets.some(isOfTx)) evaluation.isOrderly = false;
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
  return { phase, compiled, readings: new Map(), variables: new Map(), parts, lives, live: null, joining: null };
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
  const taken = takenFrom(transaction, evaluation, link, head);
  // The first link would not be run without a candidate.
  if (check.isSpared && rule !== head) {
    const found = hasCandidate(transaction, evaluation, link, check, taken, floor);
    if (found !== true) return found === "paused" ? found : null;
  }
  transaction.rule = head;
  const values = valuesFor(transaction, view, link, head, taken);
  return runPure(transaction, evaluation, link, check, values, floor);
}

const NOTHING_MATCHED: readonly MatchedValue[] = [];

interface Finding {
  readonly value: Value;
  readonly stage: Reading;
  readonly match: Match | null;
}

/** First all answers, then what they lead to: the answers depend on the values alone. */
function runPure(
  transaction: Transaction,
  evaluation: Evaluation,
  { rule, chain }: Link,
  check: PureCheck,
  values: readonly Value[],
  floor: number,
): readonly MatchedValue[] | "paused" | null {
  const { negated } = rule.check!.operator;
  let findings: Finding[] | null = null;
  for (const value of values) {
    let occurs = false;
    if (rule.multiMatch) {
      for (const stage of value.reading.stages(chain)) {
        const match = answer(transaction, evaluation, rule, check, stage);
        occurs ||= match !== null;
        if ((match === null) === negated) (findings ??= []).push({ value, stage, match });
      }
    } else {
      const stage = value.reading.through(chain);
      const match = answer(transaction, evaluation, rule, check, stage);
      occurs = match !== null;
      if ((match === null) === negated) (findings ??= []).push({ value, stage, match });
    }
    if (!occurs && check.isSpared && evaluation.meter.left >= 0) value.reading.strikeLives(check);
    if (evaluation.meter.left < 0) return overrun(transaction, evaluation);
    if (evaluation.meter.left < floor) return "paused";
  }
  return findings === null ? null : carryOut(transaction, evaluation.view!, rule, findings);
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
    for (const stage of rule.multiMatch ? value.reading.stages(chain) : [value.reading.through(chain)]) {
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

/** Of the checks by which the phase's steps begin, those that have a chance on anything; null: stopped on the way. */
function findLive(transaction: Transaction, evaluation: Evaluation, floor: number): Candidates | null {
  const view = evaluation.view!;
  const live = view.compiled.domain.table.none.slice();
  for (const part of view.compiled.parts) {
    const lives = view.lives[part.index] ?? joinPart(transaction, evaluation, part, floor);
    if (lives === null) return null;
    for (let word = 0; word < live.length; word += 1) live[word]! |= lives[word]!;
  }
  view.live = live;
  return live;
}

/** Whether the check has a chance on any value of the rule. Of what was taken out, some may be counted in. */
function hasCandidate(
  transaction: Transaction,
  evaluation: Evaluation,
  { source }: Link,
  { word, bit }: PureCheck,
  taken: Taken | null,
  floor: number,
): boolean | "paused" {
  assert(source.kind === "list", "only checks of listed values are spared");
  const view = evaluation.view!;
  for (const part of source.list.parts) {
    if (part.target.mode === "value" && taken?.wholly.has(part.target.variable) === true) continue;
    const lives = view.lives[part.index] ?? joinPart(transaction, evaluation, part, floor);
    if (lives === null) return "paused";
    if ((lives[word]! & bit) !== 0) return true;
  }
  return false;
}

/** The checks that have a chance on any value of the part; null: stopped on the way. */
function joinPart(transaction: Transaction, evaluation: Evaluation, part: Part, floor: number): Candidates | null {
  const { meter } = evaluation;
  const view = evaluation.view!;
  const { none } = view.compiled.domain.table;
  const values = valuesOfPart(transaction, view, part);
  if (values.length === 0) {
    view.lives[part.index] = none;
    return none;
  }
  const stopped = view.joining?.part === part.index ? view.joining : null;
  view.joining = null;
  const joined = stopped?.joined ?? none.slice();
  let group = stopped?.group ?? 0;
  // Transforming a value and searching it for texts is work as well.
  const isEnough = (chars: number): boolean => {
    meter.left -= chars >> 1;
    return meter.left < floor;
  };
  for (let index = stopped?.value ?? 0; index < values.length; index += 1) {
    const { reading } = values[index]!;
    if (reading.isLasting) {
      const lives = reading.livesIn(part.index) ?? keepLives(reading, part, none);
      for (let word = 0; word < joined.length; word += 1) joined[word]! |= lives[word]!;
      continue;
    }
    group = join(joined, reading, part, group, isEnough);
    if (group !== JOINED || isEnough(reading.text.length)) {
      const next = group === JOINED ? { value: index + 1, group: 0 } : { value: index, group };
      view.joining = { part: part.index, joined, ...next };
      return null;
    }
    group = 0;
  }
  view.lives[part.index] = joined;
  return joined;
}

/** Of values that come again, and are short. */
function keepLives(reading: Reading, part: Part, none: Candidates): Candidates {
  const lives = none.slice();
  join(lives, reading, part, 0, NEVER);
  reading.keepLives(part.index, lives);
  return lives;
}

const NEVER = (): boolean => false;

/** What was not looked at cannot be called harmless. Also for a watchdog that had to stop an evaluation. */
export function overrun(transaction: Transaction, evaluation: Evaluation): null {
  evaluation.overrun = true;
  evaluation.paused = null;
  interrupt(transaction, { kind: "deny", status: 403 });
  return null;
}

/** Null: nothing, as for nearly all rules. */
function takenFrom(transaction: Transaction, evaluation: Evaluation, link: Link, head: Rule): Taken | null {
  const { removedTargets } = transaction;
  if (removedTargets.length === 0) return null;
  const memo = memoFor(removedTargets, evaluation.compiled);
  let taken = memo.get(link);
  if (taken === undefined) {
    taken = findTaken(removedTargets, evaluation.compiled, link, head);
    memo.set(link, taken);
  }
  return taken;
}

function findTaken(removed: RemovedTargets, compiled: CompiledRules, link: Link, head: Rule): Taken | null {
  const targets = removed
    .filter(({ select, target }) => link.variables.has(target.variable) && compiled.selected(select).has(head))
    .map(({ target }) => target);
  if (targets.length === 0) return null;
  const whole = targets.filter(({ selector }) => selector.kind === "all");
  return { targets, wholly: new Set(whole.map(({ variable }) => variable)) };
}

type RemovedTargets = Transaction["removedTargets"];

/** Most exchanges have the same targets removed as the one before: so the answers for these are kept. */
function memoFor(removed: RemovedTargets, { taken }: CompiledRules): Map<Link, Taken | null> {
  const isSame =
    taken.removed.length === removed.length &&
    removed.every(({ select, target }, index) => {
      const other = taken.removed[index]!;
      return select === other.select && target === other.target;
    });
  if (!isSame) {
    taken.removed = [...removed];
    taken.byLink = new Map();
  }
  return taken.byLink;
}

function isRemoved({ removedRules }: Transaction, { compiled }: Evaluation, head: Rule): boolean {
  return removedRules.some((select) => compiled.selected(select).has(head));
}

function valuesFor(
  transaction: Transaction,
  view: View,
  { rule, source }: Link,
  head: Rule,
  taken: Taken | null,
): readonly Value[] {
  if (taken !== null && source.kind !== "list") return collected(transaction, view, rule, head);
  switch (source.kind) {
    case "nothing":
      return [];
    case "list":
      return listed(transaction, view, source.list, taken);
    case "stored": {
      const { store, key, target } = source;
      const value = storeOf(transaction, store).get(key);
      const { memory } = view.compiled.domain;
      if (target.mode === "count") {
        const reading = memory.recall(value === undefined ? "0" : "1");
        return [{ variable: `&${nameOf(target, key)}` as VariableName, key: "", reading }];
      }
      return value === undefined ? [] : [{ variable: store, key, reading: memory.recall(value) }];
    }
    case "collected":
      return collected(transaction, view, rule, head);
  }
}

function listed(transaction: Transaction, view: View, { parts }: List, taken: Taken | null): readonly Value[] {
  const [first] = parts;
  if (parts.length === 1 && taken === null) return valuesOfPart(transaction, view, first!);
  const values: Value[] = [];
  for (const part of parts) {
    const chosen =
      taken === null || !taken.targets.some(({ variable }) => variable === part.target.variable)
        ? valuesOfPart(transaction, view, part)
        : chosenValues(transaction, view, part, [...part.exclusions, ...taken.targets]);
    for (const value of chosen) if (values.length < SECLANG_LIMITS.valuesMax) values.push(value);
  }
  return values;
}

function valuesOfPart(transaction: Transaction, view: View, part: Part): readonly Value[] {
  let values = view.parts[part.index];
  if (values === undefined) {
    values = chosenValues(transaction, view, part, part.exclusions);
    view.parts[part.index] = values;
  }
  return values;
}

function chosenValues(
  transaction: Transaction,
  view: View,
  { target, countName }: Part,
  excluded: readonly Target[],
): readonly Value[] {
  const { variable, selector, mode } = target;
  const all = valuesOfVariable(transaction, view, variable);
  const exclusions = excluded.filter((each) => each.variable === variable);
  const values =
    selector.kind === "all" && exclusions.length === 0
      ? all
      : all.filter((value) => isChosen(target, value) && !exclusions.some((each) => isChosen(each, value)));
  if (mode !== "count")
    return values.length > SECLANG_LIMITS.valuesMax ? values.slice(0, SECLANG_LIMITS.valuesMax) : values;
  const reading = view.compiled.domain.memory.recall(String(values.length));
  // The name of a count says what was counted: it is all in the variable.
  return [{ variable: countName as VariableName, key: "", reading }];
}

function valuesOfVariable(transaction: Transaction, view: View, variable: VariableName): readonly Value[] {
  let values = view.variables.get(variable);
  if (values === undefined) {
    const { memory } = view.compiled.domain;
    const isLasting = LASTING.has(variable);
    values = entriesOf(transaction, { variable, mode: "value", selector: ALL }).map(({ key, value }) => ({
      variable,
      key,
      reading: isLasting ? memory.recall(value) : read(view, value),
    }));
    view.variables.set(variable, values);
  }
  return values;
}

const ALL = { kind: "all" } as const;

/** Variables whose values come again from request to request. */
const LASTING: ReadonlySet<VariableName> = new Set([
  "ARGS_GET_NAMES",
  "ARGS_NAMES",
  "ARGS_POST_NAMES",
  "REMOTE_ADDR",
  "REQBODY_PROCESSOR",
  "REQUEST_COOKIES_NAMES",
  "REQUEST_HEADERS",
  "REQUEST_HEADERS_NAMES",
  "REQUEST_METHOD",
  "REQUEST_PROTOCOL",
  "RESPONSE_HEADERS",
  "RESPONSE_HEADERS_NAMES",
  "RESPONSE_STATUS",
] satisfies VariableName[]);

function read(view: View, text: string): Reading {
  let reading = view.readings.get(text);
  if (reading === undefined) {
    reading = new Reading(text, view.compiled.domain.table, false);
    view.readings.set(text, reading);
  }
  return reading;
}

/** Values that change from rule to rule, or of which something was taken out in this exchange. */
function collected(transaction: Transaction, view: View, rule: Rule, head: Rule): readonly Value[] {
  return valuesOf(transaction, rule, rule.check!.targets, head).map(({ name, value }) => ({
    variable: name as VariableName,
    key: "",
    reading: read(view, value),
  }));
}
