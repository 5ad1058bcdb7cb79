// How directives join to rules: defaults, chains, exclusions and jumps, and what does not fit together.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseSecLang } from "../../src/immune/seclang/parse.ts";
import type { Rule } from "../../src/immune/seclang/rule.ts";
import type { RuleSet } from "../../src/immune/seclang/rule-set.ts";
import { buildRuleSet } from "../../src/immune/seclang/rule-set.ts";

describe("a rule set", () => {
  test("gives each rule the defaults of its phase that stand before it", () => {
    const set = build(`
      SecRule ARGS "@rx a" "id:1,phase:1,block"
      SecDefaultAction "phase:1,nolog,deny,status:406,t:lowercase"
      SecRule ARGS "@rx a" "id:2,phase:1,block,t:trim"
      SecRule ARGS "@rx a" "id:3,phase:1,pass,log,t:none,t:trim"
      SecRule ARGS "@rx a" "id:4,phase:2,block"`);
    const seen = [1, 2, 3, 4].map((id) => {
      const rule = ruleOf(set, id);
      return [rule.disruption.kind, rule.log, rule.transformations.join(" ")];
    });
    assert.deepEqual(seen, [
      ["pass", true, ""],
      ["deny", false, "lowercase trim"],
      ["pass", true, "trim"],
      ["pass", true, ""],
    ]);
    assert.deepEqual(ruleOf(set, 2).disruption, { kind: "deny", status: 406 });
  });

  test("joins chained rules to the one that begins the chain", () => {
    const set = build(`
      SecRule ARGS "@rx a" "id:1,phase:2,deny,chain"
        SecRule ARGS "@rx b" "chain"
        SecRule ARGS "@rx c" "setvar:tx.a=1"
      SecMarker END`);
    const rule = ruleOf(set, 1);
    assert.equal(rule.chained?.chained?.check?.operator.argument, "c");
    assert.equal(rule.chained?.chained?.chained, null);
    assert.equal(set.ruleCount, 3);
  });

  test("leaves out what an exclusion removes, wherever the exclusion stands", () => {
    const set = build(`
      SecRuleRemoveById 1 3-4
      SecRule ARGS "@rx a" "id:1"
      SecRule ARGS "@rx a" "id:2,tag:'attack-sqli'"
      SecRule ARGS "@rx a" "id:3"
      SecRule ARGS "@rx a" "id:5,msg:'Bad thing'"
      SecRule ARGS "@rx a" "id:6"
      SecRuleRemoveByTag "sqli$"
      SecRuleRemoveByMsg "^Bad"`);
    assert.deepEqual(idsOf(set), [6]);
  });

  test("needs no operator for a rule that is excluded", () => {
    assert.throws(() => build('SecRule ARGS "@geoLookup" "id:1"'), { code: "CELLWS_E_RULE_OPERATOR" });
    assert.deepEqual(idsOf(build('SecRule ARGS "@geoLookup" "id:1"\nSecRuleRemoveById 1')), []);
  });

  test("tells of rules that load but do nothing, since the caller has no such operator", () => {
    const set = buildRuleSet(parseSecLang('SecRule REMOTE_ADDR "@geoLookup" "id:1"', "my.conf"), {
      readData: () => "",
      operators: { geoLookup: "never" },
    });
    assert.deepEqual(
      set.notices.map(({ text }) => text),
      ["rule 1 does nothing: @geoLookup never matches here"],
    );
  });

  test("adds the targets and actions of updates", () => {
    const set = build(`
      SecRule ARGS "@rx a" "id:1,phase:2,deny"
      SecRuleUpdateTargetById 1 "!ARGS:pwd|REQUEST_URI"
      SecRuleUpdateActionById 1 "pass"`);
    const rule = ruleOf(set, 1);
    assert.deepEqual(
      rule.check?.targets.map(({ variable, mode }) => `${mode} ${variable}`),
      ["value ARGS", "exclude ARGS", "value REQUEST_URI"],
    );
    assert.equal(rule.disruption.kind, "pass");
  });

  test("tells once what is taken and does nothing", () => {
    const set = build("SecAuditEngine On\nSecAuditEngine Off\nSecRuleRemoveById 7");
    assert.deepEqual(
      set.notices.map(({ place, text }) => `${place.line}: ${text}`),
      ["1: SecAuditEngine does nothing here: the DNA's immune.audit decides", "3: an exclusion that fits no rule"],
    );
  });

  test("takes its settings from the last directive of each name", () => {
    const { settings } = build("SecRuleEngine DetectionOnly\nSecRequestBodyLimit 10\nSecRequestBodyLimit 20");
    assert.equal(settings.engine, "detection-only");
    assert.equal(settings.requestBodyBytesMax, 20);
  });
});

describe("a rule set is refused", () => {
  const cases: ReadonlyArray<[why: string, text: string, line: number, message: RegExp]> = [
    ["for a rule without an id", 'SecAction "pass"', 1, /without an id/],
    ["for two rules of one id", 'SecAction "id:1"\nSecAction "id:1"', 2, /one id/],
    ["for a chain that a marker breaks", 'SecAction "id:1,chain"\nSecMarker A', 2, /chain/],
    ["for a chain at the end", 'SecAction "id:1,chain"', 1, /chain/],
    ["for a chained rule with an id", 'SecAction "id:1,chain"\nSecAction "id:2"', 2, /an id/],
    ["for a chained rule that denies", 'SecAction "id:1,chain"\nSecAction "deny"', 2, /disruptive/],
    ["for a jump backwards", 'SecMarker A\nSecAction "id:1,skipAfter:A"', 2, /jump/],
    ["for defaults without a disruptive action", 'SecDefaultAction "phase:1,log"', 1, /disruptive/],
    ["for an update of an id", 'SecAction "id:1"\nSecRuleUpdateActionById 1 "id:2"', 2, /id, phase or chain/],
    ["for an include that nobody followed", "Include a.conf", 1, /Include/],
  ];
  for (const [why, text, line, message] of cases) {
    test(why, () => {
      assert.throws(
        () => build(text),
        (error: Error) => {
          assert.match(error.message, message);
          assert.ok(error.message.startsWith(`my.conf:${line}: `), error.message);
          return true;
        },
      );
    });
  }
});

function build(text: string): RuleSet {
  return buildRuleSet(parseSecLang(text, "my.conf"), { readData: (name) => assert.fail(`no data file: ${name}`) });
}

function rulesOf(set: RuleSet): Rule[] {
  return Object.values(set.phases).flatMap((steps) =>
    steps.flatMap((step) => (step.kind === "rule" ? [step.rule] : [])),
  );
}

const idsOf = (set: RuleSet): number[] => rulesOf(set).map((rule) => rule.id);

function ruleOf(set: RuleSet, id: number): Rule {
  return rulesOf(set).find((rule) => rule.id === id) ?? assert.fail(`no rule ${id}`);
}
