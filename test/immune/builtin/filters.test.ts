// Walks the table of built-in filters: each has its file and its cases, and keeps them.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import type { Filter } from "../../../src/immune/builtin/filter.ts";
import { FILTERS } from "../../../src/immune/builtin/filters/table.ts";
import { buildBuiltin } from "../../../src/immune/builtin/screen.ts";
import { parsePattern } from "../../../src/immune/seclang/pattern/parse.ts";
import { buildProgram } from "../../../src/immune/seclang/pattern/program.ts";
import { attackClasses } from "../../../src/immune/ledger/attack-class.ts";
import type { Case } from "./one-value.ts";
import { hitsOf, requestOf } from "./one-value.ts";

const folder = path.resolve(import.meta.dirname, "../../../src/immune/builtin/filters");

interface Cases {
  readonly caught: readonly Case[];
  readonly passes: readonly Case[];
}

describe("built-in filters", () => {
  const screen = buildBuiltin();
  const namesFor = (value: Case): string[] => {
    const { facts, body } = requestOf(value);
    return hitsOf(screen, facts, body).map(({ name }) => name);
  };

  for (const filter of FILTERS) {
    test(`${filter.name} keeps its cases`, () => {
      const { caught, passes } = casesOf(filter);
      assert.ok(caught.length >= 3 && passes.length >= 3, "at least three of each");
      for (const value of caught) assert.ok(namesFor(value).includes(filter.name), `misses ${JSON.stringify(value)}`);
      for (const value of passes) assert.deepEqual(namesFor(value), [], `must pass: ${JSON.stringify(value)}`);
    });
  }

  test("have each a file, and each file is in the table", () => {
    const files = fs
      .readdirSync(folder)
      .filter((file) => file.endsWith(".cases.json"))
      .map((file) => file.replace(/\.cases\.json$/, ""));
    assert.deepEqual(files.sort(), FILTERS.map(({ name }) => name).sort());
    for (const { name } of FILTERS) assert.ok(fs.existsSync(path.join(folder, `${name}.ts`)), name);
  });

  test("have patterns that are small enough to be run in bounded time", () => {
    for (const { name, checks } of FILTERS) {
      for (const check of checks) {
        if (check.kind === "pattern") assert.ok(buildProgram(parsePattern(check.pattern)) !== null, name);
      }
    }
  });

  test("have ids of their own, in their range and in order", () => {
    const ids = FILTERS.map(({ id }) => id);
    assert.deepEqual(
      ids,
      [...new Set(ids)].sort((left, right) => left - right),
    );
    assert.ok(ids.every((id) => id >= 100_000 && id < 110_000));
  });

  test("say in words what they do, and of which class they are", () => {
    for (const { name, message, catches, letsPass, attackClass } of FILTERS) {
      for (const text of [message, catches, letsPass]) assert.match(text, /^[A-Z"/$].{10,}/s, name);
      assert.ok((attackClasses as readonly string[]).includes(attackClass), name);
    }
  });
});

function casesOf({ name }: Filter): Cases {
  return JSON.parse(fs.readFileSync(path.join(folder, `${name}.cases.json`), "utf8")) as Cases;
}
