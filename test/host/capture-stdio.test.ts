import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { promisify } from "node:util";
import type { CaptureOptions } from "../../src/host/capture-stdio.ts";
import { makeRunBase } from "../support/fake-organism.ts";

/** Runs a program whose output is captured, in a process of its own. Returns what it logged, and what slipped by. */
async function run(
  t: TestContext,
  program: string,
  options: CaptureOptions = {},
): Promise<{ events: Array<Record<string, unknown>>; lines: string[]; slipped: string }> {
  const dir = makeRunBase(t).runtimeDir;
  const file = path.join(dir, "log");
  const source = (name: string): string => JSON.stringify(new URL(`../../src/host/${name}.ts`, import.meta.url).href);
  const script = path.join(dir, "program.mts");
  fs.writeFileSync(
    script,
    `
    import { createCellLog } from ${source("log")};
    import { captureStdio } from ${source("capture-stdio")};
    const log = createCellLog({ file: ${JSON.stringify(file)}, cell: "a", class: "drone" });
    const capture = captureStdio(log, ${JSON.stringify(options)});
    ${program}`,
  );
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script]);
  const events = fs
    .readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const lines = events
    .filter(({ event }) => event === "app-output")
    .map(({ stream, msg }) => `${String(stream)}: ${String(msg)}`);
  return { events, lines, slipped: stdout + stderr };
}

test("what the app prints becomes events, line by line, and nothing slips by", async (t) => {
  const { lines, slipped } = await run(
    t,
    `
    console.log("one");
    console.error("two\\nthree");
    process.stdout.write("fo");
    process.stdout.write(Buffer.from("ur\\r\\n"));
    process.stdout.write("666976650a", "hex");
    console.log("%d %s %%", 6, "six");`,
  );
  assert.deepEqual(lines, [
    "stdout: one",
    "stderr: two",
    "stderr: three",
    "stdout: four",
    "stdout: five",
    "stdout: 6 six %",
  ]);
  assert.equal(slipped, "");
});

test("a character that is split between two writes stays one", async (t) => {
  const { lines } = await run(
    t,
    `
    const bytes = Buffer.from("ä漢\\n");
    for (const byte of bytes) process.stdout.write(Uint8Array.of(byte));`,
  );
  assert.deepEqual(lines, ["stdout: ä漢"]);
});

test("a line without an end is logged at exit, even at a sudden one", async (t) => {
  const { lines } = await run(t, `process.stderr.write("last words"); process.exit(0);`);
  assert.deepEqual(lines, ["stderr: last words"]);
});

test("write calls back, says that there is room, and takes its arguments in every order", async (t) => {
  const { lines } = await run(
    t,
    `
    const results = [];
    results.push(process.stdout.write("a\\n", () => console.log("called back 1")));
    results.push(process.stdout.write("b\\n", "utf8", () => console.log("called back 2")));
    console.log(results.join());`,
  );
  assert.deepEqual(lines, [
    "stdout: a",
    "stdout: b",
    "stdout: true,true",
    "stdout: called back 1",
    "stdout: called back 2",
  ]);
});

test("a long line is cut and says by how much", async (t) => {
  const { events } = await run(t, `console.log("x".repeat(100)); console.log("short");`, { lineCharsMax: 40 });
  assert.deepEqual(
    events.map(({ msg, charsCut }) => [String(msg).length, charsCut]),
    [
      [40, 60],
      [5, undefined],
    ],
  );
});

test("a flood is cut off and counted, by lines and by characters, and each line is either logged or counted", async (t) => {
  const cases: Array<[CaptureOptions, logged: number]> = [
    [{ linesPerSecondMax: 30 }, 30],
    [{ charsPerSecondMax: 200 }, 20],
  ];
  for (const [options, logged] of cases) {
    // Each line ten characters long; all in one turn, so in one second unless the machine stands still.
    const { events, lines } = await run(
      t,
      `for (let line = 0; line < 5000; line += 1) process.stdout.write(String(line).padStart(10, "0") + "\\n");`,
      options,
    );
    const dropped = events.filter(({ event }) => event === "app-output-dropped");
    const droppedLines = dropped.reduce((sum, event) => sum + Number(event["lines"]), 0);
    assert.equal(lines.length + droppedLines, 5_000);
    assert.ok(lines.length >= logged && lines.length < 10 * logged, `${lines.length} logged`);
    assert.equal(dropped[0]?.["level"], "warn");
  }
});

test("the streams are given back as they were", async (t) => {
  const { lines, slipped } = await run(t, `console.log("mine"); capture.restore(); console.log("free");`);
  assert.deepEqual(lines, ["stdout: mine"]);
  assert.equal(slipped, "free\n");
});
