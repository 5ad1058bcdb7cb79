// Patterns and values at random, for all that claims to agree with V8's expressions.
import * as fc from "fast-check";

const leaf = fc.constantFrom(
  ..."a B ab [ab] [^a] [a-f] \\d \\x41 . ^ $ \\b \\B x- [\\w-] \\s* \\w+ [^b]* a{1,3} \\xe9 a+?".split(" "),
);

/**
 * Patterns as rule authors write them, over few letters so that they often match. Case is ignored in all or nothing:
 * V8 (of Node 24) reads `(?i:a|[^b])` wrongly, and finds a B with it.
 */
export function anyPattern(options: { looks: boolean }): fc.Arbitrary<string> {
  const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 4, depthIdentifier: "p" },
      tie("part"),
      fc.tuple(tie("pattern"), tie("pattern")).map(([left, right]) => left + right),
      fc.tuple(tie("pattern"), tie("pattern")).map(([left, right]) => `(?:${left}|${right})`),
      fc.tuple(tie("pattern"), tie("pattern")).map(([left, right]) => `(${left}|${right})`),
      fc
        .tuple(tie("pattern"), fc.constantFrom("?", "*", "+", "{2}", "{0,1}", "{1,}", "{0,3}", "*?", "??", "{1,2}?"))
        .map(([inner, count]) => `(${inner})${count}`),
      options.looks
        ? fc
            .tuple(fc.constantFrom("?=", "?!", "?<=", "?<!"), tie("pattern"))
            .map(([look, inner]) => `(${look}${inner})`)
        : tie("part"),
    ),
    part: leaf,
  }));
  return fc.tuple(fc.constantFrom("", "(?i)"), pattern).map(([flag, rest]) => flag + rest);
}

export const anyValue: fc.Arbitrary<string> = fc
  .array(fc.constantFrom("a", "b", "A", "B", "ab", "aab", "c", "x-", "1", " ", "\xe9", "\xc9", "\n"), { maxLength: 10 })
  .map((pieces) => pieces.join(""));
