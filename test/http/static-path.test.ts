// From targets to names of files, and never upwards.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { readStaticPath, segmentsBelow } from "../../src/http/static-path.ts";

test("a path is read as names, decoded, without its query", () => {
  assert.deepEqual(readStaticPath("/a/b%20c.txt?x=/../"), { segments: ["a", "b c.txt"], isFolder: false });
  assert.deepEqual(readStaticPath("/a/"), { segments: ["a"], isFolder: true });
  assert.deepEqual(readStaticPath("/"), { segments: [], isFolder: true });
  assert.deepEqual(readStaticPath("https://example.org"), { segments: [], isFolder: true });
  assert.deepEqual(readStaticPath("https://example.org/%C3%A4"), { segments: ["ä"], isFolder: false });
});

for (const target of [
  "/..",
  "/../etc/passwd",
  "/a/../b",
  "/a/./b",
  "/%2e%2e/etc/passwd",
  "/%2E%2E%2Fetc/passwd",
  "/..%2fetc",
  "/a%2fb",
  "/a\\..\\b",
  "/a%5c..%5cb",
  "//etc/passwd",
  "/a//b",
  "/a%00.txt",
  "/%0a",
  "/%c0%ae%c0%ae/",
  "/%",
  "/%zz",
  "*",
  `/${"x/".repeat(80)}`,
  `/${"x".repeat(300)}`,
]) {
  test(`${target.slice(0, 30)} is no file`, () => assert.equal(readStaticPath(target), null));
}

test("whatever the target, its names joined to a folder stay below it (seed printed)", () => {
  const piece = fc.constantFrom(
    "..",
    ".",
    "/",
    "%2e",
    "%2f",
    "\\",
    "%5c",
    "a",
    "%00",
    "%25",
    "2e",
    ".git",
    " ",
    "?",
    "%c0%ae",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const read = readStaticPath(`/${pieces.join("")}`);
      if (read === null) return;
      const joined = path.join("/srv/site", ...read.segments);
      assert.ok(joined === "/srv/site" || joined.startsWith("/srv/site/"), joined);
      assert.equal(path.posix.relative("/srv/site", joined), read.segments.join("/"));
      const below = segmentsBelow(read, "/");
      assert.ok(below === null || !below.some((name) => name.startsWith(".")));
    }),
    { numRuns: 3_000 },
  );
});

test("what begins with a dot is hidden, but for /.well-known/", () => {
  const below = (target: string, at: string) => segmentsBelow(readStaticPath(target)!, at);
  assert.equal(below("/.env", "/"), null);
  assert.equal(below("/a/.git/config", "/a"), null);
  assert.deepEqual(below("/.well-known/security.txt", "/"), [".well-known", "security.txt"]);
  assert.equal(below("/.well-known/.x", "/"), null);
  assert.equal(below("/a/.well-known/x", "/"), null);
  assert.deepEqual(below("/a/b/c", "/a"), ["b", "c"]);
  assert.deepEqual(below("/a", "/a"), []);
  assert.equal(below("/ab", "/a"), null);
  assert.equal(below("/", "/a"), null);
});
