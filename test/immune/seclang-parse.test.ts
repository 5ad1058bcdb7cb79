// What the SecLang parser reads, and what it refuses: each refusal has a stable code and names file and line.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Directive } from "../../src/immune/seclang/ast.ts";
import { parseSecLang } from "../../src/immune/seclang/parse.ts";
import { compileRegex } from "../../src/immune/seclang/regex.ts";
import { CellwsError } from "../../src/lib/cellws-error.ts";

type RuleDirective = Extract<Directive, { kind: "rule" }>;

describe("a rule", () => {
  test("is read with its targets, operator and actions", () => {
    const rule = onlyRule(
      'SecRule ARGS|!ARGS:Password|&REQUEST_HEADERS:Host "!@within a b" "id:1,phase:2,t:none,deny"',
    );
    assert.deepEqual(
      rule.targets.map(({ variable, mode, selector }) => [
        variable,
        mode,
        selector.kind === "key" ? selector.key : null,
      ]),
      [
        ["ARGS", "value", null],
        ["ARGS", "exclude", "password"],
        ["REQUEST_HEADERS", "count", "host"],
      ],
    );
    assert.deepEqual(rule.operator, { name: "within", negated: true, argument: "a b" });
    assert.deepEqual(
      rule.actions.map(({ name, argument }) => [name, argument]),
      [
        ["id", "1"],
        ["phase", "2"],
        ["t", "none"],
        ["deny", null],
      ],
    );
  });

  test("goes on over lines that end in a backslash, and is named by its first line", () => {
    const rule = onlyRule('\n# note\nSecRule ARGS "@rx a" \\\n    "id:1,\\\n    phase:2"\n');
    assert.equal(rule.place.line, 3);
    assert.equal(rule.actions.length, 2);
  });

  test("may hold quotes and commas in a quoted argument", () => {
    const rule = onlyRule(String.raw`SecRule ARGS "@rx \"a\\b" "id:1,msg:'It\'s a, b'"`);
    assert.equal(rule.operator.argument, String.raw`"a\\b`);
    assert.equal(rule.actions[1]?.argument, "It's a, b");
  });

  test("without an operator's name is a pattern", () => {
    assert.deepEqual(onlyRule('SecRule ARGS "^a" "id:1"').operator, { name: "rx", negated: false, argument: "^a" });
    assert.deepEqual(onlyRule('SecRule ARGS "!^a" "id:1"').operator, { name: "rx", negated: true, argument: "^a" });
  });

  test("may select keys by a pattern that holds a bar", () => {
    const [first, second] = onlyRule('SecRule ARGS:/^(?:a|b)$/|XML:/* "@rx a" "id:1"').targets;
    assert.equal(first?.selector.kind === "regex" && first.selector.source, "^(?:a|b)$");
    assert.deepEqual(second?.selector, { kind: "key", key: "/*" });
  });
});

describe("a mistake", () => {
  const cases: ReadonlyArray<[name: string, text: string, code: string, line: number, message: RegExp]> = [
    ["an unknown directive", "\nSecRul ARGS", "CELLWS_E_RULE_DIRECTIVE", 2, /SecRul/],
    ["a container", "<IfModule x>", "CELLWS_E_RULE_DIRECTIVE", 1, /container/],
    ["an unknown variable", 'SecRule ARGZ "@rx a" "id:1"', "CELLWS_E_RULE_VARIABLE", 1, /ARGZ/],
    ["a key of a scalar", 'SecRule REQUEST_URI:a "@rx a" "id:1"', "CELLWS_E_RULE_VARIABLE", 1, /single value/],
    ["an unknown XML path", 'SecRule XML:/a/b "@rx a" "id:1"', "CELLWS_E_RULE_VARIABLE", 1, /XML path/],
    ["an open quote", 'SecRule ARGS "@rx a', "CELLWS_E_RULE_SYNTAX", 1, /never closes/],
    ["an open quote of an action", `SecAction "id:1,msg:'x"`, "CELLWS_E_RULE_SYNTAX", 1, /never closes/],
    ["a comma without quotes", 'SecAction "id:1,msg:a, 2b"', "CELLWS_E_RULE_SYNTAX", 1, /not an action/],
    ["an argument too many", "SecMarker a b", "CELLWS_E_RULE_SYNTAX", 1, /2 arguments/],
    ["a wrong setting", "SecRuleEngine Maybe", "CELLWS_E_RULE_SYNTAX", 1, /SecRuleEngine/],
    ["a comment that would swallow", "# off \\\nSecMarker a", "CELLWS_E_RULE_SYNTAX", 1, /comment/],
    ["a wrong range", "SecRuleRemoveById 9-1", "CELLWS_E_RULE_SYNTAX", 1, /range/],
  ];
  for (const [name, text, code, line, message] of cases) {
    test(`such as ${name} is refused where it stands`, () => {
      const thrown = thrownBy(() => parseSecLang(text, "my.conf"));
      assert.equal(thrown.code, code);
      assert.equal(thrown.details.path, `my.conf:${line}`);
      assert.match(thrown.message, message);
    });
  }

  test("in a name comes with the name that was probably meant", () => {
    assert.equal(thrownBy(() => parseSecLang("SecRuleEngin On", "a")).details.hint, "Did you mean SecRuleEngine?");
  });
});

describe("a pattern", () => {
  const place = { file: "my.conf", line: 7 };
  const cases: ReadonlyArray<[pattern: string, subject: string, found: string | null]> = [
    ["(?i)aB", "xAb", "Ab"],
    ["^(?i)aB", "Ab", "Ab"],
    ["a.b", "a\nb", "a\nb"],
    [String.raw`\s`, "\xa0", null],
    [String.raw`[^\s]`, "\xa0", "\xa0"],
    [String.raw`[\S]`, "\xa0", "\xa0"],
    [String.raw`\x{e9}`, "\xe9", "\xe9"],
    [String.raw`a\z`, "a\n", null],
    [String.raw`[]a]+`, "]a", "]a"],
    [String.raw`[^]a]`, "]ab", "b"],
    [String.raw`[[:digit:]_]+`, "a1_", "1_"],
    [String.raw`a\s*+b`, "a  b", "a  b"],
    [String.raw`(?P<n>a)`, "a", "a"],
    [String.raw`\/\-\"`, '/-"', '/-"'],
    [String.raw`(?i:A)b`, "ab", "ab"],
    [String.raw`\0`, "\0", "\0"],
  ];
  for (const [pattern, subject, found] of cases) {
    test(`${pattern} finds ${JSON.stringify(found)} in ${JSON.stringify(subject)}`, () => {
      assert.equal(compileRegex(pattern, place).exec(subject)?.[0] ?? null, found);
    });
  }

  for (const pattern of ["a(?i)b", "(?x)a", "(?>a)", String.raw`\Ga`, String.raw`\p{L}`, "(a", "[[:foo:]]"]) {
    test(`${pattern} is refused rather than taken for something else`, () => {
      const thrown = thrownBy(() => compileRegex(pattern, place));
      assert.equal(thrown.code, "CELLWS_E_RULE_REGEX");
      assert.equal(thrown.details.path, "my.conf:7");
    });
  }
});

function onlyRule(text: string): RuleDirective {
  const directives = parseSecLang(text, "my.conf");
  assert.equal(directives.length, 1);
  const [directive] = directives;
  assert.equal(directive?.kind, "rule");
  return directive;
}

function thrownBy(act: () => unknown): CellwsError {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof CellwsError, String(error));
    return error;
  }
  return assert.fail("nothing was thrown");
}
