/** Unmodified apps of every kind, each served by two drones of a real organism. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import * as checks from "./checks.ts";
import { request } from "./client.ts";
import { ofClass, startOrganism } from "./organism.ts";
import { freePort } from "./plain.ts";

const twoDrones = { cells: { drone: { min: 2 } } };

describe("an unmodified app answers through an organism", () => {
  for (const { file, name } of checks.frameworkApps) {
    test(file, async (t) => {
      const organism = await startOrganism(t, { app: file, dna: twoDrones });
      await organism.request({ path: "/hello" });
      await organism.grown({ drone: 2 });
      await checks.checkFrameworkApp(organism.at(), name);
      await checks.checkKeepAlive(organism.at());
      await checks.checkPipelining(organism.at());
    });
  }
});

test(
  "an app that listens for HTTPS is reached without TLS: that ends before it",
  { skip: checks.opensslMissing() },
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), "cw-tls-"));
    t.after(() => rmSync(dir, { recursive: true }));
    const organism = await startOrganism(t, { app: "https.mjs", env: checks.makeCertificate(dir) });
    const { status, text } = await organism.request({ path: "/a?b" });
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(text), { url: "/a?b", encrypted: false });
  },
);

test("an app that listens twice is reached at both ports, if the DNA has both", async (t) => {
  const ports = [await freePort(), await freePort()] as const;
  const organism = await startOrganism(t, {
    app: "two-listens.mjs",
    dna: { listen: ports.map((port) => ({ port })) },
    listenInDna: true,
    env: { PORT: String(ports[0]), OFFICE_PORT: String(ports[1]) },
  });
  assert.equal((await request(organism.at(0))).text, "shop");
  assert.equal((await request(organism.at(1))).text, "office");
});

test("of an app that listens twice, the first is reached at the organism's one port, whatever it asked for", async (t) => {
  const organism = await startOrganism(t, { app: "two-listens.mjs", dna: twoDrones });
  for (let turn = 0; turn < 10; turn += 1) assert.equal((await organism.request()).text, "shop");
});

test("the app sees its client, and its own address as the world does", async (t) => {
  const organism = await startOrganism(t, { app: "who.mjs", dna: twoDrones });
  await checks.checkWho(organism.at());
});

test("requests are spread over the drones", async (t) => {
  const organism = await startOrganism(t, { app: "slow.mjs", dna: twoDrones });
  await organism.request({ path: "/pid" });
  const cells = await organism.grown({ drone: 2 });
  const pids = ofClass(cells, "drone").map(({ pid }) => String(pid));
  // Several at a time, again and again: with both drones up, both are soon among those that answer.
  const seen = new Set<string>();
  await organism.until("an answer from each drone", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => organism.request({ path: "/pid" })));
    for (const { text } of answers) seen.add(text);
    return pids.every((pid) => seen.has(pid));
  });
});
