// `cellws inspect`: the same lines as the audit log, without a server.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { makeRunBase, runCellws, type CellwsResult } from "../support/fake-organism.ts";
import { folderWith } from "../dna/support.ts";

const rules = `SecRule ARGS "@contains attack" "id:1001,phase:2,deny,log,msg:'An attack'"
SecRule ARGS "@contains odd" "id:1002,phase:2,pass,log,msg:'Odd'"
SecRule TX:BLOCKING_PARANOIA_LEVEL "@ge 2" "id:1003,phase:1,pass,log,msg:'Suspicious'"
`;
const requests = `GET /1?q=tea HTTP/1.1
Host: a.example

POST /2?token=abc HTTP/1.1
Host: a.example
Content-Type: application/x-www-form-urlencoded
Content-Length: 8

q=attack

GET /3?q=odd HTTP/1.1
Host: a.example
X-Request-Id: mine
`;

async function inspect(t: TestContext, files: Record<string, string>, args: readonly string[]): Promise<CellwsResult> {
  const folder = folderWith(t, files);
  return runCellws(["inspect", ...args.map((arg) => (arg in files ? path.join(folder, arg) : arg))], makeRunBase(t));
}

const verdicts = (stdout: string): unknown[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { verdict: string; rules: number[] })
    .map(({ verdict, rules: fired }) => [verdict, fired]);

test("each request has its line, with the fields of the audit log", async (t) => {
  const { status, stdout } = await inspect(t, { "a.conf": rules, "r.txt": requests }, ["--rules", "a.conf", "r.txt"]);
  assert.equal(status, 0);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    lines.map(({ time, ...line }) => {
      assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
      return line;
    }),
    [
      {
        requestId: "inspect-1",
        client: "192.0.2.1",
        method: "GET",
        target: "/1?q=tea",
        verdict: "pass",
        score: 0,
        rules: [],
        cell: null,
      },
      {
        requestId: "inspect-2",
        client: "192.0.2.1",
        method: "POST",
        target: "/2?token=***",
        verdict: "block",
        score: 0,
        rules: [1001],
        cell: null,
      },
      {
        requestId: "mine",
        client: "192.0.2.1",
        method: "GET",
        target: "/3?q=odd",
        verdict: "watch",
        score: 0,
        rules: [1002],
        cell: null,
      },
    ],
  );
});

test("several rule files, a paranoia level and a client may be said, and the file stands last", async (t) => {
  const files = {
    "a.conf": rules,
    "b.conf": `SecRule REMOTE_ADDR "@ipMatch 198.51.100.7" "id:1,phase:1,deny,log"\n`,
    "r.txt": requests,
  };
  const first = await inspect(t, files, ["--rules", "a.conf", "b.conf", "r.txt", "--paranoia", "2"]);
  assert.deepEqual(verdicts(first.stdout), [
    ["watch", [1003]],
    ["block", [1003, 1001]],
    ["watch", [1003, 1002]],
  ]);
  const second = await inspect(t, files, ["--client", "198.51.100.7", "--rules", "b.conf", "--", "r.txt"]);
  assert.deepEqual(verdicts(second.stdout), [
    ["block", [1]],
    ["block", [1]],
    ["block", [1]],
  ]);
});

test("--explain says what matched where, in which file, and how the exclusion is written; and that one works", async (t) => {
  const files = { "a.conf": rules, "r.txt": requests };
  const { status, stdout } = await inspect(t, files, ["--rules", "a.conf", "--explain", "r.txt"]);
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^block {2}POST \/2\?token=\*\*\* {2}\(score 0\)\n {2}1001 {2}An attack {2}\S*a\.conf:1\n {4}ARGS:q = "attack"$/m,
  );
  const [, exclusion] = /(SecRule REQUEST_FILENAME .*1001;ARGS:q")$/m.exec(stdout)!;
  const [, update] = /(SecRuleUpdateTargetById 1001 .*)$/m.exec(stdout)!;
  for (const line of [exclusion!, update!]) {
    const mine = { "mine.conf": `${line}\n`, ...files };
    const excluded = await inspect(t, mine, ["--rules", "mine.conf", "a.conf", "r.txt"]);
    assert.deepEqual(verdicts(excluded.stdout)[1], ["pass", []]);
  }
});

test("a DNA's rules and filters are taken, whether it has an app or not, and whatever its mode", async (t) => {
  const dna = `export default { immune: { mode: "off", rules: ["./a.conf"], filters: [function noOdd({ target }) { return target.includes("odd") ? "block" : "pass"; }] } };`;
  const { stdout } = await inspect(t, { "a.conf": rules, "r.txt": requests, "dna.mjs": dna }, [
    "--dna",
    "dna.mjs",
    "r.txt",
  ]);
  assert.deepEqual(verdicts(stdout), [
    ["pass", []],
    ["block", [1001]],
    ["block", [1002]],
  ]);
});

test("mistakes are told: no file, a rule that is wrong, a request that does not end", async (t) => {
  const none = await inspect(t, {}, ["--rules", "x.conf"]);
  assert.deepEqual([none.status, none.stdout], [2, ""]);
  assert.match(none.stderr, /CELLWS_E_USAGE: no file with requests was named/);
  const wrong = { "a.conf": `${rules}SecRule ARGS "@contians x" "id:9,deny"\n`, "r.txt": requests };
  const bad = await inspect(t, wrong, ["--rules", "a.conf", "r.txt"]);
  assert.deepEqual([bad.status, bad.stdout], [2, ""]);
  assert.match(bad.stderr, /a\.conf:4/);
  const cut = await inspect(t, { "a.conf": rules, "r.txt": requests.slice(0, 60) + "x" }, [
    "--rules",
    "a.conf",
    "r.txt",
  ]);
  assert.equal(cut.status, 1);
  assert.match(cut.stdout, /"error":"CELLWS_HTTP_/);
});

test("check says what is wrong with the rules of a DNA, with file and line, and start does not start", async (t) => {
  const folder = folderWith(t, {
    "server.js": "",
    "dna.json": JSON.stringify({ app: "./server.js", immune: { mode: "block", rules: ["./rules/*.conf"] } }),
    "rules/a.conf": `\nSecRule ARGS "@contians x" "id:9,deny"\n`,
  });
  const base = makeRunBase(t);
  const env = { XDG_CACHE_HOME: path.join(folder, "cache") };
  for (const name of ["check", "start"]) {
    const { status, stderr } = await runCellws([name, "--dna", path.join(folder, "dna.json")], base, { env });
    assert.equal(status, 2, name);
    assert.match(stderr, /CELLWS_E_RULE_OPERATOR/);
    assert.match(stderr, /rules\/a\.conf:2/);
  }
  fs.rmSync(path.join(folder, "rules/a.conf"));
  const { stderr } = await runCellws(["check", "--dna", path.join(folder, "dna.json")], base, { env });
  assert.match(stderr, /no file fits/);
});
