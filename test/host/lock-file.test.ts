import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { takeLockFile } from "../../src/host/lock-file.ts";
import { ownIdentity } from "../../src/host/proc.ts";
import { DEAD, makeRunBase } from "../support/fake-organism.ts";

const AGE_MS_MAX = 60_000;

test("a lock is held by one until it is released", (t) => {
  const file = path.join(makeRunBase(t).runtimeDir, "lock");
  const lock = takeLockFile(file, AGE_MS_MAX);
  assert.equal(lock?.held(), true);
  assert.equal(takeLockFile(file, AGE_MS_MAX), null);
  lock?.release();
  assert.equal(lock?.held(), false);
  assert.equal(takeLockFile(file, AGE_MS_MAX)?.held(), true);
});

test("a lock of the dead is broken", (t) => {
  const file = path.join(makeRunBase(t).runtimeDir, "lock");
  fs.writeFileSync(file, JSON.stringify(DEAD));
  assert.equal(takeLockFile(file, AGE_MS_MAX)?.held(), true);
  assert.deepEqual(fs.readdirSync(path.dirname(file)), ["lock"]);
});

test("a lock of the living is broken only when it is held for too long, and its holder notices", (t) => {
  const file = path.join(makeRunBase(t).runtimeDir, "lock");
  const hung = takeLockFile(file, AGE_MS_MAX);
  const longAgo = new Date(Date.now() - 2 * AGE_MS_MAX);
  fs.utimesSync(file, longAgo, longAgo);
  const next = takeLockFile(file, AGE_MS_MAX);
  assert.equal(next?.held(), true);
  assert.equal(hung?.held(), false);
  hung?.release();
  assert.equal(next?.held(), true, "the old holder's release does not take it away");
});

test("a lock that was created and not written to is left alone for a second", (t) => {
  const file = path.join(makeRunBase(t).runtimeDir, "lock");
  fs.writeFileSync(file, "");
  assert.equal(takeLockFile(file, AGE_MS_MAX), null);
  const aWhileAgo = new Date(Date.now() - 5_000);
  fs.utimesSync(file, aWhileAgo, aWhileAgo);
  assert.equal(takeLockFile(file, AGE_MS_MAX)?.held(), true);
});

test("a lock names its holder", (t) => {
  const file = path.join(makeRunBase(t).runtimeDir, "lock");
  takeLockFile(file, AGE_MS_MAX);
  const { pid, startTicks } = JSON.parse(fs.readFileSync(file, "utf8")) as { pid: number; startTicks: number };
  assert.deepEqual({ pid, startTicks }, ownIdentity());
});
