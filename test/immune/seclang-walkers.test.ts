// Walks the tables of transformations, operators and actions: each member has its file and its cases, and keeps them.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { Transformation } from "../../src/immune/seclang/transformations/table.ts";
import { TRANSFORMATIONS, transformationNamed } from "../../src/immune/seclang/transformations/table.ts";

const seclang = path.resolve(import.meta.dirname, "../../src/immune/seclang");

describe("transformations", () => {
  const entries: ReadonlyArray<[string, Transformation]> = Object.entries(TRANSFORMATIONS);
  for (const [name, transform] of entries) {
    test(`${name} keeps its cases`, () => {
      const cases = casesOf<[input: string, output: string]>("transformations", name);
      for (const [input, output] of cases) assert.equal(transform(input), output, JSON.stringify(input));
    });

    test(`${name} makes bytes of any bytes`, () => {
      const bytes = fc.oneof(byteString, fc.stringMatching(/^[\\%&#xu0-9a-f;+</*-]{0,30}$/));
      fc.assert(
        fc.property(bytes, (value) => {
          assert.match(transform(value), /^[\0-\xff]*$/);
        }),
      );
    });
  }

  test("have each a file, and each file is in the table", () => {
    assert.deepEqual(filesOf("transformations"), entries.map(([name]) => kebab(name)).sort());
  });

  test("are found by name in any case, and by their British names", () => {
    assert.equal(transformationNamed("URLDECODEUNI"), "urlDecodeUni");
    assert.equal(transformationNamed("normalisePath"), "normalizePath");
    assert.equal(transformationNamed("nothing"), null);
  });
});

const byteString = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1"));

function casesOf<Case>(folder: string, name: string): Case[] {
  const file = path.join(seclang, folder, `${kebab(name)}.cases.json`);
  const cases = JSON.parse(fs.readFileSync(file, "utf8")) as Case[];
  assert.ok(cases.length > 0, `${file} holds no case`);
  return cases;
}

function filesOf(folder: string): string[] {
  return fs
    .readdirSync(path.join(seclang, folder))
    .filter((file) => file.endsWith(".ts") && file !== "table.ts" && file !== "kind.ts")
    .map((file) => file.slice(0, -3))
    .sort();
}

/** urlDecodeUni -> url-decode-uni; utf8toUnicode -> utf8-to-unicode. */
function kebab(name: string): string {
  return name
    .replace(/(?<=\d)to(?=[A-Z])/, "To")
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, "-")
    .replace(/(?<=[A-Z])(?=[A-Z][a-z]{2})/g, "-")
    .toLowerCase();
}
