/**
 * Rewrites a pattern of PCRE or RE2 as rule authors write it into one of V8, where both find the same.
 *
 * Values are byte strings (one character a byte), and so are patterns: the flags u and v stay off, and `.` means any
 * byte, newline too (flag s, as ModSecurity has it). The rewriting is mechanical, character by character, and refuses
 * what it does not know rather than let V8 take it for something else: without the flag u, V8 reads an unknown escape
 * as the letter itself, and a rule would never fire.
 *
 * Two small differences remain. A possessive quantifier (`\s*+`) is taken as a greedy one: it finds all that the
 * possessive one finds and, where what follows could match the same bytes, more. And flag i also pairs the bytes
 * e0-fe with c0-de, which PCRE leaves apart.
 */
import type { Place } from "./rule-error.ts";
import { ruleError } from "./rule-error.ts";

export function compileRegex(pattern: string, place: Place): RegExp {
  const { source, flags } = rewriteRegex(pattern, place);
  try {
    return new RegExp(source, flags);
  } catch (cause) {
    throw ruleError("CELLWS_E_RULE_REGEX", place, `a pattern that does not compile (${(cause as Error).message})`, {
      found: pattern,
      cause,
    });
  }
}

/** The pattern and flags for `new RegExp`. */
export function rewriteRegex(pattern: string, place: Place): { source: string; flags: string } {
  const { body, flags } = takeLeadingFlags(pattern, place);
  let source = "";
  let index = 0;
  let insideClass = false;
  while (index < body.length) {
    const char = body[index]!;
    if (char === "\\") {
      const { text, length } = rewriteEscape(body, index, insideClass, place);
      source += text;
      index += length;
    } else if (insideClass) {
      const posix = /^\[:(\^?)([a-z]+):\]/.exec(body.slice(index, index + 12));
      if (posix) {
        source += posixClass(posix[2]!, posix[1] === "^", place);
        index += posix[0].length;
      } else {
        if (char === "]") insideClass = false;
        // Within a class V8 without flag v takes [ as itself.
        source += char;
        index += 1;
      }
    } else if (char === "[") {
      insideClass = true;
      const opening = /^\[\^?\]?/.exec(body.slice(index, index + 3))![0];
      // PCRE takes a ] right behind the opening as itself; V8 would close an empty class.
      source += opening.endsWith("]") ? `${opening.slice(0, -1)}\\]` : opening;
      index += opening.length;
    } else if (char === "(" && body[index + 1] === "?") {
      const { text, length } = rewriteGroup(body, index, place);
      source += text;
      index += length;
    } else {
      const quantifier = /^([*+?]|\{\d+(?:,\d*)?\})\+?/.exec(body.slice(index, index + 12));
      source += quantifier ? quantifier[1] : char;
      index += quantifier ? quantifier[0].length : 1;
    }
  }
  return { source, flags };
}

/** `(?i)`, `(?is)` before any letter (`^(?i)` too): flags of the whole pattern. `(?x)` would change its grammar. */
function takeLeadingFlags(pattern: string, place: Place): { body: string; flags: string } {
  let body = pattern;
  const flags = new Set(["s"]);
  for (;;) {
    const leading = /^(\^?)\(\?([a-zA-Z]+)\)/.exec(body);
    if (!leading) return { body, flags: [...flags].sort().join("") };
    for (const flag of leading[2]!) {
      if (flag !== "i" && flag !== "s" && flag !== "m") throw unsupported("the flag", flag, pattern, place);
      flags.add(flag);
    }
    body = leading[1]! + body.slice(leading[0].length);
  }
}

function rewriteGroup(body: string, index: number, place: Place): { text: string; length: number } {
  const rest = body.slice(index, index + 40);
  const plain = /^\(\?(?::|=|!|<=|<!)/.exec(rest);
  if (plain) return { text: plain[0], length: plain[0].length };
  const named = /^\(\?P?<([A-Za-z_]\w*)>/.exec(rest);
  // Rules address captures by number; the name is dropped, the group stays.
  if (named) return { text: "(", length: named[0].length };
  const scoped = /^\(\?([ims]*)(?:-([ims]+))?:/.exec(rest);
  if (scoped) return { text: scoped[0], length: scoped[0].length };
  throw unsupported("the group", rest.slice(0, 6), body, place);
}

function rewriteEscape(
  body: string,
  index: number,
  insideClass: boolean,
  place: Place,
): { text: string; length: number } {
  const next = body[index + 1];
  if (next === undefined) throw unsupported("a backslash at the end of", "the pattern", body, place);
  const rest = body.slice(index, index + 16);
  const braced = /^\\x\{([0-9A-Fa-f]{1,2})\}/.exec(rest);
  if (braced) return { text: `\\x${braced[1]!.padStart(2, "0")}`, length: braced[0].length };
  const hex = /^\\x([0-9A-Fa-f]{0,2})/.exec(rest);
  // \x4 and a bare \x are bytes to PCRE; V8 would read the letter x.
  if (hex) return { text: `\\x${hex[1]!.padStart(2, "0")}`, length: hex[0].length };
  const octal = /^\\(0[0-7]{0,2}|[1-3][0-7]{2})/.exec(rest);
  if (octal) {
    const byte = Number.parseInt(octal[1]!, 8) & 0xff;
    return { text: `\\x${byte.toString(16).padStart(2, "0")}`, length: octal[0].length };
  }
  const replacement = (insideClass ? CLASS_ESCAPES : ESCAPES)[next];
  if (replacement !== undefined) return { text: replacement, length: 2 };
  if (/[A-Za-z]/.test(next) && !KEPT_LETTERS.has(next)) throw unsupported("the escape", `\\${next}`, body, place);
  return { text: `\\${next}`, length: 2 };
}

/** Space as PCRE has it: without V8's no-break space (byte a0), line separators and byte order mark. */
const SPACE = "\\t\\n\\v\\f\\r ";
const NOT_SPACE = "\\x00-\\x08\\x0e-\\x1f\\x21-\\xff";
const ESCAPES: Readonly<Record<string, string>> = {
  s: `[${SPACE}]`,
  S: `[${NOT_SPACE}]`,
  h: "[\\t \\xa0]",
  R: "(?:\\r\\n|[\\n\\v\\f\\r\\x85])",
  a: "\\x07",
  e: "\\x1b",
  // Without flag m, ^ and $ are the ends of the value. (\Z also allows a last newline.)
  A: "(?<![\\s\\S])",
  z: "(?![\\s\\S])",
  Z: "(?=\\n?(?![\\s\\S]))",
};
const CLASS_ESCAPES: Readonly<Record<string, string>> = {
  s: SPACE,
  S: NOT_SPACE,
  h: "\\t \\xa0",
  a: "\\x07",
  e: "\\x1b",
};
/** Letters that mean the same to V8. */
const KEPT_LETTERS = new Set(["b", "B", "d", "D", "w", "W", "n", "r", "t", "f", "v"]);

function posixClass(name: string, negated: boolean, place: Place): string {
  const members = Object.hasOwn(POSIX_CLASSES, name) ? POSIX_CLASSES[name] : undefined;
  if (members === undefined || negated) throw unsupported("the class", `[:${negated ? "^" : ""}${name}:]`, name, place);
  return members;
}

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7f",
  blank: " \\t",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "\\x21-\\x7e",
  lower: "a-z",
  print: "\\x20-\\x7e",
  punct: "!-\\/:-@\\[-`{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

function unsupported(what: string, found: string, pattern: string, place: Place): Error {
  return ruleError("CELLWS_E_RULE_REGEX", place, `${what} ${found} is not supported in a pattern`, {
    found: pattern,
    hint: "Write the pattern without it: rules run on V8's expressions over bytes.",
  });
}
