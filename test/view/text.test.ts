import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { PLAIN_STYLE } from "../../src/view/style.ts";
import { printable } from "../../src/view/text.ts";

const colored = { ...PLAIN_STYLE, color: true };

test("what would move the cursor, retitle the window or reverse the text becomes visible", () => {
  assert.equal(printable("plain, ümlaut, 漢字\ttab", PLAIN_STYLE), "plain, ümlaut, 漢字\ttab");
  assert.equal(printable("\x1b[2J\x1b]0;title\x07", PLAIN_STYLE), "\\x1b[2J\\x1b]0;title\\x07");
  assert.equal(printable("a\rb\nc\x7f\x9b", PLAIN_STYLE), "a\\x0db\\x0ac\\x7f\\x9b");
  assert.equal(printable("\u202eevil", PLAIN_STYLE), "\\u202eevil");
});

test("an app's colours stay where there are colours, and end with the line", () => {
  const text = "\x1b[31mred\x1b[39m \x1b[1mbold";
  assert.equal(printable(text, colored), "\x1b[31mred\x1b[39m \x1b[1mbold\x1b[0m");
  assert.equal(printable(text, PLAIN_STYLE), "red bold");
});

test("nothing that an app prints reaches a plain terminal as a control character", () => {
  const text = fc.string({ unit: fc.oneof(fc.constantFrom("\x1b", "[", "m", "3", ";", "\x07", "\n"), fc.string()) });
  fc.assert(
    fc.property(text, (evil) => {
      // eslint-disable-next-line no-control-regex
      assert.doesNotMatch(printable(evil, PLAIN_STYLE), /[\x00-\x08\x0a-\x1f\x7f-\x9f]/);
      // eslint-disable-next-line no-control-regex
      assert.doesNotMatch(printable(evil, colored).replace(/\x1b\[[0-9;]*m/g, ""), /[\x00-\x08\x0a-\x1f\x7f-\x9f]/);
    }),
  );
});
