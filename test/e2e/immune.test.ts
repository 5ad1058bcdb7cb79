// The immune memory in a living organism: who attacks is refused by all cells, also by those that are born later.
// Clients of other addresses are played through a trusted proxy; those with an address of their own are in enforcement.test.ts.
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type Organism, ofClass, startOrganism } from "./organism.ts";
import { until } from "./wait.ts";

const app = `
import http from "node:http";
http.createServer((request, response) => {
  response.statusCode = request.url === "/" ? 200 : 404;
  response.end();
}).listen(3000);
`;
const cells = { bCell: { min: 2, max: 2 }, drone: { min: 1, max: 1 }, tCell: { min: 0, max: 2 } };
const dna = { http: { trustedProxies: ["127.0.0.0/8"] }, cells, immune: { mode: "block" } };

interface Bans {
  bans: Array<{ range: string; action: string; offence: number; incident: string }>;
}

test("who looks for holes is banned by all cells, which is told, reported once, and can be taken back", async (t) => {
  const receiver = await receive(t);
  const report = {
    mode: "on",
    reporter: { org: "Test", contact: "abuse@example.org", domain: "example.org" },
    webhook: { url: `http://127.0.0.1:${receiver.port}/`, secretFile: "SECRET" },
  };
  const immune = { ...dna.immune, report };
  const organism = await startOrganism(t, {
    app: "app.mjs",
    files: { "app.mjs": app, secret: `whsec_${Buffer.alloc(32, 7).toString("base64")}\n` },
    scratchEnv: { SECRET_FILE: "secret", REACTED: "reacted" },
    dna: `
      import fs from "node:fs";
      const dna = ${JSON.stringify({ ...dna, immune })};
      dna.immune.report.webhook.secretFile = process.env.SECRET_FILE;
      dna.immune.reactions = [function tell({ range, action }) { fs.appendFileSync(process.env.REACTED, action + " " + range + "\\n"); }];
      export default dna;`,
  });
  assert.equal(await ask(organism, "192.0.2.1"), 200);
  await attack(organism, "203.0.113.7");
  await refused(organism, "203.0.113.7");
  assert.equal(await ask(organism, "203.0.113.8"), 200, "his neighbour is served");
  await organism.grown({ "t-cell": 1 });

  const [ban] = (await bansOf(organism)).bans;
  assert.deepEqual([ban?.range, ban?.action, ban?.offence], ["203.0.113.7", "ban", 1]);
  const threats = JSON.parse((await organism.cli("threats", "--json")).stdout);
  assert.deepEqual(
    threats.incidents.map((one: Record<string, unknown>) => [one["range"], one["attackClass"], one["outcome"]]),
    [["203.0.113.7", "probing", "sentenced"]],
  );
  const xarf = await until("the report", () => receiver.reports[0] ?? null);
  assert.equal(xarf["source_identifier"], "203.0.113.7");
  await until("the reaction", () => existsSync(organism.scratch("reacted")));
  assert.equal(readFileSync(organism.scratch("reacted"), "utf8"), "ban 203.0.113.7\n");

  assert.equal((await organism.cli("bans", "remove", "203.0.113.7")).code, 0);
  await until("him to be served again", async () => (await askAll(organism, "203.0.113.7")).every((s) => s !== 403));
  assert.equal((await organism.cli("bans", "add", "198.51.100.0/24", "--reason", "by hand")).code, 0);
  await refused(organism, "198.51.100.77");
  assert.equal(await ask(organism, "192.0.2.1"), 200);
  assert.equal(receiver.reports.length, 1, "one report an incident");
  await organism.until("the plot", async () => {
    const { code, stderr } = await organism.cli("threats", "--svg", organism.scratch("plot.svg"));
    assert.equal(code, 0, stderr);
    return readFileSync(organism.scratch("plot.svg"), "utf8").startsWith("<svg");
  });
});

test("T cells, and then all cells, are killed in the middle of an attack: no announced ban is lost, none doubled", async (t) => {
  const organism = await startOrganism(t, { app: "app.mjs", files: { "app.mjs": app }, dna });
  assert.equal(await ask(organism, "192.0.2.1"), 200);
  await organism.grown({ "b-cell": 2, stem: 1 });
  const announced = new Set<string>();
  let next = 1;
  const attackUntil = async (isEnough: () => boolean): Promise<void> => {
    while (!isEnough()) {
      // Each in a network of his own: of one that is full of attackers the network is banned, and not each by himself.
      const client = `203.${next}.113.7`;
      next += 1;
      assert.ok(next < 200, "an attacker was never refused");
      for (let i = 0; i < 40; i += 1) if ((await ask(organism, client, `/hole-${i}`)) === 403) announced.add(client);
      if (announced.size > 0) await new Promise(setImmediate);
    }
  };
  await attackUntil(() => announced.size >= 3);
  // Every T cell, while it is busy.
  for (const cell of ofClass(await organism.grown({ "t-cell": 1 }), "t-cell")) organism.kill(cell);
  const before = announced.size;
  await attackUntil(() => announced.size >= before + 3);
  await organism.grown({ "t-cell": 1 });
  for (const client of announced) await refused(organism, client);

  // All cells, and the launcher, at once and in the middle of the next attack.
  const attackers = [attackUntil(() => false).catch(() => undefined)];
  const enough = announced.size + 2;
  await until("two more to be refused", () => announced.size >= enough);
  for (const { pid } of organism.processes()) process.kill(pid, "SIGKILL");
  await organism.gone();
  await Promise.all(attackers);

  // What the dead have left says where they listened.
  rmSync(join(organism.runDir, "organism.json"), { force: true });
  const again = organism.again({});
  t.after(() => again.end());
  await again.start();
  const { bans } = await bansOf(again);
  const ranges = bans.map(({ range }) => range);
  assert.deepEqual(
    [...announced].filter((client) => !ranges.includes(client)),
    [],
    "lost",
  );
  assert.equal(new Set(ranges).size, ranges.length, "doubled");
  assert.ok(
    bans.every(({ offence }) => offence === 1),
    "an offence was counted twice",
  );
  // The very first connection, held by the egg, is judged as any other; and nobody needs a T cell for that.
  for (const client of announced) await refused(again, client);
  assert.equal(await ask(again, "192.0.2.1"), 200);
});

async function ask(organism: Organism, client: string, path = "/"): Promise<number> {
  return (await organism.request({ path, headers: { "X-Forwarded-For": client } })).status;
}

/** More often than there are B cells, each on a connection of its own: no cell is left out for long. */
function askAll(organism: Organism, client: string): Promise<number[]> {
  return Promise.all(Array.from({ length: 8 }, () => ask(organism, client)));
}

async function attack(organism: Organism, client: string): Promise<void> {
  for (let i = 0; i < 40; i += 1) await ask(organism, client, `/hole-${i}`);
}

async function refused(organism: Organism, client: string): Promise<void> {
  await organism.until(`${client} to be refused by all`, async () => {
    const statuses = await askAll(organism, client);
    return statuses.every((status) => status === 403);
  });
}

async function bansOf(organism: Organism): Promise<Bans> {
  const { code, stdout, stderr } = await organism.cli("bans", "--json");
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Bans;
}

/** A receiver of reports. */
async function receive(t: TestContext): Promise<{ port: number; reports: Array<Record<string, unknown>> }> {
  const reports: Array<Record<string, unknown>> = [];
  const server = http.createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      reports.push(JSON.parse(text) as Record<string, unknown>);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, reports };
}
