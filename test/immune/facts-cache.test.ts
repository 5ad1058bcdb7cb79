// What compiling finds out is kept on disk, used by the next cell, and never trusted where it could be wrong.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { buildBuiltinCached, buildScreenCached } from "../../src/host/immune/facts-cache.ts";
import { evaluatePhase } from "../../src/immune/seclang/evaluate.ts";
import { judge } from "../../src/immune/seclang/judgement.ts";
import { parseSecLang } from "../../src/immune/seclang/parse.ts";
import type { RuleSet } from "../../src/immune/seclang/rule-set.ts";
import { buildRuleSet } from "../../src/immune/seclang/rule-set.ts";
import type { Screen } from "../../src/immune/seclang/screen.ts";
import { openTransaction } from "../../src/immune/seclang/transaction.ts";
import { hitsOf, requestOf } from "./builtin/one-value.ts";

const rulesOf = (pattern: string): RuleSet =>
  buildRuleSet(
    parseSecLang(
      `SecRule ARGS "@rx ${pattern}" "id:1,phase:1,pass"\nSecRule ARGS "@pm alpha beta" "id:2,phase:1,pass"`,
      "my.conf",
    ),
    { readData: () => "" },
  );

describe("a rule set's compiled form on disk", () => {
  let folder: string;
  beforeEach(() => {
    folder = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "cellws-facts-")), "cache");
  });
  afterEach(() => fs.rmSync(path.dirname(folder), { recursive: true }));

  const rules = rulesOf("un(?:ion|til)\\s+[a-z]");
  const files = (): string[] => fs.readdirSync(folder).map((name) => path.join(folder, name));

  function hitsWith(screen: Screen): number[] {
    const facts = { clientAddress: "192.0.2.7", clientPort: 1, serverAddress: "192.0.2.1", serverPort: 80 };
    const request = { ...facts, uniqueId: "1", method: "GET", protocol: "HTTP/1.1", headers: [] };
    const transaction = openTransaction(rules, { ...request, target: "/?a=union+all&b=BETA" }, { screen });
    evaluatePhase(transaction, 1);
    return judge(transaction).hits.map(({ id }) => id);
  }

  test("is there for the second cell, and finds the same", () => {
    const first = buildScreenCached(rules, folder);
    const second = buildScreenCached(rules, folder);
    assert.deepEqual([first.fromCache, second.fromCache], [false, true]);
    assert.deepEqual(hitsWith(first.screen), [1, 2]);
    assert.deepEqual(hitsWith(second.screen), [1, 2]);
    assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
  });

  test("is another one for other rules", () => {
    buildScreenCached(rules, folder);
    assert.equal(buildScreenCached(rulesOf("other"), folder).fromCache, false);
    assert.equal(files().length, 2);
  });

  test("is made anew where the file was cut, or a byte of it changed", () => {
    buildScreenCached(rules, folder);
    const [file] = files();
    const content = fs.readFileSync(file!);
    content[content.length - 1]! ^= 1;
    for (const damaged of [content, content.subarray(0, 100), content.subarray(0, 10), Buffer.alloc(0)]) {
      fs.writeFileSync(file!, damaged);
      const { screen, fromCache } = buildScreenCached(rules, folder);
      assert.equal(fromCache, false);
      assert.deepEqual(hitsWith(screen), [1, 2]);
      assert.equal(buildScreenCached(rules, folder).fromCache, true);
    }
  });

  test("is not taken from a file that others may write, or from a link", () => {
    buildScreenCached(rules, folder);
    const [file] = files();
    fs.chmodSync(file!, 0o622);
    assert.equal(buildScreenCached(rules, folder).fromCache, false);
    fs.renameSync(file!, `${file}-elsewhere`);
    fs.symlinkSync(`${file}-elsewhere`, file!);
    assert.equal(buildScreenCached(rules, folder).fromCache, false);
  });

  test("does not keep more than a few", () => {
    for (let i = 0; i < 12; i += 1) buildScreenCached(rulesOf(`a${i}b`), folder);
    assert.equal(files().length, 8);
  });

  test("is done without where the folder cannot be made", () => {
    fs.writeFileSync(folder, "a file");
    const { screen, fromCache } = buildScreenCached(rules, folder);
    assert.equal(fromCache, false);
    assert.deepEqual(hitsWith(screen), [1, 2]);
  });
});

test("the built-in filters come from the cache as they were made, and other exclusions are made anew", () => {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "cellws-facts-"));
  try {
    const folder = path.join(base, "cache");
    const { facts } = requestOf("1 union select name, hash from staff");
    const made = buildBuiltinCached({}, folder);
    const cached = buildBuiltinCached({}, folder);
    assert.deepEqual([made.fromCache, cached.fromCache], [false, true]);
    assert.deepEqual(hitsOf(cached.builtin, facts, ""), hitsOf(made.builtin, facts, ""));
    assert.ok(hitsOf(cached.builtin, facts, "").length > 0);
    const without = buildBuiltinCached({ exclude: [{ filter: "*", parameter: "q" }] }, folder);
    assert.equal(without.fromCache, false);
    assert.deepEqual(hitsOf(without.builtin, facts, ""), []);
  } finally {
    fs.rmSync(base, { recursive: true });
  }
});
