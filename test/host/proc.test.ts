import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import {
  ownIdentity,
  parseProcStat,
  processLives,
  readProc,
  readSleeps,
  readDescriptorMilli,
  signalProcess,
} from "../../src/host/proc.ts";
import { until } from "../e2e/wait.ts";

const hasProc = existsSync("/proc/self/stat");

/** What follows comm in /proc/<pid>/stat; but for the first two, each field's value is its number. */
const REST = "S 7 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26";

test("a process's name may hold anything and shifts no field", () => {
  for (const comm of ["node", "a b", "a)b", ") S 1 (", "((", "))", "", "x\ny", "tab\tby", "\x00\x01", ") R 1 2 3"]) {
    const stat = parseProcStat(`4711 (${comm}) ${REST}\n`, 4096);
    assert.deepEqual(
      stat,
      {
        pid: 4711,
        comm,
        state: "S",
        ppid: 7,
        userTicks: 14,
        systemTicks: 15,
        reapedFaults: 11,
        startTicks: 22,
        rssBytes: 24 * 4096,
      },
      JSON.stringify(comm),
    );
  }
});

test("what the kernel would not write is no process", () => {
  for (const text of [
    "",
    "4711",
    "4711 (node",
    "4711 node) S",
    `4711 (node) ${REST}`.slice(0, 40),
    `x (node) ${REST}`,
  ]) {
    assert.equal(parseProcStat(text, 4096), null, JSON.stringify(text));
  }
});

test("one's own process is found, with its memory as Node itself sees it", { skip: !hasProc }, () => {
  const own = readProc(process.pid);
  assert.ok(own !== null);
  assert.equal(own.ppid, process.ppid);
  // Read at two moments: alike within a factor, which a wrong page size would not be.
  const ratio = own.rssBytes / process.memoryUsage.rss();
  assert.ok(ratio > 0.6 && ratio < 1.6, `ratio ${ratio}`);
});

test("a process lives until it ends, and a later one with its pid is not it", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  const exited = once(child, "exit");
  const identity = { pid: child.pid as number, startTicks: readProc(child.pid as number)?.startTicks ?? 0 };
  assert.equal(processLives(identity), true);
  assert.equal(processLives({ ...identity, startTicks: 0 }), true, "an unknown start time matches any");

  if (hasProc) {
    const namesake = { ...identity, startTicks: identity.startTicks + 1 };
    assert.equal(processLives(namesake), false);
    assert.equal(signalProcess(namesake, "SIGKILL"), "gone");
    assert.equal(processLives(identity), true, "the namesake's kill did not reach it");
  }

  assert.equal(signalProcess(identity, "SIGKILL"), "sent");
  await exited;
  assert.equal(processLives(identity), false);
  assert.equal(signalProcess(identity, "SIGKILL"), "gone");
});

test("process groups and init are never signalled", () => {
  for (const pid of [1, 0, -1, -process.pid]) assert.equal(signalProcess({ pid, startTicks: 0 }, "SIGCONT"), "gone");
});

test("one's own identity is alive", () => {
  assert.equal(processLives(ownIdentity()), true);
});

test("an event loop that turns is seen to go to sleep again and again", { skip: !hasProc }, async () => {
  const before = readSleeps(process.pid);
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setTimeout(resolve, 2));
  const after = readSleeps(process.pid);
  assert.ok(before !== null && after !== null && after > before, `${before}, ${after}`);
  assert.equal(readSleeps(2 ** 22 + 1), null);
});

test("a process's descriptors are a share of those that it may have", async (t) => {
  if (!hasProc) return t.skip("no /proc here");
  // Beside the three that every process has, and what a shell may keep: seven.
  const opened = [3, 4, 5, 6, 7, 8, 9].map((fd) => `exec ${fd}</dev/null`).join("; ");
  const child = spawn("sh", ["-c", `ulimit -n 40; ${opened}; exec sleep 60`], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  const pid = child.pid ?? 0;
  // Between two programs a process has no memory to be seen.
  const milli = await until("ten of forty descriptors to be open, and a program to run", () => {
    const seen = readDescriptorMilli(pid);
    return seen >= 250 && (readProc(pid)?.rssBytes ?? 0) > 0 ? seen : null;
  });
  assert.equal(milli, readdirSync(`/proc/${pid}/fd`).length * 25);
  const rssBytes = readProc(pid)?.rssBytes ?? 0;
  assert.ok(rssBytes > 0 && rssBytes < 64 * 1_048_576, "a small program's");
  assert.ok(readDescriptorMilli(process.pid) > 0 && readDescriptorMilli(process.pid) <= 1_000);
  assert.equal(readDescriptorMilli(2 ** 22), 0, "nobody");
});
