import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { readAppEnvironment } from "../../src/dna/environment.ts";
import { folderWith } from "./support.ts";

test("the DNA's env goes before what was inherited, and that before envFile", (context) => {
  const envFile = path.join(folderWith(context, { ".env": "A=file\nB=file\nC=file\n" }), ".env");
  const environment = readAppEnvironment({ env: { A: "dna" }, envFile }, { A: "shell", B: "shell", GONE: undefined });
  assert.deepEqual(environment, { ok: true, env: { A: "dna", B: "shell", C: "file" } });
});

test("envFile is read afresh each time", (context) => {
  const envFile = path.join(folderWith(context, { ".env": "A=1" }), ".env");
  const read = () => readAppEnvironment({ env: {}, envFile }, {});
  assert.deepEqual(read(), { ok: true, env: { A: "1" } });
  writeFileSync(envFile, `A="two words" # and a comment\nexport B='x'\n`);
  assert.deepEqual(read(), { ok: true, env: { A: "two words", B: "x" } });
});

test("without envFile there is what was inherited and what the DNA says", () => {
  assert.deepEqual(readAppEnvironment({ env: { A: "1" }, envFile: null }, { PATH: "/bin" }), {
    ok: true,
    env: { PATH: "/bin", A: "1" },
  });
});

test("an envFile that has gone, or is absurdly large, is a failure with a code, and not an empty environment", (context) => {
  const folder = folderWith(context, { ".env": "A=1", large: "#".repeat(1_048_577) });
  rmSync(path.join(folder, ".env"));
  for (const [name, found] of [
    [".env", /ENOENT/],
    ["large", /1048577 bytes/],
  ] as const) {
    const environment = readAppEnvironment({ env: {}, envFile: path.join(folder, name) }, {});
    assert.ok(!environment.ok);
    assert.equal(environment.diagnostic.code, "CELLWS_E_DNA_PATH");
    assert.equal(environment.diagnostic.file, path.join(folder, name));
    assert.match(environment.diagnostic.found!, found);
  }
});
