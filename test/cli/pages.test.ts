/** The commands on the pages for users are commands that there are: each is called as it stands there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bin, repository } from "../e2e/organism.ts";

let home = "";
before(() => {
  home = mkdtempSync(join(tmpdir(), "cw-pages-"));
  mkdirSync(join(home, ".config/systemd/user"), { recursive: true });
  mkdirSync(join(home, "run"), { mode: 0o700 });
  writeFileSync(join(home, "server.js"), "");
  writeFileSync(join(home, "dna.ts"), `export default { app: "./server.js" };\n`);
});
after(() => rmSync(home, { recursive: true, force: true }));

/** What a user types at a prompt of his own; `#` is root's, whom no test is. */
function commandsOf(page: string): string[] {
  const text = readFileSync(join(repository, "docs", page), "utf8");
  const typed = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = ""]) => block.trim().split("\n"));
  const shown = [...text.matchAll(/^\$ (cellws .*)$/gm)].map(([, line = ""]) => line);
  return [...typed, ...shown].filter((line) => line.startsWith("cellws "));
}

/** Nobody lives in this home. */
function call(line: string): { status: number | null; stdout: string; stderr: string } {
  const env = {
    ...process.env,
    HOME: home,
    XDG_RUNTIME_DIR: join(home, "run"),
    PATH: `${join(bin, "..")}:${process.env["PATH"]}`,
  };
  return spawnSync("sh", ["-c", line], { cwd: home, env, encoding: "utf8" });
}

test("the commands of docs/CHAOS.md are understood, and miss nothing but an organism", () => {
  const commands = commandsOf("CHAOS.md");
  assert.equal(commands.length, 2);
  for (const line of commands) {
    const { status, stderr } = call(line);
    assert.equal(status, 1, `${line}\n${stderr}`);
    assert.match(stderr, /CELLWS_E_NO_ORGANISM/);
  }
});

test("the commands of docs/SERVICES.md write units", () => {
  const commands = commandsOf("SERVICES.md");
  assert.equal(commands.length, 2);
  for (const line of commands) {
    const { status, stdout, stderr } = call(line);
    assert.equal(status, 0, `${line}\n${stderr}`);
    assert.match(stdout, /\.socket/);
  }
});
