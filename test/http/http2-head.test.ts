// HTTP/2's heads in the terms of HTTP/1.1, and back.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  readHttp2Head,
  readHttp2Trailers,
  writeHttp2Answer,
  writeHttp2Information,
  writeHttp2Trailers,
} from "../../src/http/http2-head.ts";
import { readerLimitsDefault as limits, RequestReader } from "../../src/http/request-reader.ts";

const line = [":method", "POST", ":path", "/", ":scheme", "https", ":authority", "a.example"];
const read = (fields: string[], isWhole = false) => readHttp2Head(fields, { isWhole, limits });

test("a head without a length that goes on is chunked in HTTP/1.1's terms; one that is whole has no body", () => {
  const open = read(line);
  assert.ok(typeof open === "object");
  assert.equal(open.framing, "chunked");
  assert.deepEqual(open.headers, ["host", "a.example", "transfer-encoding", "chunked"]);
  const whole = read(line, true);
  assert.ok(typeof whole === "object");
  assert.equal(whole.framing, "none");
  const sized = read([...line, "content-length", "5"]);
  assert.ok(typeof sized === "object");
  assert.deepEqual([sized.framing, sized.contentLength], ["length", 5]);
});

test("cookies that came one by one are one field", () => {
  const head = read([...line, "cookie", "a=1", "x-a", "1", "cookie", "b=2"], true);
  assert.ok(typeof head === "object");
  assert.deepEqual(head.headers, ["host", "a.example", "x-a", "1", "cookie", "a=1; b=2"]);
  const empty = read([...line, "cookie", "", "cookie", "a=1", "cookie", ""], true);
  assert.ok(typeof empty === "object");
  assert.deepEqual(empty.headers, ["host", "a.example", "cookie", "a=1"]);
});

const refusals: Array<[title: string, fields: string[], code: string]> = [
  ["a line break in a value", [...line, "x-a", "b\r\nx-evil: 1"], "CELLWS_HTTP_FIELD_VALUE"],
  [
    "a line break in the path",
    [":method", "GET", ":path", "/ HTTP/1.1\r\nX: y", ":scheme", "https", ":authority", "a"],
    "CELLWS_HTTP_TARGET",
  ],
  ["a line break in a name", [...line, "x\r\n", "b"], "CELLWS_HTTP_FIELD_NAME"],
  ["an upper-case name", [...line, "X-A", "b"], "CELLWS_HTTP_FIELD_NAME"],
  ["a value with blanks around it", [...line, "x-a", " b"], "CELLWS_HTTP_FIELD_VALUE"],
  ["a transfer-encoding", [...line, "transfer-encoding", "chunked"], "CELLWS_HTTP_FIELD_NAME"],
  ["a connection field", [...line, "connection", "upgrade"], "CELLWS_HTTP_FIELD_NAME"],
  ["an upgrade", [...line, "upgrade", "websocket"], "CELLWS_HTTP_FIELD_NAME"],
  ["TE other than trailers", [...line, "te", "gzip"], "CELLWS_HTTP_FIELD_VALUE"],
  ["two lengths", [...line, "content-length", "1", "content-length", "1"], "CELLWS_HTTP_LENGTH_DUPLICATE"],
  ["a length that is none", [...line, "content-length", "+1"], "CELLWS_HTTP_LENGTH_MALFORMED"],
  ["a host that is another", [...line, "host", "b.example"], "CELLWS_HTTP_HOST_CONFLICT"],
  ["two hosts", [...line.slice(0, 6), "host", "a", "host", "a"], "CELLWS_HTTP_HOST_DUPLICATE"],
  ["no host", line.slice(0, 6), "CELLWS_HTTP_HOST_MISSING"],
  ["a host with a user", [...line.slice(0, 6), ":authority", "a@b"], "CELLWS_HTTP_HOST_MALFORMED"],
  [
    "an absolute path",
    [":method", "GET", ":path", "http://b/", ":scheme", "https", ":authority", "a"],
    "CELLWS_HTTP_TARGET",
  ],
  ["a star for GET", [":method", "GET", ":path", "*", ":scheme", "https", ":authority", "a"], "CELLWS_HTTP_TARGET"],
  ["no path", [":method", "GET", ":scheme", "https", ":authority", "a"], "CELLWS_HTTP_TARGET"],
  ["another scheme", [":method", "GET", ":path", "/", ":scheme", "ftp", ":authority", "a"], "CELLWS_HTTP_TARGET"],
  [
    "extended CONNECT",
    [":method", "CONNECT", ":protocol", "websocket", ":path", "/", ":scheme", "https", ":authority", "a"],
    "CELLWS_HTTP_REQUEST_LINE",
  ],
  ["CONNECT", [":method", "CONNECT", ":authority", "a:1"], "CELLWS_HTTP_METHOD_UNKNOWN"],
  ["a method twice", [...line, ":method", "GET"], "CELLWS_HTTP_REQUEST_LINE"],
];

for (const [title, fields, code] of refusals) {
  test(`${title} is refused`, () => assert.equal(read(fields), code));
}

test("what is accepted, written as HTTP/1.1, is read there as one request with the same fields (seed printed)", () => {
  const text = fc.string({ unit: "binary-ascii", maxLength: 12 });
  const fields = fc.array(
    fc.tuple(
      fc.oneof(
        fc.stringMatching(/^[a-z-]{1,8}$/),
        text,
        fc.constantFrom("content-length", "host", "expect", "te", "cookie"),
      ),
      fc.oneof(text, fc.stringMatching(/^[ -~]{0,8}$/), fc.constantFrom("1", "a.example")),
    ),
    { maxLength: 4 },
  );
  const path = fc.oneof(
    fc.webPath(),
    text.map((rest) => `/${rest}`),
  );
  fc.assert(
    fc.property(fields, path, (some, target) => {
      const head = read(
        [":method", "GET", ":path", target, ":scheme", "https", ":authority", "a.example", ...some.flat()],
        true,
      );
      if (typeof head === "string") return;
      const lines = head.headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${head.headers[i + 1]}`] : []));
      const reader = new RequestReader(limits);
      reader.feed(Buffer.from([`${head.method} ${head.target} HTTP/1.1`, ...lines, "", ""].join("\r\n"), "latin1"));
      const event = reader.next();
      assert.ok(event?.type === "head", JSON.stringify(event));
      assert.deepEqual([event.head.target, event.head.headers], [head.target, head.headers]);
    }),
    { numRuns: 2_000 },
  );
});

test("trailers that say where a message ends or who sent it are refused", () => {
  assert.deepEqual(readHttp2Trailers(["x-sum", "7"], limits), ["x-sum", "7"]);
  for (const name of ["content-length", "host", ":path", "authorization", "X-Sum"]) {
    assert.equal(readHttp2Trailers([name, "1"], limits), "CELLWS_HTTP_TRAILER", name);
  }
});

const context = { method: "GET", date: "now", added: ["X-Request-Id", "7", "Strict-Transport-Security", "max-age=1"] };

test("an answer loses what concerns the connection only, and gets what it lacks", () => {
  const headers = [
    "Connection",
    "X-Hop",
    "X-Hop",
    "1",
    "Keep-Alive",
    "timeout=5",
    "Set-Cookie",
    "a",
    "set-cookie",
    "b",
    "Content-Length",
    "5",
    "Strict-Transport-Security",
    "own",
  ];
  const answer = writeHttp2Answer({ status: 200, reason: "OK", headers }, context);
  assert.ok(answer.ok);
  assert.deepEqual(
    { ...answer.fields },
    {
      ":status": "200",
      "set-cookie": ["a", "b"],
      "strict-transport-security": "own",
      "content-length": "5",
      "x-request-id": "7",
      date: "now",
    },
  );
  assert.equal(answer.contentLength, 5);
});

test("an answer that HTTP/2 cannot carry is a fault", () => {
  const faultOf = (status: number, headers: string[]) => {
    const answer = writeHttp2Answer({ status, reason: "", headers }, context);
    return answer.ok ? "none" : answer.fault;
  };
  assert.equal(faultOf(101, []), "status");
  assert.equal(faultOf(999, []), "status");
  assert.equal(faultOf(200, ["a b", "c"]), "field-name");
  assert.equal(faultOf(200, ["a", "b\r\nc: d"]), "field-value");
  assert.equal(faultOf(200, ["content-length", "5", "content-length", "6"]), "content-length");
  assert.equal(writeHttp2Information({ status: 101, reason: "", headers: [] }).ok, false);
  assert.equal(writeHttp2Trailers(["a", "b\n"]), null);
  assert.deepEqual({ ...writeHttp2Trailers(["Trailer", "X", "X-Sum", "7"]) }, { "x-sum": "7" });
});
