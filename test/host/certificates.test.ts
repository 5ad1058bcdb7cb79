// Death certificates on disk: one a cell, whole, with what the condemned was seen to do where any voter has seen it.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, test, type TestContext } from "node:test";
import { certificatesDir, keepCertificate, listCertificates } from "../../src/host/certificates.ts";
import { certificateKey } from "../../src/core/record.ts";
import type { DeathCertificate } from "../../src/wire/death-certificate.ts";
import { deathCertificateFormat } from "../../src/wire/death-certificate.ts";

const found = { check: "cpu", found: "it has used 1.9 processors for 10 s" };
const voters = ["b2", "c3", "d4"];

function sentenceOn(id: string, change: Partial<DeathCertificate> = {}): DeathCertificate {
  const charge = { target: id, pid: 77, startTicks: 9, reason: "infected", window: 3, round: 0 } as const;
  const votes = voters.map((voter) => ({ voter, signature: "c2lnbmF0dXJl" }));
  return {
    cellws: "death-certificate",
    format: deathCertificateFormat,
    organism: "0123456789abcdef",
    name: "shop",
    at: "2026-11-26T12:00:00.000Z",
    writtenBy: "b2",
    class: "drone",
    certificate: {
      key: certificateKey(id),
      version: 0,
      origin: "b2",
      body: { kind: "certificate", id, charge, votes },
      signature: "c2lnbmF0dXJl",
    },
    electors: ["a1", ...voters],
    births: [],
    finding: null,
    ...change,
  };
}

function stateFolder(t: TestContext): string {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), "cellws-certificates-"));
  t.after(() => fs.rmSync(base, { recursive: true, force: true }));
  return base;
}

describe("a death certificate", () => {
  test("is kept once: what the first has written stands, and nothing else is left beside it", (t) => {
    const base = stateFolder(t);
    const first = sentenceOn("a1", { finding: found });
    keepCertificate(first, base);
    keepCertificate(sentenceOn("a1", { writtenBy: "c3" }), base);
    keepCertificate(sentenceOn("a1", { writtenBy: "d4", finding: { ...found, check: "files" } }), base);
    assert.deepEqual(listCertificates("shop", base), { certificates: [first], damaged: [] });
    assert.deepEqual(fs.readdirSync(certificatesDir("shop", base)), ["a1.json"]);
  });

  test("of a writer that had not seen what the condemned did gives way to that of one who had", (t) => {
    const base = stateFolder(t);
    keepCertificate(sentenceOn("a1"), base);
    keepCertificate(sentenceOn("a1", { writtenBy: "c3" }), base);
    assert.equal(listCertificates("shop", base).certificates[0]?.writtenBy, "b2");
    const witness = sentenceOn("a1", { writtenBy: "d4", finding: found });
    keepCertificate(witness, base);
    assert.deepEqual(listCertificates("shop", base), { certificates: [witness], damaged: [] });
    assert.deepEqual(fs.readdirSync(certificatesDir("shop", base)), ["a1.json"]);
  });

  test("that is damaged is told apart, and left for the administrator to look at", (t) => {
    const base = stateFolder(t);
    keepCertificate(sentenceOn("a1"), base);
    const file = path.join(certificatesDir("shop", base), "a1.json");
    fs.truncateSync(file, 20);
    keepCertificate(sentenceOn("a1", { finding: found }), base);
    assert.deepEqual(listCertificates("shop", base), { certificates: [], damaged: [file] });
  });
});
