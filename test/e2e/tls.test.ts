/** TLS, HTTP/2, compression and static files of a real organism: what its DNA says, seen by its clients. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import tls from "node:tls";
import zlib from "node:zlib";
import { certificateFolder, makeCertificate, opensslMissing } from "../support/certificates.ts";
import { readAll, request, type Address } from "./client.ts";
import { cellws, ofClass, startOrganism } from "./organism.ts";
import { within } from "./wait.ts";

const skip = opensslMissing();

const app = `
  import http from "node:http";
  http.createServer((request, response) => {
    const { url, socket, httpVersion, headers } = request;
    const seen = { url, encrypted: socket.encrypted === true, httpVersion, host: headers.host, proto: headers["x-forwarded-proto"] ?? null, filler: "-".repeat(2000) };
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(seen));
  }).listen(3000);
`;

interface Seen {
  url: string;
  encrypted: boolean;
  httpVersion: string;
  host: string;
  proto: string | null;
}

/** Over HTTPS with HTTP/1.1. */
async function secure(at: Address, path: string, headers: Record<string, string> = {}) {
  const asked = https.get({ ...at, path, headers, rejectUnauthorized: false, agent: false });
  const [response] = (await within("an answer over TLS", once(asked, "response"))) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await readAll(response) };
}

async function overHttp2(session: http2.ClientHttp2Session, path: string) {
  const stream = session.request({ ":path": path });
  const [headers] = (await within("an answer over HTTP/2", once(stream, "response"))) as [http2.IncomingHttpHeaders];
  return { headers, body: await readAll(stream) };
}

/** Those of the certificate that a new connection is shown. */
async function namesAt(at: Address, servername: string): Promise<string> {
  const socket = tls.connect({ ...at, servername, rejectUnauthorized: false });
  await within("a handshake", once(socket, "secureConnect"));
  const { subjectaltname = "" } = socket.getPeerCertificate();
  socket.destroy();
  return subjectaltname;
}

test(
  "the first request of all may be one over TLS; then HTTP/2, names, redirects, files and compression",
  { skip },
  async (t) => {
    const folder = certificateFolder(t);
    const first = makeCertificate(folder, { name: "first", names: ["first.test"] });
    const other = makeCertificate(folder, { name: "other", names: ["*.other.test"] });
    const site = join(folder, "site");
    mkdirSync(site);
    writeFileSync(join(site, "page.html"), `<p>${"static ".repeat(500)}`);
    const organism = await startOrganism(t, {
      app: "app.mjs",
      files: { "app.mjs": app },
      listenInDna: true,
      dna: {
        listen: [
          { port: 0, tls: { ...first, also: [other], hsts: { maxAgeSeconds: 300 } } },
          { port: 0, httpsRedirectPort: 443 },
        ],
        http: { compression: { on: true }, static: [{ at: "/files", folder: site }] },
      },
    });
    const { status, body, headers } = await secure(organism.at(0), "/a?b");
    assert.equal(status, 200);
    assert.equal(headers["strict-transport-security"], "max-age=300");
    const { filler: _filler, host: _host, ...seen } = JSON.parse(body.toString()) as Seen & { filler: string };
    assert.deepEqual(seen, { url: "/a?b", encrypted: true, httpVersion: "1.1", proto: null });

    const session = http2.connect(`https://${organism.at(0).host}:${organism.at(0).port}`, {
      rejectUnauthorized: false,
    });
    t.after(() => session.destroy());
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => overHttp2(session, `/${i}`)));
    answers.forEach(({ body }, i) => assert.equal((JSON.parse(body.toString()) as Seen).url, `/${i}`));

    assert.match(await namesAt(organism.at(0), "a.other.test"), /DNS:\*\.other\.test/);
    assert.match(await namesAt(organism.at(0), "elsewhere.test"), /DNS:first\.test/);

    const moved = await request(organism.at(1), { path: "/a?b", headers: { host: "first.test:8080" } });
    assert.deepEqual([moved.status, moved.headers.location], [301, "https://first.test/a?b"]);
    const challenge = await request(organism.at(1), { path: "/.well-known/acme-challenge/token" });
    assert.equal((JSON.parse(challenge.text) as Seen).encrypted, false);

    const packed = await secure(organism.at(0), "/z", { "accept-encoding": "gzip" });
    assert.equal(packed.headers["content-encoding"], "gzip");
    assert.equal((JSON.parse(zlib.gunzipSync(packed.body).toString()) as Seen).url, "/z");
    const page = await secure(organism.at(0), "/files/page.html", { "accept-encoding": "br" });
    assert.equal(page.headers["content-encoding"], "br");
    assert.match(zlib.brotliDecompressSync(page.body).toString(), /^<p>static /);
    const part = await secure(organism.at(0), "/files/page.html", { range: "bytes=0-2", "accept-encoding": "br" });
    assert.deepEqual([part.status, part.body.toString()], [206, "<p>"]);
  },
);

test(
  "a certificate is replaced under an open connection; what cannot be used is in log and status, and survives a B cell",
  { skip },
  async (t) => {
    const folder = certificateFolder(t);
    const files = makeCertificate(folder, { name: "live", names: ["old.test"] });
    const organism = await startOrganism(t, {
      app: "app.mjs",
      files: { "app.mjs": app },
      listenInDna: true,
      dna: { listen: [{ port: 0, tls: files }] },
    });
    const at = organism.at(0);
    await secure(at, "/");
    const session = http2.connect(`https://${at.host}:${at.port}`, { rejectUnauthorized: false });
    t.after(() => session.destroy());
    await overHttp2(session, "/before");
    const next = makeCertificate(folder, { name: "next", names: ["new.test"] });
    renameSync(next.key, files.key);
    renameSync(next.cert, files.cert);
    await organism.until("the new certificate", async () => (await namesAt(at, "x")).includes("new.test"));
    assert.equal((JSON.parse((await overHttp2(session, "/after")).body.toString()) as Seen).url, "/after");

    writeFileSync(files.cert, "garbage");
    await organism.until("the trouble in the status", async () =>
      (await organism.status()).stdout.includes("CELLWS_E_TLS_CERT"),
    );
    assert.match(organism.logs(), /certificate-refused/);
    assert.match(await namesAt(at, "x"), /new\.test/);
    const good = makeCertificate(folder, { name: "good", names: ["good.test"] });
    // A B cell that is born with a certificate that cannot be used accepts nothing, so that clients wait and are not turned away.
    const [bCell] = ofClass(await organism.grown(), "b-cell");
    assert.ok(bCell);
    organism.kill(bCell);
    await organism.until("another B cell", async () =>
      ofClass(await organism.ps(), "b-cell").some(({ pid }) => pid !== bCell.pid),
    );
    const waiting = secure(at, "/waited");
    renameSync(good.key, files.key);
    renameSync(good.cert, files.cert);
    assert.equal((await waiting).status, 200);
    assert.match(await namesAt(at, "x"), /good\.test/);
    await organism.until(
      "the trouble to be over",
      async () => !(await organism.status()).stdout.includes("CELLWS_E_TLS"),
    );
  },
);

test("nothing is started with a certificate that cannot be used, and check says why", { skip }, async (t) => {
  const folder = certificateFolder(t);
  const old = makeCertificate(folder, { name: "old", from: "20200101000000Z", to: "20210101000000Z" });
  writeFileSync(join(folder, "app.mjs"), app);
  writeFileSync(join(folder, "dna.json"), JSON.stringify({ app: "./app.mjs", listen: [{ port: 0, tls: old }] }));
  for (const command of [["check"], ["start"]]) {
    const { code, stdout, stderr } = await cellws(command, { cwd: folder });
    assert.equal(code, 2, stdout + stderr);
    assert.match(stdout + stderr, /CELLWS_E_TLS_EXPIRED/);
    assert.match(stdout + stderr, /listen\[0\]\.tls\.cert/);
  }
});

test("draining ends HTTP/2 connections after the requests at hand", { skip }, async (t) => {
  const files = makeCertificate(certificateFolder(t));
  const slow = `
    import http from "node:http";
    http.createServer((request, response) => {
      response.writeHead(200);
      response.write("begun");
      setTimeout(() => response.end(" and done"), request.url === "/slow" ? 1500 : 0);
    }).listen(3000);
  `;
  const organism = await startOrganism(t, {
    app: "app.mjs",
    files: { "app.mjs": slow },
    listenInDna: true,
    dna: { listen: [{ port: 0, tls: files }] },
  });
  await secure(organism.at(0), "/");
  const session = http2.connect(`https://${organism.at(0).host}:${organism.at(0).port}`, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  const stream = session.request({ ":path": "/slow" });
  await within("the beginning of the answer", once(stream, "response"));
  const closed = once(session, "close");
  const stopping = organism.stop();
  assert.equal((await readAll(stream)).toString(), "begun and done");
  await within("the end of the connection", closed);
  assert.equal((await stopping).code, 0);
});
