/** What an operator is: made once from its argument, then asked for each value. */
import type { MacroValues } from "../macro.ts";
import type { Place } from "../rule-error.ts";
import { ruleError } from "../rule-error.ts";

/** What was found: the whole first, then what the pattern's groups caught. Empty where an operator catches nothing. */
export type Match = ReadonlyArray<string | undefined>;

/** Null: it does not match. `values` is for macros in the argument. */
export interface Matcher {
  (value: string, values: MacroValues): Match | null;
  /** It matches exactly the values that hold one of these, ASCII case ignored. For those who search for many at once. */
  readonly phrases?: readonly string[];
}

export interface OperatorSetup {
  /** As it stands in the rule, blanks around it taken off. */
  readonly argument: string;
  readonly place: Place;
  /** The text of a data file that stands beside the rule's file. */
  readonly readData: (name: string) => string;
}

/** Throws where the argument makes no sense. */
export type Operator = (setup: OperatorSetup) => Matcher;

/** For operators that catch nothing. */
export const NOTHING_CAUGHT: Match = [];

export function badArgument(setup: OperatorSetup, operator: string, expected: string): Error {
  return ruleError("CELLWS_E_RULE_OPERATOR", setup.place, `a wrong argument for @${operator}`, {
    found: setup.argument,
    expected,
  });
}
