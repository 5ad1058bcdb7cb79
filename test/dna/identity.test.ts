import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { canonicalJson, revisionOf } from "../../src/dna/identity.ts";
import { inheritDna } from "../../src/dna/inherit.ts";
import { loadDna, type LoadDnaRequest } from "../../src/dna/load.ts";
import { folderWith, machine } from "./support.ts";

async function revisionFor(cwd: string, request: Partial<LoadDnaRequest> = {}): Promise<string> {
  const result = await loadDna({ cwd, machine, ...request });
  assert.ok(result.ok, JSON.stringify(result));
  return result.revision;
}

test("the revision does not depend on how the DNA was written", async (context) => {
  const cwd = folderWith(context, {
    "server.js": "1",
    "a.ts": `export default { app: "./server.js", name: "x", cells: { drone: { max: 5, min: 2 } } };`,
    "b.ts": `// A comment.\nexport default async () => ({ cells: { drone: { min: 2, max: 5 } }, name: "x", app: "server.js", drain: {} });`,
    "c.json": `{ "name": "x", "app": "server.js", "cells": { "drone": { "min": 2, "max": 5 }, "stem": { "pool": 2 } } }`,
  });
  const revisions = await Promise.all(["a.ts", "b.ts", "c.json"].map((dnaFile) => revisionFor(cwd, { dnaFile })));
  assert.equal(new Set(revisions).size, 1);
});

test("the revision changes with a value, a flag, the machine, and the app's entry file", async (context) => {
  const cwd = folderWith(context, {
    "server.js": "1",
    "a.ts": `export default { app: "./server.js" };`,
    "b.ts": `export default { app: "./server.js", drain: { msMax: 1 } };`,
  });
  const revisions = [
    await revisionFor(cwd, { dnaFile: "a.ts" }),
    await revisionFor(cwd, { dnaFile: "b.ts" }),
    await revisionFor(cwd, { dnaFile: "a.ts", overrides: { port: 1 } }),
    await revisionFor(cwd, { dnaFile: "a.ts", machine: { ...machine, cpuCount: 9 } }),
  ];
  writeFileSync(path.join(cwd, "server.js"), "2");
  revisions.push(await revisionFor(cwd, { dnaFile: "a.ts" }));
  assert.equal(new Set(revisions).size, revisions.length, revisions.join(" "));
});

test("the revision does not depend on the content of envFile", async (context) => {
  const cwd = folderWith(context, {
    "server.js": "1",
    ".env": "A=1",
    "dna.ts": `export default { app: "./server.js", envFile: ".env" };`,
  });
  const before = await revisionFor(cwd);
  writeFileSync(path.join(cwd, ".env"), "A=2");
  assert.equal(await revisionFor(cwd), before);
});

test("a daughter's revision is her mother's", async (context) => {
  const cwd = folderWith(context, {
    "server.js": "1",
    "dna.ts": `export default { app: "./server.js", env: { ü: "x" } };`.replace("ü", "U"),
  });
  const result = await loadDna({ cwd, machine });
  assert.ok(result.ok);
  assert.equal(await revisionOf(inheritDna(JSON.stringify(result.dna))), result.revision);
});

test("canonical JSON orders keys and leaves lists alone", () => {
  assert.equal(canonicalJson({ b: [2, 1], a: { d: null, c: "é\n" } }), `{"a":{"c":"é\\n","d":null},"b":[2,1]}`);
});

test("what a cell and a user's dna.ts import loads no schema and no library", async () => {
  const modules = [
    "../../src/index.ts",
    "../../src/dna/inherit.ts",
    "../../src/dna/environment.ts",
    "../../src/dna/identity.ts",
  ];
  const script = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    for (const url of ${JSON.stringify(modules.map((module) => new URL(module, import.meta.url).href))}) await import(url);
    console.log(JSON.stringify(loaded));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  const loaded = JSON.parse(stdout) as string[];
  assert.ok(loaded.some((url) => url.endsWith("/src/dna/inherit.ts")));
  assert.deepEqual(
    loaded.filter((url) => url.includes("/node_modules/") || url.endsWith("/schema.ts")),
    [],
  );
});
