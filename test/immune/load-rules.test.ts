// Rule sets from disk: order, includes, data files, and errors that name the file and line.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { loadRules } from "../../src/host/immune/load-rules.ts";
import { PHASES } from "../../src/immune/seclang/rule.ts";
import type { RuleSet } from "../../src/immune/seclang/rule-set.ts";
import type { CellwsError } from "../../src/lib/cellws-error.ts";

let folder = "";

describe("rules from disk", () => {
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "cellws-rules-"));
    fs.mkdirSync(path.join(folder, "rules"));
    write("main.conf", 'SecAction "id:1"\nInclude rules/*.conf\nIncludeOptional own/*.conf\nSecAction "id:9"');
    write("rules/b.conf", 'SecRule ARGS "@pmFromFile words.data" "id:3"');
    write("rules/a.conf", 'SecRule ARGS "@streq caf\u00e9" "id:2"');
    write("rules/words.data", "one\ntwo\n");
    write("loop.conf", "Include loop.conf");
    write("nodata.conf", '\nSecRule ARGS "@pmFromFile nothing.data" "id:1"');
    write("nofile.conf", "\n\nInclude nothing.conf");
    write("nopattern.conf", "Include nothing/*.conf");
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  test("are read in the order of includes and of names", () => {
    assert.deepEqual(idsOf(loadRules([path.join(folder, "main.conf")])), [1, 2, 3, 9]);
  });

  test("of a folder are its .conf files, by name", () => {
    assert.deepEqual(idsOf(loadRules([path.join(folder, "rules")])), [2, 3]);
  });

  test("are bytes: UTF-8 in a rule is what UTF-8 in a request is", () => {
    const set = loadRules([path.join(folder, "rules/a.conf")]);
    const [step] = set.phases[2];
    assert.equal(step?.kind === "rule" && step.rule.check?.operator.argument, "caf\xc3\xa9");
  });

  const broken: ReadonlyArray<[why: string, file: string, code: string, place: RegExp]> = [
    ["include themselves", "loop.conf", "CELLWS_E_RULE_LIMIT", /loop\.conf:1$/],
    ["name a data file that is not there", "nodata.conf", "CELLWS_E_RULE_FILE", /nodata\.conf:2$/],
    ["include a file that is not there", "nofile.conf", "CELLWS_E_RULE_FILE", /nofile\.conf:3$/],
    ["include a pattern that fits nothing", "nopattern.conf", "CELLWS_E_RULE_FILE", /nopattern\.conf:1$/],
    ["are not there", "missing.conf", "CELLWS_E_RULE_FILE", /missing\.conf:0$/],
  ];
  for (const [why, file, code, place] of broken) {
    test(`are refused where they ${why}`, () => {
      assert.throws(
        () => loadRules([path.join(folder, file)]),
        (error: CellwsError) => error.code === code && place.test(error.details.path ?? ""),
      );
    });
  }
});

function write(name: string, text: string): void {
  fs.writeFileSync(path.join(folder, name), text, "utf8");
}

function idsOf(set: RuleSet): number[] {
  const ids = PHASES.flatMap((phase) =>
    set.phases[phase].flatMap((step) => (step.kind === "rule" ? [step.rule.id] : [])),
  );
  return ids;
}
