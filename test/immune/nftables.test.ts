// The text for the kernel, in the kernel: a network namespace of its own, two addresses, one of them banned.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import type { BanBody } from "../../src/core/record.ts";
import { renderNft } from "../../src/immune/bans/nftables.ts";

const missing = whyImpossible();

test("in the kernel a banned client reaches none of the organism's ports, and others do", { skip: missing }, () => {
  const wallMs = Date.now();
  const bans = ["10.9.0.2", "10.9.1.0/24", "10.9.1.7", "fd00:9::/64"].map((range): BanBody => ({
    kind: "ban",
    range,
    action: "ban",
    reason: "other",
    offence: 1,
    issuedAtMs: wallMs,
    untilMs: wallMs + 60_000,
    incident: `${range}#1`,
  }));
  const text = renderNft(bans, { name: "shop", ports: [8_080], wallMs });
  // Twice: the second replaces the first, as in life.
  const script = `
    set -e
    ip link set lo up
    for a in 10.9.0.1 10.9.0.2 10.9.0.3 10.9.1.7; do ip addr add $a/32 dev lo; done
    ip addr add fd00:9::2/128 dev lo nodad
    ip addr add fd00:8::2/128 dev lo nodad
    printf '%s' "$NFT" | nft -f -
    printf '%s' "$NFT" | nft -f -
    nft list table inet cellws-shop >&2
    exec "$NODE" -e '
      const net = require("node:net");
      const tryFrom = (localAddress, host, port) => new Promise((resolve) => {
        const socket = net.connect({ host, port, localAddress, timeout: 700 }, () => { socket.destroy(); resolve("open"); });
        socket.once("timeout", () => { socket.destroy(); resolve("dropped"); });
        socket.once("error", (error) => resolve(error.code));
      });
      const servers = [8080, 8081].map((port) => net.createServer((s) => s.destroy()).listen(port, "::"));
      setTimeout(async () => {
        const told = await Promise.all([
          tryFrom("10.9.0.2", "10.9.0.1", 8080), tryFrom("10.9.0.3", "10.9.0.1", 8080), tryFrom("10.9.1.7", "10.9.0.1", 8080),
          tryFrom("fd00:9::2", "fd00:8::2", 8080), tryFrom("fd00:8::2", "fd00:8::2", 8080), tryFrom("10.9.0.2", "10.9.0.1", 8081),
        ]);
        console.log(told.join(" "));
        for (const server of servers) server.close();
      }, 50);
    '`;
  const { status, stdout, stderr } = spawnSync("unshare", ["--net", "sh", "-c", script], {
    encoding: "utf8",
    env: { ...process.env, NFT: text, NODE: process.execPath },
    timeout: 20_000,
  });
  assert.equal(status, 0, stderr);
  // Banned, not banned, in a banned range, banned, not banned, banned but at another port.
  assert.equal(stdout.trim(), "dropped open dropped dropped open open", stderr);
  assert.match(stderr, /timeout 1m/, "its elements expire by themselves");
});

/** What is missing here, told where the test is skipped; false: nothing. */
function whyImpossible(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  if (spawnSync("nft", ["--version"]).status !== 0) return "needs nft (Debian package nftables)";
  const { status, stderr } = spawnSync("unshare", ["--net", "nft", "list", "tables"], { encoding: "utf8" });
  return status === 0 ? false : `needs a kernel that lets network namespaces have nftables: ${stderr.trim()}`;
}
