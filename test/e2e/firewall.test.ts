// The firewall in a real organism; and that docs/FIREWALL.md says what is so: each of its commands is run, each of its
// examples is a sound DNA.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { folderWith, machine } from "../dna/support.ts";
import { loadDna } from "../../src/dna/load.ts";
import { crsFolder, skipWithoutCrs } from "../immune/ftw/rule-places.ts";
import { bin, cellws, repository, startOrganism, type Organism } from "./organism.ts";
import { freePort } from "./plain.ts";

const execFileAsync = promisify(execFile);
const page = readFileSync(join(repository, "docs", "FIREWALL.md"), "utf8");
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map((match) => match[1]!);

const rules = `SecRule ARGS "@contains attack" "id:1001,phase:2,deny,log,tag:'attack-sqli',msg:'An attack'"\n`;

function entriesOf(organism: Organism): Array<Record<string, unknown>> {
  return readFileSync(organism.scratch("audit.log"), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("an attack is refused with its request's id and a line in the audit log, by several B cells", async (t) => {
  const organism = await startOrganism(t, {
    app: "http-esm.mjs",
    files: { "rules.conf": rules },
    dna: {
      cells: { bCell: { min: 2, max: 2 } },
      immune: { mode: "block", rules: ["./rules.conf"], audit: "./audit.log" },
    },
    scratchEnv: { XDG_CACHE_HOME: "cache" },
  });
  await organism.request();
  await organism.grown({ "b-cell": 2 });
  const refused = await Promise.all(Array.from({ length: 40 }, (_, i) => organism.request({ path: `/?q=attack${i}` })));
  for (const { status, text, headers } of refused) {
    assert.equal(status, 403);
    assert.equal(text, `403 Forbidden\nrequest: ${String(headers["x-request-id"])}\n`);
  }
  const entries = await organism.until("a line for each", () => {
    const all = entriesOf(organism);
    return all.length >= 40 ? all : null;
  });
  assert.deepEqual(
    new Set(entries.map(({ requestId }) => requestId)),
    new Set(refused.map(({ headers }) => headers["x-request-id"])),
  );
  assert.equal(entries.length, 40);
  for (const { verdict, rules: fired, client } of entries) {
    assert.deepEqual([verdict, fired, client], ["block", [1001], "127.0.0.1"]);
  }
});

test("functions in dna.ts filter in each B cell, and a filter that never ends is stopped", async (t) => {
  const organism = await startOrganism(t, {
    app: "http-esm.mjs",
    dna: `import { defineDna } from "cellws";
      const noCats = ({ query }) => (query.pet?.includes("cat") ? { verdict: "block", reason: "no cats" } : "pass");
      const endless = ({ path }) => { while (path === "/endless"); };
      export default defineDna({ immune: { mode: "block", filters: [noCats, endless], audit: "./audit.log" } });`,
    scratchEnv: { XDG_CACHE_HOME: "cache" },
  });
  assert.equal((await organism.request({ path: "/?pet=cat" })).status, 403);
  assert.equal((await organism.request({ path: "/endless" })).status, 403);
  assert.equal((await organism.request({ path: "/hello" })).text, "hello");
  const [cat, endless] = await organism.until("both lines", () => {
    const entries = entriesOf(organism);
    return entries.length === 2 ? entries : null;
  });
  assert.deepEqual(cat?.["filters"], ["noCats"]);
  assert.equal(endless?.["overrun"], true);
});

for (const [index, text] of blocks("ts").entries()) {
  test(`example ${index + 1} of docs/FIREWALL.md is a sound DNA`, async (t) => {
    const cwd = folderWith(t, {
      "server.js": "",
      "dna.ts": text,
      "exclusions.conf": "",
      "crs/crs-setup.conf": "",
      "crs/rules/a.conf": rules,
    });
    const result = await loadDna({ cwd, machine });
    assert.ok(result.ok, JSON.stringify(result, null, 2));
  });
}

test(
  "every command of docs/FIREWALL.md can be pasted, and says what the page shows",
  { skip: skipWithoutCrs },
  async (t) => {
    const home = folderWith(t, {
      "server.js": `require("http").createServer((_, r) => r.end("hello\\n")).listen(8080);`,
    });
    mkdirSync(join(home, "crs"));
    cpSync(join(crsFolder, "crs-setup.conf.example"), join(home, "crs", "crs-setup.conf.example"));
    symlinkSync(join(crsFolder, "rules"), join(home, "crs", "rules"));
    const port = await freePort();
    writeFileSync(join(home, "dna.ts"), blocks("ts")[0]!.replace("immune:", `listen: [{ port: ${port} }], immune:`));
    const env = {
      ...process.env,
      PATH: `${dirname(bin)}:${process.env["PATH"]}`,
      XDG_RUNTIME_DIR: join(home, "run"),
      XDG_STATE_HOME: join(home, "state"),
      XDG_CACHE_HOME: join(home, "cache"),
    };
    mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
    t.after(async () => {
      await cellws(["stop", "--name", "shop"], { env });
      rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    });
    const outputs: string[] = [];
    for (const block of blocks("sh")) {
      const script = block.replaceAll("127.0.0.1:8080", `127.0.0.1:${port}`).replaceAll("curl ", "curl --max-time 30 ");
      outputs.push((await execFileAsync("sh", ["-euc", script], { cwd: home, env })).stdout);
    }
    // Both requests are answered by the app.
    assert.equal(outputs[1]?.match(/^hello$/gm)?.length, 2);
    const [explained] = blocks("console");
    for (const line of explained!.split("\n").filter((shown) => shown !== "" && shown !== "...")) {
      assert.ok(outputs[2]?.includes(line), `${line}\nis not in\n${outputs[2]}`);
    }
    const lines = readFileSync(join(home, "audit.log"), "utf8").trim().split("\n");
    const last = JSON.parse(lines.at(-1)!) as Record<string, unknown>;
    const [sample] = blocks("json").map((text) => JSON.parse(text) as Record<string, unknown>);
    assert.deepEqual(Object.keys(last), Object.keys(sample!));
    assert.deepEqual([last["target"], last["verdict"]], [sample!["target"], sample!["verdict"]]);
  },
);
