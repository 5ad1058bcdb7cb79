// Patterns that select names: as plain text where they are, and in bounded time where they are not.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { boundTest } from "../../../src/immune/seclang/pattern/bounded-regex.ts";
import { compileRegex } from "../../../src/immune/seclang/regex.ts";

const place = { file: "my.conf", line: 1 };
const pattern = fc.constantFrom("__utm", "^_ga", "^_ga(?:_\\w+)?$", "ab", "^AB", "a-b", "^x_*y", "_*", "a|b", "", "^");
const name = fc.array(fc.constantFrom("_", "ga", "utm", "a", "B", "-", "x", "y", "1", "\xc9"), { maxLength: 8 });

describe("a pattern that selects names", () => {
  test("selects those that V8 finds it in", () => {
    fc.assert(
      fc.property(pattern, fc.boolean(), name, (source, ignoresCase, pieces) => {
        const regex = compileRegex(`${ignoresCase ? "(?i)" : ""}${source}`, place);
        const text = pieces.join("");
        assert.equal(boundTest(regex).test(text), regex.test(text), `${regex} in ${text}`);
      }),
      { numRuns: 3000 },
    );
  });

  test("selects none by a name that would cost too much to look at", () => {
    assert.equal(boundTest(compileRegex("(a*)*(a*)*\\1b", place)).test("a".repeat(20_000)), false);
  });
});
