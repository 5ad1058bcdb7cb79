// Heads that were refused: what can be read of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readLooseHead } from "../../src/http/loose-head.ts";

const read = (text: string): unknown[] => {
  const { method, target, protocol, headers } = readLooseHead(text);
  return [method, target, protocol, headers];
};

test("of a head that was refused as much is read as makes sense", () => {
  assert.deepEqual(read("GET /a b HTTP/1.1\r\nHost: a\r\n\r\nbody"), ["GET", "/a b", "HTTP/1.1", ["Host", "a"]]);
  assert.deepEqual(read("JEFF / HTTP/3.14\nA:b\nno colon\n: x"), ["JEFF", "/", "HTTP/3.14", ["A", "b"]]);
  assert.deepEqual(read("GET /only"), ["GET", "/only", "HTTP/0.9", []]);
  assert.deepEqual(read("\x16\x03\x01"), ["\x16\x03\x01", "", "HTTP/0.9", []]);
  assert.deepEqual(read(""), ["", "", "HTTP/0.9", []]);
});
