/**
 * Reads a rule's actions: `id:1,phase:2,t:none,msg:'It said: \'no\', twice',setvar:tx.a=+1`.
 *
 * They are parted by commas, and an argument that holds commas stands in single quotes. Which actions there are, and
 * which take an argument, is known to actions/table.ts.
 */
import type { ActionUse } from "./ast.ts";
import type { Place } from "./rule-error.ts";
import { ruleError } from "./rule-error.ts";

export function parseActions(text: string, place: Place): ActionUse[] {
  const actions: ActionUse[] = [];
  let index = 0;
  while (index < text.length) {
    const lead = /^[\s,]*/.exec(text.slice(index, index + LEAD_CHARS_MAX))![0];
    if (lead.length > 0) {
      index += lead.length;
      continue;
    }
    const { action, end } = parseAction(text, index, place);
    actions.push(action);
    index = end;
  }
  return actions;
}

/** Blanks are eaten in pieces, so that a line of nothing but blanks costs no quadratic slicing. */
const LEAD_CHARS_MAX = 256;

function parseAction(text: string, start: number, place: Place): { action: ActionUse; end: number } {
  let index = start;
  while (index < text.length && text[index] !== ":" && text[index] !== ",") index += 1;
  const name = text.slice(start, index).trim();
  if (!/^[A-Za-z]+$/.test(name)) {
    throw ruleError("CELLWS_E_RULE_SYNTAX", place, "not an action", {
      found: text.slice(start, start + 40),
      expected: "name or name:argument, parted by commas",
      hint: "An argument that holds a comma must stand in single quotes.",
    });
  }
  if (text[index] !== ":") return { action: { name, argument: null }, end: index };
  index += 1;
  while (text[index] === " " || text[index] === "\t") index += 1;
  const { argument, end } = text[index] === "'" ? quoted(text, index, place) : bare(text, index);
  return { action: { name, argument }, end };
}

function bare(text: string, start: number): { argument: string; end: number } {
  const comma = text.indexOf(",", start);
  const end = comma === -1 ? text.length : comma;
  return { argument: text.slice(start, end).trim(), end };
}

function quoted(text: string, start: number, place: Place): { argument: string; end: number } {
  let argument = "";
  for (let index = start + 1; index < text.length; index += 1) {
    const char = text[index]!;
    if (char === "\\" && text[index + 1] === "'") {
      argument += "'";
      index += 1;
    } else if (char === "'") {
      const behind = /^\s*(.?)/s.exec(text.slice(index + 1, index + 1 + LEAD_CHARS_MAX))![1]!;
      if (behind !== "" && behind !== ",") {
        throw ruleError("CELLWS_E_RULE_SYNTAX", place, "text right behind an action's closing quote", {
          found: text.slice(index, index + 20),
          expected: "a comma or the end of the actions",
          hint: "Write \\' for a quote within a quoted argument.",
        });
      }
      return { argument, end: index + 1 };
    } else {
      argument += char;
    }
  }
  throw ruleError("CELLWS_E_RULE_SYNTAX", place, "an action's quote that never closes", {
    found: text.slice(start, start + 60),
    expected: "a closing '",
  });
}
