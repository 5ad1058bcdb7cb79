import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ByteBatch } from "../../src/lib/byte-batch.ts";

test("what is added is taken in order, in one buffer when it is short", () => {
  const batch = new ByteBatch();
  batch.text("a\xff");
  batch.bytes(Buffer.from("b"));
  batch.bytes(Buffer.alloc(0));
  batch.text("c");
  assert.equal(batch.byteLength, 4);
  const parts = batch.take();
  assert.equal(parts.length, 1);
  assert.deepEqual(Buffer.concat(parts), Buffer.from([0x61, 0xff, 0x62, 0x63]));
  assert.deepEqual(batch.take(), []);
});

test("a long chunk is passed on and not copied", () => {
  const batch = new ByteBatch();
  const long = Buffer.alloc(100_000, 1);
  batch.text("head");
  batch.bytes(long);
  batch.text("tail");
  const parts = batch.take();
  assert.equal(parts.length, 3);
  assert.equal(parts[1], long);
});

test("any mixture comes out as it went in", () => {
  const part = fc.oneof(
    fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 20 }).map((bytes) => String.fromCharCode(...bytes)),
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom(20_000, 40_000).map((length) => new Uint8Array(length).fill(7)),
    fc.constant("x".repeat(20_000)),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const batch = new ByteBatch();
      for (const part of parts) {
        if (typeof part === "string") batch.text(part);
        else batch.bytes(part);
      }
      const expected = Buffer.concat(
        parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)),
      );
      assert.equal(batch.byteLength, expected.length);
      assert.ok(Buffer.concat(batch.take()).equals(expected));
    }),
    { numRuns: 100 },
  );
});
