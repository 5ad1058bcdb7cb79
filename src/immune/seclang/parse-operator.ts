/**
 * Reads a rule's operator: `@rx ^a`, `!@within a b`, `^a` (which is `@rx ^a`). Whether the operator exists is decided
 * where rules are built (operators/table.ts), after exclusions took out what the user does not want.
 */
import type { OperatorUse } from "./ast.ts";
import type { Place } from "./rule-error.ts";
import { ruleError } from "./rule-error.ts";

export function parseOperator(text: string, place: Place): OperatorUse {
  const trimmed = text.trim();
  const negated = /^!\s*@/.test(trimmed) || (trimmed.startsWith("!") && trimmed.length > 1);
  const rest = negated ? trimmed.slice(1).trimStart() : trimmed;
  if (!rest.startsWith("@")) return { name: "rx", negated, argument: rest };
  const [, name = "", argument = ""] = /^@([A-Za-z0-9_]*)([\s\S]*)$/.exec(rest) ?? [];
  if (name === "" || (argument !== "" && !/^\s/.test(argument))) {
    throw ruleError("CELLWS_E_RULE_SYNTAX", place, "not an operator", {
      found: rest,
      expected: "@name, a blank and its argument",
    });
  }
  return { name, negated, argument: argument.trim() };
}
