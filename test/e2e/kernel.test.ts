// Bans in the kernel (`immune.bans.nftables`) of a living organism: once with a program that only writes down what `nft` would have
// been asked, anywhere; and in a network of its own with the kernel itself, where that is to be had (network.ts).
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { type Address, request } from "./client.ts";
import { networkMissing, startInNetwork, type TestNetwork } from "./network.ts";
import { ofClass, Organism } from "./organism.ts";
import { until } from "./wait.ts";

const app = `
import http from "node:http";
http.createServer((_request, response) => response.end()).listen(3000);
`;
/** T cells are called for by evidence, and here there is none: the one that keeps the set is there all the same. */
const immune = { mode: "block", bans: { nftables: true } };
const cells = { bCell: { min: 1, max: 1 }, drone: { min: 1, max: 1 } };

test("the keeper gives the kernel each change, one that follows it gives it all anew, and at the end it is taken away", async (t) => {
  const organism = new Organism({ app: "app.mjs", files: { "app.mjs": app }, dna: { cells, immune } });
  t.after(() => organism.end());
  const nft = fakeNft(organism);
  await organism.start();
  await organism.request();
  await organism.until("an empty set", () => /set banned4 \{[^{}]*\}/.test(nft.last()));
  assert.match(nft.last(), new RegExp(`tcp dport \\{ ${organism.at().port} \\} ip saddr @banned4 drop`));
  assert.equal((await organism.cli("bans", "add", "203.0.113.0/24", "2001:db8::/64", "--for", "1h")).code, 0);
  await organism.until("both ranges", () => isBanned(nft, "203.0.113.0/24") && isBanned(nft, "2001:db8::/64"));
  assert.equal((await organism.cli("bans", "remove", "203.0.113.0/24")).code, 0);
  await organism.until("the other range alone", () => !isBanned(nft, "203.0.113.0/24"));
  assert.ok(isBanned(nft, "2001:db8::/64"));

  const asked = nft.asked().length;
  const [keeper] = ofClass(await organism.grown({ "t-cell": 1 }), "t-cell");
  organism.kill(keeper!);
  await organism.until("its successor to give the kernel all anew", () => nft.asked().length > asked);
  assert.ok(isBanned(nft, "2001:db8::/64"));

  nft.breakIt("Operation not permitted");
  assert.equal((await organism.cli("bans", "add", "198.51.100.7")).code, 0);
  const told = /CELLWS_W_NFTABLES.*the kernel takes no bans: .*Operation not permitted/;
  await organism.until("the trouble to be told", async () => told.test((await organism.status()).stdout));
  nft.mend();
  await organism.until("another try", () => isBanned(nft, "198.51.100.7"));
  await organism.until("the trouble to be over", async () => !(await organism.status()).stdout.includes("NFTABLES"));

  assert.equal((await organism.stop()).code, 0);
  assert.equal(nft.last(), `table inet cellws-e2e {}\ndelete table inet cellws-e2e\n`);
});

test(
  "in the kernel a banned client is dropped, also while every cell is dead, until his ban is lifted or over",
  { skip: networkMissing() || nftMissing() },
  async (t) => {
    const { network, organism } = await startInNetwork(t, ({ host }) => ({
      app: "app.mjs",
      files: { "app.mjs": app },
      dna: { cells, immune },
      args: ["--host", host],
    }));
    const [banned, neighbour] = network.clients;
    const from = (localAddress: string): Address => ({ ...organism.at(), localAddress });
    assert.equal((await request(from(banned))).status, 200);
    assert.equal((await organism.cli("bans", "add", banned)).code, 0);
    // A B cell would reset what the kernel lets through.
    await organism.until("the kernel to drop him", async () => (await knock(from(banned))) === "dropped");
    assert.equal((await request(from(neighbour))).status, 200);
    assert.match(tableIn(network), new RegExp(`elements = \\{ ${banned.replaceAll(".", "\\.")} timeout [34]h`));
    assert.equal((await organism.cli("bans", "remove", banned)).code, 0);
    await organism.until("him to be served again", async () => (await request(from(banned))).status === 200);

    assert.equal((await organism.cli("bans", "add", banned, "--for", "20s")).code, 0);
    await organism.until("the kernel to drop him again", async () => (await knock(from(banned))) === "dropped");
    for (const { pid } of organism.processes()) process.kill(pid, "SIGKILL");
    await organism.gone();
    assert.equal(await knock(from(banned)), "dropped", "the kernel goes on");
    assert.equal(await knock(from(neighbour)), "ECONNREFUSED");
    await until("his ban to end by itself", async () => (await knock(from(banned))) === "ECONNREFUSED", {
      msMax: 60_000,
    });

    rmSync(join(organism.runDir, "organism.json"), { force: true });
    const again = organism.again({});
    t.after(() => again.end());
    await again.start();
    assert.equal((await request({ ...again.at(), localAddress: banned })).status, 200);
    await again.grown({ "t-cell": 1 });
    assert.equal((await again.stop()).code, 0);
    assert.equal(tableIn(network), "", "away with the organism");
  },
);

interface FakeNft {
  /** Each text that it was given, oldest first. */
  asked(): string[];
  last(): string;
  breakIt(complaint: string): void;
  mend(): void;
}

/** An `nft` at the head of the organism's PATH that keeps what it is given, and does nothing. */
function fakeNft(organism: Organism): FakeNft {
  const [folder, seen, broken] = ["bin", "asked", "broken"].map((name) => organism.scratch(name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(folder);
  const script = `#!/bin/sh
[ "$*" = "-f -" ] || { echo "what is $*?" >&2; exit 2; }
text=$(cat)
if [ -e "${broken}" ]; then cat "${broken}" >&2; exit 1; fi
printf '%s\\n\\f' "$text" >> "${seen}"
`;
  writeFileSync(join(folder, "nft"), script);
  chmodSync(join(folder, "nft"), 0o755);
  organism.env["PATH"] = `${folder}:${organism.env["PATH"]}`;
  const asked = (): string[] => (existsSync(seen) ? readFileSync(seen, "utf8").split("\f").slice(0, -1) : []);
  return {
    asked,
    last: () => asked().at(-1) ?? "",
    breakIt: (complaint) => writeFileSync(broken, `${complaint}\n`),
    mend: () => rmSync(broken),
  };
}

function isBanned(nft: FakeNft, range: string): boolean {
  return nft.last().includes(`      ${range} timeout `);
}

/** "open", "dropped" (no answer at all), or how it was refused. */
function knock(at: Address): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ ...at, timeout: 500 });
    const over = (told: string): void => {
      resolve(told);
      socket.destroy();
    };
    socket.once("connect", () => over("open"));
    socket.once("timeout", () => over("dropped"));
    socket.once("error", ({ code }: NodeJS.ErrnoException) => over(String(code)));
  });
}

/** The organism's table as the kernel has it; "": it has none. */
function tableIn({ within: [command, ...args] }: TestNetwork): string {
  return spawnSync(command!, [...args, "nft", "list", "table", "inet", "cellws-e2e"], { encoding: "utf8" }).stdout;
}

/** What is missing here, told where the test is skipped; false: nothing. */
function nftMissing(): string | false {
  if (spawnSync("nft", ["--version"]).status !== 0) return "needs nft (Debian package nftables)";
  const { status, stderr } = spawnSync("unshare", ["--net", "nft", "list", "tables"], { encoding: "utf8" });
  return status === 0 ? false : `needs a kernel that lets network namespaces have nftables: ${stderr.trim()}`;
}
