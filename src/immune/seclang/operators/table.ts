/**
 * All operators, by the names that rules use. A new one is a file, a line here and its cases.
 *
 * Some need what this folder does not have: a database of countries, the DNS. They are in `PROVIDED_OPERATORS`, and
 * whoever builds a rule set hands in those that it can do, or "never" for those whose rules shall load and do nothing,
 * of which the user is told. A rule that uses another one is refused at load: were it skipped in silence, its attack
 * would pass unseen.
 */
import { nearest } from "../../../lib/nearest.ts";
import type { OperatorUse } from "../ast.ts";
import { ruleError } from "../rule-error.ts";
import { beginsWith } from "./begins-with.ts";
import { containsWord } from "./contains-word.ts";
import { contains } from "./contains.ts";
import { detectSQLi } from "./detect-sqli.ts";
import { detectXSS } from "./detect-xss.ts";
import { endsWith } from "./ends-with.ts";
import { eq } from "./eq.ts";
import { ge } from "./ge.ts";
import { gt } from "./gt.ts";
import { ipMatchFromFile } from "./ip-match-from-file.ts";
import { ipMatch } from "./ip-match.ts";
import type { Matcher, Operator, OperatorSetup } from "./kind.ts";
import { le } from "./le.ts";
import { lt } from "./lt.ts";
import { noMatch } from "./no-match.ts";
import { pmFromFile } from "./pm-from-file.ts";
import { pm } from "./pm.ts";
import { rx } from "./rx.ts";
import { streq } from "./streq.ts";
import { unconditionalMatch } from "./unconditional-match.ts";
import { validateByteRange } from "./validate-byte-range.ts";
import { validateUrlEncoding } from "./validate-url-encoding.ts";
import { validateUtf8Encoding } from "./validate-utf8-encoding.ts";
import { within } from "./within.ts";

export const OPERATORS = {
  beginsWith,
  contains,
  containsWord,
  detectSQLi,
  detectXSS,
  endsWith,
  eq,
  ge,
  gt,
  ipMatch,
  ipMatchFromFile,
  le,
  lt,
  noMatch,
  pm,
  pmFromFile,
  rx,
  streq,
  unconditionalMatch,
  validateByteRange,
  validateUrlEncoding,
  validateUtf8Encoding,
  within,
} as const satisfies Record<string, Operator>;

export const PROVIDED_OPERATORS = ["geoLookup", "rbl"] as const;
export type ProvidedOperatorName = (typeof PROVIDED_OPERATORS)[number];

/** What the caller can do of `PROVIDED_OPERATORS`. */
export type ProvidedOperators = Readonly<Partial<Record<ProvidedOperatorName, Operator | "never">>>;

/** The name, where the caller said that such an operator never matches; else null. */
export function neverMatches(use: OperatorUse, provided: ProvidedOperators): ProvidedOperatorName | null {
  const name = providedNamed(use.name);
  return name !== undefined && provided[name] === "never" ? name : null;
}

function providedNamed(name: string): ProvidedOperatorName | undefined {
  return PROVIDED_OPERATORS.find((each) => each.toLowerCase() === name.toLowerCase());
}

const ALIASES: Readonly<Record<string, keyof typeof OPERATORS>> = { pmf: "pmFromFile", ipmatchf: "ipMatchFromFile" };

const byLowerCase: ReadonlyMap<string, Operator> = new Map([
  ...Object.entries(OPERATORS).map(([name, operator]) => [name.toLowerCase(), operator] as const),
  ...Object.entries(ALIASES).map(([alias, name]) => [alias, OPERATORS[name]] as const),
]);

/** Makes the operator of a rule; throws where there is none of that name or its argument is wrong. */
export function buildMatcher(
  use: OperatorUse,
  provided: ProvidedOperators,
  setup: Omit<OperatorSetup, "argument">,
): Matcher {
  const providedName = providedNamed(use.name);
  const operator = providedName === undefined ? byLowerCase.get(use.name.toLowerCase()) : provided[providedName];
  if (operator === "never") return noMatch({ ...setup, argument: use.argument });
  if (operator !== undefined) return operator({ ...setup, argument: use.argument });
  if (providedName !== undefined) {
    throw ruleError("CELLWS_E_RULE_OPERATOR", setup.place, "an operator that is not available here", {
      found: `@${providedName}`,
      hint: "Remove the rule with SecRuleRemoveById: it would never fire.",
    });
  }
  const near = nearest(use.name, Object.keys(OPERATORS));
  throw ruleError("CELLWS_E_RULE_OPERATOR", setup.place, "an operator that this engine does not have", {
    found: `@${use.name}`,
    ...(near === null ? {} : { hint: `Did you mean @${near}?` }),
  });
}
