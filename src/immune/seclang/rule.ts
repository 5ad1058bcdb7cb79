/** Rules as they run: joined to chains, defaults filled in, exclusions applied, operators made. */
import type { RuleSelector, Target } from "./ast.ts";
import type { Macro } from "./macro.ts";
import type { Matcher } from "./operators/kind.ts";
import type { Place } from "./rule-error.ts";
import type { TransformationName } from "./transformations/table.ts";
import type { VARIABLES, VariableName } from "./variable-names.ts";

/** 1: request head, 2: request body, 3: response head, 4: response body, 5: afterwards, when nothing can be stopped. */
export type Phase = 1 | 2 | 3 | 4 | 5;
export const PHASES = [1, 2, 3, 4, 5] as const satisfies readonly Phase[];

/** What happens to the exchange when a rule, with all of its chain, matches. `block` has been resolved by then. */
export type Disruption =
  | { readonly kind: "pass" }
  | { readonly kind: "deny"; readonly status: number }
  /** The connection is closed without an answer. */
  | { readonly kind: "drop" }
  /** No further rule: of this phase, of the request's phases, or of all but the last. */
  | { readonly kind: "allow"; readonly scope: "phase" | "request" | "all" };

/** What a rule changes each time that one of its values matches, whether or not the rest of its chain does. */
export type RuleEffect =
  | { readonly kind: "setvar"; readonly store: StoreName; readonly key: Macro; readonly change: VariableChange }
  | { readonly kind: "expirevar"; readonly store: StoreName; readonly key: Macro; readonly seconds: Macro }
  | { readonly kind: "initcol"; readonly store: StoreName; readonly key: Macro }
  | { readonly kind: "ctl"; readonly control: Control };

export type VariableChange =
  | { readonly kind: "set" | "add" | "subtract"; readonly value: Macro }
  | { readonly kind: "unset" };

/** Changes to how the rest of this exchange is judged. */
export type Control =
  | { readonly kind: "remove-rules"; readonly select: RuleSelector }
  | { readonly kind: "remove-targets"; readonly select: RuleSelector; readonly target: Target }
  | { readonly kind: "rule-engine"; readonly mode: EngineMode }
  | { readonly kind: "body-processor"; readonly name: BodyProcessorName }
  | { readonly kind: "force-request-body"; readonly on: boolean }
  | { readonly kind: "request-body-access"; readonly on: boolean }
  | { readonly kind: "response-body-access"; readonly on: boolean }
  | { readonly kind: "request-body-limit"; readonly bytes: number }
  /** Off keeps the exchange out of the audit log. */
  | { readonly kind: "audit"; readonly on: boolean };

export type EngineMode = "on" | "off" | "detection-only";
export const BODY_PROCESSORS = ["URLENCODED", "MULTIPART", "JSON", "XML"] as const;
export type BodyProcessorName = (typeof BODY_PROCESSORS)[number];

/** Collections that rules write. */
export type StoreName = {
  [Name in VariableName]: (typeof VARIABLES)[Name] extends "store" ? Name : never;
}[VariableName];

export interface Rule {
  readonly place: Place;
  /** That of the chain's head. */
  readonly id: number;
  readonly phase: Phase;
  /** Null: SecAction, which looks at nothing and always matches. */
  readonly check: RuleCheck | null;
  readonly transformations: readonly TransformationName[];
  /** Ask the operator after each transformation, not only after the last. */
  readonly multiMatch: boolean;
  /** What the operator caught goes to TX:0 to TX:9. */
  readonly capture: boolean;
  readonly effects: readonly RuleEffect[];
  readonly disruption: Disruption;
  /** Whether the match is told to anybody. Rules that only count and jump are not. */
  readonly log: boolean;
  readonly audit: boolean;
  readonly message: Macro;
  readonly logData: Macro;
  readonly tags: readonly string[];
  /** 0 (emergency) to 7 (debug); null where the rule says nothing. */
  readonly severity: number | null;
  /** Go on behind the marker or rule of this name. */
  readonly skipAfter: string | null;
  /** Pass over so many of the following rules. */
  readonly skip: number;
  /** Must match too. */
  readonly chained: Rule | null;
}

export interface RuleCheck {
  readonly targets: readonly Target[];
  readonly operator: { readonly name: string; readonly negated: boolean; readonly argument: string };
  readonly match: Matcher;
}
