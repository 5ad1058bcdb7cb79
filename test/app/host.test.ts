import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type ChildOrder, type ChildReport, MARK } from "./host-child.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "cellws-host-")));
after(() => rmSync(root, { recursive: true, force: true }));

// Whatever package.json lies further up says nothing about these apps.
writeFileSync(join(root, "package.json"), "{}");

let folders = 0;

/** Writes the files of an app, and returns the path of the one that is named (by default the only one, or the folder). */
function app(files: Record<string, string>, start: string = Object.keys(files)[0] as string): string {
  const folder = join(root, `app-${(folders += 1)}`);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return join(folder, start);
}

async function host(order: ChildOrder): Promise<ChildReport & { printed: string }> {
  const child = spawn(
    process.execPath,
    [join(dirname(fileURLToPath(import.meta.url)), "host-child.ts"), JSON.stringify(order)],
    { env: { PATH: process.env["PATH"], HOME: root }, cwd: root },
  );
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += String(chunk)));
  child.stderr.on("data", (chunk: Buffer) => (output += String(chunk)));
  const tooLong = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await new Promise((resolve) => child.on("close", resolve));
  clearTimeout(tooLong);
  const [printed = "", report] = output.split(`\n${MARK}`);
  assert(report !== undefined, `no report, but: ${output}`);
  return { ...(JSON.parse(report) as ChildReport), printed };
}

const { stringify } = JSON;
const listenSource = `require("node:http").createServer((req, res) => res.end("answered " + req.url)).listen(3000);`;

describe("an app that listens is hosted", { concurrency: 3 }, () => {
  const esmListen = `import http from "node:http";
    http.createServer((req, res) => res.end("answered " + req.url)).listen(3000);`;
  const sources: Record<string, [file: string, source: string]> = {
    "CommonJS by extension": ["app.cjs", listenSource],
    "CommonJS by default": ["app.js", listenSource],
    "an ES module by extension": ["app.mjs", esmListen],
    "an ES module by its syntax": ["app.js", esmListen],
    "TypeScript as an ES module": ["app.mts", `const n: number = 1; ${esmListen} void n;`],
    "TypeScript as CommonJS": ["app.cts", `const n: number = 1; ${listenSource} void n;`],
    "TypeScript by its syntax": ["app.ts", `type X = number; ${esmListen} export const n: X = 1;`],
    "with top-level await": [
      "app.mjs",
      esmListen.replace("http.createServer", "await new Promise((r) => setTimeout(r, 30)); http.createServer"),
    ],
    "asynchronously, after it was loaded": ["app.js", `setTimeout(() => { ${listenSource} }, 150);`],
    "with exports besides": ["app.js", `${listenSource} module.exports = () => { throw new Error("not me"); };`],
    "inside `require.main === module`": ["app.js", `if (require.main === module) { ${listenSource} }`],
    "inside a comparison of import.meta.url with argv": [
      "app.mjs",
      `import { pathToFileURL } from "node:url";
       import http from "node:http";
       if (import.meta.url === pathToFileURL(process.argv[1]).href)
         http.createServer((req, res) => res.end("answered " + req.url)).listen(3000);`,
    ],
    "inside import.meta.main": [
      "app.mjs",
      `import http from "node:http";
       if (import.meta.main) http.createServer((req, res) => res.end("answered " + req.url)).listen(3000);`,
    ],
  };
  for (const [name, [file, source]] of Object.entries(sources)) {
    test(name, async () => {
      const report = await host({ path: app({ [file]: source }), requests: [{ target: "/x" }] });
      assert.deepEqual(report.failure, null, report.failure?.stack);
      assert.deepEqual(report.answers, [{ status: 200, text: "answered /x" }]);
      assert.equal(report.kind, "server");
      assert.equal(report.inFlight, 0);
    });
  }
});

describe("an app that exports is hosted", { concurrency: 3 }, () => {
  const sources: Record<string, [file: string, source: string, kind: string, description: string]> = {
    "a default export with fetch": [
      "app.mjs",
      `export default { fetch: (request) => new Response("answered " + new URL(request.url).pathname) };`,
      "fetch",
      "a default export with fetch",
    ],
    "module.exports with fetch, and a port as Bun has it": [
      "app.cjs",
      `module.exports = { port: 3000, fetch(request) { return new Response("answered " + new URL(request.url).pathname); } };`,
      "fetch",
      "a default export with fetch",
    ],
    "a nested default, as compilers make it": [
      "app.cjs",
      `exports.default = { default: { fetch: () => new Response("answered /x") } };`,
      "fetch",
      "a default export with fetch",
    ],
    "a function (req, res)": [
      "app.mjs",
      `export default function handler(req, res) { res.end("answered " + req.url); }`,
      "server",
      "an exported (req, res) function",
    ],
    "module.exports of a function": [
      "app.cjs",
      `module.exports = (req, res) => res.end("answered " + req.url);`,
      "server",
      "an exported (req, res) function",
    ],
    "a server that does not listen": [
      "app.mjs",
      `import http from "node:http"; export default http.createServer((req, res) => res.end("answered " + req.url));`,
      "server",
      "an exported server",
    ],
  };
  for (const [name, [file, source, kind, description]] of Object.entries(sources)) {
    test(name, async () => {
      const report = await host({ path: app({ [file]: source }), requests: [{ target: "/x" }] });
      assert.deepEqual(report.failure, null, report.failure?.stack);
      assert.deepEqual(report.answers, [{ status: 200, text: "answered /x" }]);
      assert.deepEqual([report.kind, report.description], [kind, description]);
      assert.deepEqual(report.events, []);
    });
  }

  test("until it listens: then that is what answers", async () => {
    const path = app({
      "app.cjs": `module.exports = (req, res) => res.end("exported");
        setTimeout(() => require("node:http").createServer((req, res) => res.end("listening")).listen(3000), 300);`,
    });
    const report = await host({ path, requests: [{ target: "/" }, { target: "/", afterMs: 400 }] });
    assert.deepEqual(
      report.answers.map(({ text }) => text),
      ["exported", "listening"],
    );
  });
});

describe("the app finds its process as `node FILE` would make it", { concurrency: 3 }, () => {
  const show = `module.exports = (req, res) => res.end(JSON.stringify({
    argv: process.argv.slice(1), port: process.env.PORT, extra: process.env.EXTRA, cwd: process.cwd(),
    loaded: globalThis.loaded, execArgv: process.execArgv }));`;
  const shown = (report: ChildReport): Record<string, unknown> => {
    assert.deepEqual(report.failure, null, report.failure?.stack);
    return JSON.parse(report.answers[0]?.text ?? "null") as Record<string, unknown>;
  };

  test("argv, and PORT as the organism's", async () => {
    const path = app({ "app.js": show });
    const { argv, port, cwd } = shown(await host({ path, listeners: [{ host: "::1", port: 4321 }] }));
    assert.deepEqual([argv, port, cwd], [[path], "4321", root]);
  });

  test("PORT and others from the DNA's env go first", async () => {
    const report = await host({ path: app({ "app.js": show }), env: { PORT: "99", EXTRA: "given" } });
    const { port, extra } = shown(report);
    assert.deepEqual([port, extra], ["99", "given"]);
  });

  test("a symbolic link is followed, as for import.meta.url", async () => {
    const path = app({ "real.js": show });
    const link = join(dirname(path), "link.js");
    symlinkSync(path, link);
    assert.deepEqual(shown(await host({ path: link }))["argv"], [path]);
  });

  test("a start script's variables, arguments and flags are kept", async () => {
    const path = app(
      {
        "package.json": stringify({
          main: "wrong.js",
          scripts: {
            start: "EXTRA=script node --env-file=.settings -r ./before.js --no-warnings src/app.js --quick 5",
          },
        }),
        ".settings": "PORT=7",
        "before.js": "globalThis.loaded = 'before';",
        "src/app.js": show,
      },
      ".",
    );
    const report = await host({ path });
    const folder = path.replace(/\/\.$/, "");
    const seen = shown(report);
    assert.deepEqual(seen["argv"], [join(folder, "src/app.js"), "--quick", "5"]);
    assert.deepEqual([seen["port"], seen["extra"], seen["cwd"], seen["loaded"]], ["8080", "script", folder, "before"]);
    assert.deepEqual(
      report.events.map(({ code }) => code),
      ["APP_START_DIFFERS"],
    );
    assert.match(report.events[0]?.message ?? "", /--no-warnings/);
  });

  test("a folder without a start script is started by main, exports or the usual names", async () => {
    const cases: Array<Record<string, string>> = [
      { "package.json": stringify({ main: "lib/main" }), "lib/main.js": show },
      { "package.json": stringify({ name: "me", exports: { ".": "./lib/main.js" } }), "lib/main.js": show },
      { "package.json": stringify({ scripts: { start: "next start" } }), "server.js": show },
      { "index.cjs": show },
    ];
    for (const files of cases) {
      const report = await host({ path: app(files, ".") });
      assert.match(String((shown(report)["argv"] as string[])[0]), /(lib\/main\.js|server\.js|index\.cjs)$/);
    }
  });
});

describe("an app that cannot be hosted says why", { concurrency: 3 }, () => {
  const failures: Record<string, [files: Record<string, string>, code: string, message: RegExp, more?: RegExp]> = {
    "it throws (CommonJS)": [
      { "app.cjs": `throw new Error("boom");` },
      "CELLWS_E_APP_LOAD",
      /boom/,
      /Error: boom\n {4}at .*app\.cjs:1/,
    ],
    "it throws (ES module)": [
      { "app.mjs": `throw new Error("boom", { cause: new Error("deep") });` },
      "CELLWS_E_APP_LOAD",
      /boom/,
      /app\.mjs:1[^]*caused by: Error: deep/,
    ],
    "it throws what is no error": [{ "app.mjs": `throw { odd: 1 };` }, "CELLWS_E_APP_LOAD", /odd: 1/],
    "it throws a moment later": [
      { "app.cjs": `setTimeout(() => { throw new Error("later"); }, 20);` },
      "CELLWS_E_APP_LOAD",
      /later/,
    ],
    "it rejects a moment later": [
      { "app.cjs": `setTimeout(() => Promise.reject(new Error("later")), 20);` },
      "CELLWS_E_APP_LOAD",
      /later/,
    ],
    "a package is missing (CommonJS)": [
      { "app.cjs": `require("not-there");` },
      "CELLWS_E_APP_LOAD",
      /not-there/,
      /npm install/,
    ],
    "a package is missing (ES module)": [
      { "app.mjs": `import "not-there";` },
      "CELLWS_E_APP_LOAD",
      /not-there/,
      /npm install/,
    ],
    "its syntax is wrong (CommonJS)": [{ "app.cjs": `const = 1;` }, "CELLWS_E_APP_LOAD", /token/, /app\.cjs:1/],
    "its syntax is wrong (ES module)": [
      { "app.mjs": `import "node:fs";\nconst = 1;` },
      "CELLWS_E_APP_LOAD",
      /token/,
      /app\.mjs:2/,
    ],
    "the syntax of another file is wrong": [
      { "app.mjs": `import "./other.mjs";`, "other.mjs": `const = 1;` },
      "CELLWS_E_APP_LOAD",
      /token/,
      /Run `node .*app\.mjs` to see where/,
    ],
    "its TypeScript needs compiling": [
      { "app.ts": `enum E { A } console.log(E.A);` },
      "CELLWS_E_APP_LOAD",
      /enum/,
      /Compile the app/,
    ],
    "its server reports an error that nobody hears": [
      {
        "app.cjs": `const s = require("node:http").createServer(); s.listen(3000); require("node:http").createServer().listen(3000);`,
      },
      "CELLWS_E_APP_LOAD",
      /EADDRINUSE/,
    ],
    "it ends itself": [
      { "app.cjs": `console.error("no database"); process.exit(3);` },
      "CELLWS_E_APP_EXITED",
      /exit code 3/,
      /app\.cjs:1/,
    ],
    "it ends itself after an error of its own": [
      {
        "app.mjs": `process.on("uncaughtException", () => process.exit(1)); setTimeout(() => { throw new Error("first"); }, 10);`,
      },
      "CELLWS_E_APP_EXITED",
      /exit code 1 before it listened, after: first/,
    ],
    "it forks with node:cluster": [
      { "app.cjs": `const cluster = require("node:cluster"); if (cluster.isPrimary) cluster.fork();` },
      "CELLWS_E_APP_CLUSTER",
      /node:cluster/,
      /app\.cjs:1[^]*cluster branch/,
    ],
    "it never listens": [{ "app.mjs": `export {};` }, "CELLWS_E_APP_NEVER_LISTENED", /within 300 ms/],
    "it never listens and exports by name": [
      { "app.mjs": `export const app = () => {};` },
      "CELLWS_E_APP_NEVER_LISTENED",
      /no default export, only app/,
    ],
    "it exports what cannot answer": [
      { "app.mjs": `export default { name: "x", routes: [] };` },
      "CELLWS_E_APP_NO_HANDLER",
      /an object with name, routes/,
    ],
    "it exports a class": [
      { "app.mjs": `export default class Controller {}` },
      "CELLWS_E_APP_NO_HANDLER",
      /the class Controller/,
    ],
    "it waits for ever": [
      { "app.mjs": `await new Promise(() => {});` },
      "CELLWS_E_APP_NEVER_LISTENED",
      /within 300 ms/,
    ],
    "it speaks HTTP/2 streams only": [
      { "app.cjs": `require("node:http2").createServer().on("stream", () => {}).listen(3000);` },
      "CELLWS_E_APP_HTTP2",
      /'stream' listeners only/,
    ],
    "its package.json is broken": [{ "package.json": "{", "server.js": "" }, "CELLWS_E_APP_NOT_FOUND", /package\.json/],
    "its start script is another program": [
      { "package.json": stringify({ scripts: { start: "next start" } }) },
      "CELLWS_E_APP_NOT_FOUND",
      /no entry file/,
      /`next start`, which is not `node FILE`/,
    ],
    "it is not JavaScript": [{ "app.py": "print(1)" }, "CELLWS_E_APP_NOT_FOUND", /not a file that Node runs/],
  };
  for (const [name, [files, code, message, more]] of Object.entries(failures)) {
    test(`because ${name}`, async () => {
      const start = "package.json" in files ? "." : undefined;
      const { failure } = await host({ path: app(files, start), listenTimeoutMs: 300 });
      assert(failure !== null);
      assert.equal(failure.code, code);
      assert.match(failure.message, message);
      if (more !== undefined) assert.match(`${failure.stack}\n${failure.hint}`, more);
    });
  }

  test("because it is not there", async () => {
    const { failure } = await host({ path: join(root, "nowhere.js") });
    assert.equal(failure?.code, "CELLWS_E_APP_NOT_FOUND");
    assert.match(failure.message, /nowhere\.js/);
  });
});

describe("an app that is hosted", { concurrency: 3 }, () => {
  test("and closes its server is answered for with 503, until it listens again", async () => {
    const path = app({
      "app.cjs": `const server = require("node:http").createServer((req, res) => res.end("ok"));
        server.listen(3000);
        setTimeout(() => server.close(), 50);
        setTimeout(() => server.listen(3000), 250);`,
    });
    const requests = [{ target: "/" }, { target: "/", afterMs: 120 }, { target: "/", afterMs: 250 }];
    const report = await host({ path, requests });
    assert.deepEqual(
      report.answers.map(({ status }) => status),
      [200, 503, 200],
    );
    const codes = report.events.map(({ code }) => code);
    assert.deepEqual(codes, ["APP_LISTENS", "APP_RELINQUISHED", "APP_NOT_ANSWERING", "APP_LISTENS"]);
  });

  test("and prints is not disturbed in it", async () => {
    const { printed } = await host({ path: app({ "app.cjs": `console.log("I am here"); ${listenSource}` }) });
    assert.equal(printed.trim(), "I am here");
  });

  test("loads without the log saying so, unless it takes long", async () => {
    const report = await host({ path: app({ "app.cjs": listenSource }) });
    assert.deepEqual(
      report.events.map(({ code }) => code),
      ["APP_LISTENS"],
    );
  });
});
