// Which answers are compressed, for whom, and what that makes of their heads.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chooseCoding,
  compressedHead,
  isCompressible,
  planCompression,
  revalidatedHead,
  varied,
  type CompressionPolicy,
} from "../../src/http/content-coding.ts";

const offered = ["br", "zstd", "gzip"] as const;

test("the coding is the client's favourite, and ours among equals", () => {
  const cases: Array<[accepted: string | null, chosen: string | null]> = [
    [null, null],
    ["", null],
    ["gzip", "gzip"],
    ["x-gzip", "gzip"],
    ["gzip, deflate, br, zstd", "br"],
    ["GZIP;Q=1.0, br;q=0.9", "gzip"],
    ["br;q=0, gzip", "gzip"],
    ["*", "br"],
    ["*;q=0, gzip;q=0.1", "gzip"],
    ["br;q=0, *", "zstd"],
    ["identity", null],
    ["identity;q=1, gzip;q=0.5", null],
    ["identity;q=0.5, gzip;q=0.5", "gzip"],
    ["identity;q=0", null],
    ["deflate", null],
    ["gzip;q=2", null],
    ["gzip;q=x", null],
    ["gzip;q=0.0001", null],
    ["gzip ; q=0.3 , br ; q = 0.5", "br"],
    ["gzip;level=9;q=0.5", "gzip"],
  ];
  for (const [accepted, chosen] of cases) {
    assert.equal(
      chooseCoding(accepted === null ? [] : ["Accept-Encoding", accepted], offered),
      chosen,
      String(accepted),
    );
  }
  assert.equal(chooseCoding(["accept-encoding", "gzip;q=0.5", "accept-encoding", "br"], offered), "br");
});

const policy: CompressionPolicy = { codings: offered, bodyBytesMin: 100, types: ["model/*", "application/x-tex"] };
const request = { method: "GET", headers: ["Accept-Encoding", "gzip"] };
const json = ["Content-Type", "application/json", "Content-Length", "1000"];

function kindOf(headers: string[], status = 200, asked: { method: string; headers: string[] } = request): string {
  return planCompression(asked, { status, reason: "", headers }, policy).kind;
}

test("an answer is compressed unless something speaks against it", () => {
  assert.equal(kindOf(json), "coding");
  assert.equal(kindOf(["Content-Type", "text/html"]), "coding", "of unknown length");
  assert.equal(kindOf([...json, "Content-Encoding", "identity"]), "coding");
  assert.equal(kindOf(json, 404), "coding");
  assert.equal(kindOf(json, 200, { method: "HEAD", headers: request.headers }), "coding");
  assert.equal(kindOf(json, 200, { method: "GET", headers: [] }), "identity");
  const never: Array<[title: string, kind: string]> = [
    ["too short", kindOf(["Content-Type", "text/html", "Content-Length", "99"])],
    ["compressed already", kindOf([...json, "Content-Encoding", "br"])],
    ["no type", kindOf(["Content-Length", "1000"])],
    ["an image", kindOf(["Content-Type", "image/png"])],
    ["an event stream", kindOf(["Content-Type", "text/event-stream"])],
    ["no-transform", kindOf([...json, "Cache-Control", "public, No-Transform"])],
    [
      "no-transform asked",
      kindOf(json, 200, { method: "GET", headers: [...request.headers, "Cache-Control", "no-transform"] }),
    ],
    ["a range", kindOf(json, 206)],
    ["a digest", kindOf([...json, "Content-Digest", "sha-256=:x:"])],
    ["nothing", kindOf(json, 204)],
    ["not modified", kindOf(json, 304)],
  ];
  for (const [title, kind] of never) assert.equal(kind, "never", title);
});

test("text in the wider sense is worth it, and what the DNA adds", () => {
  const yes = [
    "text/html; charset=utf-8",
    "TEXT/CSS",
    "application/json",
    "application/problem+json",
    "image/svg+xml",
    "application/wasm",
    "font/ttf",
    "model/stl",
    "application/x-tex",
  ];
  const no = [
    "image/jpeg",
    "font/woff2",
    "application/zip",
    "video/mp4",
    "application/octet-stream",
    "text/event-stream",
    "",
  ];
  for (const type of yes) assert.equal(isCompressible(type, policy.types), true, type);
  for (const type of no) assert.equal(isCompressible(type, policy.types), false, type);
  assert.equal(isCompressible("text/event-stream", ["text/event-stream"]), true);
});

test("a compressed answer has a weak ETag, no length, no ranges, and tells caches on what it depends", () => {
  const headers = ["ETag", '"a"', "content-length", "9", "Accept-Ranges", "bytes", "Vary", "Origin", "X-A", "1"];
  assert.deepEqual(compressedHead({ status: 200, reason: "OK", headers }, "gzip").headers, [
    "ETag",
    'W/"a"',
    "X-A",
    "1",
    "Content-Encoding",
    "gzip",
    "Vary",
    "Origin, Accept-Encoding",
  ]);
  const weak = compressedHead({ status: 200, reason: "OK", headers: ["ETag", 'W/"a"'] }, "br");
  assert.deepEqual(weak.headers.slice(0, 2), ["ETag", 'W/"a"']);
});

test("Vary is left alone where it says so already", () => {
  for (const vary of ["*", "accept-encoding", "Origin, Accept-Encoding"]) {
    const head = { status: 200, reason: "", headers: ["Vary", vary] };
    assert.equal(varied(head), head);
  }
  assert.deepEqual(varied({ status: 200, reason: "", headers: ["Vary", "A", "vary", "B"] }).headers, [
    "Vary",
    "A, B, Accept-Encoding",
  ]);
});

test("a 304 names the ETag that the client was given", () => {
  const head = { status: 304, reason: "", headers: ["ETag", '"a"'] };
  const asked = (value: string) => ({ headers: ["If-None-Match", value] });
  assert.deepEqual(revalidatedHead(asked('W/"a"'), head).headers, ["ETag", 'W/"a"']);
  assert.equal(revalidatedHead(asked('"a"'), head), head);
  assert.equal(revalidatedHead(asked("*"), head), head);
});
