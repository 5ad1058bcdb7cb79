/**
 * Mistakes in a rule set, as their author reads them: file and line first, then what stood there, what was expected
 * and what to do. The code is stable and tells the kind.
 */
import { CellwsError } from "../../lib/cellws-error.ts";

/** Where something stands in a rule file. Lines count from 1; a continued line is named by its first. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export type RuleErrorCode =
  /** Not SecLang at all: a quote that never closes, an argument too many. */
  | "CELLWS_E_RULE_SYNTAX"
  /** A directive that is not known, or that this engine does not carry out. */
  | "CELLWS_E_RULE_DIRECTIVE"
  | "CELLWS_E_RULE_VARIABLE"
  | "CELLWS_E_RULE_OPERATOR"
  | "CELLWS_E_RULE_ACTION"
  | "CELLWS_E_RULE_TRANSFORMATION"
  /** A regular expression that does not compile. */
  | "CELLWS_E_RULE_REGEX"
  /** Rules that do not fit together: two of one id, a chain without an end, a jump to no marker. */
  | "CELLWS_E_RULE_STRUCTURE"
  /** A file that is not there, cannot be read, or is too large. */
  | "CELLWS_E_RULE_FILE"
  /** More of something than src/immune/seclang/limits.ts allows. */
  | "CELLWS_E_RULE_LIMIT";

export interface RuleErrorDetails {
  found?: string;
  expected?: string;
  hint?: string;
  cause?: unknown;
}

/** @example throw ruleError("CELLWS_E_RULE_ACTION", place, "unknown action", { found: "dney", hint: "Did you mean deny?" }) */
export function ruleError(
  code: RuleErrorCode,
  place: Place,
  message: string,
  details: RuleErrorDetails = {},
): CellwsError {
  const path = `${place.file}:${place.line}`;
  const found = details.found === undefined ? {} : { found: shorten(details.found) };
  const came = found.found === undefined ? "" : `: ${found.found}`;
  return new CellwsError(code, 2, `${path}: ${message}${came}`, { path, ...details, ...found });
}

/** Patterns of 20 KB are common; an error is read on a terminal. */
function shorten(text: string): string {
  return text.length <= FOUND_CHARS_MAX ? text : `${text.slice(0, FOUND_CHARS_MAX)}...`;
}

const FOUND_CHARS_MAX = 160;
