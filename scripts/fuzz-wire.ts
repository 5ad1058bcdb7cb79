/**
 * Fuzzing of what cells read from each other: kin lines, handshakes and axon frames.
 *
 *     node scripts/fuzz-wire.ts --cases 1000000 --seed 1
 *
 * Sound words are written, damaged in one to three places, and read. Whatever comes, a reader throws nothing; a kin line that it
 * accepts is one that it accepts again after writing it anew; frames are read alike however the bytes are cut; and a frame
 * decoder that has refused reads nothing more. The same seed gives the same cases; a failure is printed with its case.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { FrameDecoder, FrameWriter } from "../src/wire/axon.ts";
import { readHello, readKinMessage, readProof, readWelcome } from "../src/wire/kin.ts";
import { seededRandom } from "./seeded-random.ts";

const record = {
  key: "cell/abcdefghij",
  version: 3,
  origin: "abcdefghij",
  signature: "s".repeat(86),
  body: { kind: "death", id: "abcdefghij", pid: 7, startTicks: 9, cause: "crashed" },
};
const charge = { target: "abcdefghij", pid: 7, startTicks: 9, reason: "hung", window: 1, round: 0 };
/** One of each kind that a relative may say, and the handshake's last line. */
const lines = [
  { type: "inventory", entries: [["cell/abcdefghij", 1, "abcdefghij"]] },
  { type: "records", records: [record] },
  { type: "votes", votes: [{ charge, voter: "abcdefghij", signature: "s" }] },
  { type: "suspect", id: "abcdefghij", by: "bcdefghijk" },
  { type: "hand-down", hops: 3 },
  {
    type: "pulse",
    pulse: { id: "a.0", origin: "a", class: "drone", strength: 100, wanted: 1, unanswered: 0, hops: 1 },
  },
  { proof: "p".repeat(86) },
].map((value) => JSON.stringify(value));

export function fuzzWire({ cases, seed }: { cases: number; seed: number }): { accepted: number; refused: number } {
  let random = seededRandom(seed, 0);
  let number = 0;
  const below = (n: number): number => Math.floor(random() * n);
  const told = { accepted: 0, refused: 0 };
  for (; number < cases; number += 1) {
    random = seededRandom(seed, number);
    if (number % 2 === 0) fuzzLine();
    else fuzzFrames();
  }
  return told;

  function fuzzLine(): void {
    const line = damaged(Buffer.from(lines[below(lines.length)] ?? "")).toString("utf8");
    for (const reader of [readKinMessage, readHello, readWelcome, readProof]) {
      const read = guarded(line, () => reader(line));
      if (read.ok) assert.ok(reader(JSON.stringify(read.value)).ok, `accepted once only: ${line}`);
      told[read.ok ? "accepted" : "refused"] += 1;
    }
  }

  function fuzzFrames(): void {
    const writer = new FrameWriter();
    for (let n = 1 + below(4); n > 0; n -= 1) {
      const stream = 1 + below(5);
      if (below(3) === 0) writer.body(stream, Buffer.alloc(1 + below(200), below(256)));
      else if (below(2) === 0) writer.reset(stream, "CELLWS_X");
      else writer.respond(stream, { status: 200, reason: "OK", headers: ["a", "b"] });
    }
    const bytes = damaged(Buffer.concat(writer.take()));
    const whole = new FrameDecoder();
    const once = guarded(bytes, () => whole.decode(bytes));
    if (once.error !== null) assert.deepEqual(whole.decode(bytes), { frames: [], error: once.error });
    const pieces = new FrameDecoder();
    let error: string | null = null;
    for (let at = 0; at < bytes.length && error === null;) {
      const to = Math.min(bytes.length, at + 1 + below(40));
      const piece = bytes.subarray(at, to);
      error = guarded(bytes, () => pieces.decode(piece)).error;
      at = to;
    }
    assert.equal(error, once.error, `judged otherwise when cut: ${bytes.toString("hex")}`);
    told[once.error === null ? "accepted" : "refused"] += 1;
  }

  function damaged(sound: Buffer): Buffer {
    let bytes: Buffer = Buffer.from(sound);
    for (let n = below(4); n > 0 && bytes.length > 0; n -= 1) {
      const at = below(bytes.length);
      const kind = below(4);
      if (kind === 0) bytes[at] = below(256);
      else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(8))]);
      else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(below(bytes.length))]);
      else
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(insertions[below(insertions.length)] ?? ""),
          bytes.subarray(at),
        ]);
    }
    return bytes;
  }

  function guarded<T>(input: string | Buffer, work: () => T): T {
    try {
      return work();
    } catch (error) {
      const shown = typeof input === "string" ? input : input.toString("hex");
      throw new Error(`a reader threw (seed ${seed}, case ${number}): ${shown}`, { cause: error });
    }
  }
}

/** What has broken readers before. */
const insertions = [
  "-1",
  "1e400",
  "9007199254740993",
  '"__proto__":',
  "null",
  "[]",
  "{}",
  "\u0000",
  "\ud800",
  "[".repeat(500),
];

if (import.meta.main) {
  const { values } = parseArgs({
    options: { cases: { type: "string", default: "200000" }, seed: { type: "string", default: "1" } },
  });
  const told = fuzzWire({ cases: Number(values.cases), seed: Number(values.seed) });
  console.log(
    `${values.cases} cases from seed ${values.seed}: ${told.accepted} accepted, ${told.refused} refused, none threw`,
  );
}
