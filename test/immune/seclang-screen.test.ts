// The texts that patterns require, and the screen built on them: it may spare work and must never spare a match.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { compileRegex } from "../../src/immune/seclang/regex.ts";
import { parsePattern } from "../../src/immune/seclang/pattern/parse.ts";
import { requiredLiterals } from "../../src/immune/seclang/required-literals.ts";

const place = { file: "my.conf", line: 1 };
const literalsOf = (pattern: string): readonly string[] | null =>
  requiredLiterals(parsePattern(compileRegex(pattern, place)));

describe("a pattern requires", () => {
  const cases: ReadonlyArray<[pattern: string, literals: string[] | null]> = [
    ["union", ["union"]],
    ["(?i)UNION", ["union"]],
    ["(?:un|re)ion", ["union", "reion"]],
    ["union\\s+select", ["select"]],
    ["un[io]on", ["union", "unoon"]],
    ["a?bcd", ["bcd", "abcd"]],
    ["a*bcd", ["bcd"]],
    ["(?:abc)+", ["abc"]],
    ["(?:abc){2}d", ["abcabcd"]],
    ["(?:abc){0,2}d", ["d"]],
    ["abc|.*", null],
    ["[a-z]+", null],
    ["^$", null],
    ["\\bor\\b", ["or"]],
    ["(?=abc)d", ["d"]],
    ["(?!abc)de", ["de"]],
    ["(a)bc\\1", ["abc"]],
    ["\\x3cscript", ["<script"]],
    ["[<]script[^>]", ["<script"]],
    ["(?i)\\xe9tat", ["\xc9tat", "\xe9tat"]],
    ["\\xe9tat", ["\xe9tat"]],
    ["(?i:AB)cd|ef", ["abcd", "ef"]],
  ];
  for (const [pattern, literals] of cases) {
    test(`${literals === null ? "nothing" : literals.join(" or ")} where it is ${pattern}`, () => {
      assert.deepEqual(literalsOf(pattern), literals);
    });
  }

  test("nothing that a value which it finds may lack", () => {
    const leaf = fc.constantFrom(
      "a",
      "B",
      "ab",
      "[ab]",
      "[^a]",
      "[a-f]",
      "\\d",
      "\\x41",
      ".",
      "^",
      "$",
      "\\b",
      "x-",
      "[\\w-]",
    );
    const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 4, depthIdentifier: "p" },
        tie("part"),
        fc.tuple(tie("pattern"), tie("pattern")).map(([left, right]) => left + right),
        fc.tuple(tie("pattern"), tie("pattern")).map(([left, right]) => `(?:${left}|${right})`),
        fc
          .tuple(tie("pattern"), fc.constantFrom("?", "*", "+", "{2}", "{0,1}", "{1,}"))
          .map(([inner, count]) => `(${inner})${count}`),
        tie("pattern").map((inner) => `(?i:${inner})`),
        tie("pattern").map((inner) => `(?=${inner})`),
      ),
      part: leaf,
    }));
    const value = fc.array(fc.constantFrom("a", "b", "A", "B", "ab", "c", "x-", "1", " ", "\xe9"), { maxLength: 8 });
    fc.assert(
      fc.property(pattern, fc.array(value, { minLength: 1, maxLength: 20 }), (pattern, values) => {
        const regex = compileRegex(pattern, place);
        const literals = requiredLiterals(parsePattern(regex));
        for (const text of values.map((pieces) => pieces.join(""))) {
          if (literals === null || !regex.test(text)) continue;
          const lower = text.toLowerCase();
          assert.ok(
            literals.some((literal) => lower.includes(literal)),
            `${pattern} finds ${text}`,
          );
        }
      }),
      { numRuns: 1000 },
    );
  });
});
