// Conditional and range requests (RFC 9110, 13 and 14).
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { readRange, select } from "../../src/http/conditional.ts";

const lastModifiedMs = Date.parse("Sun, 01 Nov 2026 10:00:00 GMT");
const file = { etag: '"a1"', lastModifiedMs, bytes: 100 };
const at = "Sun, 01 Nov 2026 10:00:00 GMT";
const before = "Sat, 31 Oct 2026 10:00:00 GMT";
const after = "Mon, 02 Nov 2026 10:00:00 GMT";

const kind = (headers: string[], method = "GET"): string => {
  const selection = select({ method, headers }, file);
  return selection.kind === "part" ? `${selection.from}-${selection.to}` : selection.kind;
};

const cases: Array<[headers: string[], kind: string]> = [
  [[], "whole"],
  [["If-None-Match", '"a1"'], "not-modified"],
  [["If-None-Match", 'W/"a1"'], "not-modified"],
  [["If-None-Match", '"x", W/"a1"'], "not-modified"],
  [["If-None-Match", "*"], "not-modified"],
  [["If-None-Match", '"x"'], "whole"],
  [["If-None-Match", '"x,a1"'], "whole"],
  [["If-Modified-Since", at], "not-modified"],
  [["If-Modified-Since", after], "not-modified"],
  [["If-Modified-Since", before], "whole"],
  [["If-Modified-Since", "yesterday"], "whole"],
  [["If-Modified-Since", "2026-11-02"], "whole"],
  [["If-None-Match", '"x"', "If-Modified-Since", after], "whole"],
  [["If-Match", '"a1"'], "whole"],
  [["If-Match", "*"], "whole"],
  [["If-Match", 'W/"a1"'], "precondition-failed"],
  [["If-Match", '"x"'], "precondition-failed"],
  [["If-Match", '"x"', "If-None-Match", '"a1"'], "precondition-failed"],
  [["If-Unmodified-Since", before], "precondition-failed"],
  [["If-Unmodified-Since", at], "whole"],
  [["Range", "bytes=0-9"], "0-9"],
  [["Range", "bytes=0-9", "If-Range", '"a1"'], "0-9"],
  [["Range", "bytes=0-9", "If-Range", 'W/"a1"'], "whole"],
  [["Range", "bytes=0-9", "If-Range", '"x"'], "whole"],
  [["Range", "bytes=0-9", "If-Range", at], "0-9"],
  [["Range", "bytes=0-9", "If-Range", after], "whole"],
  [["Range", "bytes=0-9", "If-None-Match", '"a1"'], "not-modified"],
  [["Range", "bytes=100-"], "unsatisfiable"],
];

for (const [headers, expected] of cases) {
  test(`${headers.join(" ") || "nothing"}: ${expected}`, () => assert.equal(kind(headers), expected));
}

test("a range is for GET alone", () => assert.equal(kind(["Range", "bytes=0-9"], "HEAD"), "whole"));

test("ranges that touch are one, several are the whole, malformed ones are none", () => {
  const of = (value: string, bytes = 100): string => {
    const selection = readRange(value, bytes);
    return selection.kind === "part" ? `${selection.from}-${selection.to}` : selection.kind;
  };
  const expected: Record<string, string> = {
    "bytes=5-": "5-99",
    "bytes=-5": "95-99",
    "bytes=-500": "0-99",
    "bytes=90-500": "90-99",
    "Bytes=0-0": "0-0",
    "bytes=0-9,10-19": "0-19",
    "bytes=5-9, 0-6": "0-9",
    "bytes=0-9,200-300": "0-9",
    "bytes=0-9,20-29": "whole",
    "bytes=-0": "unsatisfiable",
    "bytes=100-": "unsatisfiable",
    "bytes=9-5": "whole",
    "bytes=": "whole",
    "bytes=-": "whole",
    "bytes=,": "whole",
    "bytes=a-b": "whole",
    "bytes=1-2-3": "whole",
    "lines=0-9": "whole",
    [`bytes=${"0-,".repeat(20)}0-`]: "whole",
    "bytes=0-99999999999999999999": "whole",
  };
  for (const [value, kind] of Object.entries(expected)) assert.equal(of(value), kind, value);
  assert.equal(of("bytes=0-", 0), "unsatisfiable");
});

test("a part always lies within the file (seed printed)", () => {
  const value = fc
    .array(fc.tuple(fc.option(fc.nat(50)), fc.option(fc.nat(50))), { maxLength: 5 })
    .map((pairs) => `bytes=${pairs.map(([from, to]) => `${from ?? ""}-${to ?? ""}`).join(",")}`);
  fc.assert(
    fc.property(value, fc.nat(40), (range, bytes) => {
      const selection = readRange(range, bytes);
      if (selection.kind === "part")
        assert.ok(0 <= selection.from && selection.from <= selection.to && selection.to < bytes);
    }),
    { numRuns: 2_000 },
  );
});
