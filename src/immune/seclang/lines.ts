/**
 * Cuts a rule file into logical lines and a logical line into words.
 *
 * A line that ends in a backslash goes on in the next. A line whose first mark is `#` is a comment. ModSecurity under
 * Apache lets a comment go on after a backslash and swallows the next line; under nginx it does not. Which was meant
 * cannot be told, and a rule that is silently not there is the worst outcome: where such a comment is followed by
 * anything but another comment or an empty line, that is an error.
 *
 * Words are parted by blanks. A word that begins with a double or single quote ends at the next such quote; there,
 * a backslash before that same quote is dropped and every other backslash stays, since patterns are full of them.
 * (Apache also halves double backslashes, nginx does not: we do as nginx does, and patterns that work under both
 * write \x5c.)
 */
import { SECLANG_LIMITS } from "./limits.ts";
import type { Place } from "./rule-error.ts";
import { ruleError } from "./rule-error.ts";

export interface LogicalLine {
  readonly place: Place;
  readonly text: string;
}

/** A file's lines without comments and empty ones, continuations joined. */
export function logicalLines(text: string, file: string): LogicalLine[] {
  const physical = text.split(/\r?\n/);
  const lines: LogicalLine[] = [];
  let index = 0;
  while (index < physical.length) {
    const place: Place = { file, line: index + 1 };
    const first = physical[index]!;
    index += 1;
    if (isComment(first)) {
      if (first.endsWith("\\")) refuseSwallowing(physical[index], place);
      continue;
    }
    let joined = first;
    while (joined.endsWith("\\") && index < physical.length) {
      // A comment amid a continued directive belongs to no grammar, yet people comment out one action that way.
      if (isComment(physical[index]!)) throw commentInside({ file, line: index + 1 });
      joined = joined.slice(0, -1) + physical[index]!;
      index += 1;
      if (joined.length > SECLANG_LIMITS.lineCharsMax) throw tooLong(place);
    }
    if (joined.endsWith("\\")) joined = joined.slice(0, -1);
    if (joined.trim() !== "") lines.push({ place, text: joined.trim() });
  }
  return lines;
}

/** The words of a logical line, quotes taken off. */
export function words(line: LogicalLine): string[] {
  const { text, place } = line;
  const found: string[] = [];
  let index = 0;
  while (index < text.length) {
    if (isBlank(text[index]!)) {
      index += 1;
      continue;
    }
    const quote = text[index]!;
    if (quote === '"' || quote === "'") {
      const { word, end } = quotedWord(text, index, place);
      found.push(word);
      index = end;
    } else {
      const start = index;
      while (index < text.length && !isBlank(text[index]!)) index += 1;
      found.push(text.slice(start, index));
    }
  }
  return found;
}

function quotedWord(text: string, start: number, place: Place): { word: string; end: number } {
  const quote = text[start]!;
  let word = "";
  let index = start + 1;
  while (index < text.length) {
    const char = text[index]!;
    if (char === "\\" && text[index + 1] === quote) {
      word += quote;
      index += 2;
    } else if (char === quote) {
      if (index + 1 < text.length && !isBlank(text[index + 1]!)) {
        throw ruleError("CELLWS_E_RULE_SYNTAX", place, "text right behind a closing quote", {
          found: text.slice(index, index + 20),
          expected: "a blank or the end of the line",
          hint: `Write \\${quote} for a quote within a quoted word.`,
        });
      }
      return { word, end: index + 1 };
    } else {
      word += char;
      index += 1;
    }
  }
  throw ruleError("CELLWS_E_RULE_SYNTAX", place, "a quote that never closes", {
    found: text.slice(start, start + 60),
    expected: `a closing ${quote}`,
    hint: "Does each line but the last of a continued directive end in a backslash, with no blank behind it?",
  });
}

function refuseSwallowing(next: string | undefined, place: Place): void {
  if (next === undefined || next.trim() === "" || isComment(next)) return;
  throw ruleError("CELLWS_E_RULE_SYNTAX", place, "a comment that ends in a backslash before a line that is none", {
    found: next.trim(),
    expected: "another comment or an empty line",
    hint: "Remove the backslash, or comment out the following line too: engines disagree on what is meant.",
  });
}

function commentInside(place: Place): Error {
  return ruleError("CELLWS_E_RULE_SYNTAX", place, "a comment within a continued directive", {
    expected: "the directive's next line",
    hint: "Move the comment above the directive.",
  });
}

function tooLong(place: Place): Error {
  return ruleError("CELLWS_E_RULE_LIMIT", place, `a line of more than ${SECLANG_LIMITS.lineCharsMax} characters`);
}

const isComment = (line: string): boolean => /^\s*#/.test(line);
const isBlank = (char: string): boolean => char === " " || char === "\t";
