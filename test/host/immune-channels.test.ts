import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { Dna } from "../../src/dna/dna.ts";
import { resolveDna } from "../../src/dna/resolve.ts";
import { banPolicyOf } from "../../src/host/immune/ban-policy.ts";
import { reportChannelsOf } from "../../src/host/immune/report-channels.ts";
import { readPolicy, whyProtected } from "../../src/immune/bans/policy.ts";
import { parseIpRange } from "../../src/lib/ip-range.ts";
import { diagnosticsOf, folderWith, schema } from "../dna/support.ts";

function dnaOf(input: object): Dna {
  const resolution = resolveDna({ input: { app: "a.js", ...input }, schema, later: [] });
  assert.ok(resolution.ok, JSON.stringify(resolution));
  return resolution.dna;
}

const reporter = { org: "Shop", contact: "abuse@shop.example", domain: "shop.example" };
const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;

test("nobody is banned whom the DNA allows, trusts as a proxy, or who is the machine", () => {
  const dna = dnaOf({ immune: { allow: ["192.0.2.0/24"] }, http: { trustedProxies: ["10.0.0.1"] } });
  const policy = readPolicy(banPolicyOf(dna, ["198.51.100.5"]));
  for (const address of ["192.0.2.9", "10.0.0.1", "198.51.100.5", "127.0.0.1", "::1"]) {
    assert.notEqual(whyProtected(parseIpRange(address)!, policy), null, address);
  }
  assert.equal(whyProtected(parseIpRange("198.51.100.6")!, policy), null);
});

test("reports go by the channels of the DNA, and by none while they are off", (t) => {
  const folder = folderWith(t, { "secret.txt": `${secret}\n`, "key.txt": "k\n", "password.txt": "p\n" });
  const file = (name: string): string => path.join(folder, name);
  const report = {
    mode: "dry-run",
    reporter,
    webhook: { url: "https://hooks.example/x", secretFile: file("secret.txt") },
    mail: {
      server: "mail.example",
      from: reporter.contact,
      to: "abuse@isp.example",
      user: "u",
      passwordFile: file("password.txt"),
    },
    abuseIpdb: { url: "https://api.example/api/v2/report", keyFile: file("key.txt") },
  };
  const names = (one: object): string[] => reportChannelsOf(dnaOf({ immune: { report: one } })).map(({ name }) => name);
  assert.deepEqual(names(report), ["webhook", "smtp", "abuseipdb"]);
  assert.deepEqual(names({ ...report, mode: "off" }), []);
  assert.deepEqual(names({}), []);
});

test("a secret that is none is told before a report depends on it", (t) => {
  const folder = folderWith(t, { "short.txt": "whsec_c2hvcnQ=", "empty.txt": "\n" });
  for (const name of ["short.txt", "empty.txt", "gone.txt"]) {
    const webhook = { url: "https://hooks.example/x", secretFile: path.join(folder, name) };
    const dna = dnaOf({ immune: { report: { mode: "on", reporter, webhook } } });
    assert.throws(() => reportChannelsOf(dna), { code: "CELLWS_E_REPORT_SECRET" });
  }
  assert.equal(fs.existsSync(path.join(folder, "gone.txt")), false);
});

for (const [what, report, code, at] of [
  ["without a reporter", { mode: "on" }, "CELLWS_E_DNA_CONFLICT", "immune.report.reporter"],
  ["without a receiver", { mode: "dry-run", reporter }, "CELLWS_E_DNA_CONFLICT", "immune.report.webhook"],
  [
    "in the clear to another machine",
    { webhook: { url: "http://hooks.example/x", secretFile: "s" } },
    "CELLWS_E_DNA_VALUE",
    "immune.report.webhook.url",
  ],
  [
    "from a reporter whose address would break a mail's header",
    { reporter: { ...reporter, contact: "a@b.example\r\nBcc: c@d.example" } },
    "CELLWS_E_DNA_VALUE",
    "immune.report.reporter.contact",
  ],
] as const) {
  test(`reports ${what} are refused with the DNA`, () => {
    const told = diagnosticsOf({ app: "a.js", immune: { report } });
    assert.deepEqual(
      told.map((one) => [one.code, one.path]),
      [[code, at]],
    );
  });
}
