// The documents about the DNA are what they say they are: current, complete, and their examples work.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { derivedFiles, repositoryFile } from "../../scripts/dna-reference.ts";
import { checkDna, formatCheck } from "../../src/dna/check.ts";
import { loadDna } from "../../src/dna/load.ts";
import { folderWith, machine } from "./support.ts";

const read = (path: string): string => readFileSync(repositoryFile(path), "utf8");

for (const [path, text] of Object.entries(derivedFiles())) {
  test(`${path} is what the schema says (if not: node scripts/dna-reference.ts)`, () => assert.equal(read(path), text));
}

test("every error code in the sources is explained in docs/ERRORS.md", () => {
  const root = repositoryFile(".").pathname;
  const files = globSync(["src/**/*.ts", "bin/*"], { cwd: root });
  assert.ok(files.length > 10);
  const codes = new Map<string, string>();
  for (const file of files) {
    for (const [code] of read(file).matchAll(/CELLWS_[EW]_[A-Z0-9]+(?:_[A-Z0-9]+)*/g)) codes.set(code, file);
  }
  const explained = new Set(read("docs/ERRORS.md").match(/(?<=^### )CELLWS_[EW]_\w+$/gm));
  const missing = [...codes].filter(([code]) => !explained.has(code)).map(([code, file]) => `${code} (${file})`);
  assert.deepEqual(missing, [], "codes without a section `### CODE` in docs/ERRORS.md");
});

test("docs/ERRORS.md explains each code once, in sentences", () => {
  const sections = read("docs/ERRORS.md").split(/^### /m).slice(1);
  const codes = sections.map((section) => section.slice(0, section.indexOf("\n")));
  assert.deepEqual(
    codes.filter((code, index) => codes.indexOf(code) !== index),
    [],
  );
  for (const section of sections) assert.match(section, /^CELLWS_[EW]_[A-Z0-9_]+\n\n\S[\s\S]{40,}\.\n/);
});

const page = read("docs/DNA.md");
const blocks = [...page.matchAll(/^( *)```(ts|json)\n([\s\S]*?)^ *```$/gm)].map(([, indent, language, text]) => ({
  language: language!,
  text: text!.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
}));

for (const [index, { language, text }] of blocks.entries()) {
  test(`example ${index + 1} of docs/DNA.md is a sound DNA`, async (context) => {
    const files = { "server.js": "", ".env": "", "ports.json": `{ "port": 3000 }`, [`dna.${language}`]: text };
    const result = await loadDna({ cwd: folderWith(context, files), machine });
    assert.ok(result.ok, JSON.stringify(result, null, 2));
  });
}

test("docs/DNA.md has its examples, and shows what check really prints", async (context) => {
  assert.equal(blocks.length, 4);
  const shown = /```console\n\$ cellws check\n([\s\S]*?)```/.exec(page)![1]!;
  const cwd = folderWith(context, {
    "server.js": "",
    "dna.ts": `export default { app: "./server.js", drain: { msMax: "30s" } };`,
  });
  const report = await checkDna({ cwd, machine });
  assert.equal(`${formatCheck(report, { color: false }).replaceAll(cwd, "/srv/shop")}\n`, shown);
});
