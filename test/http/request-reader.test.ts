import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { httpErrors, type HttpErrorCode } from "../../src/http/http-error.ts";
import { RequestReader, type ReaderEvent, type ReaderLimits } from "../../src/http/request-reader.ts";

type Feed = (reader: RequestReader, piece: Buffer, take: () => void) => void;

/** The reader may keep what it is fed. */
const feed: Feed = (reader, piece, take) => {
  reader.feed(Buffer.from(piece));
  take();
};

/** What it borrows is overwritten by the next that it borrows, or by anything. */
const lend: Feed = (reader, piece, take) => {
  const lent = Buffer.from(piece);
  reader.borrow(lent);
  take();
  reader.giveBack();
  lent.fill("#");
};

/** Whether fed or lent, the same is read. */
function readAll(pieces: readonly Buffer[], limits: Partial<ReaderLimits> = {}): string[] {
  const read = readBy(feed, pieces, limits);
  assert.deepEqual(readBy(lend, pieces, limits), read);
  return read;
}

/** Reads every request in turn; bodies are joined, when all is read. */
function readBy(give: Feed, pieces: readonly Buffer[], limits: Partial<ReaderLimits>): string[] {
  const reader = new RequestReader(limits);
  const told: Array<string | Buffer[]> = [];
  let body: Buffer[] = [];
  const endBody = () => {
    if (body.length > 0) told.push(body);
    body = [];
  };
  const take = () => {
    for (let event = reader.next(); event !== null; event = reader.next()) {
      if (event.type === "body") {
        assert.ok(event.chunk.length > 0, "a body event carries bytes");
        body.push(event.chunk);
        continue;
      }
      endBody();
      told.push(tell(event));
      if (event.type === "end") reader.startNext();
    }
  };
  for (const piece of pieces) give(reader, piece, take);
  endBody();
  const last = reader.finish();
  if (last !== null) told.push(`at the end: ${tell(last)}`);
  return told.map((said) => (typeof said === "string" ? said : `body ${Buffer.concat(said).latin1Slice()}`));
}

function tell(event: ReaderEvent): string {
  assert.ok(event.type !== "body");
  if (event.type === "error") return event.code.replace("CELLWS_HTTP_", "");
  if (event.type === "end") return event.trailers.length === 0 ? "end" : `end ${event.trailers.join("|")}`;
  const { head } = event;
  const flags = [
    head.framing === "length" ? `length=${head.contentLength}` : head.framing,
    head.keepAlive ? "keep" : "close",
    head.upgrade ? "upgrade" : "",
    head.expectsContinue ? "100" : "",
  ];
  return `${head.method} ${head.target} 1.${head.versionMinor} [${head.headers.join("|")}] ${flags.filter(Boolean).join(" ")}`;
}

const read = (text: string, limits?: Partial<ReaderLimits>) => readAll([Buffer.from(text, "latin1")], limits);

/** A request with these lines added, to try a rule where everything else is right. */
const get = (...lines: string[]) => ["GET / HTTP/1.1", "Host: a", ...lines, "", ""].join("\r\n");
const post = (...lines: string[]) => ["POST / HTTP/1.1", "Host: a", ...lines].join("\r\n") + "\r\n\r\n";
const chunked = (body: string) => post("Transfer-Encoding: chunked") + body;

const accepted: Array<[title: string, request: string, events: string[]]> = [
  ["the least", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ["GET / 1.1 [Host|a] none keep", "end"]],
  ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", ["GET / 1.1 [Host|] none keep", "end"]],
  ["HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", ["GET / 1.0 [] none close", "end"]],
  [
    "HTTP/1.0 that wants to stay",
    "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
    ["GET / 1.0 [Connection|Keep-Alive] none keep", "end"],
  ],
  ["close", get("Connection: foo , CLOSE"), ["GET / 1.1 [Host|a|Connection|foo , CLOSE] none close", "end"]],
  [
    "values keep their bytes and lose the blanks around them",
    get("X-A: \t a\xe9\t b \t", "X-B:", "x-a:2"),
    ["GET / 1.1 [Host|a|X-A|a\xe9\t b|X-B||x-a|2] none keep", "end"],
  ],
  [
    "every kind of token character",
    get("!#$%&'*+-.^_`|~9z: 1"),
    ["GET / 1.1 [Host|a|!#$%&'*+-.^_`|~9z|1] none keep", "end"],
  ],
  ["one empty line before", "\r\n" + get(), ["GET / 1.1 [Host|a] none keep", "end"]],
  [
    "what browsers do not encode in a target",
    'GET /?a|b{}"^`\\ HTTP/1.0\r\n\r\n',
    ['GET /?a|b{}"^`\\ 1.0 [] none close', "end"],
  ],
  ["OPTIONS *", "OPTIONS * HTTP/1.0\r\n\r\n", ["OPTIONS * 1.0 [] none close", "end"]],
  [
    "absolute-form that agrees with Host",
    "GET http://A:80/x HTTP/1.1\r\nHost: a\r\n\r\n",
    ["GET http://A:80/x 1.1 [Host|a] none keep", "end"],
  ],
  [
    "absolute-form without a path",
    "GET https://a?x HTTP/1.1\r\nHost: a:443\r\n\r\n",
    ["GET https://a?x 1.1 [Host|a:443] none keep", "end"],
  ],
  [
    "CONNECT",
    "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
    ["CONNECT a:443 1.1 [Host|a:443] none keep upgrade", "end"],
  ],
  ["an IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", ["GET / 1.1 [Host|[::1]:80] none keep", "end"]],
  [
    "a body by length",
    post("Content-Length: 5") + "hello",
    ["POST / 1.1 [Host|a|Content-Length|5] length=5 keep", "body hello", "end"],
  ],
  ["a length of zero", post("Content-Length: 0"), ["POST / 1.1 [Host|a|Content-Length|0] length=0 keep", "end"]],
  [
    "leading zeros in a length",
    post("Content-Length: 0002") + "ab",
    ["POST / 1.1 [Host|a|Content-Length|0002] length=2 keep", "body ab", "end"],
  ],
  [
    "a body in chunks",
    chunked('5\r\nhello\r\n1;a=b;c="d;\\"e";f\r\n!\r\n00A\r\n0123456789\r\n0\r\n\r\n'),
    ["POST / 1.1 [Host|a|Transfer-Encoding|chunked] chunked keep", "body hello!0123456789", "end"],
  ],
  [
    "trailers",
    chunked("0\r\nX-Sum: 1\r\nx-more: \xe9\r\n\r\n"),
    ["POST / 1.1 [Host|a|Transfer-Encoding|chunked] chunked keep", "end X-Sum|1|x-more|\xe9"],
  ],
  [
    "Chunked in any case",
    post("transfer-encoding: \tCHUNKED") + "0\r\n\r\n",
    ["POST / 1.1 [Host|a|transfer-encoding|CHUNKED] chunked keep", "end"],
  ],
  [
    "an upgrade",
    get("Connection: Upgrade, x", "Upgrade: websocket"),
    ["GET / 1.1 [Host|a|Connection|Upgrade, x|Upgrade|websocket] none keep upgrade", "end"],
  ],
  ["Upgrade that Connection does not name", get("Upgrade: h2c"), ["GET / 1.1 [Host|a|Upgrade|h2c] none keep", "end"]],
  [
    "an upgrade with a body is read as a plain request",
    post("Connection: Upgrade", "Upgrade: h2c", "Content-Length: 1") + "x",
    ["POST / 1.1 [Host|a|Connection|Upgrade|Upgrade|h2c|Content-Length|1] length=1 keep", "body x", "end"],
  ],
  [
    "Expect",
    post("Expect: 100-Continue", "Content-Length: 1") + "x",
    ["POST / 1.1 [Host|a|Expect|100-Continue|Content-Length|1] length=1 keep 100", "body x", "end"],
  ],
  ["Expect without a body", get("Expect: 100-continue"), ["GET / 1.1 [Host|a|Expect|100-continue] none keep", "end"]],
  [
    "pipelined requests, bodies between",
    post("Content-Length: 2") + "ab" + get() + chunked("1\r\nc\r\n0\r\n\r\n") + "\r\n" + get("X: 1"),
    [
      "POST / 1.1 [Host|a|Content-Length|2] length=2 keep",
      "body ab",
      "end",
      "GET / 1.1 [Host|a] none keep",
      "end",
      "POST / 1.1 [Host|a|Transfer-Encoding|chunked] chunked keep",
      "body c",
      "end",
      "GET / 1.1 [Host|a|X|1] none keep",
      "end",
    ],
  ],
];

for (const [title, request, events] of accepted) {
  test(`the reader accepts ${title}`, () => assert.deepEqual(read(request), events));
}

const refused: Array<[title: string, request: string, code: HttpErrorCode]> = [
  ["no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_REQUEST_LINE"],
  ["HTTP/0.9", "GET /\r\n\r\n", "CELLWS_HTTP_REQUEST_LINE"],
  ["two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_REQUEST_LINE"],
  ["a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_REQUEST_LINE"],
  ["a space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "CELLWS_HTTP_REQUEST_LINE"],
  ["a tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_REQUEST_LINE"],
  ["a space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_REQUEST_LINE"],
  ["a method that is no token", "G{T / HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_REQUEST_LINE"],
  ["a method nobody knows", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_METHOD_UNKNOWN"],
  ["a method in lower case", "get / HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_METHOD_UNKNOWN"],
  ["HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "CELLWS_HTTP_VERSION"],
  ["HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "CELLWS_HTTP_VERSION"],
  ["http in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_REQUEST_LINE"],
  ["HTTP/11", "GET / HTTP/11\r\nHost: a\r\n\r\n", "CELLWS_HTTP_REQUEST_LINE"],
  ["a byte above ASCII in the target", "GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_REQUEST_LINE"],
  ["a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_REQUEST_LINE"],
  ["a relative target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_TARGET"],
  ["* for another method than OPTIONS", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_TARGET"],
  ["a scheme that is not http", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_TARGET"],
  ["user information in the target", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_TARGET"],
  ["CONNECT without a port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_TARGET"],
  ["CONNECT with a path", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_TARGET"],
  ["authority-form without CONNECT", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_TARGET"],
  ["a target of one host for another", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_HOST_CONFLICT"],
  ["no Host", "GET / HTTP/1.1\r\n\r\n", "CELLWS_HTTP_HOST_MISSING"],
  ["two Hosts", get("Host: a"), "CELLWS_HTTP_HOST_DUPLICATE"],
  ["two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", "CELLWS_HTTP_HOST_DUPLICATE"],
  ...["a b", "a,b", "u@a", "a/b", "a:b", "a:80:80", ":80", "[::1", "::1]", "[::1]x", "a:123456", "http://a"].map(
    (host): [string, string, HttpErrorCode] => [
      `the Host ${host}`,
      `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      "CELLWS_HTTP_HOST_MALFORMED",
    ],
  ),
  ["a space before the colon", get("X : 1"), "CELLWS_HTTP_FIELD_NAME"],
  ["a tab before the colon", get("X\t: 1"), "CELLWS_HTTP_FIELD_NAME"],
  ["an empty name", get(": 1"), "CELLWS_HTTP_FIELD_NAME"],
  ["a line without a colon", get("X"), "CELLWS_HTTP_FIELD_NAME"],
  ["a byte above ASCII in a name", get("X\xe9: 1"), "CELLWS_HTTP_FIELD_NAME"],
  ["a folded value", get("X: 1", " 2"), "CELLWS_HTTP_OBS_FOLD"],
  ["a blank before the first name", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "CELLWS_HTTP_OBS_FOLD"],
  ["NUL in a value", get("X: a\0b"), "CELLWS_HTTP_CONTROL_BYTE"],
  ["NUL in a name", get("X\0: a"), "CELLWS_HTTP_CONTROL_BYTE"],
  ["DEL in a value", get("X: a\x7fb"), "CELLWS_HTTP_CONTROL_BYTE"],
  ["NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", "CELLWS_HTTP_CONTROL_BYTE"],
  ["LF for a line end", get("X: a\nY: b"), "CELLWS_HTTP_BARE_LF"],
  ["LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "CELLWS_HTTP_BARE_LF"],
  ["LF for everything", "GET / HTTP/1.1\nHost: a\n\n", "CELLWS_HTTP_BARE_LF"],
  ["an empty line of LF alone", "\n" + get(), "CELLWS_HTTP_BARE_LF"],
  ["CR in a value", get("X: a\rb"), "CELLWS_HTTP_BARE_CR"],
  ["CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", "CELLWS_HTTP_BARE_CR"],
  ["two empty lines before", "\r\n\r\n" + get(), "CELLWS_HTTP_REQUEST_LINE"],
  ["TLS on the plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "CELLWS_HTTP_CONTROL_BYTE"],
  ["another expectation", get("Expect: 200-ok"), "CELLWS_HTTP_EXPECTATION"],
  ["two expectations", get("Expect: 100-continue", "Expect: 100-continue"), "CELLWS_HTTP_EXPECTATION"],
  ...["+1", "-1", "1.0", "0x1", "1,1", "1 1", "", "one", "\xb2"].map((length): [string, string, HttpErrorCode] => [
    `the length "${length}"`,
    post(`Content-Length: ${length}`),
    "CELLWS_HTTP_LENGTH_MALFORMED",
  ]),
  ["two lengths", post("Content-Length: 1", "Content-Length: 2"), "CELLWS_HTTP_LENGTH_DUPLICATE"],
  ["the same length twice", post("Content-Length: 1", "content-length: 1"), "CELLWS_HTTP_LENGTH_DUPLICATE"],
  ["a length of 17 digits", post("Content-Length: 00000000000000001"), "CELLWS_HTTP_BODY_TOO_LARGE"],
  ["a length and a coding", post("Content-Length: 1", "Transfer-Encoding: chunked"), "CELLWS_HTTP_FRAMING_CONFLICT"],
  ["a coding and a length", post("Transfer-Encoding: chunked", "Content-Length: 1"), "CELLWS_HTTP_FRAMING_CONFLICT"],
  [
    "a coding in HTTP/1.0",
    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "CELLWS_HTTP_CODING_MALFORMED",
  ],
  ...["chunked, chunked", "chunked, gzip", "chunked,", ",chunked", "", ","].map(
    (c): [string, string, HttpErrorCode] => [
      `the coding "${c}"`,
      post(`Transfer-Encoding: ${c}`),
      "CELLWS_HTTP_CODING_MALFORMED",
    ],
  ),
  ...["gzip", "gzip, chunked", "identity", "xchunked", "chunked;q=1", '"chunked"', "chunked\xa0", "chun\tked"].map(
    (c): [string, string, HttpErrorCode] => [
      `the coding "${c}"`,
      post(`Transfer-Encoding: ${c}`),
      "CELLWS_HTTP_CODING_UNKNOWN",
    ],
  ),
  [
    "chunked on two lines",
    post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "CELLWS_HTTP_CODING_MALFORMED",
  ],
  [
    "an unknown coding on a second line",
    post("Transfer-Encoding: chunked", "Transfer-Encoding: x"),
    "CELLWS_HTTP_CODING_MALFORMED",
  ],
  [
    "CONNECT with a body",
    "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 1\r\n\r\nx",
    "CELLWS_HTTP_FRAMING_CONFLICT",
  ],
];

for (const [title, request, code] of refused) {
  test(`the reader refuses ${title}`, () => assert.deepEqual(read(request), [code.replace("CELLWS_HTTP_", "")]));
}

const refusedInBody: Array<[title: string, body: string, code: HttpErrorCode]> = [
  ["no size", "\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["a size that is not hexadecimal", "g\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["a sign", "+1\r\na\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["0x", "0x1\r\na\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["a blank before the size", " 1\r\na\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["a blank behind the size", "1 \r\na\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["LF behind the size", "1\na\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["CR alone behind the size", "1\ra\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["17 digits", "00000000000000001\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["a size that wraps", "ffffffffffffffff\r\n", "CELLWS_HTTP_BODY_TOO_LARGE"],
  ["more data than the size", "1\r\nab\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["LF behind the data", "1\r\na\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["CR alone behind the data", "1\r\na\r1\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["an empty extension", "1;\r\na\r\n", "CELLWS_HTTP_CHUNK_EXTENSION"],
  ["an extension with LF", "1;a\nb\r\na\r\n", "CELLWS_HTTP_CHUNK_EXTENSION"],
  ["an extension with CR", "1;a\rb\r\na\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["an extension with a blank", "1; a\r\na\r\n", "CELLWS_HTTP_CHUNK_EXTENSION"],
  ["an extension without its value", "1;a=\r\na\r\n", "CELLWS_HTTP_CHUNK_EXTENSION"],
  ["an unclosed quote", '1;a="b\r\na\r\n', "CELLWS_HTTP_CHUNK_EXTENSION"],
  ["something behind a quote", '1;a="b"c\r\na\r\n', "CELLWS_HTTP_CHUNK_EXTENSION"],
  ["long extensions", `1;${"a".repeat(5000)}\r\na\r\n`, "CELLWS_HTTP_CHUNK_EXTENSION"],
  ["a folded trailer", "0\r\nA: 1\r\n b\r\n\r\n", "CELLWS_HTTP_OBS_FOLD"],
  ["LF in the trailers", "0\r\nA: 1\n\r\n\r\n", "CELLWS_HTTP_BARE_LF"],
  ["LF for the last line", "0\r\n\n", "CELLWS_HTTP_BARE_LF"],
  ["a trailer without colon", "0\r\nGET / HTTP/1.1\r\n\r\n", "CELLWS_HTTP_FIELD_NAME"],
  ["Content-Length as a trailer", "0\r\nContent-Length: 1\r\n\r\n", "CELLWS_HTTP_TRAILER"],
  ["Transfer-Encoding as a trailer", "0\r\nTransfer-Encoding: x\r\n\r\n", "CELLWS_HTTP_TRAILER"],
  ["X-Forwarded-For as a trailer", "0\r\nX-Forwarded-For: x\r\n\r\n", "CELLWS_HTTP_TRAILER"],
  ["trailers without end", `0\r\nA: ${"a".repeat(9000)}`, "CELLWS_HTTP_TRAILERS_TOO_LARGE"],
];

for (const [title, body, code] of refusedInBody) {
  test(`the reader refuses in a chunked body: ${title}`, () => {
    const events = read(chunked(body)).filter((event) => !event.startsWith("body"));
    assert.deepEqual(events.slice(1), [code.replace("CELLWS_HTTP_", "")]);
  });
}

const limits: ReaderLimits = {
  headBytesMax: 200,
  fieldsMax: 3,
  targetBytesMax: 50,
  bodyBytesMax: 10,
  chunkExtensionBytesMax: 6,
  trailerBytesMax: 20,
};
const line = (bytes: number) => `GET /${"a".repeat(bytes - 1)} HTTP/1.1\r\nHost: a\r\n\r\n`;
const sized = (bytes: number) => get(`X: ${"x".repeat(bytes - get("X: ").length)}`);

const atLimit: Array<[title: string, within: string, beyond: string, code: HttpErrorCode]> = [
  ["target", line(50), line(51), "CELLWS_HTTP_TARGET_TOO_LONG"],
  ["head", sized(200), sized(201), "CELLWS_HTTP_HEAD_TOO_LARGE"],
  ["fields", get("B: 1", "C: 1"), get("B: 1", "C: 1", "D: 1"), "CELLWS_HTTP_FIELDS_TOO_MANY"],
  ["length", post("Content-Length: 10") + "0123456789", post("Content-Length: 11"), "CELLWS_HTTP_BODY_TOO_LARGE"],
  [
    "chunks",
    chunked("6\r\n012345\r\n4\r\n6789\r\n0\r\n\r\n"),
    chunked("6\r\n012345\r\n5\r\n67890\r\n0\r\n\r\n"),
    "CELLWS_HTTP_BODY_TOO_LARGE",
  ],
  [
    "extensions",
    chunked("1;ab\r\na\r\n0;cd\r\n\r\n"),
    chunked("1;ab\r\na\r\n0;cde\r\n\r\n"),
    "CELLWS_HTTP_CHUNK_EXTENSION",
  ],
  [
    "trailers",
    chunked("0\r\nA: 0123456789abc\r\n\r\n"),
    chunked("0\r\nA: 0123456789abcd\r\n\r\n"),
    "CELLWS_HTTP_TRAILERS_TOO_LARGE",
  ],
  [
    "fields with trailers",
    chunked("0\r\nA: 1\r\n\r\n"),
    chunked("0\r\nA: 1\r\nB: 1\r\n\r\n"),
    "CELLWS_HTTP_FIELDS_TOO_MANY",
  ],
];

for (const [title, within, beyond, code] of atLimit) {
  test(`the limit on ${title} lets its last byte through and refuses the next`, () => {
    assert.match(read(within, limits).at(-1) ?? "", /^end/);
    assert.equal(read(beyond, limits).at(-1), code.replace("CELLWS_HTTP_", ""));
  });
}

test("a head without end is refused at the limit, with the code of what grew", () => {
  assert.deepEqual(read(`GET /${"a".repeat(100)}`, limits), ["TARGET_TOO_LONG"]);
  assert.deepEqual(read(`GET / HTTP/1.1\r\nX: ${"a".repeat(200)}`, limits), ["HEAD_TOO_LARGE"]);
});

test("a connection that ends within a request is told from one that ends between", () => {
  assert.deepEqual(read("GET / HT"), ["at the end: INCOMPLETE"]);
  assert.equal(read(post("Content-Length: 5") + "hel").at(-1), "at the end: INCOMPLETE");
  assert.equal(read(chunked("5\r\nhello\r\n0\r\n")).at(-1), "at the end: INCOMPLETE");
  assert.deepEqual(read(""), []);
  assert.equal(read(get()).at(-1), "end");
});

test("a wrong byte is refused at once, before the head is complete", () => {
  for (const [text, code] of [
    ["GET / HTTP/1.1\n", "BARE_LF"],
    ["GET / HTTP/1.1\r\nX: a\0", "CONTROL_BYTE"],
    ["GET / HTTP/1.1\rX", "BARE_CR"],
  ] as const) {
    const pieces = text.split("").map((character) => Buffer.from(character, "latin1"));
    assert.deepEqual(readAll(pieces), [code]);
  }
});

test("after an error the reader gives nothing more, whatever it is fed", () => {
  const reader = new RequestReader();
  reader.feed(Buffer.from("nonsense\r\n\r\n"));
  assert.equal(reader.next()?.type, "error");
  reader.feed(Buffer.from(get()));
  assert.equal(reader.next(), null);
  assert.equal(reader.finish(), null);
});

test("the reader stands still after a request, and only then may be asked for the next", () => {
  const reader = new RequestReader();
  reader.feed(Buffer.from(get() + "rest"));
  assert.throws(() => reader.startNext(), /start-next in state head/);
  assert.equal(reader.next()?.type, "head");
  assert.equal(reader.next()?.type, "end");
  assert.equal(reader.next(), null);
  assert.equal(reader.isIdle, true);
  assert.equal(reader.unreadBytes, 4);
});

test("what follows an upgrade belongs to the tunnel", () => {
  for (const give of [feed, lend]) {
    const reader = new RequestReader();
    let rest: Buffer | null = null;
    give(reader, Buffer.from(get("Connection: upgrade", "Upgrade: x") + "\x01\x02"), () => {
      reader.next();
      reader.next();
      rest = reader.takeRest();
    });
    assert.deepEqual([...(rest ?? [])], [1, 2]);
    assert.equal(reader.next(), null);
  }
});

test("body chunks are views of what was fed, except that small chunks are gathered", () => {
  const reader = new RequestReader();
  const fed = Buffer.from(post("Content-Length: 3") + "abc");
  reader.feed(fed);
  reader.next();
  const event = reader.next();
  assert.ok(event?.type === "body" && event.chunk.buffer === fed.buffer);

  const small = new RequestReader();
  small.feed(Buffer.from(chunked("1\r\na\r\n".repeat(1000) + "0\r\n\r\n")));
  small.next();
  const gathered = small.next();
  assert.ok(gathered?.type === "body" && gathered.chunk.length === 1000);
  assert.equal(small.next()?.type, "end");
});

test("every code that the reader can give is in the catalogue with a status that HTTP has for it", () => {
  const statuses = new Set([...refused, ...refusedInBody].map(([, , code]) => httpErrors[code].status));
  assert.deepEqual(
    [...statuses].toSorted((a, b) => a - b),
    [400, 413, 417, 431, 501, 505],
  );
});

const anyRequest = fc.constantFrom(
  ...accepted.map(([, request]) => request),
  ...refused.map(([, request]) => request),
  ...refusedInBody.map(([, body]) => chunked(body)),
);

test("however the bytes are cut, the events are the same", () => {
  fc.assert(
    fc.property(
      fc.array(anyRequest, { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      (all, cuts) => {
        const bytes = Buffer.from(all.join(""), "latin1");
        const at = [...new Set(cuts.map((cut) => cut % bytes.length))].toSorted((a, b) => a - b);
        const pieces = [...at, bytes.length].map((to, i) => bytes.subarray(i === 0 ? 0 : at[i - 1], to));
        assert.deepEqual(outcome(readAll(pieces)), outcome(readAll([bytes])));
        const single = [...bytes].map((byte) => Buffer.from([byte]));
        assert.deepEqual(outcome(readAll(single)), outcome(readAll([bytes])));
      },
    ),
    { numRuns: 300 },
  );
});

/** How much of a body came before an error depends on the cuts, and an early error may have a cruder word. */
function outcome(events: string[]): string[] {
  const last = events.at(-1) ?? "";
  const isError = /^[A-Z_]+$/.test(last);
  const sound = events.filter((event) => !event.startsWith("body "));
  return isError ? [...sound.slice(0, -1), "refused"] : events;
}

test("bytes at random never make the reader throw", () => {
  const word = fc.constantFrom(
    "GET ",
    "/ ",
    "HTTP/1.1",
    "\r\n",
    "Host: a\r\n",
    "Transfer-Encoding: chunked\r\n",
    "5\r\n",
    "\n",
  );
  const noise = fc.oneof(
    word,
    fc.uint8Array({ maxLength: 10 }).map((bytes) => Buffer.from(bytes).latin1Slice()),
  );
  fc.assert(
    fc.property(fc.array(noise, { maxLength: 20 }), (pieces) => {
      readAll(pieces.map((piece) => Buffer.from(piece, "latin1")));
    }),
    { numRuns: 500 },
  );
});
