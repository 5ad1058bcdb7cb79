import assert from "node:assert/strict";
import { test } from "node:test";
import { forwardRequest, type ForwardingPolicy } from "../../src/http/forwarding.ts";
import type { ExchangeRequest } from "../../src/http/message.ts";
import { RequestReader } from "../../src/http/request-reader.ts";

const proxies = ["10.0.0.1", "10.0.0.2", "::1"];
const policy: ForwardingPolicy = {
  judgeAddress: (address) => {
    if (!/^[0-9a-f.:]+$/.test(address)) return "invalid";
    return proxies.includes(address) ? "trusted" : "untrusted";
  },
  trustedFields: "x-forwarded",
  announce: false,
};

function forward(lines: string[], remoteAddress: string, changes: Partial<ForwardingPolicy> = {}): ExchangeRequest {
  const reader = new RequestReader();
  const [first = "", ...rest] = lines;
  const requestLine = / HTTP\/1\.[01]$/.test(first) ? [first, ...rest] : ["GET / HTTP/1.1", "Host: a", ...lines];
  reader.feed(Buffer.from([...requestLine, "", ""].join("\r\n"), "latin1"));
  const event = reader.next();
  assert.ok(event?.type === "head", JSON.stringify(event));
  const connection = {
    remoteAddress,
    remotePort: 5,
    localAddress: "192.0.2.1",
    localPort: 80,
    encrypted: false,
    listener: 3,
  };
  return forwardRequest(event.head, connection, { ...policy, ...changes }, () => "made");
}

/** Without the Host at the beginning and the request id at the end, which are always there. */
const headersOf = (request: ExchangeRequest) => request.headers.slice(2, -2).join("|");

test("fields of the client's connection do not reach the app, nor those that it names", () => {
  const lines = [
    "Connection: keep-alive, X-Hop, TE",
    "Keep-Alive: 5",
    "X-Hop: 1",
    "TE: trailers",
    "Proxy-Connection: x",
    "Upgrade: h2c",
    "Accept: */*",
  ];
  assert.equal(headersOf(forward(lines, "198.51.100.7")), "Accept|*/*");
});

test("a client cannot have fields removed that the app needs to understand its request", () => {
  const lines = ["Connection: close, Host, Content-Length, Cookie", "Content-Length: 0", "Cookie: a"];
  assert.equal(headersOf(forward(lines, "198.51.100.7")), "Content-Length|0|Cookie|a");
});

test("a body in chunks is still announced to the app, in one spelling", () => {
  const request = forward(["POST / HTTP/1.1", "Host: a", "transfer-encoding: Chunked"], "198.51.100.7");
  assert.equal(headersOf(request), "transfer-encoding|chunked");
  assert.equal(request.hasBody, true);
});

test("an upgrade keeps its two fields, and Connection says nothing else", () => {
  const request = forward(["Connection: keep-alive, Upgrade", "Upgrade: websocket"], "198.51.100.7");
  assert.equal(headersOf(request), "Connection|Upgrade|Upgrade|websocket");
  assert.equal(request.upgrade, true);
});

test("a direct client's word on who it is is removed, in every form that apps believe", () => {
  const lines = [
    ..."X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host X-Forwarded-Port X-FORWARDED-Anything Forwarded".split(" "),
    ..."X-Real-IP X-Client-IP True-Client-Ip CF-Connecting-IP Fastly-Client-IP X-Cluster-Client-IP".split(" "),
  ].map((name) => `${name}: 127.0.0.1`);
  const request = forward(lines, "198.51.100.7");
  assert.equal(headersOf(request), "");
  assert.equal(request.remoteAddress, "198.51.100.7");
  assert.equal(request.remotePort, 5);
});

test("when the DNA asks for it, the app is told of a direct client in the fields, too", () => {
  const request = forward(["X-Forwarded-For: 6.6.6.6"], "198.51.100.7", { announce: true });
  assert.equal(headersOf(request), "X-Forwarded-For|198.51.100.7|X-Forwarded-Proto|http|X-Forwarded-Host|a");
});

const chains: Array<[title: string, lines: string[], address: string, headers: string]> = [
  ["one proxy", ["X-Forwarded-For: 198.51.100.7"], "198.51.100.7", "X-Forwarded-For|198.51.100.7"],
  [
    "the client's own claim to the left of what the proxy added",
    ["X-Forwarded-For: 127.0.0.1, 10.0.0.2, 198.51.100.7"],
    "198.51.100.7",
    "X-Forwarded-For|198.51.100.7",
  ],
  ["two proxies", ["X-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.0.0.2"], "198.51.100.7", "X-Forwarded-For|198.51.100.7"],
  [
    "several lines",
    ["X-Forwarded-For: 6.6.6.6", "x-forwarded-for: 198.51.100.7", "X-Forwarded-For: 10.0.0.2"],
    "198.51.100.7",
    "X-Forwarded-For|198.51.100.7",
  ],
  [
    "ports and brackets",
    ["X-Forwarded-For: [2001:db8::1]:99, 10.0.0.2:4"],
    "2001:db8::1",
    "X-Forwarded-For|2001:db8::1",
  ],
  ["only proxies", ["X-Forwarded-For: 10.0.0.2, ::1"], "10.0.0.2", "X-Forwarded-For|10.0.0.2"],
  [
    "a proxy that does not know",
    ["X-Forwarded-For: 198.51.100.7, unknown, 10.0.0.2"],
    "10.0.0.2",
    "X-Forwarded-For|10.0.0.2",
  ],
  ["no field at all", [], "10.0.0.1", "X-Forwarded-For|10.0.0.1"],
  [
    "scheme and host",
    [
      "X-Forwarded-For: 198.51.100.7",
      "X-Forwarded-Proto: HTTPS",
      "X-Forwarded-Host: shop.example:8443",
      "X-Forwarded-Port: 8443",
    ],
    "198.51.100.7",
    "X-Forwarded-Port|8443|X-Forwarded-For|198.51.100.7|X-Forwarded-Proto|https|X-Forwarded-Host|shop.example:8443",
  ],
  [
    "schemes entry by entry",
    ["X-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.0.0.2", "X-Forwarded-Proto: gopher, https, http"],
    "198.51.100.7",
    "X-Forwarded-For|198.51.100.7|X-Forwarded-Proto|https",
  ],
  [
    "a scheme and a host that are none",
    ["X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: javascript", "X-Forwarded-Host: a/b"],
    "198.51.100.7",
    "X-Forwarded-For|198.51.100.7",
  ],
  [
    "Forwarded, which this proxy does not write",
    ["Forwarded: for=6.6.6.6", "X-Forwarded-For: 198.51.100.7"],
    "198.51.100.7",
    "X-Forwarded-For|198.51.100.7",
  ],
  [
    "X-Real-IP",
    ["X-Real-IP: 6.6.6.6", "X-Forwarded-For: 198.51.100.7"],
    "198.51.100.7",
    "X-Real-IP|198.51.100.7|X-Forwarded-For|198.51.100.7",
  ],
];

for (const [title, lines, address, headers] of chains) {
  test(`behind trusted proxies: ${title}`, () => {
    const request = forward(lines, "10.0.0.1");
    assert.equal(request.remoteAddress, address);
    assert.equal(headersOf(request), headers);
  });
}

test("proxies that write Forwarded are read by that, and X-Forwarded-For is not believed", () => {
  const lines = [
    'Forwarded: for=6.6.6.6, for="[2001:db8::1]:7";proto=https;host="shop.example", for=10.0.0.2',
    "X-Forwarded-For: 6.6.6.6",
  ];
  const request = forward(lines, "10.0.0.1", { trustedFields: "forwarded" });
  assert.equal(request.remoteAddress, "2001:db8::1");
  assert.equal(request.remotePort, 7);
  assert.equal(
    headersOf(request),
    'X-Forwarded-For|2001:db8::1|X-Forwarded-Proto|https|X-Forwarded-Host|shop.example|Forwarded|for="[2001:db8::1]";proto=https;host="shop.example"',
  );
});

test("a request id is kept if it is one, made if not, and never two", () => {
  assert.equal(forward(["X-Request-Id: abc-1:2"], "1.1.1.1").requestId, "abc-1:2");
  assert.equal(forward(["X-Request-Id: a b"], "1.1.1.1").requestId, "made");
  assert.equal(forward([`X-Request-Id: ${"a".repeat(129)}`], "1.1.1.1").requestId, "made");
  const two = forward(["X-Request-Id: one", "x-request-id: two"], "1.1.1.1");
  assert.equal(two.requestId, "one");
  assert.deepEqual(two.headers, ["Host", "a", "X-Request-Id", "one"]);
});
