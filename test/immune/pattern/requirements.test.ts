// What is required of a value before a pattern is run on it: whatever a pattern finds, it must have.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { Required } from "../../../src/immune/seclang/compiled/requirements.ts";
import { requirementsOf } from "../../../src/immune/seclang/compiled/requirements.ts";
import { isPlain, PLAIN_BYTES, profileOf } from "../../../src/immune/seclang/pattern/byte-classes.ts";
import { leastBytes } from "../../../src/immune/seclang/pattern/least-bytes.ts";
import { parsePattern } from "../../../src/immune/seclang/pattern/parse.ts";
import { restrictTo } from "../../../src/immune/seclang/pattern/restrict.ts";
import { compileRegex } from "../../../src/immune/seclang/regex.ts";
import { anyPattern, anyValue } from "./patterns.ts";

const place = { file: "my.conf", line: 1 };
const parse = (pattern: string): ReturnType<typeof parsePattern> => parsePattern(compileRegex(pattern, place));

describe("the least bytes of a pattern", () => {
  const cases: ReadonlyArray<[pattern: string, bytes: number]> = [
    ["", 0],
    ["abc", 3],
    ["a|bc", 1],
    ["(?:ab){2,3}c?", 4],
    ["^a\\b(?=bcd)", 1],
    ["(ab)\\1", 2],
    ["[a-z]+\\s*x", 2],
  ];
  for (const [pattern, bytes] of cases) {
    test(`are ${bytes} of ${JSON.stringify(pattern)}`, () => assert.equal(leastBytes(parse(pattern).root), bytes));
  }
});

describe("a pattern on plain values", () => {
  const cases: ReadonlyArray<[pattern: string, literals: readonly string[] | null | "never"]> = [
    ["b[\"']*u[\"']*s[\"']*y", ["busy"]],
    ["<|javascript:", ["javascript:"]],
    ["[<>]x", "never"],
    ["a(?=;)", "never"],
    ["(?!;)abc", ["abc"]],
    ["'x|[a-z]+", null],
  ];
  for (const [pattern, literals] of cases) {
    test(`requires ${String(literals)} where it is ${pattern}`, () => {
      const { plain } = requirementsOf(parse(pattern));
      assert.deepEqual(plain === null ? "never" : plain.literals, literals);
    });
  }

  test("requires the texts that it requires of others, where there are any: they are searched for anyway", () => {
    const { literals, plain } = requirementsOf(parse("abc['x]*long text"));
    assert.deepEqual(plain?.literals, literals);
  });

  test("finds what it finds", () => {
    fc.assert(
      fc.property(anyPattern({ looks: false }), fc.array(anyValue, { maxLength: 10 }), (pattern, texts) => {
        const { root } = parse(pattern);
        const regex = compileRegex(pattern, place);
        const restricted = restrictTo(root, PLAIN_BYTES);
        for (const text of texts.filter((each) => isPlain(profileOf(each)) && regex.test(each))) {
          assert.ok(restricted !== null, `${pattern} finds ${JSON.stringify(text)}`);
          assert.ok(leastBytes(restricted) <= text.length);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("what is required", () => {
  const meets = (text: string, { literals, clauses, bytesMin }: Required): boolean =>
    text.length >= bytesMin &&
    clauses.every((clause) => (clause & profileOf(text)) !== 0) &&
    (literals === null || literals.some((literal) => text.toLowerCase().includes(literal)));

  test("is there wherever a pattern matches, be the value plain or not", () => {
    let seen = 0;
    fc.assert(
      fc.property(anyPattern({ looks: true }), fc.array(anyValue, { maxLength: 10 }), (pattern, texts) => {
        const regex = compileRegex(pattern, place);
        const requirements = requirementsOf(parsePattern(regex));
        for (const text of texts.filter((each) => regex.test(each))) {
          seen += 1;
          assert.ok(meets(text, requirements), `${pattern} finds ${JSON.stringify(text)}`);
          if (!isPlain(profileOf(text))) continue;
          assert.ok(requirements.plain !== null && meets(text, requirements.plain), `${pattern} in ${text}, plain`);
        }
      }),
      { numRuns: 3000 },
    );
    assert.ok(seen > 1000, `only ${seen} matches were looked at`);
  });
});
