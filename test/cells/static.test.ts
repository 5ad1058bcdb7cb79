// Static files from folders of the DNA, through real sockets and files.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { StaticSite } from "../../src/cells/b-cell/static-answer.ts";
import type { Dna } from "../../src/dna/dna.ts";
import { until } from "../support/axon-pair.ts";
import { answer, rig, type Rig } from "../support/ingress-rig.ts";

type Folder = Dna["http"]["static"][number];

interface StaticRig extends Rig {
  folder: string;
  site: StaticSite;
  get: (path: string, options?: { method?: string; headers?: http.OutgoingHttpHeaders }) => Promise<Got>;
}

interface Got {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
  complete: boolean;
}

const typeOf = (name: string): string =>
  name.endsWith(".html") ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";

async function staticRig(t: TestContext, options: Partial<Folder> = {}): Promise<StaticRig> {
  const folder = mkdtempSync(join(tmpdir(), "cw-static-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const made: Folder = {
    at: "/",
    folder,
    index: "index.html",
    cacheControl: "public, max-age=0",
    precompressed: false,
    symlinks: "within",
    fallThrough: true,
    ...options,
  };
  const site = new StaticSite([made], typeOf);
  const base = await rig(t, {
    convey: (request, client, carry) => site.answer(request, client, carry) ?? carry(client),
  });
  await base.addDrone(answer("from the app"));
  const agent = new http.Agent();
  t.after(() => agent.destroy());
  return {
    ...base,
    folder,
    site,
    async get(path, { method = "GET", headers = {} } = {}) {
      const request = http.request({ port: base.port, host: "127.0.0.1", path, method, headers, agent });
      request.end();
      const [response] = (await once(request, "response")) as [http.IncomingMessage];
      let body = "";
      response.setEncoding("latin1").on("data", (text: string) => (body += text));
      response.on("error", () => {});
      await new Promise((resolve) => response.once("close", resolve));
      return { status: response.statusCode ?? 0, headers: response.headers, body, complete: response.complete };
    },
  };
}

test("a file is served with what caches and browsers need to know, and without a drone", async (t) => {
  const { folder, get, pool } = await staticRig(t);
  writeFileSync(join(folder, "a b.txt"), "hello");
  utimesSync(join(folder, "a b.txt"), 1_700_000_000, 1_700_000_000.5);
  const got = await get("/a%20b.txt?v=1");
  assert.equal(got.status, 200);
  assert.equal(got.body, "hello");
  assert.equal(got.headers["content-length"], "5");
  assert.equal(got.headers["content-type"], "text/plain; charset=utf-8");
  assert.equal(got.headers["last-modified"], "Tue, 14 Nov 2023 22:13:20 GMT");
  assert.equal(got.headers["cache-control"], "public, max-age=0");
  assert.equal(got.headers["accept-ranges"], "bytes");
  assert.equal(got.headers["x-content-type-options"], "nosniff");
  assert.match(String(got.headers.etag), /^"[\w-]+"$/);
  assert.equal(pool.inFlight, 0);
  const head = await get("/a%20b.txt", { method: "HEAD" });
  assert.deepEqual([head.status, head.body, head.headers["content-length"]], [200, "", "5"]);
  const again = await get("/a%20b.txt", { headers: { "if-none-match": String(got.headers.etag) } });
  assert.deepEqual([again.status, again.body, again.headers["content-length"]], [304, "", undefined]);
  const part = await get("/a%20b.txt", { headers: { range: "bytes=1-3" } });
  assert.deepEqual([part.status, part.body, part.headers["content-range"]], [206, "ell", "bytes 1-3/5"]);
  const beyond = await get("/a%20b.txt", { headers: { range: "bytes=9-" } });
  assert.deepEqual([beyond.status, beyond.headers["content-range"]], [416, "bytes */5"]);
  assert.equal((await get("/a%20b.txt", { headers: { "if-match": '"x"' } })).status, 412);
});

test("what is no file goes to the app; so does what is neither GET nor HEAD", async (t) => {
  const { folder, get } = await staticRig(t);
  writeFileSync(join(folder, "a.txt"), "x");
  writeFileSync(join(folder, ".env"), "secret");
  mkdirSync(join(folder, "empty"));
  execFileSync("mkfifo", [join(folder, "pipe")]);
  for (const path of [
    "/missing",
    "/.env",
    "/empty/",
    "/empty",
    "/pipe",
    "/a.txt/",
    "/a.txt/b",
    "/",
    "/%2e%2e/etc/passwd",
  ]) {
    assert.equal((await get(path)).body, "from the app", path);
  }
  assert.equal((await get("/a.txt", { method: "POST" })).body, "from the app");
});

test("without falling through what is missing is 404", async (t) => {
  const { get } = await staticRig(t, { fallThrough: false, at: "/files" });
  assert.equal((await get("/files/missing")).status, 404);
  assert.equal((await get("/elsewhere")).body, "from the app");
});

test("a folder answers with its index, and is sent to its slash", async (t) => {
  const { folder, get } = await staticRig(t);
  mkdirSync(join(folder, "docs"));
  writeFileSync(join(folder, "docs", "index.html"), "<p>docs");
  writeFileSync(join(folder, "index.html"), "<p>root");
  assert.equal((await get("/")).body, "<p>root");
  assert.equal((await get("/docs/")).body, "<p>docs");
  const moved = await get("/docs?x=1");
  assert.deepEqual([moved.status, moved.headers.location], [301, "/docs/?x=1"]);
  assert.equal((await get("//docs")).body, "from the app", "no way to a host of that name");
});

test("a symbolic link may lead elsewhere within the folder, and out of it only when told", async (t) => {
  const outside = mkdtempSync(join(tmpdir(), "cw-outside-"));
  t.after(() => rmSync(outside, { recursive: true, force: true }));
  writeFileSync(join(outside, "secret.txt"), "secret");
  for (const symlinks of ["within", "follow"] as const) {
    const { folder, get } = await staticRig(t, { symlinks });
    writeFileSync(join(folder, "a.txt"), "inside");
    symlinkSync("a.txt", join(folder, "b.txt"));
    symlinkSync(outside, join(folder, "out"));
    symlinkSync(join(outside, "secret.txt"), join(folder, "c.txt"));
    symlinkSync("loop", join(folder, "loop"));
    assert.equal((await get("/b.txt")).body, "inside");
    const expected = symlinks === "follow" ? "secret" : "from the app";
    assert.equal((await get("/out/secret.txt")).body, expected);
    assert.equal((await get("/c.txt")).body, expected);
    assert.equal((await get("/loop")).body, "from the app");
  }
});

test("a folder that is a link may be moved on to a new release", async (t) => {
  const home = mkdtempSync(join(tmpdir(), "cw-release-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  for (const name of ["v1", "v2"]) {
    mkdirSync(join(home, name));
    writeFileSync(join(home, name, "a.txt"), name);
  }
  symlinkSync("v1", join(home, "current"));
  const { get } = await staticRig(t, { folder: join(home, "current") });
  assert.equal((await get("/a.txt")).body, "v1");
  symlinkSync("v2", join(home, "next"));
  renameSync(join(home, "next"), join(home, "current"));
  assert.equal((await get("/a.txt")).body, "v2");
});

test("a compressed file beside it goes to whoever can read it, with an ETag of its own", async (t) => {
  const { folder, get } = await staticRig(t, { precompressed: true });
  writeFileSync(join(folder, "a.html"), "plain");
  writeFileSync(join(folder, "a.html.gz"), "gz");
  writeFileSync(join(folder, "a.html.br"), "br");
  const cases: Array<[accepted: string, body: string, coding: string | undefined]> = [
    ["gzip, br", "br", "br"],
    ["gzip", "gz", "gzip"],
    ["zstd", "plain", undefined],
    ["zstd, gzip;q=0.1", "gz", "gzip"],
    ["identity", "plain", undefined],
  ];
  const tags = new Set<unknown>();
  for (const [accepted, body, coding] of cases) {
    const got = await get("/a.html", { headers: { "accept-encoding": accepted } });
    assert.deepEqual([got.body, got.headers["content-encoding"]], [body, coding], accepted);
    assert.equal(got.headers["content-type"], "text/html; charset=utf-8");
    assert.equal(got.headers.vary, "Accept-Encoding");
    tags.add(got.headers.etag);
  }
  assert.equal(tags.size, 3);
});

test("a large file comes whole, and a client that leaves it leaves no file open", async (t) => {
  const { folder, get, site, connect } = await staticRig(t);
  const bytes = 5 * 1024 * 1024 + 17;
  writeFileSync(join(folder, "large"), Buffer.alloc(bytes, "x"));
  assert.equal((await get("/large")).body.length, bytes);
  await until(() => site.filesOpen === 0);
  const client = await connect();
  client.socket.pause();
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  await until(() => site.filesOpen === 1);
  client.socket.destroy();
  await until(() => site.filesOpen === 0);
});

test("a file that becomes shorter while it is read is cut off visibly", async (t) => {
  const { folder, port, site } = await staticRig(t);
  const file = join(folder, "large");
  writeFileSync(file, Buffer.alloc(32 * 1024 * 1024, "x"));
  const agent = new http.Agent();
  t.after(() => agent.destroy());
  const request = http.get({ port, host: "127.0.0.1", path: "/large", agent });
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  response.on("error", () => {});
  truncateSync(file, 1000);
  response.resume();
  await new Promise((resolve) => response.once("close", resolve));
  assert.equal(response.complete, false);
  await until(() => site.filesOpen === 0);
});

test("an empty file is an answer", async (t) => {
  const { folder, get } = await staticRig(t);
  writeFileSync(join(folder, "empty.txt"), "");
  const got = await get("/empty.txt");
  assert.deepEqual([got.status, got.headers["content-length"], got.complete], [200, "0", true]);
});
