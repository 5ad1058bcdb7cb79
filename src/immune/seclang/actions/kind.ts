/** What an action is: it takes its argument, if any, and notes in the rule's draft what it wants. */
import type { Macro } from "../macro.ts";
import type { Disruption, Phase, RuleEffect } from "../rule.ts";
import type { Place, RuleErrorDetails } from "../rule-error.ts";
import { ruleError } from "../rule-error.ts";
import type { TransformationName } from "../transformations/table.ts";

/** A rule while its actions are read. Null: not said, so that the default applies. */
export interface RuleDraft {
  id: number | null;
  phase: Phase | null;
  message: Macro | null;
  logData: Macro | null;
  tags: string[];
  version: string | null;
  revision: string | null;
  maturity: number | null;
  accuracy: number | null;
  severity: number | null;
  log: boolean | null;
  audit: boolean | null;
  capture: boolean;
  multiMatch: boolean;
  chain: boolean;
  disruption: Disruption | { readonly kind: "block" } | null;
  status: number | null;
  skipAfter: string | null;
  skip: number;
  transformations: TransformationName[];
  /** `t:none` was said: those of SecDefaultAction do not apply. */
  transformationsReset: boolean;
  effects: RuleEffect[];
  /** What was taken but does nothing here, with the reason; the user is told once for each. */
  notices: string[];
}

export interface Action {
  readonly argument: "none" | "needed" | "optional";
  /** `argument` is "" where there is none. Throws where it makes no sense. */
  readonly apply: (draft: RuleDraft, argument: string, place: Place) => void;
}

export function emptyDraft(): RuleDraft {
  return {
    id: null,
    phase: null,
    message: null,
    logData: null,
    tags: [],
    version: null,
    revision: null,
    maturity: null,
    accuracy: null,
    severity: null,
    log: null,
    audit: null,
    capture: false,
    multiMatch: false,
    chain: false,
    disruption: null,
    status: null,
    skipAfter: null,
    skip: 0,
    transformations: [],
    transformationsReset: false,
    effects: [],
    notices: [],
  };
}

export function badAction(place: Place, action: string, details: RuleErrorDetails): Error {
  return ruleError("CELLWS_E_RULE_ACTION", place, `a wrong argument for the action ${action}`, details);
}

/** A whole number within bounds, or an error. */
export function numberArgument(
  text: string,
  place: Place,
  action: string,
  bounds: { min: number; max: number },
): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= bounds.min && number <= bounds.max) return number;
  throw badAction(place, action, { found: text, expected: `a number from ${bounds.min} to ${bounds.max}` });
}
