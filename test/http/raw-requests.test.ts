// Requests in a file: read as the server reads them, with what people's editors do allowed for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readRawRequests, type RawRequest } from "../../src/http/raw-requests.ts";

const read = (text: string): RawRequest[] => [...readRawRequests(Buffer.from(text, "latin1"))];
const shown = (requests: readonly RawRequest[]): unknown[] =>
  requests.map((each) =>
    each.kind === "request"
      ? [each.head.method, each.head.target, each.body.toString("latin1")]
      : [each.code, each.line],
  );

test("requests follow one another as on a connection, with bodies of either framing", () => {
  const text =
    "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" +
    "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" +
    "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" +
    "GET /4 HTTP/1.0\r\n\r\n";
  assert.deepEqual(shown(read(text)), [
    ["GET", "/1", ""],
    ["POST", "/2", "hello"],
    ["POST", "/3", "hi"],
    ["GET", "/4", ""],
  ]);
});

test("lines that end in LF, as editors write them, and blank lines between requests are allowed for", () => {
  const text =
    "\n\nGET /1 HTTP/1.1\nHost: a\n\n\n\nPOST /2 HTTP/1.1\nHost: a\nContent-Length: 3\n\na\nb\n\nGET /3 HTTP/1.1\nHost: a\n";
  assert.deepEqual(shown(read(text)), [
    ["GET", "/1", ""],
    ["POST", "/2", "a\nb"],
    ["GET", "/3", ""],
  ]);
});

test("what the server would refuse is refused, and nothing behind it is read", () => {
  const text = "GET /1 HTTP/1.1\r\nHost: a\r\nX: a\nb\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
  assert.deepEqual(shown(read(text)), [["CELLWS_HTTP_BARE_LF", "GET /1 HTTP/1.1"]]);
  assert.deepEqual(shown(read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nshort")), [
    ["CELLWS_HTTP_INCOMPLETE", "POST / HTTP/1.1"],
  ]);
  assert.deepEqual(shown(read("GET / HTTP/1.1\r\n\r\n")), [["CELLWS_HTTP_HOST_MISSING", "GET / HTTP/1.1"]]);
});

test("a file without requests holds none", () => {
  assert.deepEqual(read(""), []);
  assert.deepEqual(read("\n\r\n\n"), []);
});
