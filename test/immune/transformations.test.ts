// Transformations that go over bytes in a loop, compared with what they do written as patterns.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { hexByteAt } from "../../src/immune/seclang/room.ts";
import { TRANSFORMATIONS } from "../../src/immune/seclang/transformations/table.ts";

const byteOf = (digits: string): string => String.fromCharCode(Number.parseInt(digits, 16));
const toLower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

const asPatterns = {
  urlDecode: (text: string) =>
    text.replace(/\+|%([0-9A-Fa-f]{2})/g, (_whole, digits?: string) => (digits === undefined ? " " : byteOf(digits))),
  // The pieces below make no unit that means anything but its low byte: such have their cases beside the transformation.
  urlDecodeUni: (text: string) =>
    text.replace(
      /\+|%(?:[uU][0-9A-Fa-f]{2}([0-9A-Fa-f]{2})|([0-9A-Fa-f]{2}))/g,
      (_whole, unit?: string, digits?: string) =>
        unit === undefined && digits === undefined ? " " : byteOf((unit ?? digits)!),
    ),
  lowercase: toLower,
  cmdLine: (text: string) =>
    toLower(
      text
        .replace(/["'\\^]/g, "")
        .replace(/[ \t\n\v\f\r,;]+/g, " ")
        .replace(/ (?=[/(])/g, ""),
    ),
  compressWhitespace: (text: string) => text.replace(/[ \t\n\v\f\r\xa0]+/g, " "),
  base64Decode: (text: string) => {
    const body = /^[A-Za-z0-9+/]*/.exec(text)![0];
    return Buffer.from(body.length % 4 === 1 ? body.slice(0, -1) : body, "base64").toString("latin1");
  },
} as const;

describe("a loop over bytes", () => {
  const pieces = "a Z 0 9 % %4 %41 %zz %u %u0041 %U00e9 %u00 + / // ( , ; ^ \" ' \\ = SGVs bG8 \xa0 \xc3\xa9 \0".split(
    " ",
  );
  const text = fc
    .array(fc.constantFrom(...pieces, " ", "  ", "\t", "\n"), { maxLength: 12 })
    .map((each) => each.join(""));

  for (const [name, reference] of Object.entries(asPatterns) as Array<
    [keyof typeof asPatterns, (text: string) => string]
  >) {
    test(`comes to what patterns would, as ${name}`, () => {
      fc.assert(
        fc.property(text, (each) => {
          assert.equal(TRANSFORMATIONS[name](each), reference(each));
        }),
        { numRuns: 3000 },
      );
    });

    test(`has room for long values, as ${name}`, () => {
      const long = "A%42+c ;/\xe9".repeat(10_000);
      assert.equal(TRANSFORMATIONS[name](long), reference(long));
    });
  }

  test("leaves nothing of one value in the next", () => {
    const [first, second] = [TRANSFORMATIONS.urlDecode("a+long+value"), TRANSFORMATIONS.urlDecode("b+")];
    assert.deepEqual([first, second], ["a long value", "b "]);
  });

  test("reads no digits beyond the end", () => {
    assert.deepEqual(
      [hexByteAt("4f", 0), hexByteAt("4f", 1), hexByteAt("4g", 0), hexByteAt("", 0)],
      [0x4f, -1, -1, -1],
    );
  });
});
