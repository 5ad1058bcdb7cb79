import type { PhraseFinder } from "../aho-corasick.ts";
import { buildPhraseFinder } from "../aho-corasick.ts";
import type { Match, Matcher, Operator } from "./kind.ts";
import { badArgument } from "./kind.ts";

/**
 * Description: any of the phrases stands anywhere in the value. ASCII case is ignored.
 * Arguments: phrases parted by blanks; bytes may be written between bars, in hexadecimal: `a|20 0a|b`.
 * Returns: the phrase, as it stands in the value.
 * Example: SecRule REQUEST_HEADERS:User-Agent "@pm nikto sqlmap"
 */
export const pm: Operator = (setup) => {
  const phrases = setup.argument
    .replace(/\|((?:[0-9A-Fa-f]{2} ?)+)\|/g, (_whole, digits: string) => bytesOf(digits))
    .split(/\s+/)
    .filter((phrase) => phrase !== "")
    .map((phrase) => phrase.replaceAll(BLANK_STANDIN, " "));
  if (phrases.length === 0) throw badArgument(setup, "pm", "one phrase or more");
  return phraseMatcher(phrases);
};

/** For this and for phrases that stand in a file. */
export function phraseMatcher(phrases: readonly string[]): Matcher {
  // Made when first asked: where one search serves all rules, few are asked at all.
  let finder: PhraseFinder | null = null;
  const match = (value: string): Match | null => {
    finder ??= buildPhraseFinder(phrases);
    const found = finder.first(value);
    return found === null ? null : [found];
  };
  return Object.assign(match, { phrases });
}

/** A blank written in hexadecimal belongs to its phrase; no byte string holds this character. */
const BLANK_STANDIN = "\u{e000}";

function bytesOf(digits: string): string {
  return Buffer.from(digits.replaceAll(" ", ""), "hex").toString("latin1").replaceAll(" ", BLANK_STANDIN);
}
