import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { sharedKey } from "../../src/host/shared-key.ts";

function folder(t: TestContext): string {
  const dir = mkdtempSync(path.join(tmpdir(), "cellws-test-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

test("whoever asks gets the same key, which only the user can read, and nothing else is left", (t) => {
  const dir = folder(t);
  const file = path.join(dir, "key");
  const key = sharedKey(file);
  assert.equal(key.length, 32);
  assert.deepEqual(sharedKey(file), key);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(dir), ["key"]);
});

test("two organisms have two keys", (t) => {
  const dir = folder(t);
  assert.notDeepEqual(sharedKey(path.join(dir, "a")), sharedKey(path.join(dir, "b")));
});

test("what is no key is not taken for one", (t) => {
  const file = path.join(folder(t), "key");
  writeFileSync(file, "short");
  assert.throws(() => sharedKey(file), /not a key of 32 bytes/);
});
