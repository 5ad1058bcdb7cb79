// Functions in a DNA: they travel as references, and each cell that calls them reads them again.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { loadDna } from "../../src/dna/load.ts";
import { loadDnaFunctions } from "../../src/host/immune/dna-functions.ts";
import { folderWith, machine } from "../dna/support.ts";

type Filter = (request: { path: string }) => string;

const source = (verdict: string): string => `import { defineDna } from "cellws";
  const noAdmin = ({ path }) => (path.startsWith("/admin") ? "${verdict}" : "pass");
  export default defineDna(() => ({ app: "./server.js", immune: { filters: [noAdmin, () => "watch"] } }));`;

test("a function in immune.filters is no mistake, and elsewhere it is", async (context) => {
  const wrong = `export default { app: "./server.js", drain: { msMax: () => 3 }, immune: { filters: [() => "pass"] } }`;
  const result = await loadDna({ cwd: folderWith(context, { "server.js": "", "dna.ts": wrong }), machine });
  const told = result.ok ? [] : result.diagnostics;
  assert.deepEqual(
    told.map(({ code, path: place }) => [code, place]),
    [["CELLWS_E_DNA_NOT_PLAIN", "drain.msMax"]],
  );
});

test("a cell reads the functions that its DNA refers to, whatever made the DNA", async (context) => {
  const file = path.join(folderWith(context, { "dna.mjs": source("block") }), "dna.mjs");
  const references = ["noAdmin", "anonymous"].map((name) => ({ file, name }));
  const [noAdmin, second] = await loadDnaFunctions<Filter>("immune.filters", references);
  assert.equal(noAdmin?.name, "noAdmin");
  assert.equal(noAdmin.call({ path: "/admin/users" }), "block");
  assert.equal(second?.call({ path: "/" }), "watch");
  assert.deepEqual(await loadDnaFunctions("immune.filters", []), []);
});

test("a list that has become another, and a file that is gone, are told with what to do", async (context) => {
  const file = path.join(folderWith(context, { "dna.mjs": source("block") }), "dna.mjs");
  const one = [{ file, name: "noAdmin" }];
  await assert.rejects(loadDnaFunctions("immune.filters", one), { code: "CELLWS_E_DNA_FUNCTIONS" });
  await assert.rejects(loadDnaFunctions("immune.reactions", one), { code: "CELLWS_E_DNA_FUNCTIONS" });
  const gone = path.join(path.dirname(file), "gone.mjs");
  fs.rmSync(gone, { force: true });
  await assert.rejects(loadDnaFunctions("immune.filters", [{ file: gone, name: "x" }]), {
    code: "CELLWS_E_DNA_FUNCTIONS",
    message: /cannot be read from/,
  });
});
