/** What the benchmarks of the request path need of the machine: programs, processes and what they have used. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { parseProcStat } from "../../src/host/proc.ts";

/** A program of the system, by the Debian package that brings it. */
export interface Tool {
  readonly command: string;
  readonly debianPackage: string;
}

/** Installs from Debian what is missing, where that may be done; returns what is still missing. */
export function provide(tools: readonly Tool[]): Tool[] {
  const isMissing = ({ command }: Tool): boolean => spawnSync("sh", ["-c", `command -v ${command}`]).status !== 0;
  const missing = tools.filter(isMissing);
  const mayInstall = process.getuid?.() === 0 && spawnSync("sh", ["-c", "command -v apt-get"]).status === 0;
  if (missing.length === 0 || !mayInstall) return missing;
  const packages = missing.map((tool) => tool.debianPackage);
  process.stderr.write(`installing ${packages.join(", ")} ...\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], { stdio: "ignore", env });
  return missing.filter(isMissing);
}

/** Runs a program to its end. @throws Error with what it printed where it fails. */
export async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}\n${errors}${output}`);
  return output;
}

/** The processes and all their descendants. */
export function withDescendants(roots: readonly number[]): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat !== null) parents.set(stat.pid, stat.ppid);
  }
  const found = new Set(roots);
  for (let grew = true; grew;) {
    grew = false;
    for (const [pid, ppid] of parents) {
      if (found.has(pid) || !found.has(ppid)) continue;
      found.add(pid);
      grew = true;
    }
  }
  return [...found];
}

/** CPU time used so far, user and system, in ms. The kernel counts in ticks of 10 ms. */
export function cpuMs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readStat(pid);
    if (stat !== null) ticks += stat.userTicks + stat.systemTicks;
  }
  return ticks * 10;
}

/** Memory in MiB; what processes share is counted once between them (PSS). */
export function memoryMiB(pids: readonly number[]): number {
  let kib = 0;
  for (const pid of pids) {
    try {
      kib += Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1] ?? 0);
    } catch {
      // It has ended meanwhile.
    }
  }
  return kib / 1024;
}

function readStat(pid: number): ReturnType<typeof parseProcStat> {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, "latin1"), 4096);
  } catch {
    return null;
  }
}

/** The value at a share of the sorted samples, by nearest rank: one that was measured. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);
