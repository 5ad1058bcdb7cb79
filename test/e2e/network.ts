/**
 * A network of its own for an organism: a namespace with a line to this one, so that clients have addresses that may be banned
 * (loopback and the machine's own never are) and a kernel's tables that nobody else uses.
 *
 * Needs root on Linux and `ip` (Debian: iproute2). Elsewhere `networkMissing` says what is missing, for the test to skip with.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { type Organism, type OrganismOptions, type Scope, startOrganism } from "./organism.ts";

export interface TestNetwork {
  /** Where the organism is to listen. */
  readonly host: string;
  /** Two clients' addresses, on this side: to connect from as `localAddress`. */
  readonly clients: readonly [string, string];
  /** What to run a program by, so that it lives in there. Nothing but its network is another: files and processes are as here. */
  readonly within: readonly string[];
}

/** An organism in a network of its own, which is taken away when the organism has ended. */
export async function startInNetwork(
  scope: Scope,
  options: (network: TestNetwork) => OrganismOptions,
): Promise<{ network: TestNetwork; organism: Organism }> {
  const name = `cw${process.pid}`;
  try {
    const network = makeNetwork(name);
    return { network, organism: await startOrganism(scope, { ...options(network), within: network.within }) };
  } finally {
    scope.after(() => {
      spawnSync("ip", ["link", "delete", `${name}a`]);
      spawnSync("ip", ["netns", "delete", name]);
      return Promise.resolve();
    });
  }
}

function makeNetwork(name: string): TestNetwork {
  // By this process, so that test files run side by side. Benchmarking's own range (RFC 2544): nobody's real network.
  const prefix = `198.${18 + ((process.pid >> 14) & 1)}.${(process.pid >> 6) & 255}`;
  const first = (process.pid & 63) * 4;
  const [one, other, host] = [1, 2, 3].map((i) => `${prefix}.${first + i}`) as [string, string, string];
  ip("netns", "add", name);
  ip("link", "add", `${name}a`, "type", "veth", "peer", "name", `${name}b`, "netns", name);
  ip("addr", "add", `${one}/32`, "peer", host, "dev", `${name}a`);
  ip("addr", "add", `${other}/32`, "dev", `${name}a`);
  ip("link", "set", `${name}a`, "up");
  ip("-n", name, "addr", "add", `${host}/32`, "peer", one, "dev", `${name}b`);
  ip("-n", name, "link", "set", "lo", "up");
  ip("-n", name, "link", "set", `${name}b`, "up");
  ip("-n", name, "route", "add", `${other}/32`, "dev", `${name}b`);
  // Not `ip netns exec`: that also shows another /sys, in which the cells would not find their control group.
  return { host, clients: [one, other], within: ["nsenter", `--net=/run/netns/${name}`] };
}

/** What is missing here, told where the test is skipped; false: nothing. */
export function networkMissing(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  const { status, error } = spawnSync("ip", ["netns", "add", `cwprobe${process.pid}`]);
  if (error !== undefined) return "needs ip (Debian package iproute2)";
  if (status !== 0) return "needs the right to make network namespaces";
  spawnSync("ip", ["netns", "delete", `cwprobe${process.pid}`]);
  return spawnSync("nsenter", ["--version"]).status === 0 ? false : "needs nsenter (Debian package util-linux)";
}

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync("ip", args, { encoding: "utf8" });
  assert.equal(status, 0, `ip ${args.join(" ")}: ${stderr}`);
}
