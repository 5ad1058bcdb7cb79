/**
 * Says which rules need not be asked about a value, since their patterns have no chance there: one search over the
 * texts that patterns require (required-literals.ts) gives, for each value, the rules that are left.
 *
 * It may only ever spare work: with and without it the same rules match, which tests compare.
 */
import { buildPhraseFinder } from "./aho-corasick.ts";
import { fixedText, parseMacro } from "./macro.ts";
import { compileRegex } from "./regex.ts";
import { requiredLiterals } from "./required-literals.ts";
import type { Rule } from "./rule.ts";
import { PHASES } from "./rule.ts";
import type { RuleSet } from "./rule-set.ts";

export interface Screen {
  /** Begins anew for each exchange: what was found in a value is remembered for the rules that look at it again. */
  readonly open: () => OpenScreen;
  /** How many rules can be spared, and how many must be asked each time. */
  readonly screened: number;
  readonly unscreened: number;
}

export interface OpenScreen {
  /** False: the rule's operator cannot match the value. */
  readonly mayMatch: (rule: Rule, value: string) => boolean;
}

export function buildScreen(rules: RuleSet): Screen {
  const indexOf = new Map<Rule, number>();
  const literals = new Map<string, number[]>();
  let unscreened = 0;
  for (const rule of allRules(rules)) {
    const required = literalsOf(rule);
    if (required === null) {
      unscreened += 1;
      continue;
    }
    const index = indexOf.size;
    indexOf.set(rule, index);
    for (const literal of required) literals.set(literal, [...(literals.get(literal) ?? []), index]);
  }
  const finder = buildPhraseFinder([...literals.keys()]);
  const rulesOf = [...literals.values()];
  // Which literals this search has met: the search's number, so that nothing need be cleared.
  const seen = new Uint32Array(rulesOf.length);
  // Wraps after 2^32 searches; a literal last met exactly then would be missed, so it begins anew before.
  let search = 0;
  const find = (value: string): Uint8Array => {
    const candidates = new Uint8Array(indexOf.size);
    if (search === 0xffff_ffff) {
      seen.fill(0);
      search = 0;
    }
    search += 1;
    finder.each(value, (literal) => {
      if (seen[literal] === search) return;
      seen[literal] = search;
      for (const rule of rulesOf[literal]!) candidates[rule] = 1;
    });
    return candidates;
  };
  return { open: () => openScreen(indexOf, find), screened: indexOf.size, unscreened };
}

function openScreen(indexOf: ReadonlyMap<Rule, number>, find: (value: string) => Uint8Array): OpenScreen {
  // As many entries as an exchange has values, times the ways in which they are transformed.
  const found = new Map<string, Uint8Array>();
  return {
    mayMatch: (rule, value) => {
      const index = indexOf.get(rule);
      if (index === undefined) return true;
      let candidates = found.get(value);
      if (candidates === undefined) {
        candidates = find(value);
        found.set(value, candidates);
      }
      return candidates[index] === 1;
    },
  };
}

function* allRules(rules: RuleSet): Generator<Rule> {
  for (const phase of PHASES) {
    for (const step of rules.phases[phase]) {
      if (step.kind === "marker") continue;
      for (let rule: Rule | null = step.rule; rule !== null; rule = rule.chained) yield rule;
    }
  }
}

/** Patterns only: other operators cost no more than the search does. */
function literalsOf({ check, place }: Rule): readonly string[] | null {
  if (check?.operator.name.toLowerCase() !== "rx") return null;
  const pattern = fixedText(parseMacro(check.operator.argument, place));
  return pattern === null ? null : requiredLiterals(compileRegex(pattern, place));
}
