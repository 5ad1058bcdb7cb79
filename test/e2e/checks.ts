/**
 * What an app must do, whoever serves it: checked against plain Node first and then against an organism, by
 * the same code. A check says which address it talks to and nothing about what stands behind it.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { WebSocket } from "ws";
import { type Address, open, RawConnection, readAll, request } from "./client.ts";
import { until, within } from "./wait.ts";

/** One way to write an app. `plain` is false for those that export their handler, which Node alone does not serve. */
export interface FrameworkApp {
  file: string;
  /** What it sends as `x-app`. */
  name: string;
  plain: boolean;
}

export const frameworkApps: readonly FrameworkApp[] = [
  { file: "express.js", name: "express", plain: true },
  { file: "fastify.js", name: "fastify", plain: true },
  { file: "koa.js", name: "koa", plain: true },
  { file: "hono.js", name: "hono", plain: false },
  { file: "http-cjs.cjs", name: "http-cjs", plain: true },
  { file: "http-esm.mjs", name: "http-esm", plain: true },
  { file: "typescript.ts", name: "typescript", plain: true },
  { file: "fetch-export.mjs", name: "fetch-export", plain: false },
  { file: "handler-export.mjs", name: "handler-export", plain: false },
  { file: "handler-export.cjs", name: "handler-export-cjs", plain: false },
];

/** The five addresses of test/e2e/apps/README.md. */
export async function checkFrameworkApp(at: Address, name: string): Promise<void> {
  const hello = await request(at, { path: "/hello" });
  assert.deepEqual([hello.status, hello.text, hello.headers["x-app"]], [200, "hello", name]);

  const head = await request(at, { method: "HEAD", path: "/hello" });
  assert.deepEqual([head.status, head.text, head.headers["x-app"]], [200, "", name], "HEAD: the head of GET, no body");

  const cookies = await request(at, { path: "/cookies" });
  const names = cookies.headers["set-cookie"]?.map((cookie) => cookie.split(";")[0]);
  assert.deepEqual(names, ["a=1", "b=2"], "each Set-Cookie stays a header of its own");

  const bytes = randomBytes(300_000);
  const type = { "Content-Type": "application/octet-stream" };
  const echo = await request(at, { method: "POST", path: "/echo", body: bytes, headers: type });
  assert.equal(echo.status, 200);
  assert.ok(echo.body.equals(bytes), `${echo.body.length} of ${bytes.length} bytes came back, or others`);
  assert.equal(echo.headers["content-type"], "application/octet-stream");

  const chunked = await request(at, { method: "POST", path: "/echo", body: Readable.from([bytes]), headers: type });
  assert.ok(chunked.body.equals(bytes), "the same without an announced length");

  const lines = (await request(at, { path: "/lines" })).text;
  assert.equal(lines, Array.from({ length: 2000 }, (_, index) => `line ${index + 1}\n`).join(""));

  assert.equal((await request(at, { path: "/nothing-here" })).status, 404);
}

/** Through apps/streams.mjs. 24 MB is far more than any buffer on the way, so it only passes if it flows. */
const bigBytes = 24 * 1024 * 1024;

export async function checkDownload(at: Address): Promise<void> {
  const expected = hashBlocks(bigBytes);
  for (const length of ["", "&length"]) {
    const response = await open(at, { path: `/download?bytes=${bigBytes}${length}` });
    assert.equal(response.headers["content-length"], length === "" ? undefined : String(bigBytes));
    assert.deepEqual(await hashOf(response), expected);
  }
}

/** While this client reads nothing, others are served; then it gets every byte. */
export async function checkSlowReader(at: Address): Promise<void> {
  const slow = await open(at, { path: `/download?bytes=${bigBytes}` });
  for (let turn = 0; turn < 5; turn += 1) {
    const quick = await open(at, { path: "/download?bytes=100000" });
    assert.equal((await hashOf(quick)).bytes, 100_000);
  }
  assert.deepEqual(await hashOf(slow), hashBlocks(bigBytes));
}

export async function checkUpload(at: Address): Promise<void> {
  const expected = hashBlocks(bigBytes);
  for (const headers of [{ "Content-Length": String(bigBytes) }, {}]) {
    const body = Readable.from(blocks(bigBytes));
    const { status, text } = await request(at, { method: "POST", path: "/upload", headers, body });
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(text), expected);
  }
}

/** Both directions at once: neither may wait for the other's end. */
export async function checkEcho(at: Address): Promise<void> {
  const body = Readable.from(blocks(bigBytes));
  const response = await open(at, { method: "POST", path: "/echo", body });
  assert.deepEqual(await hashOf(response), hashBlocks(bigBytes));
}

/** A client that waits for "100 Continue" before it sends its body. */
export async function checkExpectContinue(at: Address): Promise<void> {
  const outgoing = http.request({
    ...at,
    method: "POST",
    path: "/upload",
    agent: false,
    headers: { Expect: "100-continue", "Content-Length": 5 },
  });
  const answered = new Promise<http.IncomingMessage>((resolve, reject) =>
    outgoing.on("response", resolve).on("error", reject),
  );
  outgoing.flushHeaders();
  await within(
    "100 Continue",
    new Promise<void>((resolve, reject) => outgoing.on("continue", resolve).on("error", reject)),
  );
  outgoing.end("hello");
  const text = (await readAll(await within("the answer after 100 Continue", answered))).toString();
  assert.deepEqual(JSON.parse(text), { bytes: 5, sha256: createHash("sha256").update("hello").digest("hex") });
}

/** The writer goes on only when told that the event before has been seen: so none waits in a buffer. */
export async function checkEvents(at: Address, scratch: string): Promise<void> {
  const connection = await RawConnection.open(at);
  connection.write(`GET /events?until=${encodeURIComponent(scratch)} HTTP/1.1\r\nHost: app\r\n\r\n`);
  await connection.until("the first event", (received) => received.includes("id: 1\ndata: "));
  assert.match(connection.received, /^HTTP\/1\.1 200 .*\r\n(.*\r\n)*content-type: text\/event-stream\r\n/i);
  for (const event of [2, 3]) {
    assert.ok(!connection.received.includes(`id: ${event}\n`), `event ${event} is not there before its time`);
    writeFileSync(`${scratch}-${event}`, "");
    await connection.until(`event ${event}`, (received) => received.includes(`id: ${event}\ndata: `));
  }
  connection.close();
}

/** The client leaves while its answer streams; the app is told. */
export async function checkAbandonedAnswer(at: Address, log: string): Promise<void> {
  const response = await open(at, { path: `/abandoned?log=${encodeURIComponent(log)}` });
  response.on("error", () => {});
  response.destroy();
  await noted(log, "response closed, unfinished");
}

/** The client leaves in the middle of its own body; the app must not take the half for the whole. */
export async function checkAbandonedUpload(at: Address, log: string): Promise<void> {
  const connection = await RawConnection.open(at);
  connection.write(
    // Of a text the app would be told only once it has been judged (docs/FIREWALL.md).
    `POST /abandoned?log=${encodeURIComponent(log)} HTTP/1.1\r\nHost: app\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000\r\n\r\n0123456789`,
  );
  await noted(log, "received 10");
  connection.close();
  await noted(log, "request aborted");
  await noted(log, "request error ECONNRESET");
}

async function noted(log: string, line: string): Promise<void> {
  await until(`the app to note "${line}"`, () => {
    const text = existsSync(log) ? readFileSync(log, "utf8") : "";
    if (text.split("\n").includes(line)) return true;
    throw new Error(`the app has noted: ${text}`);
  });
}

/** Through apps/who.mjs: what the app is told of its client and of itself. */
export async function checkWho(at: Address): Promise<void> {
  const connection = await RawConnection.open(at);
  const head = [`Host: app.example:${at.port}`, "X-Odd-Name: a", "x-odd-name: b", "Connection: close"];
  connection.write(`GET / HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n`);
  const { localPort } = connection.socket;
  assert.equal(await connection.ended(), "end");
  const body = /\{.*\}/s.exec(connection.received)?.[0] ?? assert.fail(connection.received);
  const who = JSON.parse(body) as Record<string, unknown> & { address: { port: number }; rawHeaders: string[] };

  // ::ffff: where the app listens on all addresses of both families, as it does under plain Node.
  assert.match(String(who["remoteAddress"]), /^(::ffff:)?127\.0\.0\.1$/);
  assert.equal(who["remoteFamily"], String(who["remoteAddress"]).includes(":") ? "IPv6" : "IPv4");
  assert.equal(who["remotePort"], localPort);
  assert.equal(who["localPort"], at.port);
  assert.equal(who.address.port, at.port, "address() is where it can be reached");
  assert.equal(who["listening"], true);
  assert.equal(who["httpVersion"], "1.1");
  assert.equal(who["host"], `app.example:${at.port}`);
  // Connection is between neighbours: an organism, as any proxy, keeps it to itself.
  const names = ["Host", "X-Odd-Name", "x-odd-name"];
  const endToEnd = head.filter((line) => names.includes(line.slice(0, line.indexOf(":"))));
  const sent = endToEnd.flatMap((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(": ") + 2)]);
  assert.deepEqual(
    who.rawHeaders.filter((_, index) => names.includes(who.rawHeaders[index - (index % 2)] ?? "")),
    sent,
    "headers as they were sent: order, spelling, repetition",
  );
}

/** Through any app that answers GET /hello. Two connections, used again and again. */
export async function checkKeepAlive(at: Address): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
  try {
    const ports = new Set<number | undefined>();
    for (let turn = 0; turn < 10; turn += 1) {
      const answers = await Promise.all(
        [1, 2].map(async () => {
          const response = await open(at, { path: "/hello", agent });
          ports.add(response.socket.localPort);
          return (await readAll(response)).toString();
        }),
      );
      assert.deepEqual(answers, ["hello", "hello"]);
    }
    assert.equal(ports.size, 2, "twenty requests went over two connections");
  } finally {
    agent.destroy();
  }
}

/** Several requests sent in one go on one connection are answered in their order, and Connection: close is kept. */
export async function checkPipelining(at: Address): Promise<void> {
  const connection = await RawConnection.open(at);
  const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: app\r\n${more}\r\n`;
  const post = "POST /echo HTTP/1.1\r\nHost: app\r\nContent-Length: 4\r\n\r\nping";
  connection.write(get("/hello") + post + get("/nothing-here") + get("/hello", "Connection: close\r\n"));
  assert.equal(await connection.ended(), "end");
  assert.deepEqual(
    [...connection.received.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]),
    ["200", "200", "404", "200"],
  );
  assert.match(connection.received, /hello[^]*ping[^]*hello/);
}

/** Through apps/ws-echo.mjs. */
export async function checkWebSocket(at: Address): Promise<void> {
  const socket = new WebSocket(`ws://${at.host}:${at.port}/echo`, { headers: { Cookie: "a=1" } });
  const messages: Array<{ data: Buffer; isBinary: boolean }> = [];
  socket.on("message", (data, isBinary) => messages.push({ data: data as Buffer, isBinary }));
  const next = async (what: string) => {
    await until(what, () => messages.length > 0);
    return messages.shift() ?? assert.fail("a message is there");
  };
  try {
    // The app speaks first, in the same packet as its handshake: nothing of it may be lost.
    const greeting = JSON.parse((await next("the greeting")).data.toString()) as {
      remoteAddress: string;
      cookie: string;
    };
    // ::ffff: where the app listens on all addresses of both families, as it does under plain Node.
    assert.match(greeting.remoteAddress, /^(::ffff:)?127\.0\.0\.1$/);
    assert.equal(greeting.cookie, "a=1");

    socket.send("häl\u{1F980}o");
    assert.deepEqual(await next("a text"), { data: Buffer.from("häl\u{1F980}o"), isBinary: false });

    const big = randomBytes(5 * 1024 * 1024);
    socket.send(big);
    const echoed = await next("a big binary message");
    assert.ok(echoed.isBinary && echoed.data.equals(big), "5 MB came back as they were");

    for (let turn = 0; turn < 100; turn += 1) socket.send(`message ${turn}`);
    for (let turn = 0; turn < 100; turn += 1)
      assert.equal((await next("a message")).data.toString(), `message ${turn}`);

    const ponged = new Promise<Buffer>((resolve) => socket.once("pong", resolve));
    socket.ping("are you there");
    assert.equal((await within("the pong", ponged)).toString(), "are you there");

    const closed = new Promise<[number, string]>((resolve) =>
      socket.once("close", (code, reason) => resolve([code, reason.toString()])),
    );
    socket.send("close please");
    assert.deepEqual(await within("the close", closed), [4321, "as you wish"]);
  } finally {
    socket.terminate();
  }
}

/** An app that refuses the upgrade answers as with any other request. */
export async function checkRefusedUpgrade(at: Address): Promise<void> {
  const socket = new WebSocket(`ws://${at.host}:${at.port}/elsewhere`);
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.on("error", (error) => resolve(error.message));
  socket.on("open", () => resolve("opened"));
  assert.equal(await within("the refusal", promise), "Unexpected server response: 400");
  assert.equal((await request(at)).status, 426, "and without an upgrade the app's own answer");
}

function* blocks(bytes: number): Generator<Buffer> {
  let left = bytes;
  for (let block = 0; left > 0; block += 1) {
    const data = createHash("shake256", { outputLength: 64 * 1024 })
      .update(`block ${block}`)
      .digest();
    yield left >= data.length ? data : data.subarray(0, left);
    left -= data.length;
  }
}

function hashBlocks(bytes: number): { bytes: number; sha256: string } {
  const hash = createHash("sha256");
  for (const block of blocks(bytes)) hash.update(block);
  return { bytes, sha256: hash.digest("hex") };
}

async function hashOf(stream: Readable): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Why tests with a certificate are left out, or false. */
export function opensslMissing(): string | false {
  const { status } = spawnSync("openssl", ["version"]);
  return status === 0 ? false : "openssl is not installed: see what `npm test` says of it";
}

/** A certificate for 127.0.0.1, made anew: none lies in the repository to expire or to be trusted by mistake. */
export function makeCertificate(dir: string): { TLS_KEY: string; TLS_CERT: string } {
  const files = { TLS_KEY: join(dir, "key.pem"), TLS_CERT: join(dir, "cert.pem") };
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", "/CN=cellws test", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", files.TLS_KEY, "-out", files.TLS_CERT, ...subject], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  return files;
}
