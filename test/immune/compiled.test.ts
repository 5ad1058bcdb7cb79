// The compiled rules: what they take for granted (which bytes a transformation looks for, what configuration settles)
// and that they come to what the plain evaluation comes to where something is out of the ordinary.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { collectChains, effectOf, LENGTHENING, MAKES, TOUCHES } from "../../src/immune/seclang/compiled/chains.ts";
import { evaluatePhase, evaluateSlice } from "../../src/immune/seclang/evaluate.ts";
import type { Judgement } from "../../src/immune/seclang/judgement.ts";
import { judge } from "../../src/immune/seclang/judgement.ts";
import { parseSecLang } from "../../src/immune/seclang/parse.ts";
import { profileOf } from "../../src/immune/seclang/pattern/byte-classes.ts";
import type { Phase } from "../../src/immune/seclang/rule.ts";
import type { RuleSet } from "../../src/immune/seclang/rule-set.ts";
import { buildRuleSet } from "../../src/immune/seclang/rule-set.ts";
import type { Screen } from "../../src/immune/seclang/screen.ts";
import { buildScreen } from "../../src/immune/seclang/screen.ts";
import { giveRequestBody, openTransaction, setInStore } from "../../src/immune/seclang/transaction.ts";
import type { TransformationName } from "../../src/immune/seclang/transformations/table.ts";
import { TRANSFORMATIONS } from "../../src/immune/seclang/transformations/table.ts";

describe("a transformation", () => {
  const bits = "aZ09 _-./:=&?%+\\'\"`()<>[]{},;#*$@!|~^\t\n\r\v\f\0\x01\x7f\x80\xa0\xc3\xa9\xff".split("");
  const pieces = fc.constantFrom(...bits, "%41", "%u0041", "&lt;", "\\x41", "/*", "*/", "--", "<!--", "0x41", "../");
  const value = fc.array(pieces, { maxLength: 12 }).map((each) => each.join(""));

  for (const name of Object.keys(TRANSFORMATIONS) as TransformationName[]) {
    const touches: number = TOUCHES[name];
    if (touches === -1) continue;
    test(`${name} leaves a value alone that holds none of the bytes it looks for`, () => {
      fc.assert(
        fc.property(value, (text) => {
          if ((profileOf(text) & touches) === 0) assert.equal(TRANSFORMATIONS[name](text), text);
        }),
        { numRuns: 2000 },
      );
    });
  }

  for (const name of Object.keys(TRANSFORMATIONS) as TransformationName[]) {
    test(`${name} brings in no bytes but those that it is said to make`, () => {
      fc.assert(
        fc.property(value, (text) => {
          const made = profileOf(TRANSFORMATIONS[name](text));
          assert.equal(made & ~(profileOf(text) | MAKES[name]), 0);
        }),
        { numRuns: 2000 },
      );
    });

    if (LENGTHENING.has(name)) continue;
    test(`${name} never lengthens a value`, () => {
      fc.assert(
        fc.property(value, (text) => {
          assert.ok(TRANSFORMATIONS[name](text).length <= text.length);
        }),
        { numRuns: 2000 },
      );
    });
  }

  test("may be left out of a chain where a profile says that it has nothing to change", () => {
    const names = fc.array(fc.constantFrom(...(Object.keys(TRANSFORMATIONS) as TransformationName[])), {
      maxLength: 5,
    });
    const through = (text: string, chain: readonly TransformationName[]): string =>
      chain.reduce((last, name) => TRANSFORMATIONS[name](last), text);
    fc.assert(
      fc.property(value, names, (text, chain) => {
        const effect = effectOf(collectChains().chainOf(chain), profileOf(text));
        const made = through(text, chain);
        assert.equal(through(text, effect.names), made);
        assert.equal(profileOf(made) & ~effect.profile, 0);
      }),
      { numRuns: 3000 },
    );
    const { names: left } = effectOf(
      collectChains().chainOf(["urlDecodeUni", "lowercase", "removeNulls"]),
      profileOf("aB"),
    );
    assert.deepEqual(left, ["lowercase"]);
  });
});

const facts = {
  uniqueId: "1",
  clientAddress: "192.0.2.7",
  clientPort: 1,
  serverAddress: "192.0.2.1",
  serverPort: 80,
  method: "POST",
  target: "/a/b?x=1&y=O'Brien&y=%3Cb%3E",
  protocol: "HTTP/1.1",
  headers: ["Host", "h", "User-Agent", "Mozilla/5.0", "Content-Type", "application/x-www-form-urlencoded"],
};

interface Run {
  readonly phases?: readonly Phase[];
  readonly tx?: Readonly<Record<string, string>>;
  /** Further ones. */
  readonly headers?: readonly string[];
}

/** The judgement, and TX: with a screen and without. */
function bothWays(text: string, { phases = [1, 2, 5], tx = {}, headers = [] }: Run = {}): [Judgement, unknown] {
  const rules = buildRuleSet(parseSecLang(text, "my.conf"), { readData: () => "alpha\nbeta" });
  const screen = buildScreen(rules);
  const compiled = run(rules, screen);
  assert.deepEqual(compiled, run(rules, null));
  // What was learned of the first request changes nothing for the second.
  assert.deepEqual(run(rules, screen), compiled);
  return compiled;

  function run(set: RuleSet, by: Screen | null): [Judgement, unknown] {
    const request = { ...facts, headers: [...facts.headers, ...headers] };
    const transaction = openTransaction(set, request, by === null ? {} : { screen: by });
    for (const [key, value] of Object.entries(tx)) setInStore(transaction, "TX", key, value);
    for (const phase of phases) {
      if (phase === 2) giveRequestBody(transaction, "z=beta&w=a%20b");
      evaluatePhase(transaction, phase);
    }
    return [judge(transaction), [...transaction.stores.get("TX")!]];
  }
}

const idsOf = ([{ hits }]: [Judgement, unknown]): number[] => hits.map(({ id }) => id);

describe("the compiled rules", () => {
  const configured = `
    SecAction "id:1,phase:1,nolog,pass,setvar:tx.level=1,setvar:tx.limit=%{tx.level}"
    SecRule &TX:mode "@eq 0" "id:2,phase:1,nolog,pass,setvar:tx.mode=strict"
    SecRule TX:level "@lt 2" "id:3,phase:1,nolog,pass,skipAfter:END"
    SecRule ARGS "@rx Brien" "id:4,phase:1,log,pass"
    SecMarker END
    SecRule ARGS "@rx b" "id:5,phase:2,log,pass,capture,setvar:tx.seen=%{tx.0}"
    SecRule TX:mode "@streq strict" "id:6,phase:2,log,pass,logdata:'%{tx.limit}'"
    SecRule TX:seen "@rx ." "id:7,phase:2,log,pass"`;

  test("settle what configures them, and come to the same", () => {
    assert.deepEqual(idsOf(bothWays(configured)), [1, 2, 3, 5, 6, 7]);
  });

  test("take nothing for settled where TX was not empty at first", () => {
    assert.deepEqual(idsOf(bothWays(configured, { tx: { mode: "lax" } })), [1, 3, 5, 7]);
  });

  test("take nothing for settled where phase 1 was left out", () => {
    assert.deepEqual(idsOf(bothWays(configured, { phases: [2] })), [5, 7]);
  });

  test("take nothing for settled where a phase ended early", () => {
    const text = `
      SecRule ARGS:x "@streq 1" "id:1,phase:1,pass,allow:phase"
      SecAction "id:2,phase:1,pass,setvar:tx.a=1"
      SecRule TX:a "@eq 1" "id:3,phase:2,pass"
      SecRule &TX:a "@eq 0" "id:4,phase:2,pass"`;
    assert.deepEqual(idsOf(bothWays(text)), [1, 4]);
  });

  test("follow a jump over what would have configured them", () => {
    const text = `
      SecRule ARGS:x "@streq 1" "id:1,phase:1,pass,skipAfter:LATER"
      SecAction "id:2,phase:1,pass,setvar:tx.a=1"
      SecMarker LATER
      SecRule TX:a "@eq 1" "id:3,phase:1,pass"
      SecRule &TX:a "@eq 0" "id:4,phase:1,pass,setvar:tx.b=%{tx.a}x"
      SecRule TX:b "@streq x" "id:5,phase:1,pass"`;
    assert.deepEqual(idsOf(bothWays(text)), [1, 4, 5]);
  });

  test("let a control take out rules that were settled, and targets", () => {
    const text = `
      SecRule ARGS:x "@streq 1" "id:1,phase:1,pass,ctl:ruleRemoveById=2,ctl:ruleRemoveTargetById=4;ARGS:y"
      SecAction "id:2,phase:1,pass,setvar:tx.a=1"
      SecRule &TX:a "@eq 0" "id:3,phase:1,pass"
      SecRule ARGS "@contains Brien" "id:4,phase:1,pass"
      SecRule &ARGS "@eq 3" "id:5,phase:1,pass"
      SecRule ARGS "@contains Brien" "id:6,phase:1,pass,ctl:ruleRemoveTargetByTag=t;REQUEST_FILENAME"
      SecRule REQUEST_FILENAME|ARGS:y "@rx /a|Brien" "id:7,phase:2,pass,tag:t"
      SecRule &REQUEST_FILENAME "@eq 0" "id:8,phase:2,pass,tag:t"`;
    assert.deepEqual(idsOf(bothWays(text)), [1, 3, 5, 6, 7, 8]);
  });

  test("see in phase 2 what the body brought, and a control changed", () => {
    const text = `
      SecRule &ARGS "@eq 3" "id:1,phase:1,pass"
      SecRule ARGS "@pmFromFile words" "id:2,phase:1,pass"
      SecRule &ARGS "@eq 5" "id:3,phase:2,pass,capture"
      SecRule ARGS "@pmFromFile words" "id:4,phase:2,pass,capture,logdata:'%{tx.0}',ctl:requestBodyProcessor=XML"
      SecRule REQUEST_BODY "@rx ^$" "id:5,phase:2,pass"`;
    const both = bothWays(text);
    assert.deepEqual(idsOf(both), [1, 3, 4, 5]);
    assert.equal(both[0].hits[2]!.logData, "beta");
  });

  test("ask a negated operator about each value, and each stage where that is wanted", () => {
    const text = `
      SecRule ARGS_NAMES "!@rx ^[xy]$" "id:1,phase:2,pass"
      SecRule ARGS "!@rx [a-z]" "id:2,phase:2,pass"
      SecRule ARGS "@rx \\x20" "id:3,phase:2,pass,t:removeWhitespace"
      SecRule ARGS "@rx \\x20" "id:4,phase:2,pass,t:removeWhitespace,multiMatch"
      SecRule ARGS|!ARGS:y "@rx <" "id:5,phase:2,pass"
      SecRule ARGS:/^[yz]$/ "@rx <" "id:6,phase:2,pass"
      SecRule REQUEST_HEADERS:user-agent "@beginsWith Mozilla" "id:7,phase:2,pass,chain"
      SecRule MATCHED_VAR|MATCHED_VARS_NAMES "@rx 5|Agent" "setvar:tx.n=+1"`;
    assert.deepEqual(idsOf(bothWays(text)), [1, 2, 4, 6, 7]);
  });

  test("fill in macros of a pattern anew when they change", () => {
    const text = `
      SecAction "id:1,phase:1,pass,setvar:tx.p=Br.en"
      SecRule ARGS "@rx %{tx.p}" "id:2,phase:2,pass,setvar:tx.p=nothing"
      SecRule ARGS "@rx %{tx.p}" "id:3,phase:2,pass"
      SecRule ARGS:y "@within %{args.y}|" "id:4,phase:2,pass"`;
    assert.deepEqual(idsOf(bothWays(text)), [1, 2, 4]);
  });

  test("begin behind what configures them, and let later rules change it and take it back", () => {
    const text = `
      SecAction "id:1,phase:1,nolog,pass,severity:ERROR,setvar:tx.a=1,setvar:tx.b_one=2,setvar:tx.b_two=3"
      SecRule TX:a "@eq 1" "id:2,phase:1,nolog,pass,setvar:tx.c=4"
      SecRule ARGS "@rx Brien" "id:3,phase:1,log,pass,setvar:tx.b_three=5,setvar:!tx.b_one,setvar:tx.a=+1"
      SecRule MATCHED_VAR "@rx Brien" "id:4,phase:1,pass"
      SecRule TX:/^b_/ "@ge 3" "id:5,phase:1,pass,setvar:tx.b_one=9"
      SecRule TX:/^b_/ "@ge 3" "id:6,phase:2,pass"
      SecRule TX:a "@eq 2" "id:7,phase:2,pass"
      SecRule &TX "@gt 1" "id:8,phase:2,pass"
      SecRule HIGHEST_SEVERITY "@eq 3" "id:9,phase:2,pass"`;
    const both = bothWays(text);
    assert.deepEqual(idsOf(both), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(
      both[0].hits[5]!.matches.map(({ name }) => name),
      ["TX:b_two", "TX:b_three", "TX:b_one"],
    );
  });

  test("stay settled where a control takes out a rule that nothing was concluded from, and not where it was", () => {
    for (const [id, ids] of [
      [4, [1, 2, 3, 6]],
      [2, [1, 3, 4, 5]],
    ] as const) {
      const text = `
        SecRule ARGS:x "@streq 1" "id:1,phase:1,pass,ctl:ruleRemoveById=${id}"
        SecAction "id:2,phase:2,pass,setvar:tx.a=1"
        SecRule ARGS:z "@streq beta" "id:3,phase:2,pass"
        SecRule ARGS:w "@streq 'a b'" "id:4,phase:2,pass"
        SecRule &TX:a "@eq 0" "id:5,phase:2,pass"
        SecRule TX:a "@eq 1" "id:6,phase:2,pass"`.replace("'a b'", "a b");
      assert.deepEqual(idsOf(bothWays(text)), ids);
    }
  });

  test("take back what was captured before, and what a rule has set under a captured name", () => {
    const text = `
      SecRule ARGS:y "@rx (O).(B)" "id:1,phase:1,pass,capture,setvar:tx.7=set"
      SecRule &TX:2|&TX:7 "@eq 1" "id:2,phase:1,pass"
      SecRule ARGS:z "@rx be" "id:3,phase:2,pass,capture"
      SecRule &TX:1|&TX:2|&TX:7 "@eq 0" "id:4,phase:2,pass"`;
    const both = bothWays(text);
    assert.deepEqual(
      both[0].hits.map(({ id, matches }) => [id, matches.length]),
      [
        [1, 1],
        [2, 2],
        [3, 1],
        [4, 3],
      ],
    );
  });

  test("see in each value what any way of writing it may hide, whatever else it holds", () => {
    const texts = ["<b>", "%3Cb%3E", "PGI+", "x <b>", "&lt;b&gt;", "plain words", "B", "< b >", "\\x3cb\\x3e", "ab"];
    for (const [index, hidden] of texts.entries()) {
      const chains =
        "t:none,t:urlDecodeUni;t:none,t:base64Decode;t:none,t:htmlEntityDecode,t:lowercase;t:none,t:jsDecode";
      const rules = `${chains};t:none,t:removeWhitespace;t:none,t:lowercase;t:none,t:uppercase;t:none,t:length`
        .split(";")
        .flatMap((chain, at) =>
          ["<b>", "b", "^B$", "3"].map(
            (pattern, which) =>
              `SecRule REQUEST_HEADERS:x "@rx ${pattern}" "id:${10 * at + which + 1},phase:1,pass,${chain}${which === 1 ? ",multiMatch" : ""}"`,
          ),
        );
      const [{ hits }] = bothWays(rules.join("\n"), { headers: ["x", hidden] });
      // A value without b hides none.
      if (index < 5) assert.ok(hits.length > 0, hidden);
    }
  });

  test("come to the same in slices, however long what they look at", () => {
    const ways = ["removeWhitespace", "cmdLine", "urlDecode", "urlDecode,t:cmdLine", "urlDecodeUni,t:cmdLine"].flatMap(
      (way) => [way, `${way},t:base64Decode`],
    );
    const rules = buildRuleSet(
      parseSecLang(
        `SecRule ARGS "@rx a{3}c" "id:1,phase:2,pass,t:lowercase"
         SecRule ARGS "@rx beta" "id:2,phase:2,pass,t:urlDecodeUni,t:lowercase,t:removeWhitespace"
         SecRule ARGS "@contains gamma" "id:3,phase:2,pass,t:compressWhitespace,multiMatch"
         SecRule ARGS_NAMES "@rx ^long$" "id:4,phase:2,pass"
         ${ways.map((way, index) => `SecRule ARGS "@rx nowhere" "id:${10 + index},phase:2,pass,t:${way}"`).join("\n")}`,
        "my.conf",
      ),
      { readData: () => "" },
    );
    const screen = buildScreen(rules);
    const body = `long=${"A b+%41 ".repeat(15_000)}BE  TA&other=x%20gamma&long=aAaC`;
    const judged = [Infinity, 1].map((steps) => {
      const transaction = openTransaction(rules, facts, { screen });
      evaluatePhase(transaction, 1);
      giveRequestBody(transaction, body);
      let slices = 1;
      while (!evaluateSlice(transaction, 2, steps)) slices += 1;
      return { slices, judgement: judge(transaction) };
    });
    assert.deepEqual(judged[1]!.judgement, judged[0]!.judgement);
    assert.deepEqual(
      judged[0]!.judgement.hits.map(({ id }) => id),
      [1, 2, 3, 4],
    );
    assert.equal(judged[0]!.slices, 1);
    assert.ok(judged[1]!.slices > 1, `${judged[1]!.slices} slices`);
  });

  test("take turns over many short values, each of another kind, as over long ones", () => {
    // Enough rules for some to be stopped on the way: each value counts once all the same.
    const counted = Array.from({ length: 12 }, (_, n) => n);
    const text = `
      SecRule ARGS "@rx <b" "id:1,phase:2,pass,t:lowercase"
      SecRule ARGS|ARGS_NAMES "@contains gamma" "id:2,phase:2,pass,t:urlDecodeUni,t:removeWhitespace"
      ${counted.map((n) => `SecRule ARGS "@rx a" "id:${10 + n},phase:2,pass,nolog,setvar:tx.n${n}=+1"`).join("\n")}
      ${counted.map((n) => `SecRule TX:n${n} "@eq 1501" "id:${30 + n},phase:2,pass"`).join("\n")}`;
    const rules = buildRuleSet(parseSecLang(text, "my.conf"), { readData: () => "" });
    const marks = ["a", "B", "7", " ", "-", ".", "/", ":", "=", "?", "(", "[", ",", "*", "$", "@", "!", "'"];
    const kind = (n: number): string => marks.filter((_, bit) => (n & (1 << bit)) !== 0).join("");
    const fields = Array.from({ length: 1500 }, (_, n) => `p${n}=${encodeURIComponent(kind((n * 7919) | 1))}`);
    const body = [...fields, "last=gam+ma", "and=%3CB"].join("&");
    const judged = [Infinity, 1].map((steps) => {
      const transaction = openTransaction(rules, facts, { screen: buildScreen(rules) });
      evaluatePhase(transaction, 1);
      giveRequestBody(transaction, body);
      let slices = 1;
      while (!evaluateSlice(transaction, 2, steps)) slices += 1;
      assert.equal(judge(transaction).overrun, false);
      return { slices, ids: judge(transaction).hits.map(({ id }) => id) };
    });
    const ids = [1, 2, ...counted.map((n) => 10 + n), ...counted.map((n) => 30 + n)];
    assert.deepEqual(judged[0], { slices: 1, ids });
    assert.deepEqual(judged[1]!.ids, ids);
    assert.ok(judged[1]!.slices > 10, `${judged[1]!.slices} slices`);
  });

  test("refuse a pattern that could not be bounded", () => {
    const rules = buildRuleSet(
      parseSecLang('SecRule ARGS "@rx (?:(?:a{1,999}){1,999}){1,9}" "id:1,phase:2,pass"', "my.conf"),
      { readData: () => "" },
    );
    assert.throws(() => buildScreen(rules), { code: "CELLWS_E_RULE_REGEX" });
  });
});
