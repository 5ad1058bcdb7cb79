// TLS in front of the ingress: real sockets and files, certificates made anew.
import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import net from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import tls from "node:tls";
import type { CertificateFault } from "../../src/dna/certificate.ts";
import { TlsFront, type ListenerTls } from "../../src/cells/b-cell/tls-front.ts";
import { until } from "../support/axon-pair.ts";
import { certificateFolder, makeCertificate, opensslMissing, type CertificatePair } from "../support/certificates.ts";
import { answer, rig, type Rig } from "../support/ingress-rig.ts";

const skip = opensslMissing();
const hsts = { maxAgeSeconds: 0, includeSubDomains: false, preload: false };

interface TlsRig extends Rig {
  front: TlsFront;
  tlsPort: number;
  refusals: CertificateFault[];
  loaded: string[];
  isReady: () => boolean;
}

async function tlsRig(t: TestContext, wanted: CertificatePair & Partial<ListenerTls>): Promise<TlsRig> {
  const made = await rig(t, { timeouts: { lingerMs: 50 } });
  const refusals: CertificateFault[] = [];
  const loaded: string[] = [];
  let ready = false;
  const front = new TlsFront({
    tls: { also: [], minVersion: "TLSv1.2", http2: true, hsts, ...wanted },
    handshakeMs: 5_000,
    accept: (socket) => {
      const protocol = socket.alpnProtocol === "h2" ? "h2" : "http/1.1";
      made.ingress.accept(socket, { listener: 0, encrypted: true, protocol });
    },
    news: {
      loaded: (_files, { names }) => loaded.push(names[0] ?? ""),
      refused: (_files, fault) => refusals.push(fault),
    },
    ready: () => (ready = true),
  });
  await front.start();
  const server = net.createServer({ pauseOnConnect: true }, (socket) => front.take(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    front.stop();
  });
  const { port: tlsPort } = server.address() as net.AddressInfo;
  return { ...made, front, tlsPort, refusals, loaded, isReady: () => ready };
}

/** Two looks: the second finds what the first has seen, unchanged. */
async function lookTwice(front: TlsFront): Promise<void> {
  await front.look();
  await front.look();
}

async function connect(t: TestContext, port: number, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
  const socket = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  t.after(() => socket.destroy());
  await once(socket, "secureConnect");
  socket.on("error", () => {});
  return socket;
}

async function serialAt(t: TestContext, port: number, servername?: string): Promise<string> {
  const socket = await connect(t, port, servername === undefined ? {} : { servername });
  const { subjectaltname = "" } = socket.getPeerCertificate();
  socket.destroy();
  return /DNS:([^,]+)/.exec(subjectaltname)?.[1] ?? "";
}

async function askOver(socket: tls.TLSSocket): Promise<string> {
  let text = "";
  const collect = (chunk: Buffer) => (text += chunk.toString("latin1"));
  socket.on("data", collect);
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await until(() => text.endsWith("hello"));
  socket.off("data", collect);
  return text;
}

test(
  "HTTP/1.1 and HTTP/2 are spoken as the client asks, and the app is told of the encryption",
  { skip },
  async (t) => {
    const files = makeCertificate(certificateFolder(t));
    const { tlsPort, addDrone } = await tlsRig(t, files);
    const drone = await addDrone(answer("hello"));
    const plain = await connect(t, tlsPort);
    assert.equal(plain.alpnProtocol, false);
    assert.match(await askOver(plain), /^HTTP\/1\.1 200 OK/);
    const session = http2.connect(`https://127.0.0.1:${tlsPort}`, { rejectUnauthorized: false });
    t.after(() => session.destroy());
    const stream = session.request({ ":path": "/" });
    stream.setEncoding("utf8");
    let body = "";
    for await (const chunk of stream) body += String(chunk);
    assert.equal(body, "hello");
    assert.deepEqual(
      drone.exchanges.map(({ request }) => request.encrypted),
      [true, true],
    );
  },
);

test("without http2 only HTTP/1.1 is offered", { skip }, async (t) => {
  const { tlsPort } = await tlsRig(t, { ...makeCertificate(certificateFolder(t)), http2: false });
  const socket = await connect(t, tlsPort, { ALPNProtocols: ["h2", "http/1.1"] });
  assert.equal(socket.alpnProtocol, "http/1.1");
});

test(
  "the certificate is chosen by name: exact before wildcard, one label deep, else the first",
  { skip },
  async (t) => {
    const folder = certificateFolder(t);
    const first = makeCertificate(folder, { name: "first", names: ["first.test"] });
    const wild = makeCertificate(folder, { name: "wild", names: ["*.example.org"] });
    const exact = makeCertificate(folder, { name: "exact", names: ["a.example.org"] });
    const { tlsPort } = await tlsRig(t, { ...first, also: [wild, exact] });
    const cases: Array<[string | undefined, string]> = [
      [undefined, "first.test"],
      ["first.test", "first.test"],
      ["a.example.org", "a.example.org"],
      ["A.Example.ORG", "a.example.org"],
      ["b.example.org", "*.example.org"],
      ["c.b.example.org", "first.test"],
      ["example.org", "first.test"],
      ["elsewhere.test", "first.test"],
    ];
    for (const [asked, got] of cases) assert.equal(await serialAt(t, tlsPort, asked), got, asked ?? "no name");
  },
);

test("clients older than the least version are turned away", { skip }, async (t) => {
  const { tlsPort, front } = await tlsRig(t, { ...makeCertificate(certificateFolder(t)), minVersion: "TLSv1.3" });
  await assert.rejects(connect(t, tlsPort, { maxVersion: "TLSv1.2" }));
  await until(() => front.failedCount === 1);
  assert.equal((await connect(t, tlsPort)).getProtocol(), "TLSv1.3");
});

test("a pair replaced by renaming is used for new connections, and old ones go on", { skip }, async (t) => {
  const folder = certificateFolder(t);
  const files = makeCertificate(folder, { name: "live", names: ["old.test"] });
  const { tlsPort, front, addDrone, loaded } = await tlsRig(t, files);
  await addDrone(answer("hello"));
  const old = await connect(t, tlsPort);
  await askOver(old);
  const next = makeCertificate(folder, { name: "next", names: ["new.test"] });
  renameSync(next.key, files.key);
  renameSync(next.cert, files.cert);
  await front.look();
  assert.equal(await serialAt(t, tlsPort), "old.test", "a change is taken when it is the same for two looks");
  await front.look();
  assert.equal(await serialAt(t, tlsPort), "new.test");
  assert.match(await askOver(old), /200 OK/);
  assert.deepEqual(loaded, ["old.test", "new.test"]);
});

test("a swapped symbolic link, as certbot's and Kubernetes' are, is seen", { skip }, async (t) => {
  const folder = certificateFolder(t);
  for (const name of ["v1", "v2"]) {
    mkdirSync(join(folder, name));
    const made = makeCertificate(join(folder, name), { names: [`${name}.test`] });
    renameSync(made.key, join(folder, name, "privkey.pem"));
    renameSync(made.cert, join(folder, name, "fullchain.pem"));
  }
  symlinkSync("v1", join(folder, "live"));
  const files = { key: join(folder, "live", "privkey.pem"), cert: join(folder, "live", "fullchain.pem") };
  const { tlsPort, front } = await tlsRig(t, files);
  assert.equal(await serialAt(t, tlsPort), "v1.test");
  symlinkSync("v2", join(folder, "live.new"));
  renameSync(join(folder, "live.new"), join(folder, "live"));
  await lookTwice(front);
  assert.equal(await serialAt(t, tlsPort), "v2.test");
});

test(
  "what cannot be used is told once and not used: half a pair, garbage, an expired one, nothing",
  { skip },
  async (t) => {
    const folder = certificateFolder(t);
    const files = makeCertificate(folder, { name: "live", names: ["good.test"] });
    const next = makeCertificate(folder, { name: "next", names: ["next.test"] });
    const expired = makeCertificate(folder, { name: "old", from: "20200101000000Z", to: "20210101000000Z" });
    const good = { key: join(folder, "k"), cert: join(folder, "c") };
    copyFileSync(files.key, good.key);
    copyFileSync(files.cert, good.cert);
    const { tlsPort, front, refusals } = await tlsRig(t, files);
    const replacements: Array<[code: string, () => void]> = [
      ["CELLWS_E_TLS_PAIR", () => copyFileSync(next.cert, files.cert)],
      ["CELLWS_E_TLS_CERT", () => writeFileSync(files.cert, "garbage")],
      [
        "CELLWS_E_TLS_EXPIRED",
        () => {
          copyFileSync(expired.key, files.key);
          copyFileSync(expired.cert, files.cert);
        },
      ],
      ["CELLWS_E_TLS_FILE", () => rmSync(files.cert)],
    ];
    for (const [code, replace] of replacements) {
      replace();
      await lookTwice(front);
      await lookTwice(front);
      assert.deepEqual(
        refusals.splice(0).map((fault) => fault.code),
        [code],
      );
      assert.deepEqual(
        front.troubles().map((trouble) => trouble.code),
        [code],
      );
      assert.equal(await serialAt(t, tlsPort), "good.test");
    }
    copyFileSync(good.key, files.key);
    copyFileSync(good.cert, files.cert);
    await lookTwice(front);
    assert.deepEqual(front.troubles(), []);
    assert.equal(await serialAt(t, tlsPort), "good.test");
  },
);

test("without a usable certificate it is not ready; whoever waits is served once there is one", { skip }, async (t) => {
  const folder = certificateFolder(t);
  const files = makeCertificate(folder, { name: "live" });
  renameSync(files.cert, `${files.cert}.away`);
  const { tlsPort, front, isReady, addDrone, refusals } = await tlsRig(t, files);
  await addDrone(answer("hello"));
  assert.equal(isReady(), false);
  assert.deepEqual(
    refusals.map(({ code }) => code),
    ["CELLWS_E_TLS_FILE"],
  );
  const waiting = connect(t, tlsPort);
  await new Promise((resolve) => setTimeout(resolve, 50));
  renameSync(`${files.cert}.away`, files.cert);
  await lookTwice(front);
  assert.equal(isReady(), true);
  assert.match(await askOver(await waiting), /200 OK/);
});

test("a cell that is born after a certificate's end serves with it and says so", { skip }, async (t) => {
  const expired = { names: ["late.test"], from: "20200101000000Z", to: "20210101000000Z" };
  const { tlsPort, front } = await tlsRig(t, makeCertificate(certificateFolder(t), expired));
  assert.equal(await serialAt(t, tlsPort), "late.test");
  assert.deepEqual(
    front.troubles().map(({ code }) => code),
    ["CELLWS_E_TLS_EXPIRED"],
  );
});

test("garbage and silence instead of a handshake cost their own connection only", { skip }, async (t) => {
  const { tlsPort, front, addDrone } = await tlsRig(t, makeCertificate(certificateFolder(t)));
  await addDrone(answer("hello"));
  const silent = net.connect(tlsPort, "127.0.0.1");
  t.after(() => silent.destroy());
  const garbage = net.connect(tlsPort, "127.0.0.1");
  garbage.on("error", () => {});
  garbage.end("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await new Promise((resolve) => garbage.once("close", resolve));
  await until(() => front.failedCount === 1);
  assert.match(await askOver(await connect(t, tlsPort)), /200 OK/);
  const ended = new Promise((resolve) => silent.once("close", resolve));
  await front.settled(20);
  await ended;
});

test("a session is resumed across a change of certificate", { skip }, async (t) => {
  const folder = certificateFolder(t);
  const files = makeCertificate(folder, { name: "live", names: ["old.test"] });
  const { tlsPort, front, addDrone } = await tlsRig(t, files);
  await addDrone(answer("hello"));
  const first = await connect(t, tlsPort);
  const ticket = once(first, "session");
  await askOver(first);
  const [session] = (await ticket) as [Buffer];
  const next = makeCertificate(folder, { name: "next", names: ["new.test"] });
  renameSync(next.key, files.key);
  renameSync(next.cert, files.cert);
  await lookTwice(front);
  const second = await connect(t, tlsPort, { session });
  assert.equal(second.isSessionReused(), true);
});

test(
  "whoever is banned meanwhile is cut off in his handshake, and while he waits for one; nobody waits for him",
  { skip },
  async (t) => {
    const folder = certificateFolder(t);
    const files = makeCertificate(folder, { name: "live" });
    renameSync(files.cert, `${files.cert}.away`);
    const { tlsPort, front, isReady, addDrone } = await tlsRig(t, files);
    await addDrone(answer("hello"));
    const open = async () => {
      const socket = net.connect(tlsPort, "127.0.0.1");
      t.after(() => socket.destroy());
      socket.on("error", () => {});
      socket.resume();
      await once(socket, "connect");
      return { socket, closed: once(socket, "close") };
    };
    const waiting = await open();
    await until(() => front.openCount === 1);
    front.cutWhere((address) => address === "203.0.113.7");
    assert.equal(front.openCount, 1, "another's ban");
    front.cutWhere((address) => address === "127.0.0.1");
    await waiting.closed;
    assert.equal(waiting.socket.bytesRead, 0);
    renameSync(`${files.cert}.away`, files.cert);
    await lookTwice(front);
    assert.equal(isReady(), true);
    await until(() => front.openCount === 0);

    const shaking = await open();
    await until(() => front.openCount === 1);
    front.cutWhere((address) => address === "127.0.0.1");
    await shaking.closed;
    assert.equal(shaking.socket.bytesRead, 0);
    await until(() => front.openCount === 0);
    assert.match(await askOver(await connect(t, tlsPort)), /200 OK/);
    await front.settled(5);
  },
);
