/**
 * Works out at load which rules of the request's phases come to the same end in every exchange.
 *
 * A rule set is configured by rules: a hundred and more of the Core Rule Set only look at what earlier ones have set
 * (the paranoia level, limits, defaults). So the phases are run through once with the little that is certain, namely
 * that TX is empty at first: a rule that looks at certain variables of TX only is *settled*, and either drops out or
 * has its conclusion ready. What a rule that is not settled might set is uncertain from there on; so is all that is
 * set where a rule that is not settled may jump over it.
 *
 * What is worked out holds where it was true: TX empty when phase 1 begins, phase 1 run to its end before phase 2, and
 * no rule taken out by a control. An exchange of which that is not so any more goes on without it (run.ts).
 */
import type { Target } from "../ast.ts";
import type { Hit } from "../judgement.ts";
import { expandMacro, fixedText } from "../macro.ts";
import type { Macro, MacroValues } from "../macro.ts";
import type { Rule, RuleEffect } from "../rule.ts";
import { hitOf } from "../rule-effects.ts";
import { keyOf, nameOf } from "../rule-values.ts";
import { TRANSFORMATIONS } from "../transformations/table.ts";
import type { CompiledStep } from "./compile.ts";
import type { MatchedValue } from "./evaluation.ts";

/** A rule that matches in every exchange that comes to it. */
export interface Conclusion {
  readonly matched: readonly MatchedValue[];
  /** Null: its texts are to be filled in when it happens. */
  readonly hit: Hit | null;
  /** What it sets in TX, null where it removes; null: its effects are to be worked out when they happen. */
  sets: ReadonlyArray<readonly [key: string, value: string | null]> | null;
}

/**
 * Of each step, by its place: its conclusion; "never" where it cannot match, or is never come to; null where it is not
 * settled.
 */
export type Settled = ReadonlyArray<Conclusion | "never" | null>;

export function foldPhases(steps: Readonly<Record<1 | 2, readonly CompiledStep[]>>): Readonly<Record<1 | 2, Settled>> {
  const known: Known = { values: new Map(), doubted: [] };
  return { 1: foldPhase(steps[1], known), 2: foldPhase(steps[2], known) };
}

interface Known {
  /** Null: certainly not there. What is not in the map is not there either, unless it is doubted. */
  readonly values: Map<string, string | null | typeof UNCERTAIN>;
  /** Beginnings of names that something may have set. */
  readonly doubted: string[];
}

const UNCERTAIN = Symbol("uncertain");

function foldPhase(steps: readonly CompiledStep[], known: Known): Settled {
  const settled: Array<Conclusion | "never" | null> = steps.map(() => "never");
  // Steps before this place may be jumped over by a rule that is not settled.
  let doubtfulUntil = 0;
  let index = 0;
  while (index < steps.length) {
    const step = steps[index]!;
    const conclusion = conclude(step, known);
    settled[index] = conclusion;
    const isCertain = index >= doubtfulUntil;
    if (conclusion === null) {
      for (const { rule } of step.links) for (const effect of rule.effects) doubt(known, effect);
      if (step.jump !== index + 1) doubtfulUntil = Math.max(doubtfulUntil, step.jump);
    } else if (conclusion !== "never") {
      const sets = step.head.effects.map((effect) => follow(known, effect, isCertain));
      conclusion.sets = sets.every((set) => set !== null) ? sets : null;
      if (step.jump !== index + 1) {
        if (isCertain) {
          index = step.jump;
          continue;
        }
        doubtfulUntil = Math.max(doubtfulUntil, step.jump);
      }
    }
    index += 1;
  }
  return settled;
}

/** Null: not settled. */
function conclude({ head, links }: CompiledStep, known: Known): Conclusion | "never" | null {
  try {
    const matched = matchedBy(head, known);
    if (matched === null) return "never";
    // A chain, a refusal or a capture that does happen is left to the exchange, and what happens several times.
    if (links.length > 1 || matched.length > 1 || head.disruption.kind !== "pass" || head.capture) return null;
    const isFixed = fixedText(head.message) !== null && fixedText(head.logData) !== null;
    return { matched, hit: isFixed ? hitOf(head, matched, NO_VALUES) : null, sets: null };
  } catch (reason) {
    if (reason !== UNCERTAIN) throw reason;
    return null;
  }
}

/** Throws UNCERTAIN where it depends on what is not certain. */
function matchedBy({ check, transformations, multiMatch }: Rule, known: Known): readonly MatchedValue[] | null {
  if (check === null) return [];
  if (multiMatch || !check.targets.every(isOneOfTx)) throw UNCERTAIN;
  const matched: MatchedValue[] = [];
  for (const target of check.targets) {
    const key = keyOf(target);
    const found = lookUp(known, key);
    const value = target.mode === "count" ? (found === null ? "0" : "1") : found;
    if (value === null) continue;
    const stage = transformations.reduce((text, name) => TRANSFORMATIONS[name](text), value);
    if ((check.match(stage, valuesOf(known)) === null) !== check.operator.negated) continue;
    const name = target.mode === "count" ? `&${nameOf(target, key)}` : nameOf(target, key);
    matched.push({ name, value: stage });
  }
  return matched.length === 0 ? null : matched;
}

const isOneOfTx = ({ variable, mode, selector }: Target): boolean =>
  variable === "TX" && mode !== "exclude" && selector.kind === "key";

function lookUp({ values, doubted }: Known, key: string): string | null {
  const value = values.get(key);
  if (value === UNCERTAIN) throw UNCERTAIN;
  if (value !== undefined) return value;
  // Whatever a rule captures stands under a digit.
  if (/^\d$/.test(key) || doubted.some((beginning) => key.startsWith(beginning))) throw UNCERTAIN;
  return null;
}

/** For macros: TX as far as it is certain, and nothing else. */
function valuesOf(known: Known): MacroValues {
  return {
    first: (variable, key) => {
      if (variable !== "TX" || key === null) throw UNCERTAIN;
      return lookUp(known, key) ?? "";
    },
  };
}

const NO_VALUES: MacroValues = {
  first: () => {
    throw UNCERTAIN;
  },
};

/** What an effect that happens (or, where it is not certain, may happen) leads to; null: that cannot be told. */
function follow(known: Known, effect: RuleEffect, isCertain: boolean): readonly [string, string | null] | null {
  if (effect.kind !== "setvar" || effect.store !== "TX") return null;
  try {
    const values = valuesOf(known);
    const key = expandMacro(effect.key, values).toLowerCase();
    const after = changed(effect, values);
    if (isCertain) known.values.set(key, after);
    else if (known.values.get(key) !== after) known.values.set(key, UNCERTAIN);
    return [key, after];
  } catch (reason) {
    if (reason !== UNCERTAIN) throw reason;
    doubt(known, effect);
    return null;
  }
}

function changed({ change }: Extract<RuleEffect, { kind: "setvar" }>, values: MacroValues): string | null {
  if (change.kind === "unset") return null;
  // Sums are rare where rules configure, and common where they count.
  if (change.kind !== "set") throw UNCERTAIN;
  return expandMacro(change.value, values);
}

function doubt(known: Known, effect: RuleEffect): void {
  if (effect.kind !== "setvar" || effect.store !== "TX") return;
  const beginning = beginningOf(effect.key);
  if (fixedText(effect.key) !== null) {
    known.values.set(beginning, UNCERTAIN);
    return;
  }
  known.doubted.push(beginning);
  for (const key of known.values.keys()) if (key.startsWith(beginning)) known.values.set(key, UNCERTAIN);
}

const beginningOf = ([first]: Macro): string => (typeof first === "string" ? first.toLowerCase() : "");
