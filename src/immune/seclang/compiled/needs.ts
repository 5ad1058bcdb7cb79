/**
 * What a value must have for an operator to have any chance on it, for the operators where that can be said.
 *
 * Only operators that look at nothing but the value are *pure*: their answer can be kept, and asked for in any order.
 */
import type { Macro, MacroValues } from "../macro.ts";
import { expandMacro, fixedText, parseMacro } from "../macro.ts";
import { profileOfSet } from "../pattern/byte-classes.ts";
import type { BoundedRegex } from "../pattern/bounded-regex.ts";
import { boundedBy, boundRegex } from "../pattern/bounded-regex.ts";
import { parsePattern } from "../pattern/parse.ts";
import { buildProgram } from "../pattern/program.ts";
import { compileRegex } from "../regex.ts";
import type { RuleCheck } from "../rule.ts";
import type { Place } from "../rule-error.ts";
import { ruleError } from "../rule-error.ts";
import type { Facts, PatternFacts } from "./facts.ts";
import type { Required, Requirements } from "./requirements.ts";
import { requirementsOf } from "./requirements.ts";

export interface Needs extends Requirements {
  readonly pure: boolean;
  /** How to run it in bounded time; null: the operator is linear by itself. */
  readonly regex: BoundedRegex | null;
  /** The same for a pattern that holds macros; null: it is too large, once they are filled in. */
  readonly regexFor: ((values: MacroValues) => BoundedRegex | null) | null;
}

const NOTHING: Required = { literals: null, clauses: [], bytesMin: 0 };
const IMPURE: Needs = { ...NOTHING, plain: NOTHING, pure: false, regex: null, regexFor: null };
const PURE: Needs = { ...IMPURE, pure: true };

/** For operators that are no patterns: of plain values they require the same. */
const pure = (required: Partial<Required>): Needs => {
  const whole = { ...NOTHING, ...required };
  return { ...PURE, ...whole, plain: whole };
};

export function needsOf({ operator, match }: RuleCheck, place: Place, facts: Facts): Needs {
  if (match.phrases !== undefined) return pure({ literals: match.phrases, bytesMin: shortest(match.phrases) });
  const name = operator.name.toLowerCase();
  const special = Object.hasOwn(SPECIAL, name) ? SPECIAL[name] : undefined;
  if (special !== undefined) return special(operator.argument, place, facts);
  if (WITH_MACROS.has(name)) return fixedText(parseMacro(operator.argument, place)) === null ? IMPURE : PURE;
  return ALWAYS_PURE.has(name) ? PURE : IMPURE;
}

const shortest = (texts: readonly string[]): number =>
  texts.reduce((length, text) => Math.min(length, text.length), Infinity);

/** Operators whose argument may hold macros, and which ask nothing of the value that is worth searching for. */
const WITH_MACROS = new Set(["within", "eq", "ge", "gt", "le", "lt"]);
const ALWAYS_PURE = new Set(["ipmatch", "ipmatchf", "ipmatchfromfile", "nomatch", "unconditionalmatch"]);

const bytesThat = (pattern: RegExp): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, byte) => (pattern.test(String.fromCharCode(byte)) ? 1 : 0));
const classesOf = (pattern: RegExp): readonly number[] => [profileOfSet(bytesThat(pattern))];

const SPECIAL: Readonly<Record<string, (argument: string, place: Place, facts: Facts) => Needs>> = {
  rx: patternNeeds,
  contains: textNeeds,
  containsword: textNeeds,
  beginswith: textNeeds,
  endswith: textNeeds,
  streq: textNeeds,
  // As the detectors themselves begin: without any of these bytes they look no further.
  detectsqli: () => pure({ clauses: classesOf(/[^\w.:,+-]/) }),
  detectxss: () => pure({ clauses: classesOf(/[<=]/) }),
  validateurlencoding: () => pure({ clauses: classesOf(/%/) }),
  validateutf8encoding: () => pure({ clauses: classesOf(/[\x80-\xff]/) }),
  validatebyterange: (argument) => pure({ clauses: [profileOfSet(bytesOutside(argument))] }),
};

function patternNeeds(argument: string, place: Place, facts: Facts): Needs {
  const macro = parseMacro(argument, place);
  const fixed = fixedText(macro);
  if (fixed === null) return { ...IMPURE, regexFor: filledIn(macro, place) };
  const known = facts.patterns.get(fixed) ?? findFacts(fixed, place);
  facts.patterns.set(fixed, known);
  const { program, ...requirements } = known;
  return { ...PURE, ...requirements, regex: boundedBy(program) };
}

function findFacts(source: string, place: Place): PatternFacts {
  const pattern = parsePattern(compileRegex(source, place));
  const program = buildProgram(pattern);
  if (program === null) {
    throw ruleError("CELLWS_E_RULE_REGEX", place, "a pattern too large to be run in bounded time", {
      found: source,
      hint: "Counts within counts multiply: write {1,} for a count that need not be exact.",
    });
  }
  return { program, ...requirementsOf(pattern) };
}

/** Most such macros hold the same text for each request; a new text costs a compilation. */
function filledIn(macro: Macro, place: Place): (values: MacroValues) => BoundedRegex | null {
  let last: { source: string; regex: BoundedRegex | null } | null = null;
  return (values) => {
    const source = expandMacro(macro, values);
    if (last?.source !== source) last = { source, regex: boundRegex(parsePattern(compileRegex(source, place))) };
    return last.regex;
  };
}

function textNeeds(argument: string, place: Place): Needs {
  const text = fixedText(parseMacro(argument, place));
  if (text === null) return IMPURE;
  return text === "" ? PURE : pure({ literals: [text], bytesMin: text.length });
}

/** The argument has been checked by the operator itself. */
function bytesOutside(argument: string): Uint8Array {
  const outside = new Uint8Array(256).fill(1);
  for (const text of argument.split(",")) {
    const [first = 0, last = first] = text.split("-").map(Number);
    outside.fill(0, first, last + 1);
  }
  return outside;
}
