import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setImmediate as yieldTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createCellLog } from "../../src/host/log.ts";
import { parseLogLine } from "../../src/view/log-line.ts";
import { DEAD, makeRunBase } from "../support/fake-organism.ts";
import type { LogWriterResult, LogWriterTask } from "../support/log-writer.ts";

const writer = fileURLToPath(new URL("../support/log-writer.ts", import.meta.url));

const readLines = (file: string): string[] => fs.readFileSync(file, "utf8").split("\n").slice(0, -1);
const readJson = (file: string): Array<Record<string, unknown>> =>
  readLines(file).map((line) => JSON.parse(line) as Record<string, unknown>);

test("each event is one line with its time, level, cell, class, pid and name", async (t) => {
  const file = path.join(makeRunBase(t).runtimeDir, "log");
  const log = createCellLog({ file, cell: "aaaaaaaaaa", class: "stem" });
  log.info("cell-born", { mother: "b" }, "born");
  log.warn("odd");
  log.debug("quiet");
  await log.close();
  const [born, odd, ...rest] = readJson(file);
  const { time, ...fields } = born ?? {};
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(fields, {
    level: "info",
    pid: process.pid,
    cell: "aaaaaaaaaa",
    class: "stem",
    event: "cell-born",
    mother: "b",
    msg: "born",
  });
  assert.deepEqual([odd?.["level"], odd?.["event"], "msg" in (odd ?? {})], ["warn", "odd", false]);
  assert.deepEqual(rest, [], "debug is below the level");
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
});

test("after differentiation lines carry the new class, those of children too", async (t) => {
  const file = path.join(makeRunBase(t).runtimeDir, "log");
  const log = createCellLog({ file, cell: "a", class: "stem", level: "debug" });
  const child = log.child({ axon: 7 });
  log.setClass("drone");
  log.debug("one");
  child.error("two", { err: new Error("boom") }, "failed");
  await log.close();
  const [one, two] = readJson(file);
  assert.deepEqual([one?.["class"], two?.["class"], two?.["axon"]], ["drone", "drone", 7]);
  assert.match(JSON.stringify(two?.["err"]), /"stack":"Error: boom\\n {4}at /);
});

test("two cells append to one file and neither overwrites the other", async (t) => {
  const file = path.join(makeRunBase(t).runtimeDir, "log");
  const logs = ["a", "b"].map((cell) => createCellLog({ file, cell, class: "stem" }));
  for (let turn = 0; turn < 3; turn += 1) for (const log of logs) log.info("turn", { turn });
  await Promise.all(logs.map((log) => log.close()));
  assert.deepEqual(
    readJson(file).map(({ cell, turn }) => `${String(cell)}${String(turn)}`),
    ["a0", "b0", "a1", "b1", "a2", "b2"],
  );
});

test("an event that is too long is cut and says so", async (t) => {
  const file = path.join(makeRunBase(t).runtimeDir, "log");
  const log = createCellLog({ file, cell: "a", class: "drone" });
  log.info("dump", { body: "ü".repeat(1_000_000) });
  log.info("next");
  await log.close();
  const [cut, next] = readJson(file);
  assert.equal(cut?.["event"], "log-line-cut");
  assert.match(String(cut?.["beginning"]), /"event":"dump"/);
  assert.equal(next?.["event"], "next");
});

test(
  "a disk that is full ends nothing; what it swallowed is counted",
  { skip: !fs.existsSync("/dev/full") && "needs /dev/full" },
  async () => {
    const log = createCellLog({ file: "/dev/full", cell: "a", class: "drone" });
    for (let line = 0; line < 5; line += 1) log.info("written", { line });
    assert.equal(log.linesLost(), 5);
    await log.close();
    log.info("after the end");
    assert.equal(log.linesLost(), 6);
  },
);

test("when there is room again, how much was lost is told first", async (t) => {
  const dir = makeRunBase(t).runtimeDir;
  const file = path.join(dir, "log");
  // A limit on the size of files, as a full disk gives it: writes beyond are refused, until the file is cut.
  const program = `
    import fs from "node:fs";
    import { createCellLog } from ${JSON.stringify(new URL("../../src/host/log.ts", import.meta.url).href)};
    process.on("SIGXFSZ", () => undefined);
    const log = createCellLog({ file: ${JSON.stringify(file)}, cell: "a", class: "drone" });
    for (let line = 0; line < 60; line += 1) log.info("written", { line });
    const lost = log.linesLost();
    fs.truncateSync(${JSON.stringify(file)});
    log.info("again");
    console.log(lost, log.linesLost());
    await log.close();`;
  const script = path.join(dir, "program.mts");
  fs.writeFileSync(script, program);
  // In blocks of 512 or 1024 bytes, as the shell has it.
  const { stdout } = await promisify(execFile)("sh", ["-c", `ulimit -f 4; exec "$0" "$1"`, process.execPath, script]);
  const [lost, lostAtEnd] = stdout.trim().split(" ").map(Number);
  assert.ok(lost !== undefined && lost > 0 && lost < 60, `lost ${lost}`);
  assert.equal(lostAtEnd, lost);
  const [stump, told, again] = readLines(file);
  assert.equal(stump, "", "the stump of the last line before was cut away, its end is kept apart");
  assert.deepEqual(parseLogLine(told ?? "")?.fields, { lines: lost });
  assert.equal(parseLogLine(again ?? "")?.event, "again");
});

test("many processes fill one log: it stays under its cap, no line is torn, and none is there twice", async (t) => {
  const dir = makeRunBase(t).runtimeDir;
  const file = path.join(dir, "cellws.log");
  const bytesMax = 512 * 1024;
  // More than it takes, so that what is missing in the end was lost and not just old.
  const files = 30;
  const cells = ["a", "b", "c", "d"];
  const linesEach = 3_000;
  const results = await Promise.all(
    cells.map(async (cell) => {
      const task: LogWriterTask = { file, cell, lines: linesEach, bytesMax, files, rawEvery: 50 };
      const { stdout } = await promisify(execFile)(process.execPath, [writer, JSON.stringify(task)]);
      return JSON.parse(stdout) as LogWriterResult;
    }),
  );
  assert.deepEqual(
    results.map(({ linesLost }) => linesLost),
    [0, 0, 0, 0],
    "each write was taken",
  );

  const turnedCount = fs.readdirSync(dir).length - 1;
  assert.ok(turnedCount >= 3, "it was turned a few times");
  const names = [
    ...Array.from({ length: turnedCount }, (_, index) => `cellws.log.${index + 1}`).reverse(),
    "cellws.log",
  ];
  assert.deepEqual(fs.readdirSync(dir).sort(), [...names].sort(), "no lock, no sign, no half copy is left");
  // Each cell notices after a sixteenth of the cap at the latest; more comes while the file is being copied.
  for (const name of names) {
    const { size } = fs.statSync(path.join(dir, name));
    assert.ok(size < 2 * bytesMax, `${name} has ${size} bytes`);
  }

  const seen = new Set<string>();
  const lastSerial = new Map<string, number>();
  let missing = 0;
  for (const name of names) {
    for (const line of readLines(path.join(dir, name))) {
      const record = parseLogLine(line);
      if (record === null) assert.match(line, /^raw [abcd] \d+$/, "a raw line is whole");
      if (record?.event !== "written") continue;
      const serial = Number(record.fields["serial"]);
      const key = `${record.cell} ${serial}`;
      assert.ok(!seen.has(key), `${key} is there twice`);
      seen.add(key);
      const last = lastSerial.get(record.cell) ?? -1;
      assert.ok(serial > last, `${key} comes after ${last}`);
      missing += serial - last - 1;
      lastSerial.set(record.cell, serial);
    }
  }
  for (const last of lastSerial.values()) missing += linesEach - 1 - last;
  assert.equal(seen.size + missing, cells.length * linesEach);
  t.diagnostic(`turned ${turnedCount} times, ${missing} of ${cells.length * linesEach} lines lost`);
  // Measured: none in hundreds of turns (docs/decisions/0001-log-rotation.md); but nothing promises it.
  assert.ok(missing < seen.size / 100, `${missing} lines lost`);
});

test("old logs move up, and the oldest goes", async (t) => {
  const file = path.join(makeRunBase(t).runtimeDir, "log");
  const log = createCellLog({ file, cell: "a", class: "drone", bytesMax: 20_000, files: 2 });
  for (let serial = 0; serial < 500; serial += 1) {
    log.info("written", { serial, padding: "x".repeat(100) });
    if (serial % 20 === 0) await yieldTurn();
  }
  await log.close();
  assert.equal(fs.existsSync(`${file}.3`), false);
  const kept = [`${file}.2`, `${file}.1`, file].flatMap((name) =>
    readJson(name).flatMap(({ event, serial }) => (event === "written" ? [Number(serial)] : [])),
  );
  const first = kept[0] ?? 0;
  assert.ok(first > 0, "the first lines are gone");
  assert.deepEqual(
    kept,
    Array.from({ length: 500 - first }, (_, index) => first + index),
    "and no other",
  );
});

test("a log that nobody but others fill is turned as well", async (t) => {
  const file = path.join(makeRunBase(t).runtimeDir, "log");
  const log = createCellLog({ file, cell: "a", class: "drone", bytesMax: 20_000, files: 1 });
  t.after(() => log.close());
  fs.appendFileSync(file, "raw\n".repeat(10_000));
  await until(() => fs.existsSync(`${file}.1`));
  assert.equal(fs.statSync(`${file}.1`).size, 40_000);
  assert.deepEqual(
    readJson(file).map(({ event }) => event),
    ["log-turned"],
  );
});

test("who was killed in the middle of turning leaves nothing that holds up the next", async (t) => {
  const file = path.join(makeRunBase(t).runtimeDir, "log");
  fs.writeFileSync(`${file}.lock`, JSON.stringify(DEAD));
  fs.writeFileSync(`${file}.cutting`, "");
  fs.writeFileSync(`${file}.turning-1`, "half a copy");
  const log = createCellLog({ file, cell: "a", class: "drone", bytesMax: 20_000, files: 1 });
  for (let serial = 0; serial < 200; serial += 1) log.info("written", { serial, padding: "x".repeat(100) });
  await log.close();
  assert.equal(log.linesLost(), 0);
  assert.deepEqual(fs.readdirSync(path.dirname(file)).sort(), ["log", "log.1"]);
});

async function until(isTrue: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!isTrue()) {
    assert.ok(performance.now() < deadlineMs, "it takes too long");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
