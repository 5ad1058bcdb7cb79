/** Unmodified apps of every kind, each served by two drones of a real organism. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import * as checks from "./checks.ts";
import { request } from "./client.ts";
import { ofClass, startOrganism } from "./organism.ts";

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

test("an app that listens twice is reached at both addresses", async (t) => {
  const dna = { listen: [{ port: 0 }, { port: 0 }] };
  const organism = await startOrganism(t, { app: "two-listens.mjs", dna, listenInDna: true });
  assert.equal((await request(organism.at(0))).text, "shop");
  assert.equal((await request(organism.at(1))).text, "office");
});

test("the app sees its client, and its own address as the world does", async (t) => {
  const organism = await startOrganism(t, { app: "who.mjs", dna: twoDrones });
  const { port } = organism.at();
  const agent = checks.countingAgent();
  t.after(() => agent.destroy());
  const { text } = await organism.request({ agent, headers: { "X-Odd-Name": "a", "x-odd-name": "b" } });
  const who = JSON.parse(text) as Record<string, unknown>;
  assert.equal(who["remoteAddress"], "127.0.0.1");
  assert.equal(who["remoteFamily"], "IPv4");
  assert.equal(who["remotePort"], agent.localPorts[0]);
  assert.equal(who["localPort"], port);
  assert.equal(who["host"], `127.0.0.1:${port}`);
  assert.equal(who["httpVersion"], "1.1");
  assert.equal(who["listening"], true);
  assert.equal((who["address"] as { port: number }).port, port, "address() is where it can be reached");
  const raw = who["rawHeaders"] as string[];
  assert.deepEqual(raw.slice(0, 4), ["X-Odd-Name", "a", "x-odd-name", "b"], "names and order as they were sent");
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
