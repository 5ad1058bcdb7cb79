/** What the parser makes of a rule file: directives, each with its place. Names are checked, nothing is joined yet. */
import type { Place } from "./rule-error.ts";
import type { VariableName } from "./variable-names.ts";

/** Which entries of a collection a target means. */
export type Selector =
  | { readonly kind: "all" }
  /** One key; upper and lower case are the same, as HTTP has it for headers and ModSecurity for the rest. */
  | { readonly kind: "key"; readonly key: string }
  /** All keys that a pattern finds. */
  | { readonly kind: "regex"; readonly source: string; readonly regex: Pick<RegExp, "test"> };

/** `ARGS`, `ARGS:q`, `ARGS:/^q/`, `&ARGS` (how many) or `!ARGS:q` (all but). */
export interface Target {
  readonly variable: VariableName;
  readonly mode: "value" | "count" | "exclude";
  readonly selector: Selector;
}

/** `!@rx ^a`: the argument may hold macros; what it means is the operator's business. */
export interface OperatorUse {
  readonly name: string;
  readonly negated: boolean;
  readonly argument: string;
}

/** `msg:'text'`; no argument is null, `msg:''` is "". */
export interface ActionUse {
  readonly name: string;
  readonly argument: string | null;
}

/** Which rules an exclusion means. */
export type RuleSelector =
  | { readonly kind: "ids"; readonly ranges: readonly IdRange[] }
  | { readonly kind: "tag"; readonly regex: RegExp }
  | { readonly kind: "message"; readonly regex: RegExp };

/** Both ends belong to it. */
export interface IdRange {
  readonly first: number;
  readonly last: number;
}

export type Directive = { readonly place: Place } & (
  | {
      readonly kind: "rule";
      readonly targets: readonly Target[];
      readonly operator: OperatorUse;
      readonly actions: readonly ActionUse[];
    }
  | { readonly kind: "action"; readonly actions: readonly ActionUse[] }
  | { readonly kind: "marker"; readonly name: string }
  | { readonly kind: "default-action"; readonly actions: readonly ActionUse[] }
  | { readonly kind: "remove-rules"; readonly select: RuleSelector }
  | { readonly kind: "update-targets"; readonly select: RuleSelector; readonly targets: readonly Target[] }
  | { readonly kind: "update-actions"; readonly id: number; readonly actions: readonly ActionUse[] }
  | { readonly kind: "setting"; readonly name: string; readonly values: readonly string[] }
  | { readonly kind: "include"; readonly pattern: string; readonly optional: boolean }
);
