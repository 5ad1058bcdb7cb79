/**
 * Ways in which requests have been smuggled past front ends, and what this reader makes of each: either it is refused,
 * or there is only one way to read it, which is written here.
 *
 * They are also where the fuzzer begins (scripts/fuzz-http.ts).
 */
import type { HttpErrorCode } from "../../src/http/http-error.ts";

export interface SmugglingCase {
  name: string;
  /** Latin-1. */
  bytes: string;
  /** `METHOD target body` of each request that is read, in order; then the code, if it ends with a refusal. */
  reads: string[];
  refusal: HttpErrorCode | null;
}

const refused = (name: string, bytes: string, code: HttpErrorCode, reads: string[] = []): SmugglingCase => ({
  name,
  bytes,
  reads,
  refusal: code,
});
const oneWay = (name: string, bytes: string, ...reads: string[]): SmugglingCase => ({ name, bytes, reads, refusal: null });

const post = (fields: string, body: string) => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`;
const inner = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
const innerInChunk = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
const chunked = (body: string) => post("Transfer-Encoding: chunked", body);

/** Both framings at once, with the coding written so that only some programs see it. */
const hiddenCodings: Array<[name: string, field: string, code: HttpErrorCode]> = [
  ["plain", "Transfer-Encoding: chunked", "CELLWS_HTTP_FRAMING_CONFLICT"],
  ["xchunked", "Transfer-Encoding: xchunked", "CELLWS_HTTP_FRAMING_CONFLICT"],
  ["identity", "Transfer-Encoding: identity", "CELLWS_HTTP_FRAMING_CONFLICT"],
  ["a space before the colon", "Transfer-Encoding : chunked", "CELLWS_HTTP_FIELD_NAME"],
  ["a tab before the colon", "Transfer-Encoding\t: chunked", "CELLWS_HTTP_FIELD_NAME"],
  ["a vertical tab", "Transfer-Encoding:\x0bchunked", "CELLWS_HTTP_CONTROL_BYTE"],
  ["a form feed", "Transfer-Encoding: \x0cchunked", "CELLWS_HTTP_CONTROL_BYTE"],
  ["NUL behind", "Transfer-Encoding: chunked\0", "CELLWS_HTTP_CONTROL_BYTE"],
  ["NUL in the name", "Transfer\0-Encoding: chunked", "CELLWS_HTTP_CONTROL_BYTE"],
  ["a fold before the value", "Transfer-Encoding:\r\n chunked", "CELLWS_HTTP_OBS_FOLD"],
  ["a fold before the colon", "Transfer-Encoding\r\n: chunked", "CELLWS_HTTP_FIELD_NAME"],
  ["folded into another field", "X: a\r\n Transfer-Encoding: chunked", "CELLWS_HTTP_OBS_FOLD"],
  ["behind a bare LF", "X: a\nTransfer-Encoding: chunked", "CELLWS_HTTP_BARE_LF"],
  ["behind a bare CR", "X: a\rTransfer-Encoding: chunked", "CELLWS_HTTP_BARE_CR"],
  ["before a bare LF", "Transfer-Encoding: chunked\nX: a", "CELLWS_HTTP_BARE_LF"],
  ["quoted", 'Transfer-Encoding: "chunked"', "CELLWS_HTTP_FRAMING_CONFLICT"],
  ["with a parameter", "Transfer-Encoding: chunked;q=0", "CELLWS_HTTP_FRAMING_CONFLICT"],
  ["last of a list", "Transfer-Encoding: x, chunked", "CELLWS_HTTP_FRAMING_CONFLICT"],
  ["first of a list", "Transfer-Encoding: chunked, x", "CELLWS_HTTP_FRAMING_CONFLICT"],
  ["twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "CELLWS_HTTP_FRAMING_CONFLICT"],
  ["empty", "Transfer-Encoding:", "CELLWS_HTTP_FRAMING_CONFLICT"],
  ["a no-break space", "Transfer-Encoding: chunked\xa0", "CELLWS_HTTP_FRAMING_CONFLICT"],
  ["the Kelvin sign for a k", "Transfer-Encoding: chun\xe2\x84\xaaed", "CELLWS_HTTP_FRAMING_CONFLICT"],
];

/** The coding alone, written in odd ways. */
const oddCodings: Array<[field: string, code: HttpErrorCode]> = [
  ["Transfer-Encoding: xchunked", "CELLWS_HTTP_CODING_UNKNOWN"],
  ["Transfer-Encoding: x, chunked", "CELLWS_HTTP_CODING_UNKNOWN"],
  ["Transfer-Encoding: chunked, x", "CELLWS_HTTP_CODING_MALFORMED"],
  ["Transfer-Encoding: chunked, chunked", "CELLWS_HTTP_CODING_MALFORMED"],
  ["Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "CELLWS_HTTP_CODING_MALFORMED"],
  ["Transfer-Encoding: x\r\nTransfer-Encoding: chunked", "CELLWS_HTTP_CODING_UNKNOWN"],
  ["Transfer-Encoding: ,chunked", "CELLWS_HTTP_CODING_MALFORMED"],
  ["Transfer-Encoding: chunked\xa0", "CELLWS_HTTP_CODING_UNKNOWN"],
  ["Transfer-Encoding: chunked\x0b", "CELLWS_HTTP_CONTROL_BYTE"],
  ["Transfer-Encoding: chunked ", "CELLWS_HTTP_CODING_MALFORMED"],
  ["Transfer-Encoding: chunked\t\r\nConnection: Upgrade\r\nUpgrade: x", "CELLWS_HTTP_CODING_MALFORMED"],
];

/** Lengths that some programs take for 6, some for another number. */
const oddLengths: Array<[field: string, code: HttpErrorCode]> = [
  ["Content-Length: +6", "CELLWS_HTTP_LENGTH_MALFORMED"],
  ["Content-Length: -6", "CELLWS_HTTP_LENGTH_MALFORMED"],
  ["Content-Length: 0x6", "CELLWS_HTTP_LENGTH_MALFORMED"],
  ["Content-Length: 6.0", "CELLWS_HTTP_LENGTH_MALFORMED"],
  ["Content-Length: 6e0", "CELLWS_HTTP_LENGTH_MALFORMED"],
  ["Content-Length: 6 6", "CELLWS_HTTP_LENGTH_MALFORMED"],
  ["Content-Length: 6, 6", "CELLWS_HTTP_LENGTH_MALFORMED"],
  ["Content-Length: 6,", "CELLWS_HTTP_LENGTH_MALFORMED"],
  ["Content-Length: 6\xa0", "CELLWS_HTTP_LENGTH_MALFORMED"],
  ["Content-Length: 1_0", "CELLWS_HTTP_LENGTH_MALFORMED"],
  ["Content-Length:", "CELLWS_HTTP_LENGTH_MALFORMED"],
  ["Content-Length: 6\0", "CELLWS_HTTP_CONTROL_BYTE"],
  ["Content-Length : 6", "CELLWS_HTTP_FIELD_NAME"],
  ["Content-Length: 6\r\nContent-Length: 0", "CELLWS_HTTP_LENGTH_DUPLICATE"],
  ["Content-Length: 6\r\nContent-Length: 6", "CELLWS_HTTP_LENGTH_DUPLICATE"],
  ["Content-Length: 0\r\ncontent-length: 6", "CELLWS_HTTP_LENGTH_DUPLICATE"],
  ["Content-Length: 18446744073709551622", "CELLWS_HTTP_BODY_TOO_LARGE"],
  ["Content-Length: 4294967302", "CELLWS_HTTP_BODY_TOO_LARGE"],
];

/** Chunked bodies whose framing programs have disagreed about. */
const oddChunks: Array<[name: string, body: string, code: HttpErrorCode]> = [
  ["a size with 0x", `0x5\r\nhello\r\n0\r\n\r\n${inner}`, "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["a size with a sign", "+5\r\nhello\r\n0\r\n\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["a size with an underscore", "1_0\r\nhello\r\n0\r\n\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["a size with a blank before", " 5\r\nhello\r\n0\r\n\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["a size with a blank behind", "5 \r\nhello\r\n0\r\n\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["a size that wraps at 32 bits", "100000005\r\nhello\r\n0\r\n\r\n", "CELLWS_HTTP_BODY_TOO_LARGE"],
  ["a size that wraps at 64 bits", "10000000000000005\r\nhello\r\n0\r\n\r\n", "CELLWS_HTTP_BODY_TOO_LARGE"],
  ["no size", "\r\nhello\r\n0\r\n\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["a line end of LF behind the size", "5\nhello\r\n0\r\n\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["a line end of CR behind the size", "5\rhello\r\n0\r\n\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["LF within an extension", `5;\nxx\r\nhello\r\n0\r\n\r\n${inner}`, "CELLWS_HTTP_CHUNK_EXTENSION"],
  ["LF ends an extension", `5;x\nhello\r\n0\r\n\r\n${inner}`, "CELLWS_HTTP_CHUNK_EXTENSION"],
  ["CR within an extension", `5;x\rx\r\nhello\r\n0\r\n\r\n${inner}`, "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["a line end of LF behind the data", "5\r\nhello\n0\r\n\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["no line end behind the data", "5\r\nhello0\r\n\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["two other bytes for the line end behind the data", "5\r\nhelloXX0\r\n\r\n", "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["more data than the size", `5\r\nhelloworld\r\n0\r\n\r\n`, "CELLWS_HTTP_CHUNK_MALFORMED"],
  ["LF for the empty line at the end", `0\r\n\n${inner}`, "CELLWS_HTTP_BARE_LF"],
  ["a request where trailers should be", `0\r\n${inner}`, "CELLWS_HTTP_FIELD_NAME"],
  ["a trailer that frames", "0\r\nContent-Length: 6\r\n\r\n", "CELLWS_HTTP_TRAILER"],
  ["a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", "CELLWS_HTTP_OBS_FOLD"],
];

export const smugglingCases: readonly SmugglingCase[] = [
  ...hiddenCodings.flatMap(([name, field, code]) => [
    refused(`CL.TE: ${name}`, post(`Content-Length: 6\r\n${field}`, "0\r\n\r\nG"), code),
    refused(`TE.CL: ${name}`, post(`${field}\r\nContent-Length: 4`, innerInChunk), code),
  ]),
  ...oddCodings.map(([field, code]) => refused(`TE.TE: ${field}`, post(field, innerInChunk), code)),
  ...oddLengths.map(([field, code]) => refused(`CL.CL: ${field}`, post(field, `hello!${inner}`), code)),
  ...oddChunks.map(([name, body, code]) => refused(`chunks: ${name}`, chunked(body), code)),
  oneWay("blanks before chunked", post("Transfer-Encoding: \t chunked", "0\r\n\r\n"), "POST / "),
  oneWay("leading zeros in a length", post("Content-Length: 006", "hello!") + inner, "POST / hello!", "GET /admin "),
  oneWay("leading zeros in a chunk size", chunked("0005\r\nhello\r\n000\r\n\r\n"), "POST / hello"),
  oneWay("an underscore for a hyphen", post("Transfer_Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"), "POST / 0\r\n\r\n"),
  oneWay("another name for the coding", post("X-Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"), "POST / 0\r\n\r\n"),
  oneWay("CL.0: a POST whose body is a request", post(`Content-Length: ${inner.length}`, inner), `POST / ${inner}`),
  oneWay(
    "CL.0: a GET with such a body",
    `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
    `GET / ${inner}`,
  ),
  oneWay(
    "CL.0: HEAD with such a body",
    `HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
    `HEAD / ${inner}`,
  ),
  oneWay(
    "CL.0: OPTIONS with such a body in chunks",
    `OPTIONS * HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${innerInChunk}`,
    `OPTIONS * ${inner}`,
  ),
  oneWay("0.CL: a length of zero, then a request", post("Content-Length: 0", inner), "POST / ", "GET /admin "),
  oneWay("no framing, then a request", `POST / HTTP/1.1\r\nHost: a\r\n\r\n${inner}`, "POST / ", "GET /admin "),
  oneWay(
    "Expect, and the body at once",
    post(`Expect: 100-continue\r\nContent-Length: ${inner.length}`, inner),
    `POST / ${inner}`,
  ),
  oneWay(
    "pipelined bodies of both kinds",
    post("Content-Length: 5", "hello") + chunked("5\r\nworld\r\n0\r\n\r\n") + inner,
    "POST / hello",
    "POST / world",
    "GET /admin ",
  ),
  oneWay("a chunk that holds the end of chunks", chunked("7\r\n0\r\n\r\nGE\r\n0\r\n\r\n"), "POST / 0\r\n\r\nGE"),
  oneWay("extensions as they should be", chunked('5;a;b=c;d="e\\"f;g"\r\nhello\r\n0;x\r\n\r\n'), "POST / hello"),
  oneWay("one empty line before a request", `\r\n${inner}`, "GET /admin "),
  oneWay("a body followed by an empty line", `${post("Content-Length: 2", "hi")}\r\n${inner}`, "POST / hi", "GET /admin "),
  oneWay(
    "an upgrade to HTTP/2 with a body",
    post(`Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5`, "PRI *") + inner,
    "POST / PRI *",
    "GET /admin ",
  ),
  refused("a body shorter than the request in it", post("Content-Length: 3", inner), "CELLWS_HTTP_REQUEST_LINE", ["POST / GET"]),
  refused("a coding in HTTP/1.0", `POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n${innerInChunk}`, "CELLWS_HTTP_CODING_MALFORMED"),
  refused("two Hosts", `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`, "CELLWS_HTTP_HOST_DUPLICATE"),
  refused("a Host behind a blank", `GET / HTTP/1.1\r\nHost: a\r\n Host: b\r\n\r\n`, "CELLWS_HTTP_OBS_FOLD"),
  refused("a blank before the first field", `GET / HTTP/1.1\r\n Host: a\r\n\r\n`, "CELLWS_HTTP_OBS_FOLD"),
  refused("no Host", `GET / HTTP/1.1\r\nX: a\r\n\r\n`, "CELLWS_HTTP_HOST_MISSING"),
  refused("a Host of another site than the target", `GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n`, "CELLWS_HTTP_HOST_CONFLICT"),
  refused("a Host with a path", `GET / HTTP/1.1\r\nHost: a/admin?\r\n\r\n`, "CELLWS_HTTP_HOST_MALFORMED"),
  refused("a Host with user information", `GET / HTTP/1.1\r\nHost: b@a\r\n\r\n`, "CELLWS_HTTP_HOST_MALFORMED"),
  refused("two versions", `GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n`, "CELLWS_HTTP_REQUEST_LINE"),
  refused("a request line of LF", `GET / HTTP/1.1\nHost: a\r\n\r\n`, "CELLWS_HTTP_BARE_LF"),
  refused("a CR in the target", `GET /\rX HTTP/1.1\r\nHost: a\r\n\r\n`, "CELLWS_HTTP_BARE_CR"),
  refused("a tab in the request line", `GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n`, "CELLWS_HTTP_REQUEST_LINE"),
  refused("HTTP/0.9 behind a sound request", `${inner}GET /admin\r\n\r\n`, "CELLWS_HTTP_REQUEST_LINE", ["GET /admin "]),
  refused("empty lines before a request", `\r\n\r\n\r\n${inner}`, "CELLWS_HTTP_REQUEST_LINE"),
  refused("an empty line of LF", `\n${inner}`, "CELLWS_HTTP_BARE_LF"),
  refused("CONNECT with a length", `CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 3\r\n\r\nabc`, "CELLWS_HTTP_FRAMING_CONFLICT"),
  refused("HTTP/2's preface", `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`, "CELLWS_HTTP_VERSION"),
  refused("HTTP/1.2", `GET / HTTP/1.2\r\nHost: a\r\n\r\n`, "CELLWS_HTTP_VERSION"),
];
