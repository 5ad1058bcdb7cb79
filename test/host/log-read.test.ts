import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { setImmediate as yieldTurn } from "node:timers/promises";
import * as fc from "fast-check";
import { LINE_BYTES_MAX } from "../../src/host/log-file.ts";
import type { FollowOptions } from "../../src/host/log-follow.ts";
import { followLog } from "../../src/host/log-follow.ts";
import type { TailQuery } from "../../src/host/log-tail.ts";
import { readLogTail } from "../../src/host/log-tail.ts";
import { createCellLog } from "../../src/host/log.ts";
import { parseLogLine } from "../../src/view/log-line.ts";
import { makeRunBase } from "../support/fake-organism.ts";

function tail(file: string, query: Partial<TailQuery> = {}): string[] {
  const lines: string[] = [];
  readLogTail(file, { linesMax: 100, accepts: () => true, leaveUnfinished: false, ...query }, (line) =>
    lines.push(line),
  );
  return lines;
}

const logFile = (t: TestContext): string => path.join(makeRunBase(t).runtimeDir, "log");

test("the last lines are found across the files that the log was turned into", (t) => {
  const file = logFile(t);
  fs.writeFileSync(`${file}.2`, "1\n2\n");
  fs.writeFileSync(`${file}.1`, "3\n4\n");
  fs.writeFileSync(file, "5\n6\n");
  assert.deepEqual(tail(file, { linesMax: 3 }), ["4", "5", "6"]);
  assert.deepEqual(tail(file, { linesMax: 100 }), ["1", "2", "3", "4", "5", "6"]);
  assert.deepEqual(tail(file, { linesMax: null }), ["1", "2", "3", "4", "5", "6"]);
  assert.deepEqual(tail(file, { linesMax: 0 }), []);
});

test("only lines that count are counted", (t) => {
  const file = logFile(t);
  fs.writeFileSync(file, "a1\nb1\na2\nb2\n\na3\nb3\nb4\n");
  assert.deepEqual(tail(file, { linesMax: 2, accepts: (line) => line.startsWith("a") }), ["a2", "a3"]);
});

test("nothing is given out before a line that is too old", (t) => {
  const file = logFile(t);
  fs.writeFileSync(`${file}.1`, "1\n2\n");
  fs.writeFileSync(file, "3\nraw\n4\n");
  const isBefore = (line: string): boolean => Number(line) <= 2;
  assert.deepEqual(tail(file, { linesMax: null, isBefore }), ["3", "raw", "4"]);
});

test("a last line without an end is given out, unless a follower will read on", (t) => {
  const file = logFile(t);
  fs.writeFileSync(file, "1\n2\nhal");
  assert.deepEqual(tail(file, { linesMax: 2 }), ["2", "hal"]);
  const lines: string[] = [];
  const position = readLogTail(file, { linesMax: 5, accepts: () => true, leaveUnfinished: true }, (line) =>
    lines.push(line),
  );
  assert.deepEqual(lines, ["1", "2"]);
  assert.equal(position?.offset, 4, "the follower begins with the unfinished line");
});

test("an endless line is cut, and what follows it is whole", (t) => {
  const file = logFile(t);
  fs.writeFileSync(file, `first\n${"x".repeat(3 * LINE_BYTES_MAX)}\nlast\n`);
  const [first, long, last] = tail(file);
  assert.deepEqual([first, long?.length, last], ["first", LINE_BYTES_MAX, "last"]);
  assert.deepEqual(tail(file, { linesMax: 1 }), ["last"]);
});

test("where there is no log, that is told", (t) => {
  const query: TailQuery = { linesMax: 1, accepts: () => true, leaveUnfinished: false };
  assert.equal(
    readLogTail(logFile(t), query, () => assert.fail()),
    null,
  );
});

test("the last lines are the same as of the whole, however the log is cut into files and lines", (t) => {
  const file = logFile(t);
  // Long enough to reach over blocks of 64 KiB now and then.
  const line = fc.oneof(
    fc.string({ maxLength: 5 }).map((text) => text.replaceAll(/\s/g, "_")),
    fc.integer({ min: 1, max: 40_000 }).map((length) => "x".repeat(length)),
  );
  const content = fc.array(line, { maxLength: 12 });
  fc.assert(
    fc.property(content, content, content, fc.nat(20), (oldest, older, current, linesMax) => {
      const write = (name: string, lines: string[]): void =>
        fs.writeFileSync(name, lines.map((one) => `${one}\n`).join(""));
      write(`${file}.2`, oldest);
      write(`${file}.1`, older);
      write(file, current);
      const all = [...oldest, ...older, ...current].filter((one) => one !== "");
      assert.deepEqual(tail(file, { linesMax }), linesMax === 0 ? [] : all.slice(-linesMax));
    }),
    { numRuns: 60 },
  );
});

interface Following {
  lines: string[];
  end: ReturnType<typeof followLog>;
  stop: () => void;
}

function follow(t: TestContext, file: string, from: FollowOptions["from"]): Following {
  const stopping = new AbortController();
  const lines: string[] = [];
  const end = followLog(file, (line) => lines.push(line), { from, signal: stopping.signal, pollMs: 2 });
  t.after(async () => {
    stopping.abort();
    await end;
  });
  return { lines, end, stop: () => stopping.abort() };
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!isTrue()) {
    assert.ok(performance.now() < deadlineMs, "it takes too long");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** As log-rotate.ts does it. */
function turn(file: string, kept = 5): void {
  fs.copyFileSync(file, `${file}.aside`);
  fs.truncateSync(file);
  for (let index = kept; index > 1; index -= 1) {
    if (fs.existsSync(`${file}.${index - 1}`)) fs.renameSync(`${file}.${index - 1}`, `${file}.${index}`);
  }
  fs.renameSync(`${file}.aside`, `${file}.1`);
}

test("a follower waits for the file, takes whole lines only, and stops when it is told", async (t) => {
  const file = logFile(t);
  const { lines, end, stop } = follow(t, file, "end");
  await yieldTurn();
  fs.writeFileSync(file, "1\n2\nha");
  await until(() => lines.length === 2);
  fs.appendFileSync(file, "lf\n");
  await until(() => lines.length === 3);
  assert.deepEqual(lines, ["1", "2", "half"]);
  stop();
  assert.equal(await end, "aborted");
});

test("a follower begins at the start, at the end, or where the tail left off", async (t) => {
  const file = logFile(t);
  fs.writeFileSync(file, "1\n2\n");
  const position = readLogTail(file, { linesMax: 1, accepts: () => true, leaveUnfinished: true }, () => undefined);
  assert.ok(position !== null);
  const all = follow(t, file, "start");
  const fresh = follow(t, file, "end");
  const rest = follow(t, file, position);
  await until(() => all.lines.length === 2);
  fs.appendFileSync(file, "3\n");
  await until(() => [all, fresh, rest].every(({ lines }) => lines.at(-1) === "3"));
  assert.deepEqual([all.lines, fresh.lines, rest.lines], [["1", "2", "3"], ["3"], ["3"]]);
});

test("a log that was turned between tail and follower is read on in the old file", async (t) => {
  const file = logFile(t);
  fs.writeFileSync(file, "1\n2\n");
  const position = readLogTail(file, { linesMax: 1, accepts: () => true, leaveUnfinished: true }, () => undefined);
  assert.ok(position !== null);
  fs.appendFileSync(file, "3\n");
  turn(file);
  fs.appendFileSync(file, "4, longer than all that was there before\n");
  turn(file);
  fs.appendFileSync(file, "5\n");
  const { lines } = follow(t, file, position);
  await until(() => lines.length === 3);
  assert.deepEqual(lines, ["3", "4, longer than all that was there before", "5"]);
});

test("a follower misses nothing and repeats nothing while a cell logs and turns", async (t) => {
  const file = logFile(t);
  const { lines } = follow(t, file, "start");
  const log = createCellLog({ file, cell: "a", class: "drone", bytesMax: 30_000, files: 60 });
  for (let serial = 0; serial < 4_000; serial += 1) {
    log.info("written", { serial, padding: "x".repeat(serial % 200) });
    if (serial % 16 === 0) await yieldTurn();
  }
  await log.close();
  const serials = (): unknown[] =>
    lines.flatMap((line) => {
      const record = parseLogLine(line);
      return record?.event === "written" ? [record.fields["serial"]] : [];
    });
  await until(() => serials().at(-1) === 3_999);
  assert.deepEqual(
    serials(),
    Array.from({ length: 4_000 }, (_, index) => index),
  );
  assert.ok(fs.readdirSync(path.dirname(file)).length > 10, "it was turned many times");
});

test("a file that somebody has emptied by hand is followed from its start", async (t) => {
  const file = logFile(t);
  fs.writeFileSync(file, "old\nolder\n");
  const { lines } = follow(t, file, "end");
  await yieldTurn();
  fs.truncateSync(file);
  fs.appendFileSync(file, "new\n");
  await until(() => lines.length === 1);
  assert.deepEqual(lines, ["new"]);
});

test("when the organism's files are removed, the rest is given out, also what is said after that, and then an end", async (t) => {
  const file = logFile(t);
  fs.writeFileSync(`${file}.1`, "before\n");
  fs.writeFileSync(file, "1\n");
  const fd = fs.openSync(file, "a");
  const { lines, end } = follow(t, file, "start");
  await until(() => lines.length === 1);
  fs.writeSync(fd, "2\n");
  fs.rmSync(`${file}.1`);
  fs.rmSync(file);
  fs.writeSync(fd, "last word");
  assert.equal(await end, "gone");
  fs.closeSync(fd);
  assert.deepEqual(lines, ["1", "2", "last word"]);
});
