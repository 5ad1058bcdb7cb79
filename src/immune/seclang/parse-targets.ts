/**
 * Reads a rule's targets: `ARGS|!ARGS:password|&REQUEST_HEADERS:Host|REQUEST_COOKIES:/^s_/`.
 *
 * Names are parted by `|`, which a selecting pattern may hold too: between slashes it parts nothing.
 */
import { nearest } from "../../lib/nearest.ts";
import type { Selector, Target } from "./ast.ts";
import { boundTest } from "./pattern/bounded-regex.ts";
import { compileRegex } from "./regex.ts";
import type { Place } from "./rule-error.ts";
import { ruleError } from "./rule-error.ts";
import { VARIABLES, variableNamed } from "./variable-names.ts";

export function parseTargets(text: string, place: Place): Target[] {
  return splitTargets(text, place).map((part) => parseTarget(part, place));
}

function splitTargets(text: string, place: Place): string[] {
  const parts: string[] = [];
  let part = "";
  let insidePattern = false;
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index]!;
    if (insidePattern && char === "\\" && index + 1 < text.length) {
      part += char + text[index + 1]!;
      index += 1;
      continue;
    }
    // XML:/* is a path and no pattern.
    if (char === "/" && (insidePattern || /:'?$/.test(part)) && !/^[!&]?XML:/i.test(part))
      insidePattern = !insidePattern;
    if (char === "|" && !insidePattern) {
      parts.push(part);
      part = "";
    } else {
      part += char;
    }
  }
  if (insidePattern) {
    throw ruleError("CELLWS_E_RULE_SYNTAX", place, "a selecting pattern without its closing slash", { found: part });
  }
  parts.push(part);
  return parts.map((each) => each.trim());
}

function parseTarget(text: string, place: Place): Target {
  const [, sign = "", name = "", colon, rawKey = ""] = /^([!&]?)([A-Za-z_]+)(:?)([\s\S]*)$/.exec(text) ?? [];
  if (name === "" || (colon === "" && rawKey !== "")) {
    throw ruleError("CELLWS_E_RULE_VARIABLE", place, "not a variable", {
      found: text,
      expected: "NAME, NAME:key or NAME:/pattern/, with ! or & before it where needed",
    });
  }
  const variable = variableNamed(name);
  if (variable === null) {
    const near = nearest(name, Object.keys(VARIABLES));
    throw ruleError("CELLWS_E_RULE_VARIABLE", place, "a variable that this engine does not have", {
      found: name,
      hint:
        near === null
          ? "Take the rule out, or remove it by SecRuleRemoveById before loading."
          : `Did you mean ${near}?`,
    });
  }
  const mode = sign === "!" ? "exclude" : sign === "&" ? "count" : "value";
  const key = unquote(rawKey.trim());
  if (colon === ":" && key === "") {
    throw ruleError("CELLWS_E_RULE_VARIABLE", place, "a colon without a key behind it", { found: text });
  }
  return { variable, mode, selector: parseSelector(variable, key, place) };
}

function parseSelector(variable: keyof typeof VARIABLES, key: string, place: Place): Selector {
  if (VARIABLES[variable] === "xml") return xmlSelector(key, place);
  if (key === "") return { kind: "all" };
  if (VARIABLES[variable] === "scalar") {
    throw ruleError("CELLWS_E_RULE_VARIABLE", place, `${variable} holds a single value and has no keys`, {
      found: key,
    });
  }
  if (key.length > 1 && key.startsWith("/") && key.endsWith("/")) {
    const source = key.slice(1, -1);
    // Keys are compared without case, so patterns are too.
    return { kind: "regex", source, regex: boundTest(compileRegex(`(?i)${source}`, place)) };
  }
  return { kind: "key", key: key.toLowerCase() };
}

/** The two paths that the Core Rule Set uses; a whole XPath would be a language of its own. */
function xmlSelector(key: string, place: Place): Selector {
  if (key === "/*" || key === "//@*") return { kind: "key", key };
  throw ruleError("CELLWS_E_RULE_VARIABLE", place, "an XML path that this engine does not have", {
    found: key,
    expected: "XML:/* (all text) or XML://@* (all attribute values)",
  });
}

function unquote(text: string): string {
  return text.length > 1 && text.startsWith("'") && text.endsWith("'") ? text.slice(1, -1) : text;
}
