// Finding and reading a DNA file, with everything that can go wrong on the way: real files, real worker threads.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as path from "node:path";
import { promisify } from "node:util";
import { test, type TestContext } from "node:test";
import type { Diagnostic } from "../../src/dna/diagnostic.ts";
import { dnaFileNames, loadDna, type LoadDnaRequest, type LoadDnaResult } from "../../src/dna/load.ts";
import { folderWith, machine } from "./support.ts";

const server = { "server.js": "// a server" };

async function load(
  context: TestContext,
  files: Record<string, string>,
  request: Partial<LoadDnaRequest> = {},
): Promise<LoadDnaResult & { cwd: string }> {
  const cwd = folderWith(context, files);
  return { ...(await loadDna({ cwd, machine, ...request })), cwd };
}

function assertOk(result: LoadDnaResult): asserts result is Extract<LoadDnaResult, { ok: true }> {
  assert.ok(result.ok, JSON.stringify(result, null, 2));
}

/** The only diagnostic, without the folder that it happened in. */
function onlyMistake(result: LoadDnaResult & { cwd: string }): Diagnostic {
  assert.ok(!result.ok);
  assert.equal(result.diagnostics.length, 1, JSON.stringify(result.diagnostics, null, 2));
  return JSON.parse(JSON.stringify(result.diagnostics[0]).replaceAll(result.cwd, "")) as Diagnostic;
}

// ---- Ways to write a DNA ---------------------------------------------------------------------------------

const ways: ReadonlyArray<[title: string, file: string, text: string]> = [
  ["a plain object in TypeScript", "dna.ts", `const app: string = "./server.js"; export default { app, name: "way" };`],
  [
    "defineDna, without cellws being installed",
    "dna.ts",
    `import { defineDna } from "cellws"; export default defineDna({ app: "./server.js", name: "way" });`,
  ],
  [
    "a type from cellws",
    "dna.ts",
    `import type { DnaInput } from "cellws"; export default { app: "./server.js", name: "way" } satisfies DnaInput;`,
  ],
  ["an ES module", "dna.mjs", `export default { app: "./server.js", name: "way" };`],
  ["CommonJS", "dna.cjs", `module.exports = { app: "./server.js", name: "way" };`],
  [
    "CommonJS that requires defineDna",
    "dna.cjs",
    `const { defineDna } = require("cellws"); module.exports = defineDna({ app: "./server.js", name: "way" });`,
  ],
  ["a .js file without a package.json", "dna.js", `export default { app: "./server.js", name: "way" };`],
  [
    "what a compiler made of a default export",
    "dna.cjs",
    `exports.__esModule = true; exports.default = { app: "./server.js", name: "way" };`,
  ],
  ["JSON", "dna.json", `{ "$schema": "./dna.schema.json", "app": "./server.js", "name": "way" }`],
  ["JSON with a byte order mark", "dna.json", `\uFEFF{ "app": "./server.js", "name": "way" }\n`],
  ["a function", "dna.ts", `export default () => ({ app: "./server.js", name: "way" });`],
  [
    "an async function",
    "dna.ts",
    `export default async () => { await null; return { app: "./server.js", name: "way" }; };`,
  ],
  ["a promise", "dna.ts", `export default Promise.resolve({ app: "./server.js", name: "way" });`],
  [
    "top-level await",
    "dna.ts",
    `const name = await Promise.resolve("way"); export default { app: "./server.js", name };`,
  ],
  ["something imported", "dna.ts", `import { name } from "./name.ts"; export default { app: "./server.js", name };`],
  [
    "a program that leaves a timer running",
    "dna.ts",
    `setInterval(() => {}, 1000); export default { app: "./server.js", name: "way" };`,
  ],
];

for (const [title, file, text] of ways) {
  test(`a DNA may be ${title}`, async (context) => {
    const result = await load(context, { ...server, "name.ts": `export const name = "way";`, [file]: text });
    assertOk(result);
    assert.equal(result.dna.name, "way");
    assert.equal(result.dna.app, path.join(result.cwd, "server.js"));
    assert.equal(result.dnaFile, path.join(result.cwd, file));
    assert.deepEqual(result.warnings, []);
    assert.match(result.revision, /^[0-9a-f]{12}$/);
  });
}

test("what a DNA prints goes to stderr: the output of the command stays its own", async (context) => {
  const cwd = folderWith(context, {
    ...server,
    "dna.ts": `console.log("noise"); export default { app: "./server.js" };`,
  });
  const script = `
    import { checkDna } from ${JSON.stringify(new URL("../../src/dna/check.ts", import.meta.url).href)};
    console.log(JSON.stringify(await checkDna({ cwd: ${JSON.stringify(cwd)} })));`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  assert.equal((JSON.parse(stdout) as { ok: boolean }).ok, true);
  assert.match(stderr, /noise/);
});

// ---- Which file, which app -------------------------------------------------------------------------------

test("without a DNA file everything is default, named after the folder's package", async (context) => {
  const result = await load(
    context,
    { ...server, "package.json": `{ "name": "@acme/Web_Shop" }` },
    { app: "server.js" },
  );
  assertOk(result);
  assert.equal(result.dnaFile, null);
  assert.equal(result.dna.name, "web-shop");
  assert.equal(result.dna.cwd, result.cwd);
  assert.deepEqual(result.dna.listen, [{ port: 8_080, host: "127.0.0.1", tls: null, httpsRedirectPort: null }]);
  assert.deepEqual(result.dna.cells.drone, { min: 1, max: 4 });
});

for (const name of dnaFileNames) {
  test(`${name} in the current folder is found`, async (context) => {
    const text = name.endsWith(".json")
      ? `{ "app": "./server.js" }`
      : name.endsWith(".cjs")
        ? `module.exports = { app: "./server.js" };`
        : `export default { app: "./server.js" };`;
    const result = await load(context, { ...server, [name]: text });
    assertOk(result);
    assert.equal(result.dnaFile, path.join(result.cwd, name));
  });
}

test("of several the source is taken, with a warning", async (context) => {
  const result = await load(context, {
    ...server,
    "dna.ts": `export default { app: "./server.js", name: "source" };`,
    "dna.js": "throw 1",
    "dna.json": "{}",
  });
  assertOk(result);
  assert.equal(result.dna.name, "source");
  assert.deepEqual(
    result.warnings.map(({ code, message }) => [code, message]),
    [["CELLWS_W_DNA_SEVERAL", "dna.ts is used, and not dna.js, dna.json"]],
  );
});

test("a DNA beside the app, and not in the current folder, is not used without being asked for, and that is said", async (context) => {
  const files = { "shop/server.js": "//", "shop/dna.ts": `export default { name: "beside" };` };
  const without = await load(context, files, { app: "shop/server.js" });
  assertOk(without);
  assert.notEqual(without.dna.name, "beside");
  assert.deepEqual(
    without.warnings.map(({ code, hint }) => [code, hint]),
    [["CELLWS_W_DNA_UNUSED", `To use it: --dna ${without.cwd}/shop/dna.ts`]],
  );

  const asked = await load(context, files, { app: "shop/server.js", dnaFile: "shop/dna.ts" });
  assertOk(asked);
  assert.equal(asked.dna.name, "beside");
  assert.equal(asked.dna.cwd, path.join(asked.cwd, "shop"));
});

test("paths in the DNA start from its folder, those on the command line from the current one", async (context) => {
  const files = {
    "conf/dna.ts": `export default { app: "../a/app.ts", cwd: "..", envFile: ".env" };`,
    "conf/.env": "",
    "a/app.ts": "//",
    "b/app.js": "//",
  };
  const result = await load(context, files, { dnaFile: "conf/dna.ts" });
  assertOk(result);
  assert.deepEqual(
    [result.dna.app, result.dna.cwd, result.dna.envFile],
    ["a/app.ts", "", "conf/.env"].map((file) => path.join(result.cwd, file)),
  );
  const overridden = await load(context, files, { dnaFile: "conf/dna.ts", app: "b/app.js" });
  assertOk(overridden);
  assert.equal(overridden.dna.app, path.join(overridden.cwd, "b/app.js"));
});

const apps: ReadonlyArray<[title: string, files: Record<string, string>, app: string | undefined, found: string]> = [
  ["a file", { "server.mjs": "" }, "server.mjs", "server.mjs"],
  ["a file without an extension, as Express generates", { "bin/www": "" }, "bin/www", "bin/www"],
  ["a folder with an index file", { "app/index.ts": "" }, "app", "app/index.ts"],
  [
    "a folder with a package.json",
    { "app/package.json": `{ "main": "lib/run.js" }`, "app/lib/run.js": "", "app/index.js": "" },
    "app",
    "app/lib/run.js",
  ],
  ["the current folder", { "package.json": `{ "main": "./run.js" }`, "run.js": "" }, ".", "run.js"],
  [
    "package.json's main, when nobody says anything",
    { "package.json": `{ "main": "run.js" }`, "run.js": "" },
    undefined,
    "run.js",
  ],
];

for (const [title, files, app, found] of apps) {
  test(`the app may be ${title}`, async (context) => {
    const result = await load(context, files, { app });
    assertOk(result);
    assert.equal(result.dna.app, path.join(result.cwd, found));
  });
}

test("an app on the command line goes before the DNA's, and that before package.json's main", async (context) => {
  const files = {
    "a.js": "",
    "b.js": "",
    "c.js": "",
    "package.json": `{ "main": "a.js" }`,
    "dna.ts": `export default { app: "b.js" };`,
  };
  const fromDna = await load(context, files);
  assertOk(fromDna);
  assert.equal(path.basename(fromDna.dna.app), "b.js");
  const fromCommandLine = await load(context, files, { app: "c.js" });
  assertOk(fromCommandLine);
  assert.equal(path.basename(fromCommandLine.dna.app), "c.js");
});

test("a DNA that is CommonJS and exports nothing is an empty one", async (context) => {
  const result = await load(context, { ...server, "dna.cjs": "" }, { app: "server.js" });
  assertOk(result);
  assert.equal(path.basename(result.dnaFile!), "dna.cjs");
});

test("a package.json that cannot be read is no reason to refuse", async (context) => {
  const result = await load(context, { ...server, "package.json": "{ name: oops" }, { app: "server.js" });
  assertOk(result);
  assert.match(result.dna.name, /^cellws-dna-/);
});

test("what is loaded cannot be changed, and JSON carries all of it", async (context) => {
  const result = await load(context, {
    ...server,
    "dna.ts": `export default { app: "./server.js", env: { A: "1" } };`,
  });
  assertOk(result);
  assert.throws(() => ((result.dna as { name: string }).name = "other"), TypeError);
  assert.throws(() => ((result.dna.env as Record<string, string>)["A"] = "2"), TypeError);
  assert.deepEqual(JSON.parse(JSON.stringify(result.dna)), result.dna);
});

// ---- What goes wrong -------------------------------------------------------------------------------------

interface Trouble {
  title: string;
  files: Record<string, string>;
  request?: Partial<LoadDnaRequest>;
  /** With the temporary folder cut off: files begin with a slash. */
  told: { [Key in keyof Diagnostic]?: Diagnostic[Key] | RegExp };
}

const troubles: readonly Trouble[] = [
  {
    title: "a DNA file that is not there, with the near one",
    files: { "dna.ts": "" },
    request: { dnaFile: "dan.ts" },
    told: { code: "CELLWS_E_DNA_NOT_FOUND", path: "--dna", found: "nothing at /dan.ts", hint: "Did you mean /dna.ts?" },
  },
  {
    title: "a folder for a DNA file",
    files: { "conf/dna.mjs": "" },
    request: { dnaFile: "conf" },
    told: { code: "CELLWS_E_DNA_NOT_FOUND", found: "/conf is not a file", hint: "Did you mean /conf/dna.mjs?" },
  },
  {
    title: "a DNA in a language that is not read",
    files: { "dna.yaml": "app: server.js" },
    request: { dnaFile: "dna.yaml" },
    told: {
      code: "CELLWS_E_DNA_FILE_TYPE",
      file: "/dna.yaml",
      found: ".yaml",
      expected: ".ts, .mts, .cts, .js, .mjs, .cjs, .json",
    },
  },
  {
    title: "a syntax error in TypeScript, with its place",
    files: { "dna.ts": `export default {\n  app: "./server.js"\n  name: "x",\n};\n` },
    told: { code: "CELLWS_E_DNA_SYNTAX", file: "/dna.ts", line: 3, column: 3, frame: `  name: "x",\n  ^^^^` },
  },
  {
    title: "a syntax error in an ES module, with its place",
    files: { "dna.mjs": `export default {\n  app: "./server.js"\n  name: "x",\n};\n` },
    told: { code: "CELLWS_E_DNA_SYNTAX", file: "/dna.mjs", line: 3, column: 3, found: "Unexpected identifier 'name'" },
  },
  {
    title: "a syntax error in CommonJS, with its place",
    files: { "dna.cjs": `module.exports = {\n  app: "./server.js"\n  name: "x",\n};\n` },
    told: { code: "CELLWS_E_DNA_SYNTAX", file: "/dna.cjs", line: 3, column: 3 },
  },
  {
    title: "a syntax error in what the DNA imports, with its place",
    files: { "dna.ts": `import "./sub.ts"; export default {};`, "sub.ts": "const a = ;" },
    told: { code: "CELLWS_E_DNA_SYNTAX", file: "/sub.ts", line: 1 },
  },
  {
    title: "JSON with a comma too many",
    files: { "dna.json": `{\n  "app": "x",\n}\n` },
    told: { code: "CELLWS_E_DNA_SYNTAX", file: "/dna.json", line: 3, column: 1, frame: "}\n^" },
  },
  {
    title: "JSON that ends too soon",
    files: { "dna.json": `{\n  "app": "x"\n` },
    told: { code: "CELLWS_E_DNA_SYNTAX", file: "/dna.json", line: 2, frame: `  "app": "x"\n            ^` },
  },
  {
    title: "an empty JSON file",
    files: { "dna.json": "" },
    told: { code: "CELLWS_E_DNA_SYNTAX", file: "/dna.json", line: 1 },
  },
  {
    title: "an enum, which Node does not compile",
    files: { "dna.ts": `enum Level { low }\nexport default {};` },
    told: {
      code: "CELLWS_E_DNA_TYPESCRIPT",
      file: "/dna.ts",
      line: 1,
      found: "TypeScript enum is not supported in strip-only mode",
      hint: `Write the enum as an object: const Level = { low: "low", high: "high" } as const.`,
    },
  },
  {
    title: "a parameter property, which Node does not compile",
    files: { "dna.ts": `class A { constructor(readonly a: string) {} }\nexport default { app: new A("x").a };` },
    told: { code: "CELLWS_E_DNA_TYPESCRIPT", file: "/dna.ts", line: 1 },
  },
  {
    title: "TypeScript from a package",
    files: {
      "dna.ts": `import "pkg"; export default {};`,
      "node_modules/pkg/index.ts": "export {};",
      "node_modules/pkg/package.json": `{ "name": "pkg", "type": "module", "exports": "./index.ts" }`,
    },
    told: { code: "CELLWS_E_DNA_TYPESCRIPT", expected: "packages that ship JavaScript" },
  },
  {
    title: "no default export, but another",
    files: { "dna.ts": `export const dna = { app: "./server.js" };` },
    told: {
      code: "CELLWS_E_DNA_NO_EXPORT",
      file: "/dna.ts",
      found: "exports named dna",
      expected: "export default defineDna({ ... })",
    },
  },
  {
    title: "no export at all",
    files: { "dna.ts": `const dna = {};`, "package.json": `{ "type": "module" }` },
    told: { code: "CELLWS_E_DNA_NO_EXPORT", found: "no exports" },
  },
  {
    title: "an export that is no object",
    files: { "dna.ts": `export default "./server.js";` },
    told: { code: "CELLWS_E_DNA_NOT_OBJECT", file: "/dna.ts", found: '"./server.js" (a string)' },
  },
  {
    title: "a function that returns nothing",
    files: { "dna.ts": `export default () => { ({ app: "./server.js" }); };` },
    told: {
      code: "CELLWS_E_DNA_NOT_OBJECT",
      found: "undefined",
      hint: "Export the object itself, or a function that returns it.",
    },
  },
  {
    title: "a DNA that throws, with its place",
    files: {
      "dna.ts": `const secret = process.env["NOPE_NOPE"];\nif (!secret) throw new Error("NOPE_NOPE is not set");\nexport default {};`,
    },
    told: { code: "CELLWS_E_DNA_THROWS", file: "/dna.ts", line: 2, column: 20, found: "Error: NOPE_NOPE is not set" },
  },
  {
    title: "a function that throws, with its place",
    files: { "dna.ts": `export default async () => {\n  await null;\n  JSON.parse("{");\n};` },
    told: { code: "CELLWS_E_DNA_THROWS", file: "/dna.ts", line: 3, column: 8 },
  },
  {
    title: "something thrown that is no error",
    files: { "dna.ts": `throw "a fit";` },
    told: { code: "CELLWS_E_DNA_THROWS", file: "/dna.ts", found: "a fit" },
  },
  {
    title: "a promise that nobody waited for, rejected",
    files: {
      "dna.ts": `Promise.reject(new Error("stray")); await new Promise((done) => setTimeout(done, 5_000)); export default {};`,
    },
    told: { code: "CELLWS_E_DNA_THROWS", file: "/dna.ts", line: 1, found: "Error: stray" },
  },
  {
    title: "a DNA that ends the process",
    files: { "dna.ts": `process.exit(3);` },
    told: {
      code: "CELLWS_E_DNA_THROWS",
      message: "the DNA ended the process instead of exporting something",
      found: "process.exit(3)",
    },
  },
  {
    title: "an import that is not installed",
    files: { "dna.ts": `import "no-such-package"; export default {};` },
    told: {
      code: "CELLWS_E_DNA_IMPORT",
      file: "/dna.ts",
      hint: "Install it where the DNA is: npm install no-such-package.",
    },
  },
  {
    title: "an import without its extension",
    files: { "dna.ts": `import { a } from "./config"; export default { app: a };`, "config.ts": "export const a = 1;" },
    told: { code: "CELLWS_E_DNA_IMPORT", file: "/dna.ts", hint: "Did you mean config.ts?" },
  },
  {
    title: "an import of something that is not exported",
    files: {
      "dna.ts": `import { b } from "./config.ts"; export default { app: b };`,
      "config.ts": "export const a = 1;",
    },
    told: {
      code: "CELLWS_E_DNA_IMPORT",
      file: "/dna.ts",
      line: 1,
      found: "The requested module './config.ts' does not provide an export named 'b'",
    },
  },
  {
    title: "an await that nothing will ever settle",
    files: { "dna.ts": `await new Promise(() => {}); export default {};` },
    told: { code: "CELLWS_E_DNA_TIMEOUT", message: "the DNA never comes to an end" },
  },
  {
    title: "a function that never settles, with something that keeps it waiting",
    files: { "dna.ts": `export default async () => { setInterval(() => {}, 1000); await new Promise(() => {}); };` },
    request: { loadMsMax: 500 },
    told: { code: "CELLWS_E_DNA_TIMEOUT", message: "the DNA was not ready after 500 ms" },
  },
  {
    title: "an endless loop",
    files: { "dna.ts": `for (;;);` },
    request: { loadMsMax: 500 },
    told: { code: "CELLWS_E_DNA_TIMEOUT", hint: /endless loop/ },
  },
  {
    title: "a function among the keys",
    files: { ...server, "dna.ts": `export default { app: "./server.js", http: { headBytesMax: () => 5 } };` },
    told: { code: "CELLWS_E_DNA_NOT_PLAIN", path: "http.headBytesMax", found: "a function" },
  },
  {
    title: "an instance of a class for a DNA",
    files: { ...server, "dna.ts": `export default new Map([["app", "./server.js"]]);` },
    told: { code: "CELLWS_E_DNA_NOT_PLAIN", message: "the DNA is not plain data", found: "an instance of Map" },
  },
  {
    title: "no app anywhere",
    files: {},
    told: {
      code: "CELLWS_E_APP_NOT_GIVEN",
      path: "app",
      hint: 'Name it: `cellws start server.js`; or write app: "./server.js" into dna.ts.',
    },
  },
  {
    title: "an app that is not there, with the near one",
    files: server,
    request: { app: "sevrer.js" },
    told: {
      code: "CELLWS_E_APP_NOT_FOUND",
      path: "app (on the command line)",
      found: "nothing at /sevrer.js",
      hint: "Did you mean /server.js?",
    },
  },
  {
    title: "an app named without its extension",
    files: { "server.ts": "" },
    request: { app: "server" },
    told: { code: "CELLWS_E_APP_NOT_FOUND", hint: "Did you mean /server.ts?" },
  },
  {
    title: "the compiled app, before it was compiled",
    files: { "src/server.ts": "" },
    request: { app: "dist/server.js" },
    told: { code: "CELLWS_E_APP_NOT_FOUND", found: "nothing at /dist/server.js, nor a folder /dist" },
  },
  {
    title: "an app of the DNA that is not there",
    files: { "dna.ts": `export default { app: "./nowhere/at-all.js" };` },
    told: {
      code: "CELLWS_E_APP_NOT_FOUND",
      path: "app",
      file: "/dna.ts",
      found: "nothing at /nowhere/at-all.js, nor a folder /nowhere",
    },
  },
  {
    title: "package.json's main that is not there",
    files: { "package.json": `{ "main": "dist/x.js" }` },
    told: { code: "CELLWS_E_APP_NOT_FOUND", path: "main (in package.json)" },
  },
  {
    title: "a folder without anything to start",
    files: { "app/readme.md": "" },
    request: { app: "app" },
    told: { code: "CELLWS_E_APP_NOT_FOUND", found: "no main in package.json and no index file" },
  },
  {
    title: "a file that Node cannot run",
    files: { "app.py": "" },
    request: { app: "app.py" },
    told: { code: "CELLWS_E_APP_NOT_FOUND", message: "the app is not a file that Node can run", found: "a .py file" },
  },
  {
    title: "an envFile that is not there",
    files: { ...server, ".env.local": "", "dna.ts": `export default { app: "./server.js", envFile: ".env.locla" };` },
    told: {
      code: "CELLWS_E_DNA_PATH",
      path: "envFile",
      file: "/dna.ts",
      found: "nothing at /.env.locla",
      hint: "Did you mean /.env.local?",
    },
  },
  {
    title: "a working directory that is a file",
    files: { ...server, "dna.ts": `export default { app: "./server.js", cwd: "server.js" };` },
    told: {
      code: "CELLWS_E_DNA_PATH",
      path: "cwd",
      found: "/server.js is not a folder",
      expected: "a folder that exists",
    },
  },
];

for (const { title, files, request, told } of troubles) {
  test(`told: ${title}`, async (context) => {
    const diagnostic = onlyMistake(await load(context, files, request));
    for (const [key, expected] of Object.entries(told)) {
      const actual = diagnostic[key as keyof Diagnostic];
      if (expected instanceof RegExp) assert.match(String(actual), expected);
      else assert.equal(actual, expected, `${key}: ${JSON.stringify(diagnostic, null, 2)}`);
    }
    assert.doesNotMatch(JSON.stringify(diagnostic), /node:internal|import-worker/);
  });
}

// Tests run as root in containers, whom permissions do not stop: a file that exists and cannot be read is needed.
test("told: an app that is there and cannot be read", { skip: process.platform !== "linux" }, async (context) => {
  const diagnostic = onlyMistake(await load(context, {}, { app: "/proc/self/mem" }));
  assert.deepEqual([diagnostic.code, diagnostic.message], ["CELLWS_E_APP_NOT_FOUND", "the app cannot be read"]);
  assert.match(diagnostic.found!, /^\/proc\/self\/mem: E/);
});

test("told: JSON that is nested deeper than any configuration", async (context) => {
  const nested = `${"[".repeat(100)}${"]".repeat(100)}`;
  const result = await load(context, { ...server, "dna.json": `{ "app": "./server.js", "env": ${nested} }` });
  assert.ok(!result.ok);
  assert.deepEqual(
    result.diagnostics.map(({ code, found }) => [code, found]),
    [
      ["CELLWS_E_DNA_NOT_PLAIN", "nested more than 32 deep"],
      ["CELLWS_E_DNA_TYPE", "a list of 1"],
    ],
  );
});

test("mistakes of every kind are told in one go", async (context) => {
  const result = await load(
    context,
    {
      ...server,
      "dna.ts": `export default { app: "./sever.js", nmae: "x", cwd: "./nowhere", env: { F: () => 1 }, cells: { drone: { min: 3, max: 2 } } };`,
    },
    { overrides: { port: "x" } },
  );
  assert.ok(!result.ok);
  assert.deepEqual(result.diagnostics.map(({ code, path }) => `${code} ${path}`).sort(), [
    "CELLWS_E_APP_NOT_FOUND app",
    "CELLWS_E_DNA_CONFLICT cells.drone.min",
    "CELLWS_E_DNA_NOT_PLAIN env.F",
    "CELLWS_E_DNA_PATH cwd",
    "CELLWS_E_DNA_TYPE --port",
    "CELLWS_E_DNA_UNKNOWN_KEY nmae",
  ]);
  // What a flag says is not in the file.
  assert.deepEqual(
    result.diagnostics.filter(({ file }) => file === undefined).map(({ path }) => path),
    ["--port"],
  );
});
