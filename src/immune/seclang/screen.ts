/**
 * The compiled form of a rule set, under the name by which callers ask for it: handed to openTransaction, it makes
 * evaluatePhase run the compiled rules (compiled/) and not the plain ones. The same rules match, which tests compare.
 */
import type { CompiledRules } from "./compiled/compile.ts";
import type { Facts } from "./compiled/facts.ts";
import { noFacts } from "./compiled/facts.ts";
import { compileRules } from "./compiled/compile.ts";
import { forgetAutomata } from "./pattern/automaton.ts";
import type { RuleSet } from "./rule-set.ts";

export interface Screen {
  readonly compiled: CompiledRules;
  /** How many rules can be spared on most values, and how many must be asked each time. */
  readonly screened: number;
  readonly unscreened: number;
}

/**
 * Throws where a pattern cannot be run in bounded time. With `facts` of an earlier build of the same patterns it takes a
 * fraction of the time; what was not among them is added.
 */
export function buildScreen(rules: RuleSet, facts: Facts = noFacts()): Screen {
  const compiled = compileRules(rules, facts);
  return { compiled, screened: compiled.screened, unscreened: compiled.unscreened };
}

/** Throws away what was learned from requests: automata, readings. For who had to stop an evaluation half-way. */
export function forgetLearned({ compiled }: Screen): void {
  forgetAutomata();
  for (const { domain } of Object.values(compiled.phases)) {
    domain.memory.clear();
    domain.table.clear();
    for (const part of domain.parts) part.plans.clear();
  }
  Object.assign(compiled.taken, { removed: [], byLink: new Map() });
}
