// Walks the tables of transformations, operators and actions: each member has its file and its cases, and keeps them.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { emptyDraft } from "../../src/immune/seclang/actions/kind.ts";
import { ACTIONS, applyAction } from "../../src/immune/seclang/actions/table.ts";
import { buildPhraseFinder } from "../../src/immune/seclang/aho-corasick.ts";
import type { Matcher } from "../../src/immune/seclang/operators/kind.ts";
import { buildMatcher, OPERATORS } from "../../src/immune/seclang/operators/table.ts";
import type { Transformation } from "../../src/immune/seclang/transformations/table.ts";
import { TRANSFORMATIONS, transformationNamed } from "../../src/immune/seclang/transformations/table.ts";
import type { CellwsError } from "../../src/lib/cellws-error.ts";

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

describe("operators", () => {
  type Case = [argument: string, value: string, found: ReadonlyArray<string | null> | null];
  const place = { file: "my.conf", line: 1 };
  const data: Readonly<Record<string, string>> = {
    "words.data": "# comment\n\nfoo bar\r\nbaz\n",
    "ranges.data": "# offices\n192.168.0.0/16\n::1\n",
  };
  const values = {
    first: (variable: string, key: string | null) =>
      variable === "TX" ? ({ name: "value", number: "7" }[key ?? ""] ?? "") : "",
  };
  const build = (name: string, argument: string): Matcher =>
    buildMatcher({ name, negated: false, argument }, {}, { place, readData: (file) => data[file] ?? "" });

  for (const name of Object.keys(OPERATORS)) {
    test(`@${name} keeps its cases`, () => {
      for (const [argument, value, found] of casesOf<Case>("operators", name)) {
        const match = build(name, argument)(value, values);
        assert.deepEqual(
          match === null ? null : [...match].map((group) => group ?? null),
          found,
          `${argument} ${value}`,
        );
      }
    });
  }

  test("have each a file, and each file is in the table", () => {
    assert.deepEqual(filesOf("operators"), Object.keys(OPERATORS).map(kebab).sort());
  });

  test("that nobody provides are refused, since their rules would never fire", () => {
    assert.throws(() => build("geoLookup", ""), { code: "CELLWS_E_RULE_OPERATOR", message: /@geoLookup/ });
  });

  test("that do not exist are refused with the name that was probably meant", () => {
    assert.throws(
      () => build("contain", "a"),
      (error: CellwsError) => error.details.hint === "Did you mean @contains?",
    );
  });

  const wrong: ReadonlyArray<[name: string, argument: string]> = [
    ["ipMatch", "10.0.0.0/8,here"],
    ["ipMatchFromFile", "words.data"],
    ["pm", "  "],
    ["pmFromFile", "empty.data"],
    ["validateByteRange", "1-256"],
  ];
  for (const [name, argument] of wrong) {
    test(`@${name} refuses the argument ${JSON.stringify(argument)}`, () => {
      assert.throws(() => build(name, argument), { code: "CELLWS_E_RULE_OPERATOR" });
    });
  }

  test("@pm finds what a search for each phrase finds", () => {
    const word = fc.stringMatching(/^[abc]{1,4}$/);
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 8 }),
        fc.stringMatching(/^[abcd]{0,20}$/),
        (phrases, text) => {
          const found = buildPhraseFinder(phrases).first(text);
          const ends = phrases.flatMap((phrase) =>
            text.includes(phrase) ? [text.indexOf(phrase) + phrase.length] : [],
          );
          if (ends.length === 0) assert.equal(found, null);
          else assert.ok(found !== null && phrases.includes(found) && text.slice(0, Math.min(...ends)).endsWith(found));
          const each = new Set<number>();
          buildPhraseFinder(phrases).each(text, (phrase) => each.add(phrase));
          assert.deepEqual(
            [...each].sort((left, right) => left - right),
            [...phrases.keys()].filter((index) => text.includes(phrases[index]!)),
          );
        },
      ),
    );
  });
});

describe("actions", () => {
  type Case = [argument: string | null, change: Record<string, unknown> | string];
  const place = { file: "my.conf", line: 1 };

  for (const name of Object.keys(ACTIONS)) {
    test(`${name} keeps its cases`, () => {
      for (const [argument, expected] of casesOf<Case>("actions", name)) {
        const draft = emptyDraft();
        if (typeof expected === "string") {
          assert.throws(() => applyAction(draft, { name, argument }, place), { code: expected }, argument ?? "");
          continue;
        }
        applyAction(draft, { name, argument }, place);
        assert.deepEqual(plain(draft), plain({ ...emptyDraft(), ...expected }), argument ?? "");
      }
    });
  }

  test("have each a file, and each file is in the table", () => {
    assert.deepEqual(filesOf("actions"), Object.keys(ACTIONS).map(kebab).sort());
  });

  test("that do not exist are refused with the name that was probably meant", () => {
    assert.throws(
      () => applyAction(emptyDraft(), { name: "dney", argument: null }, place),
      (error: CellwsError) => error.details.hint === "Did you mean deny?",
    );
  });

  /** Patterns as text, so that cases can be written down. */
  function plain(draft: object): unknown {
    return JSON.parse(
      JSON.stringify(draft, (_key, value: unknown) => (value instanceof RegExp ? String(value) : value)),
    );
  }
});

const byteString = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1"));

function casesOf<Case>(folder: string, name: string): Case[] {
  const file = path.join(seclang, folder, `${kebab(name)}.cases.json`);
  const cases = JSON.parse(fs.readFileSync(file, "utf8")) as Case[];
  assert.ok(cases.length > 0, `${file} holds no case`);
  return cases;
}

/** Files beside the members of a table that are none themselves. */
const sharedFiles = new Set(["table.ts", "kind.ts", "store-named.ts"]);

function filesOf(folder: string): string[] {
  return fs
    .readdirSync(path.join(seclang, folder))
    .filter((file) => file.endsWith(".ts") && !sharedFiles.has(file))
    .map((file) => file.slice(0, -3))
    .sort();
}

/** urlDecodeUni -> url-decode-uni; utf8toUnicode -> utf8-to-unicode. */
function kebab(name: string): string {
  return name
    .replace(/(?<=\d)to(?=[A-Z])/, "To")
    .replace("SQLi", "Sqli")
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, "-")
    .replace(/(?<=[A-Z])(?=[A-Z][a-z]{2})/g, "-")
    .toLowerCase();
}
