import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDna, formatCheck } from "../../src/dna/check.ts";
import { formatDiagnostics, type Diagnostic } from "../../src/dna/diagnostic.ts";
import { folderWith, machine } from "./support.ts";

const plain = { color: false };

test("a sound DNA is summed up, and its secrets are not shown", async (context) => {
  const cwd = folderWith(context, {
    "server.js": "1",
    "dna.ts": `export default { name: "shop", app: "./server.js", env: { TOKEN: "hunter2" }, listen: [{}, { host: "::1", port: 0 }] };`,
  });
  const report = await checkDna({ cwd, machine });
  assert.equal(report.ok, true);
  assert.doesNotMatch(JSON.stringify(report), /hunter2/);
  assert.deepEqual(report.dna?.env, { TOKEN: "(not shown)" });
  assert.equal(
    formatCheck(report, plain).replaceAll(cwd, "").replace(report.revision!, "REVISION"),
    `/dna.ts is sound.
  name      shop
  app       /server.js
  listens   127.0.0.1:8080, [::1]:any
  cells     neuron 1-2, b-cell 1-2, t-cell 0-2, drone 1-4, stem pool 2
  revision  REVISION`,
  );
});

test("where the kernel has the bans, or reports are sent, one T cell stays", async (context) => {
  const report = `{ mode: "on", reporter: { org: "S", contact: "a@s.example", domain: "s.example" },
    mail: { server: "mail.example", from: "a@s.example", to: "b@i.example" } }`;
  for (const immune of ["{ bans: { nftables: true } }", `{ report: ${report} }`]) {
    const cwd = folderWith(context, {
      "server.js": "",
      "dna.ts": `export default { app: "./server.js", immune: ${immune} };`,
    });
    const checked = await checkDna({ cwd, machine });
    assert.equal(checked.ok, true, JSON.stringify(checked.diagnostics));
    assert.match(formatCheck(checked, plain), /t-cell 1-2/);
  }
});

test("a DNA without an app is sound: the command line may give it", async (context) => {
  const report = await checkDna({
    cwd: folderWith(context, { "dna.ts": `export default { name: "shop" };` }),
    machine,
  });
  assert.deepEqual([report.ok, report.revision, report.dna], [true, null, null]);
  assert.deepEqual(
    report.diagnostics.map(({ code }) => code),
    ["CELLWS_W_APP_NOT_GIVEN"],
  );
  assert.match(formatCheck(report, plain), /no app was given[\s\S]*dna\.ts is sound\.$/);
});

test("without a DNA file there is nothing to be wrong but the app", async (context) => {
  const report = await checkDna({ cwd: folderWith(context, { "server.js": "" }), app: "server.js", machine });
  assert.match(formatCheck(report, plain), /^No DNA file: all defaults\.\n {2}name/);
});

test("a mistaken DNA is not ok, and the report is JSON", async (context) => {
  const report = await checkDna({ cwd: folderWith(context, { "dna.ts": `export default { nmae: 1 };` }), machine });
  assert.equal(report.ok, false);
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  assert.deepEqual(report.diagnostics.map(({ code }) => code).sort(), [
    "CELLWS_E_DNA_UNKNOWN_KEY",
    "CELLWS_W_APP_NOT_GIVEN",
  ]);
});

const diagnostics: Diagnostic[] = [
  { code: "CELLWS_W_DNA_SEVERAL", message: "dna.ts is used, and not dna.js", found: "2 DNA files", expected: "one" },
  {
    code: "CELLWS_E_DNA_SYNTAX",
    message: "the DNA file cannot be parsed",
    file: "/srv/dna.ts",
    line: 3,
    column: 8,
    frame: "  b: 2 3\n       ^",
    found: "Expected ','",
    hint: "A long hint that has to be broken, since a terminal is only so wide and a line that wraps by itself loses its indent.",
  },
  {
    code: "CELLWS_E_DNA_RANGE",
    path: "drain.msMax",
    file: "/srv/dna.ts",
    message: "drain.msMax is out of range",
    found: "-1",
    expected: "more",
  },
];

test("diagnostics are printed errors first, aligned, wrapped and counted", () => {
  assert.equal(
    formatDiagnostics(diagnostics, { color: false, columns: 60 }),
    `CELLWS_E_DNA_SYNTAX  the DNA file cannot be parsed
  in        /srv/dna.ts:3:8
  found     Expected ','
  hint      A long hint that has to be broken, since a
            terminal is only so wide and a line that wraps
            by itself loses its indent.
    |   b: 2 3
    |        ^

CELLWS_E_DNA_RANGE  drain.msMax is out of range
  found     -1
  expected  more

CELLWS_W_DNA_SEVERAL  dna.ts is used, and not dna.js
  found     2 DNA files
  expected  one

2 mistakes, 1 warning in /srv/dna.ts. Codes are explained in docs/ERRORS.md.`,
  );
});

/** With the escape character written out: `<31m`. */
const visible = (text: string): string => text.replaceAll("\u001b[", "<");

test("colours mark what to look for, and end with it", () => {
  const text = visible(formatDiagnostics(diagnostics, { color: true }));
  assert.match(text, /<31mCELLWS_E_DNA_RANGE<0m {2}<1mdrain/);
  assert.match(text, /<33mCELLWS_W_DNA_SEVERAL<0m/);
  assert.equal(text.replaceAll(/<\d+m/g, ""), formatDiagnostics(diagnostics, { color: false }));
});

test("what a DNA says is shown and not carried out by the terminal", () => {
  const found = "\u001b]0;title\u0007\r\nx\ty";
  const text = formatDiagnostics([{ code: "CELLWS_E_DNA_THROWS", message: "m", found }], { color: false });
  assert.match(text, /found {5}\\x1b\]0;title\\x07\\x0d\n {12}x y\n/);
});

test("nothing wrong prints nothing", () => assert.equal(formatDiagnostics([], { color: true }), ""));
