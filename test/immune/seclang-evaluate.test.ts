// What rules do to an exchange: matches, scores, chains, jumps, exclusions and verdicts.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { evaluatePhase } from "../../src/immune/seclang/evaluate.ts";
import type { RequestFacts } from "../../src/immune/seclang/facts.ts";
import type { Judgement } from "../../src/immune/seclang/judgement.ts";
import { judge } from "../../src/immune/seclang/judgement.ts";
import { SECLANG_LIMITS } from "../../src/immune/seclang/limits.ts";
import { parseSecLang } from "../../src/immune/seclang/parse.ts";
import { buildRuleSet } from "../../src/immune/seclang/rule-set.ts";
import type { Transaction, TransactionOptions } from "../../src/immune/seclang/transaction.ts";
import {
  giveRequestBody,
  giveResponse,
  giveResponseBody,
  openTransaction,
  storeOf,
  wantsResponseBody,
} from "../../src/immune/seclang/transaction.ts";

interface Request extends Partial<RequestFacts> {
  body?: string;
}

describe("which rules match", () => {
  const json = { headers: ["Content-Type", "application/json"] };
  const cases: ReadonlyArray<[title: string, rules: string, request: Request, ids: number[]]> = [
    ["a rule matches any of its targets' values", 'SecRule ARGS "@streq b" "id:1"', { target: "/?x=a&y=b" }, [1]],
    ["a negated rule matches where its operator does not", 'SecRule ARGS "!@streq b" "id:1"', { target: "/?x=a" }, [1]],
    ["a negated rule without a value matches nothing", 'SecRule ARGS:z "!@streq b" "id:1"', { target: "/?x=a" }, []],
    ["keys ignore case", 'SecRule REQUEST_HEADERS:host "@rx ." "id:1"', { headers: ["HOST", "a"] }, [1]],
    ["a count counts", 'SecRule &ARGS:x "@eq 2" "id:1"', { target: "/?x=a&x=b&y=c" }, [1]],
    ["a count of nothing is 0", 'SecRule &ARGS:z "@eq 0" "id:1"', { target: "/?x=a" }, [1]],
    ["an excluded key is not looked at", 'SecRule ARGS|!ARGS:x "@streq a" "id:1"', { target: "/?X=a" }, []],
    ["keys may be chosen by a pattern", 'SecRule ARGS:/^p_/ "@streq a" "id:1"', { target: "/?p_x=a" }, [1]],
    [
      "transformations go in order",
      'SecRule ARGS "@streq ab" "id:1,t:base64Decode,t:lowercase"',
      { target: "/?x=QUI" },
      [1],
    ],
    [
      "without multiMatch only the last stage counts",
      'SecRule ARGS "@streq A" "id:1,t:lowercase"',
      { target: "/?x=A" },
      [],
    ],
    [
      "with multiMatch each stage counts",
      'SecRule ARGS "@streq A" "id:1,t:lowercase,multiMatch"',
      { target: "/?x=A" },
      [1],
    ],
    [
      "a chain matches where all of it does",
      `SecRule ARGS:x "@streq a" "id:1,chain"
         SecRule ARGS:y "@streq b"
       SecRule ARGS:x "@streq a" "id:2,chain"
         SecRule ARGS:y "@streq c"`,
      { target: "/?x=a&y=b" },
      [1],
    ],
    [
      "a chained rule sees what the one before matched",
      'SecRule ARGS "@rx ^a" "id:1,chain"\nSecRule MATCHED_VARS "@rx z$"',
      { target: "/?x=ab&y=az&w=z" },
      [1],
    ],
    [
      "captures reach later rules and macros",
      'SecRule ARGS "@rx ^(.)(.)$" "id:1,capture,chain"\nSecRule TX:2 "@streq %{tx.1}"',
      { target: "/?x=aa" },
      [1],
    ],
    [
      "skipAfter jumps behind the marker",
      'SecAction "id:1,skipAfter:END"\nSecAction "id:2"\nSecMarker END\nSecAction "id:3"',
      {},
      [1, 3],
    ],
    [
      "skip counts chains as one",
      'SecAction "id:1,skip:1"\nSecAction "id:2,chain"\nSecAction "t:none"\nSecAction "id:3"',
      {},
      [1, 3],
    ],
    [
      "ctl takes rules out by id",
      'SecAction "id:1,phase:1,ctl:ruleRemoveById=2-3"\nSecAction "id:2"\nSecAction "id:3"',
      {},
      [1],
    ],
    ["ctl takes rules out by tag", 'SecAction "id:1,phase:1,ctl:ruleRemoveByTag=^a"\nSecAction "id:2,tag:ab"', {}, [1]],
    [
      "ctl takes targets out",
      'SecAction "id:1,phase:1,ctl:ruleRemoveTargetById=2;ARGS:x"\nSecRule ARGS "@rx a" "id:2"\nSecRule ARGS "@rx a" "id:3"',
      { target: "/?x=a" },
      [1, 3],
    ],
    ["ctl switches the engine off", 'SecAction "id:1,phase:1,ctl:ruleEngine=Off"\nSecAction "id:2,phase:1"', {}, [1]],
    [
      "a JSON body gives arguments",
      'SecRule ARGS:json.a.array_1 "@streq 2" "id:1"',
      { ...json, body: '{"a":[1,2]}' },
      [1],
    ],
    ["a broken body says so", 'SecRule REQBODY_ERROR "@eq 1" "id:1"', { ...json, body: '{"a":' }, [1]],
    [
      "what stood before the break is seen",
      'SecRule ARGS:json.a "@eq 7" "id:1"',
      { ...json, body: '{"a":7,"b":' },
      [1],
    ],
    [
      "an XML body gives its text and its attributes",
      'SecRule XML:/* "@streq ab" "id:1"\nSecRule XML://@* "@streq <" "id:2"\nSecRule XML:/* "@rx c" "id:3"',
      { headers: ["Content-Type", "text/xml"], body: '<a x="c" y="&lt;">a<b>b</b></a>' },
      [1, 2],
    ],
    [
      "a multipart body gives fields, files and part headers",
      `SecRule ARGS:t "@streq hello" "id:1"
       SecRule FILES "@streq a.php" "id:2"
       SecRule MULTIPART_PART_HEADERS:f "@rx ^Content-Type: image" "id:3"
       SecRule FILES_COMBINED_SIZE "@eq 3" "id:4"
       SecRule MULTIPART_STRICT_ERROR "@eq 0" "id:5"`,
      {
        headers: ["Content-Type", "multipart/form-data; boundary=xx"],
        body: [
          "--xx",
          'Content-Disposition: form-data; name="t"',
          "",
          "hello",
          "--xx",
          'Content-Disposition: form-data; name="f"; filename="a.php"',
          "Content-Type: image/png",
          "",
          "abc",
          "--xx--",
          "",
        ].join("\r\n"),
      },
      [1, 2, 3, 4, 5],
    ],
    [
      "phase 1 may choose how the body is read",
      'SecAction "id:1,phase:1,ctl:requestBodyProcessor=URLENCODED"\nSecRule ARGS_POST:a "@streq b" "id:2"',
      { body: "a=b" },
      [1, 2],
    ],
    ["cookies are parted", 'SecRule REQUEST_COOKIES:b "@streq 2" "id:1"', { headers: ["Cookie", "a=1; b=2"] }, [1]],
    [
      "the path is decoded, the raw URI is not",
      'SecRule REQUEST_FILENAME "@streq /a b" "id:1,chain"\nSecRule REQUEST_URI_RAW "@contains %20"',
      { target: "/a%20b?c" },
      [1],
    ],
  ];
  for (const [title, rules, request, ids] of cases) {
    test(title, () => assert.deepEqual(idsOf(run(rules, request)), ids));
  }
});

test("the whole of an XML body is shown only where it was broken, forced, or the caller wants it", () => {
  const rule = 'SecRule REQUEST_BODY "@contains name" "id:1"';
  const xml = (body: string): Request => ({ headers: ["Content-Type", "text/xml"], body });
  assert.deepEqual(idsOf(run(rule, xml("<name/>"))), []);
  assert.deepEqual(idsOf(run(rule, xml("<name>"))), [1]);
  assert.deepEqual(idsOf(runTransaction(rule, xml("<name/>"), { requestBodyAlways: true })), [1]);
  const forced = `SecAction "id:2,phase:1,ctl:forceRequestBodyVariable=On"\n${rule}`;
  assert.deepEqual(idsOf(run(forced, xml("<name/>"))), [2, 1]);
});

describe("what a match changes", () => {
  test("adds up for each value that matches", () => {
    const t = runTransaction('SecRule ARGS "@rx a" "id:1,setvar:tx.n=+2,setvar:tx.last=%{MATCHED_VAR_NAME}"', {
      target: "/?x=a&y=ab&z=c",
    });
    assert.deepEqual([tx(t, "n"), tx(t, "last")], ["4", "ARGS:y"]);
  });

  test("happens even where the rest of the chain does not match", () => {
    const t = runTransaction('SecAction "id:1,setvar:tx.a=1,chain"\nSecRule ARGS "@rx z" "setvar:tx.b=1"', {});
    assert.deepEqual([tx(t, "a"), tx(t, "b"), idsOf(t)], ["1", "", []]);
  });

  test("may be taken back", () => {
    const t = runTransaction('SecAction "id:1,setvar:tx.A=1"\nSecAction "id:2,setvar:!tx.a"', {});
    assert.equal(storeOf(t, "TX").has("a"), false);
  });

  test("forgets groups that an earlier rule caught", () => {
    const rules = `SecRule ARGS:x "@rx (.)(.)" "id:1,capture"\nSecRule ARGS:y "@rx (.)" "id:2,capture"`;
    const t = runTransaction(rules, { target: "/?x=ab&y=c" });
    assert.deepEqual([tx(t, "1"), storeOf(t, "TX").has("2")], ["c", false]);
  });

  test("cannot fill a collection without end", () => {
    const args = Array.from({ length: 50 }, (_, i) => `a${i}=1`).join("&");
    const many = Array.from(
      { length: 300 },
      (_, i) => `SecRule ARGS "@rx 1" "id:${i + 1},setvar:tx.${i}_%{MATCHED_VAR_NAME}=1"`,
    );
    const t = runTransaction(many.join("\n"), { target: `/?${args}` });
    assert.equal(storeOf(t, "TX").size, SECLANG_LIMITS.collectionKeysMax);
  });

  test("lasts where the caller keeps collections", () => {
    const kept = new Map<string, string>();
    const expired: string[] = [];
    const collections = {
      open: (store: string, key: string) => (assert.equal(`${store} ${key}`, "IP 192.0.2.7"), kept),
      expire: (store: string, key: string, variable: string, seconds: number) => {
        expired.push(`${store} ${key} ${variable} ${seconds}`);
      },
    };
    const rules = 'SecAction "id:1,phase:1,initcol:ip=%{REMOTE_ADDR},setvar:ip.n=+1,expirevar:ip.n=60"';
    for (let i = 0; i < 3; i += 1) runTransaction(rules, {}, { collections });
    assert.equal(kept.get("n"), "3");
    assert.deepEqual(expired[0], "IP 192.0.2.7 n 60");
  });
});

describe("the verdict", () => {
  test("is pass where nothing was told", () => {
    const { verdict, audit, hits } = run('SecAction "id:1,nolog,pass"', {});
    assert.deepEqual([verdict, audit, hits.length], ["pass", false, 1]);
  });

  test("is watch where a rule told something and let it pass", () => {
    assert.equal(run('SecAction "id:1,pass"', {}).verdict, "watch");
  });

  test("is block with its status where a rule denies, and later rules do not run, but those of phase 5", () => {
    const judgement = run('SecAction "id:1,phase:1,deny,status:406"\nSecAction "id:2"\nSecAction "id:3,phase:5"', {});
    assert.deepEqual([judgement.verdict, judgement.status, idsOf(judgement)], ["block", 406, [1, 3]]);
  });

  test("is block without a status where a rule drops", () => {
    const { verdict, status } = run('SecAction "id:1,drop"', {});
    assert.deepEqual([verdict, status], ["block", null]);
  });

  test("is watch where rules would deny but only detect, and all rules run", () => {
    const judgement = run('SecRuleEngine DetectionOnly\nSecAction "id:1,phase:1,deny"\nSecAction "id:2"', {});
    assert.deepEqual([judgement.verdict, idsOf(judgement)], ["watch", [1, 2]]);
  });

  test("lets pass what a rule allows", () => {
    const request = run('SecAction "id:1,phase:1,allow:request"\nSecAction "id:2,deny"\nSecAction "id:3,phase:3"', {});
    assert.deepEqual(idsOf(request), [1, 3]);
    const all = run('SecAction "id:1,phase:1,allow"\nSecAction "id:2,deny"\nSecAction "id:3,phase:5"', {});
    assert.deepEqual(idsOf(all), [1, 3]);
    const phase = run('SecAction "id:1,phase:1,allow:phase"\nSecAction "id:2,phase:1"\nSecAction "id:3"', {});
    assert.deepEqual(idsOf(phase), [1, 3]);
  });

  test("shows what matched, shortened, with the message filled in after the whole chain", () => {
    const value = "a".repeat(1000);
    const [hit] = run(
      `SecRule ARGS "@rx (a)" "id:1,capture,msg:'%{TX.1} in %{tx.name}',setvar:tx.name=x,chain"\nSecRule ARGS "@rx (aa)" "capture"`,
      {
        target: `/?q=${value}`,
      },
    ).hits;
    assert.equal(hit?.message, "aa in x");
    assert.deepEqual(hit?.matches, [{ name: "ARGS:q", value: `${"a".repeat(SECLANG_LIMITS.evidenceCharsMax)}...` }]);
  });

  test("counts a hit that is told though there were too many to keep it", () => {
    const silent = Array.from({ length: SECLANG_LIMITS.hitsMax }, (_, i) => `SecAction "id:${i + 1},nolog"`);
    const judgement = run(`${silent.join("\n")}\nSecAction "id:9999,log"`, {});
    assert.deepEqual([judgement.verdict, judgement.hitsDropped], ["watch", 1]);
  });

  test("does not count what an engine that is off would do", () => {
    assert.equal(run("SecRuleEngine Off\nSecRequestBodyLimit 1", { body: "abc" }).verdict, "pass");
  });

  test("refuses a multipart body with too much in it that is no file", () => {
    const part = (head: string): string =>
      `--x\r\nContent-Disposition: form-data; ${head}\r\n\r\n${"a".repeat(100)}\r\n`;
    const headers = ["Content-Type", "multipart/form-data; boundary=x"];
    const limit = "SecRequestBodyNoFilesLimit 50";
    assert.equal(run(limit, { headers, body: `${part('name="a"')}--x--` }).status, 413);
    assert.equal(run(limit, { headers, body: `${part('name="a"; filename="b"')}--x--` }).verdict, "pass");
  });

  test("carries the scores of the Core Rule Set", () => {
    const { score } = run('SecAction "id:1,setvar:tx.blocking_inbound_anomaly_score=5"', {});
    assert.deepEqual(score, { inbound: 5, outbound: 0 });
  });

  test("refuses a body over its limit where the rules want that, and looks at its beginning otherwise", () => {
    const limit = "SecRequestBodyLimit 4\n";
    const refused = run(`${limit}SecAction "id:1"`, { body: "a=bcdef" });
    assert.deepEqual([refused.verdict, refused.status], ["block", 413]);
    const partial = run(`${limit}SecRequestBodyLimitAction ProcessPartial\nSecRule ARGS:a "@streq bc" "id:1"`, {
      headers: ["Content-Type", "application/x-www-form-urlencoded"],
      body: "a=bcdef",
    });
    assert.deepEqual(idsOf(partial), [1]);
  });
});

describe("a response", () => {
  const rules =
    'SecRule RESPONSE_STATUS "@streq 500" "id:1,phase:3"\nSecRule RESPONSE_BODY "@contains ORA-" "id:2,phase:4,deny"';

  test("is looked into only where the rules say so", () => {
    const t = runTransaction(rules, {}, {}, { type: "text/html", body: "ORA-1" });
    assert.deepEqual(idsOf(t), [1]);
    const seen = runTransaction(`SecResponseBodyAccess On\n${rules}`, {}, {}, { type: "text/html; x", body: "ORA-1" });
    assert.deepEqual([idsOf(seen), judge(seen).verdict], [[1, 2], "block"]);
  });

  test("of a type that the rules do not name is not looked into", () => {
    const t = runTransaction(`SecResponseBodyAccess On\n${rules}`, {}, {}, { type: "image/png", body: "ORA-1" });
    assert.deepEqual(idsOf(t), [1]);
  });
});

function run(rules: string, request: Request): Judgement {
  return judge(runTransaction(rules, request));
}

function runTransaction(
  text: string,
  { body = "", ...request }: Request,
  options: TransactionOptions = {},
  response = { type: "text/plain", body: "" },
): Transaction {
  const rules = buildRuleSet(parseSecLang(text, "my.conf"), {
    readData: (name) => assert.fail(`no data file: ${name}`),
  });
  const t = openTransaction(
    rules,
    {
      uniqueId: "1",
      clientAddress: "192.0.2.7",
      clientPort: 1,
      serverAddress: "192.0.2.1",
      serverPort: 80,
      method: "GET",
      target: "/",
      protocol: "HTTP/1.1",
      headers: [],
      ...request,
    },
    options,
  );
  evaluatePhase(t, 1);
  giveRequestBody(t, body);
  evaluatePhase(t, 2);
  giveResponse(t, { status: 500, reason: "", protocol: "HTTP/1.1", headers: ["Content-Type", response.type] });
  evaluatePhase(t, 3);
  if (wantsResponseBody(t)) giveResponseBody(t, response.body);
  evaluatePhase(t, 4);
  evaluatePhase(t, 5);
  return t;
}

const idsOf = ({ hits }: Pick<Judgement, "hits">): number[] => hits.map(({ id }) => id);
const tx = (t: Transaction, key: string): string => t.first("TX", key);
