// Automata say whether a pattern occurs, as V8 does; classes of bytes and required texts never rule out what occurs.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { Automaton } from "../../../src/immune/seclang/pattern/automaton.ts";
import { buildAutomaton, forgetAutomata } from "../../../src/immune/seclang/pattern/automaton.ts";
import { profileOf, requiredClasses } from "../../../src/immune/seclang/pattern/byte-classes.ts";
import { parsePattern } from "../../../src/immune/seclang/pattern/parse.ts";
import { buildProgram } from "../../../src/immune/seclang/pattern/program.ts";
import { compileRegex } from "../../../src/immune/seclang/regex.ts";
import { anyPattern, anyValue } from "./patterns.ts";

const place = { file: "my.conf", line: 1 };
const automatonOf = (pattern: string): Automaton | null =>
  buildAutomaton(buildProgram(parsePattern(compileRegex(pattern, place)))!);
const values = fc.array(anyValue, { minLength: 1, maxLength: 10 });

describe("an automaton", () => {
  test("finds a pattern where V8 does, and nowhere else", () => {
    fc.assert(
      fc.property(anyPattern({ looks: false }), values, (pattern, texts) => {
        const automaton = automatonOf(pattern)!;
        const regex = compileRegex(pattern, place);
        for (const text of texts) {
          const occurs = automaton.occurs(text, { left: 1e9 });
          assert.equal(occurs, regex.test(text), `${pattern} in ${JSON.stringify(text)}`);
        }
      }),
      { numRuns: 3000 },
    );
  });

  const cases: ReadonlyArray<[pattern: string, text: string]> = [
    ["^$", ""],
    ["a$", "ba"],
    ["^a", "ba"],
    ["\\b", ""],
    ["\\bor\\b", "for or"],
    ["\\Bor", "for"],
    ["(?m)^b$", "a\nb\nc"],
    ["(?m)^b$", "ab\nc"],
    ["(?:^|\\W)id\\b", "a=id"],
    ["x*$", "y"],
    ["[^a]", "a"],
    ["(?i)[^\\xe9]", "\xc9"],
  ];
  for (const [pattern, text] of cases) {
    test(`agrees on ${pattern} in ${JSON.stringify(text)}`, () => {
      assert.equal(automatonOf(pattern)!.occurs(text, { left: 1e9 }), compileRegex(pattern, place).test(text));
    });
  }

  test("is none for a pattern that looks around or refers back", () => {
    for (const pattern of ["a(?=b)", "(?<!a)b", "(a)\\1"]) assert.equal(automatonOf(pattern), null);
  });

  test("gives up on a value that asks for ever new states, and on a spent meter", () => {
    // After each a, 30 bytes may follow: 2^30 states.
    const automaton = automatonOf("a[ab]{30}c")!;
    let noise = 1;
    const text = Array.from({ length: 4000 }, () => {
      noise = Math.imul(noise, 1_103_515_245) + 12_345;
      return (noise & 0x1_0000) === 0 ? "a" : "b";
    }).join("");
    assert.equal(automaton.occurs(text, { left: 1e9 }), null);
    assert.equal(automatonOf("a[ab]{30}c")!.occurs(text, { left: 10 }), null);
  });

  test("says the same when all automata have forgotten their states", () => {
    const automaton = automatonOf("b+c")!;
    assert.equal(automaton.occurs("abbc", { left: 1000 }), true);
    forgetAutomata();
    assert.equal(automaton.occurs("abbc", { left: 1000 }), true);
    assert.equal(automaton.occurs("abb", { left: 1000 }), false);
  });
});

describe("classes of bytes", () => {
  test("are never required where a value without them matches", () => {
    fc.assert(
      fc.property(anyPattern({ looks: true }), values, (pattern, texts) => {
        const regex = compileRegex(pattern, place);
        const clauses = requiredClasses(parsePattern(regex).root);
        for (const text of texts.filter((each) => regex.test(each))) {
          const profile = profileOf(text);
          assert.ok(
            clauses.every((clause) => (clause & profile) !== 0),
            `${pattern} finds ${JSON.stringify(text)}`,
          );
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("of a pattern are those of its rarest bytes", () => {
    const [first] = requiredClasses(parsePattern(compileRegex("union\\s+select.*\\x27", place)).root);
    assert.equal(first, profileOf("'"));
  });
});
