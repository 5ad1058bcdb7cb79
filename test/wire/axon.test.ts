import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BODY_PAYLOAD_BYTES_MAX, FrameDecoder, FrameWriter, type Frame } from "../../src/wire/axon.ts";

/** fast-check makes some records without a prototype; the decoder never does. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const latin1 = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 400 })
  .map((bytes) => String.fromCharCode(...bytes));
const headers = fc.array(fc.tuple(latin1, latin1), { maxLength: 20 }).map((pairs) => pairs.flat());
const stream = fc.integer({ min: 1, max: 0xffff_ffff });
const port = fc.integer({ min: 0, max: 65535 });
const responseHead = record({ status: fc.integer({ min: 100, max: 999 }), reason: latin1, headers });
const request = record({
  method: latin1,
  target: latin1,
  versionMinor: fc.constantFrom<0 | 1>(0, 1),
  headers,
  remoteAddress: latin1,
  remotePort: port,
  localAddress: latin1,
  localPort: port,
  encrypted: fc.boolean(),
  listener: fc.integer({ min: 0, max: 255 }),
  requestId: latin1,
  hasBody: fc.boolean(),
  upgrade: fc.boolean(),
});
const status = record({
  load: fc.double({ min: 0, max: 1, noNaN: true }).map((load) => load + 0),
  inFlight: fc.nat(),
  draining: fc.boolean(),
  app: fc.record(
    {
      state: fc.constantFrom("none" as const, "loading" as const, "ready" as const, "failed" as const),
      error: record({ code: fc.string(), message: fc.string() }),
      retryInMs: fc.nat(),
    },
    { requiredKeys: ["state"], noNullPrototype: true },
  ),
});

const frame: fc.Arbitrary<Frame> = fc.oneof(
  record({ kind: fc.constant("request" as const), stream, request }),
  record({
    kind: fc.constant("body" as const),
    stream,
    chunk: fc.uint8Array({ minLength: 1, maxLength: 6000 }).map((bytes) => Buffer.from(bytes)),
  }),
  record({ kind: fc.constant("end" as const), stream, trailers: headers }),
  record({ kind: fc.constant("cancel" as const), stream, reason: latin1 }),
  record({ kind: fc.constant("credit" as const), stream, bytes: fc.integer({ min: 0, max: 0xffff_ffff }) }),
  record({ kind: fc.constant("begun" as const), stream }),
  record({ kind: fc.constantFrom("inform" as const, "respond" as const), stream, head: responseHead }),
  record({ kind: fc.constant("tunnel" as const), stream }),
  record({ kind: fc.constant("reset" as const), stream, code: latin1 }),
  record({ kind: fc.constant("status" as const), status }),
);

function write(writer: FrameWriter, frame: Frame): void {
  switch (frame.kind) {
    case "request":
      assert.ok(writer.request(frame.stream, frame.request));
      break;
    case "body":
      writer.body(frame.stream, frame.chunk);
      break;
    case "end":
      assert.ok(writer.end(frame.stream, frame.trailers));
      break;
    case "cancel":
      writer.cancel(frame.stream, frame.reason);
      break;
    case "credit":
      writer.credit(frame.stream, frame.bytes);
      break;
    case "begun":
      writer.begun(frame.stream);
      break;
    case "inform":
      assert.ok(writer.inform(frame.stream, frame.head));
      break;
    case "respond":
      assert.ok(writer.respond(frame.stream, frame.head));
      break;
    case "tunnel":
      writer.tunnel(frame.stream);
      break;
    case "reset":
      writer.reset(frame.stream, frame.code);
      break;
    case "status":
      assert.ok(writer.status(frame.status));
      break;
  }
}

/** Neighbouring pieces of one body frame count as one. */
function joined(frames: Frame[]): Frame[] {
  const result: Frame[] = [];
  for (const frame of frames) {
    const last = result.at(-1);
    if (frame.kind === "body" && last?.kind === "body" && last.stream === frame.stream)
      last.chunk = Buffer.concat([last.chunk, frame.chunk]);
    else result.push({ ...frame });
  }
  return result;
}

function cut(bytes: Buffer, cuts: number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((to, i) => bytes.subarray(i === 0 ? 0 : at[i - 1], to));
}

test("whatever frames are written are read again, however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 30 }), (frames, cuts) => {
      const writer = new FrameWriter();
      for (const frame of frames) write(writer, frame);
      const byteLength = writer.byteLength;
      const bytes = Buffer.concat(writer.take());
      assert.equal(bytes.length, byteLength);
      const decoder = new FrameDecoder();
      const read: Frame[] = [];
      for (const piece of cut(bytes, cuts)) {
        const decoded = decoder.decode(piece);
        assert.equal(decoded.error, null);
        read.push(...decoded.frames);
      }
      assert.deepEqual(joined(read), joined(frames));
    }),
    { numRuns: 150 },
  );
});

test("bytes at random never make the decoder throw, and once it has refused it reads nothing more", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (pieces) => {
      const decoder = new FrameDecoder();
      let hasFailed = false;
      for (const piece of pieces) {
        const { frames, error } = decoder.decode(Buffer.from(piece));
        if (hasFailed) assert.deepEqual(frames, []);
        hasFailed = error !== null;
      }
    }),
    { numRuns: 500 },
  );
});

test("sound frames with one byte changed never make the decoder throw", () => {
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(255), (frames, where, byte) => {
      const writer = new FrameWriter();
      for (const frame of frames) write(writer, frame);
      const bytes = Buffer.concat(writer.take());
      bytes[where % bytes.length] = byte;
      new FrameDecoder().decode(bytes);
    }),
    { numRuns: 300 },
  );
});

test("each way in which a frame can be wrong has its word", () => {
  const raw = (payloadBytes: number, kind: number, stream: number, payload = "") => {
    const bytes = Buffer.alloc(9 + payload.length);
    bytes.writeUInt32BE((5 + payloadBytes) >>> 0, 0);
    bytes.writeUInt8(kind, 4);
    bytes.writeUInt32BE(stream, 5);
    bytes.latin1Write(payload, 9);
    return bytes;
  };
  const table: Array<[string, Buffer]> = [
    ["unknown-kind", raw(0, 99, 1)],
    ["unknown-kind", raw(0, 0, 1)],
    ["payload-too-short", raw(-5, 6, 1)],
    ["payload-too-short", raw(3, 5, 1, "abc")],
    ["payload-too-long", raw(1, 6, 1, "a")],
    ["payload-too-long", raw(BODY_PAYLOAD_BYTES_MAX + 1, 2, 1)],
    ["payload-too-long", raw(0xffff_0000, 1, 1)],
    ["stream-missing", raw(0, 6, 0)],
    ["stream-on-link-frame", raw(2, 11, 1, "{}")],
    ["malformed-payload", raw(2, 11, 0, "{}")],
    ["malformed-payload", raw(2, 11, 0, "{{")],
    ["malformed-payload", raw(3, 4, 1, "\x01ab")],
    ["malformed-payload", raw(2, 4, 1, "\x02a")],
    ["malformed-payload", raw(2, 3, 1, "\xff\xff")],
  ];
  for (const [expected, bytes] of table) {
    const { frames, error } = new FrameDecoder().decode(bytes);
    assert.equal(error, expected, bytes.toString("hex"));
    assert.deepEqual(frames, []);
  }
});

test("frames before a wrong one are still delivered", () => {
  const writer = new FrameWriter();
  writer.begun(3);
  const { frames, error } = new FrameDecoder().decode(Buffer.concat([...writer.take(), Buffer.alloc(9)]));
  assert.deepEqual(frames, [{ kind: "begun", stream: 3 }]);
  assert.equal(error, "unknown-kind");
});

test("a head too large for a frame is refused whole", () => {
  const writer = new FrameWriter();
  const head = { status: 200, reason: "OK", headers: ["x", "y".repeat(300 * 1024)] };
  assert.equal(writer.respond(1, head), false);
  assert.equal(writer.byteLength, 0);
  assert.deepEqual(writer.take(), []);
});
