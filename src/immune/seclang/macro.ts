/**
 * Macros: `%{tx.score}` or `%{MATCHED_VAR}` within a rule's text, filled in when the rule runs.
 *
 * Parsed once, when the rule set is built, so that a misspelt name is found then. A key stands behind a dot; a
 * collection without a key gives its first value, and what is not there gives nothing.
 */
import { nearest } from "../../lib/nearest.ts";
import { SECLANG_LIMITS } from "./limits.ts";
import type { Place } from "./rule-error.ts";
import { ruleError } from "./rule-error.ts";
import type { VariableName } from "./variable-names.ts";
import { VARIABLES, variableNamed } from "./variable-names.ts";

/** Text and references in turn. A macro without references is one text. */
export type Macro = readonly MacroPart[];
export type MacroPart = string | { readonly variable: VariableName; readonly key: string | null };

/** Where macros find their values: a transaction. */
export interface MacroValues {
  /** The first value of the variable, under the key where there is one; "" if it is not there. `key` is lower case. */
  readonly first: (variable: VariableName, key: string | null) => string;
}

/** @example parseMacro("=+%{tx.critical_anomaly_score}", place) */
export function parseMacro(text: string, place: Place): Macro {
  const parts: MacroPart[] = [];
  let rest = 0;
  for (const match of text.matchAll(/%\{([A-Za-z_]+)(?:[.:]([^}]*))?\}/g)) {
    if (match.index > rest) parts.push(text.slice(rest, match.index));
    parts.push({ variable: known(match[1]!, place), key: match[2]?.toLowerCase() ?? null });
    rest = match.index + match[0].length;
  }
  if (rest < text.length) parts.push(text.slice(rest));
  return parts;
}

export function expandMacro(macro: Macro, values: MacroValues): string {
  if (macro.length === 1 && typeof macro[0] === "string") return macro[0];
  let text = "";
  for (const part of macro) {
    text += typeof part === "string" ? part : values.first(part.variable, part.key);
    if (text.length > SECLANG_LIMITS.expansionCharsMax) return text.slice(0, SECLANG_LIMITS.expansionCharsMax);
  }
  return text;
}

/** The text of a macro that refers to nothing, or null. */
export function fixedText(macro: Macro): string | null {
  if (macro.length === 0) return "";
  return macro.length === 1 && typeof macro[0] === "string" ? macro[0] : null;
}

function known(name: string, place: Place): VariableName {
  const variable = variableNamed(name);
  if (variable !== null) return variable;
  const near = nearest(name, Object.keys(VARIABLES));
  throw ruleError("CELLWS_E_RULE_VARIABLE", place, "a macro of a variable that this engine does not have", {
    found: `%{${name}}`,
    ...(near === null ? {} : { hint: `Did you mean ${near}?` }),
  });
}
