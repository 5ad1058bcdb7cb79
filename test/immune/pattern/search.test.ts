// The bounded engine finds what V8's expressions find, and spends no more than its meter.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { parsePattern } from "../../../src/immune/seclang/pattern/parse.ts";
import type { Program } from "../../../src/immune/seclang/pattern/program.ts";
import { buildProgram } from "../../../src/immune/seclang/pattern/program.ts";
import type { Found } from "../../../src/immune/seclang/pattern/search.ts";
import { search } from "../../../src/immune/seclang/pattern/search.ts";
import { compileRegex } from "../../../src/immune/seclang/regex.ts";
import { anyPattern, anyValue } from "./patterns.ts";

const place = { file: "my.conf", line: 1 };
const programOf = (pattern: string): Program => buildProgram(parsePattern(compileRegex(pattern, place)))!;
const valueOf = (text: string): { text: string; bytes: Uint8Array } => ({ text, bytes: Buffer.from(text, "latin1") });
const find = (pattern: string, text: string, meter = { left: 1e9 }): Found | null =>
  search(programOf(pattern), valueOf(text), meter);

function sameAsV8(pattern: string, text: string): void {
  const expected = compileRegex(pattern, place).exec(text);
  const { slotCount, groupCount } = programOf(pattern);
  // A loop over what can be empty: whether it matches is all that is promised.
  if (slotCount > 2 * groupCount) return assert.equal(find(pattern, text) === null, expected === null);
  assert.deepEqual(
    find(pattern, text),
    expected === null ? null : [...expected],
    `${pattern} in ${JSON.stringify(text)}`,
  );
}

describe("the bounded engine", () => {
  test("finds the match and the groups that V8 finds", () => {
    fc.assert(
      fc.property(
        anyPattern({ looks: false }),
        fc.array(anyValue, { minLength: 1, maxLength: 10 }),
        (pattern, values) => {
          for (const text of values) sameAsV8(pattern, text);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("looks ahead and behind as V8 does", () => {
    fc.assert(
      fc.property(
        anyPattern({ looks: true }),
        fc.array(anyValue, { minLength: 1, maxLength: 10 }),
        (pattern, values) => {
          for (const text of values) sameAsV8(pattern, text);
        },
      ),
      { numRuns: 3000 },
    );
  });

  const cases: ReadonlyArray<[pattern: string, text: string]> = [
    ["(a)\\1", "xaa"],
    ["(?i)(a)\\1", "xaA"],
    ["(a)|b\\1c", "bc"],
    ["(?m)^b$", "a\nb\nc"],
    ["(a*)*", "b"],
    ["(a*)+", "b"],
    ["(a*){0,3}", "b"],
    ["(z)((a+)?(b+)?(c))*", "zaacbbbcac"],
    ["(?:(a)|b)*", "ab"],
    ["(?i)[^a]", "A"],
    ["(?i)\\xe9", "\xc9"],
    ["(?i)[\\xe0-\\xff]", "\xd7\xdf\xff"],
    ["[\\s\\S]", "\xff"],
    ["(?<=(\\d+)(\\d+))$", "1053"],
    ["(?=(a+))a*b\\1", "baaabac"],
  ];
  for (const [pattern, text] of cases) test(`agrees on ${pattern}`, () => sameAsV8(pattern, text));

  test("takes a pattern that backtracks without end in its stride", () => {
    const meter = { left: 1_000_000 };
    assert.equal(find("(?:a+)+$", `${"a".repeat(8000)}b`, meter), null);
    assert.ok(meter.left > 0, String(meter.left));
    assert.equal(find("\\s+x\\s+y", " ".repeat(8000), meter), null);
    assert.ok(meter.left > 0, String(meter.left));
  });

  test("gives up where its meter is spent, and says so by it", () => {
    const meter = { left: 10_000 };
    assert.equal(find("(a*)*b\\1", "a".repeat(100), meter), null);
    assert.ok(meter.left < 0);
  });

  test("writes no program for a count of counts that would fill the memory", () => {
    assert.equal(buildProgram(parsePattern(compileRegex("(?:(?:a{1,999}){1,999}){1,999}", place))), null);
  });
});
