// What is told of keys and certificates before anything is started with them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { readCertificate, readCertificateOfAnyDate } from "../../src/dna/certificate.ts";
import { checkDna } from "../../src/dna/check.ts";
import { certificateFolder, makeCertificate, opensslMissing } from "../support/certificates.ts";

const skip = opensslMissing();
const past = { from: "20200101000000Z", to: "20210101000000Z" };

function codeOf(files: { key: string; cert: string }, nowMs = Date.now()): string {
  const read = readCertificate(files, nowMs);
  return read.ok ? ["ok", ...read.certificate.warnings.map(({ code }) => code)].join(" ") : read.fault.code;
}

test("a sound pair is read with its names, in lower case", { skip }, (t) => {
  const files = makeCertificate(certificateFolder(t), { names: ["Example.org", "*.example.org"] });
  const read = readCertificate(files, Date.now());
  assert.ok(read.ok);
  assert.deepEqual(read.certificate.names, ["example.org", "*.example.org"]);
  assert.deepEqual(read.certificate.warnings, []);
});

test("each way in which a pair is unfit has a code of its own", { skip }, (t) => {
  const folder = certificateFolder(t);
  const one = makeCertificate(folder, { name: "one" });
  const two = makeCertificate(folder, { name: "two" });
  const old = makeCertificate(folder, { name: "old", ...past });
  const weak = makeCertificate(folder, { name: "weak", rsaBits: 1024 });
  const locked = join(folder, "locked.pem");
  execFileSync("openssl", ["pkey", "-in", one.key, "-aes256", "-passout", "pass:x", "-out", locked]);
  const garbage = join(folder, "garbage.pem");
  writeFileSync(garbage, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const der = join(folder, "one.der");
  execFileSync("openssl", ["x509", "-in", one.cert, "-outform", "der", "-out", der]);
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const empty = join(folder, "empty");
  writeFileSync(empty, "");
  mkdirSync(join(folder, "dir"));
  const cases: Array<[expected: string, key: string, cert: string]> = [
    ["CELLWS_E_TLS_PAIR", one.key, two.cert],
    ["CELLWS_E_TLS_CERT", one.cert, one.key],
    ["CELLWS_E_TLS_KEY", one.cert, one.cert],
    ["CELLWS_E_TLS_KEY", locked, one.cert],
    ["CELLWS_E_TLS_CERT", one.key, garbage],
    ["CELLWS_E_TLS_CERT", one.key, der],
    ["CELLWS_E_TLS_CERT", one.key, empty],
    ["CELLWS_E_TLS_EXPIRED", old.key, old.cert],
    ["CELLWS_E_TLS_CERT", weak.key, weak.cert],
    ["CELLWS_E_TLS_FILE", one.key, join(folder, "missing")],
    ["CELLWS_E_TLS_FILE", pipe, one.cert],
    ["CELLWS_E_TLS_FILE", one.key, join(folder, "dir")],
  ];
  for (const [expected, key, cert] of cases) assert.equal(codeOf({ key, cert }), expected, `${key} ${cert}`);
});

test("dates are judged by the given time, and can be left out of account", { skip }, (t) => {
  const files = makeCertificate(certificateFolder(t), past);
  const at = (day: string): string => codeOf(files, Date.parse(`${day}T12:00:00Z`));
  assert.equal(at("2020-06-01"), "ok");
  assert.equal(at("2020-12-28"), "ok CELLWS_W_TLS_EXPIRES_SOON");
  assert.equal(at("2021-01-02"), "CELLWS_E_TLS_EXPIRED");
  assert.equal(at("2019-12-31"), "CELLWS_E_TLS_NOT_YET_VALID");
  assert.ok(readCertificateOfAnyDate(files).ok);
});

test("a chain out of order is a warning", { skip }, (t) => {
  const folder = certificateFolder(t);
  const one = makeCertificate(folder, { name: "one" });
  const other = makeCertificate(folder, { name: "two" });
  const cert = join(folder, "chain.pem");
  writeFileSync(cert, Buffer.concat([readFileSync(one.cert), readFileSync(other.cert)]));
  assert.equal(codeOf({ key: one.key, cert }), "ok CELLWS_W_TLS_CHAIN");
});

async function told(t: TestContext, listen: object[]): Promise<Array<[code: string, path: string | undefined]>> {
  const folder = certificateFolder(t);
  writeFileSync(join(folder, "app.js"), "");
  writeFileSync(join(folder, "dna.json"), JSON.stringify({ app: "app.js", listen }));
  const { diagnostics } = await checkDna({ cwd: folder });
  return diagnostics.map(({ code, path }) => [code, path]);
}

test("check names the key of the DNA whose file is unfit, for further certificates too", { skip }, async (t) => {
  const folder = certificateFolder(t);
  const good = makeCertificate(folder, { name: "good" });
  const old = makeCertificate(folder, { name: "old", ...past });
  const nameless = makeCertificate(folder, { name: "nameless", names: [] });
  assert.deepEqual(await told(t, [{ tls: good }]), []);
  assert.deepEqual(await told(t, [{ tls: { ...good, key: old.key } }]), [["CELLWS_E_TLS_PAIR", "listen[0].tls.key"]]);
  assert.deepEqual(await told(t, [{}, { port: 1, tls: { ...good, also: [good, old, nameless] } }]), [
    ["CELLWS_E_TLS_EXPIRED", "listen[1].tls.also[1].cert"],
    ["CELLWS_E_TLS_NAMELESS", "listen[1].tls.also[2].cert"],
  ]);
  // A path that leads nowhere is told once.
  assert.deepEqual(await told(t, [{ tls: { ...good, cert: "/nowhere.pem" } }]), [
    ["CELLWS_E_DNA_PATH", "listen[0].tls.cert"],
  ]);
});
