import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ResponseWriter, type ResponseContext, type ResponseFault } from "../../src/http/response-writer.ts";
import type { HeaderList, ResponseHead } from "../../src/http/message.ts";
import { ByteBatch } from "../../src/lib/byte-batch.ts";

const context: ResponseContext = {
  method: "GET",
  versionMinor: 1,
  keepAlive: true,
  date: "now",
  added: ["X-Request-Id", "r1"],
};

interface Answer {
  status?: number;
  reason?: string;
  headers?: HeaderList;
  body?: string[];
  trailers?: HeaderList;
  inform?: ResponseHead[];
}

function write(
  answer: Answer,
  changes: Partial<ResponseContext> = {},
): { text: string; fault: ResponseFault | null; keepAlive: boolean } {
  const out = new ByteBatch();
  const writer = new ResponseWriter(out, { ...context, ...changes });
  let fault: ResponseFault | null = null;
  for (const head of answer.inform ?? []) fault ??= writer.inform(head);
  fault ??= writer.respond({
    status: answer.status ?? 200,
    reason: answer.reason ?? "OK",
    headers: answer.headers ?? [],
  });
  for (const chunk of answer.body ?? []) if (fault === null) fault = writer.body(Buffer.from(chunk, "latin1"));
  fault ??= writer.end(answer.trailers ?? []);
  return { text: Buffer.concat(out.take()).latin1Slice(), fault, keepAlive: writer.keepAlive };
}

/** The answer without the lines that every answer has. */
const shape = (text: string) => text.replace("Date: now\r\n", "").replace("X-Request-Id: r1\r\n", "");

const table: Array<
  [title: string, answer: Answer, context: Partial<ResponseContext>, text: string, keepAlive: boolean]
> = [
  [
    "a length is kept",
    { headers: ["content-length", "2"], body: ["h", "i"] },
    {},
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    true,
  ],
  [
    "without a length the body is chunked",
    { body: ["hello", "", "!".repeat(16)] },
    {},
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10\r\n${"!".repeat(16)}\r\n0\r\n\r\n`,
    true,
  ],
  [
    "HTTP/1.0 ends a body by closing",
    { body: ["hi"] },
    { versionMinor: 0 },
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhi",
    false,
  ],
  [
    "HTTP/1.0 is told that the connection stays",
    { headers: ["Content-Length", "0"] },
    { versionMinor: 0 },
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n",
    true,
  ],
  [
    "who does not stay is told",
    { headers: ["Content-Length", "0"] },
    { keepAlive: false },
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    false,
  ],
  [
    "HEAD keeps the length and leaves the body out",
    { headers: ["Content-Length", "5"], body: ["hello"] },
    { method: "HEAD" },
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    true,
  ],
  ["HEAD without a length has no framing", { body: ["hello"] }, { method: "HEAD" }, "HTTP/1.1 200 OK\r\n\r\n", true],
  [
    "204 has neither",
    { status: 204, headers: ["Content-Length", "5"], body: ["hello"] },
    {},
    "HTTP/1.1 204 OK\r\n\r\n",
    true,
  ],
  [
    "304 keeps the length",
    { status: 304, headers: ["Content-Length", "5"] },
    {},
    "HTTP/1.1 304 OK\r\nContent-Length: 5\r\n\r\n",
    true,
  ],
  [
    "trailers follow chunks",
    { headers: ["Trailer", "X-Sum"], body: ["a"], trailers: ["X-Sum", "1", "content-length", "9"] },
    {},
    "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n",
    true,
  ],
  [
    "trailers are left out where there is no place for them",
    { headers: ["Content-Length", "1"], body: ["a"], trailers: ["X-Sum", "1"] },
    {},
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
    true,
  ],
  [
    "fields of the app's own connection are dropped, and those that it names",
    {
      headers: (
        "Connection|x-private, keep-alive|Keep-Alive|timeout=5|Transfer-Encoding|chunked|" +
        "X-Private|1|Proxy-Connection|x|Upgrade|h2c|TE|x|Content-Length|0"
      ).split("|"),
    },
    {},
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    true,
  ],
  [
    "an app that closes closes",
    { headers: ["Connection", "Close", "Content-Length", "0"] },
    {},
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    false,
  ],
  [
    "an app cannot drop what the message needs by naming it",
    { headers: ["Connection", "set-cookie", "Set-Cookie", "a=b", "Content-Length", "0"] },
    {},
    "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n",
    true,
  ],
  [
    "426 says what to upgrade to",
    { status: 426, headers: ["Upgrade", "websocket", "Content-Length", "0"] },
    {},
    "HTTP/1.1 426 OK\r\nUpgrade: websocket\r\nContent-Length: 0\r\nConnection: upgrade\r\n\r\n",
    true,
  ],
  [
    "the same length twice is one",
    { headers: ["Content-Length", "1", "content-length", "1, 1"], body: ["a"] },
    {},
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
    true,
  ],
  [
    "values keep their bytes, names their spelling and lines their order",
    { headers: ["x-b", "\xff\t", "Set-Cookie", "1", "set-cookie", "2", "Content-Length", "0"], reason: "\xdcber" },
    {},
    "HTTP/1.1 200 \xdcber\r\nx-b: \xff\t\r\nSet-Cookie: 1\r\nset-cookie: 2\r\nContent-Length: 0\r\n\r\n",
    true,
  ],
  [
    "informational responses come first, without date",
    {
      inform: [{ status: 103, reason: "Early Hints", headers: ["Link", "<a>", "Connection", "x"] }],
      headers: ["Content-Length", "0"],
    },
    {},
    "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    true,
  ],
  [
    "HTTP/1.0 knows no informational responses",
    { inform: [{ status: 100, reason: "", headers: [] }], headers: ["Content-Length", "0"] },
    { versionMinor: 0, keepAlive: false },
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    false,
  ],
];

for (const [title, answer, changes, text, keepAlive] of table) {
  test(`the writer: ${title}`, () => {
    const written = write(answer, changes);
    assert.equal(written.fault, null);
    assert.equal(shape(written.text), text);
    assert.equal(written.keepAlive, keepAlive);
  });
}

test("the app's own date and request id are left alone", () => {
  const { text } = write({ headers: ["dAtE", "then", "x-request-ID", "mine", "Content-Length", "0"] });
  assert.equal(text, "HTTP/1.1 200 OK\r\ndAtE: then\r\nx-request-ID: mine\r\nContent-Length: 0\r\n\r\n");
});

const faults: Array<[title: string, answer: Answer, fault: ResponseFault]> = [
  ["an informational status", { status: 101 }, "status"],
  ["a status of four digits", { status: 1000 }, "status"],
  ["a status that is no integer", { status: 200.5 }, "status"],
  ["101 as an informational response", { inform: [{ status: 101, reason: "", headers: [] }] }, "status"],
  ["a line break in the reason", { reason: "OK\r\nX: 1" }, "reason"],
  ["a line break in a value", { headers: ["X", "1\r\nY: 2"] }, "field-value"],
  ["LF alone in a value", { headers: ["X", "1\nY: 2"] }, "field-value"],
  ["NUL in a value", { headers: ["X", "\0"] }, "field-value"],
  // U+010A and U+010D would be cut to LF and CR.
  ["characters beyond Latin-1 in a value", { headers: ["X", "\u010d\u010aY: 2"] }, "field-value"],
  ["a colon in a name", { headers: ["X: 1\r\nY", "1"] }, "field-name"],
  ["an empty name", { headers: ["", "1"] }, "field-name"],
  ["a length that is no number", { headers: ["Content-Length", "-1"] }, "content-length"],
  ["an empty length", { headers: ["Content-Length", ""] }, "content-length"],
  ["two lengths", { headers: ["Content-Length", "1", "Content-Length", "2"] }, "content-length"],
  ["two lengths in a list", { headers: ["Content-Length", "1,2"] }, "content-length"],
  ["a length beyond all numbers", { headers: ["Content-Length", "9999999999999999"] }, "content-length"],
  [
    "a line break in an early hint",
    { inform: [{ status: 103, reason: "", headers: ["Link", "a\r\n"] }] },
    "field-value",
  ],
];

for (const [title, answer, fault] of faults) {
  test(`the writer refuses ${title}, and nothing has left`, () => {
    const out = new ByteBatch();
    const writer = new ResponseWriter(out, context);
    const head = answer.inform?.[0];
    const found = head
      ? writer.inform(head)
      : writer.respond({ status: answer.status ?? 200, reason: answer.reason ?? "", headers: answer.headers ?? [] });
    assert.equal(found, fault);
    assert.equal(out.byteLength, 0);
    assert.equal(writer.isHeadWritten, false);
    assert.equal(writer.respond({ status: 502, reason: "Bad Gateway", headers: ["Content-Length", "0"] }), null);
  });
}

test("a body that does not keep to its length is a fault, and what was promised is all that is sent", () => {
  const long = write({ headers: ["Content-Length", "2"], body: ["a", "bcd"] });
  assert.equal(long.fault, "body-longer-than-its-content-length");
  assert.match(long.text, /\r\n\r\nab$/);
  const short = write({ headers: ["Content-Length", "2"], body: ["a"] });
  assert.equal(short.fault, "body-shorter-than-its-content-length");
});

test("a malformed trailer is a fault", () => {
  assert.equal(write({ trailers: ["X", "1\r\n\r\nHTTP/1.1 200 OK"] }).fault, "field-value");
  assert.equal(write({ trailers: ["X Y", "1"] }).fault, "field-name");
});

test("steps out of order are bugs, not faults", () => {
  const writer = new ResponseWriter(new ByteBatch(), context);
  assert.throws(() => writer.body(Buffer.from("a")), /a body follows its head/);
  assert.throws(() => writer.end([]), /after its head/);
  writer.respond({ status: 200, reason: "", headers: [] });
  assert.throws(() => writer.respond({ status: 200, reason: "", headers: [] }), /one head/);
  assert.throws(() => writer.inform({ status: 100, reason: "", headers: [] }), /precedes/);
  writer.end([]);
  assert.throws(() => writer.body(Buffer.from("a")), /a body follows its head/);
});

test("whatever an app answers, no line is written that the app did not mean as one", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "\r", "\n", ":", " ", "\0", "\u010a", "\xe9", "-") });
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 5 }), text, (pairs, reason) => {
      const out = new ByteBatch();
      const writer = new ResponseWriter(out, context);
      const fault = writer.respond({ status: 200, reason, headers: pairs.flat() });
      const lines = Buffer.concat(out.take())
        .latin1Slice()
        .split(/\r\n|\r|\n/);
      if (fault !== null) assert.deepEqual(lines, [""]);
      // The status line, Date, request id, framing and two for the end.
      else assert.ok(lines.length <= pairs.length + 6);
    }),
    { numRuns: 500 },
  );
});
