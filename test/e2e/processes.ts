/**
 * Which processes are ours, and ending them without ever touching another's.
 *
 * Everything that a test starts inherits a marker in its environment, which the kernel shows in
 * /proc/<pid>/environ as it was at the start of the program. So a process is known as ours whoever its parent is by
 * now, and whatever it thinks of itself. A pid alone is never trusted: it is signalled only while its
 * start time is the one that was seen together with the marker.
 *
 * Where there is no /proc nothing is found; the tests then only know the processes that the organism itself names.
 */
import { readdirSync, readFileSync } from "node:fs";

export interface FoundProcess {
  pid: number;
  /** Field 22 of /proc/<pid>/stat: clock ticks after boot. */
  startTicks: number;
  command: string;
}

/** All living processes whose environment holds `name=value`, this one excepted. Zombies have no environment and do not count. */
export function findMarked(name: string, value: string): FoundProcess[] {
  const marker = `\0${name}=${value}\0`;
  return listPids().flatMap((pid) => {
    if (pid === process.pid) return [];
    const environ = readProc(pid, "environ");
    if (environ === null || !`\0${environ}`.includes(marker)) return [];
    const startTicks = startTicksOf(pid);
    return startTicks === null ? [] : [{ pid, startTicks, command: commandOf(pid) }];
  });
}

/** Null: there is no such process (any more), or no /proc. */
export function startTicksOf(pid: number): number | null {
  const stat = readProc(pid, "stat");
  if (stat === null) return null;
  // The second field is the program's name in brackets and may hold spaces and brackets of its own.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? null : Number(fields[19]);
}

/** Sends `signal` only if the process is still the one that was found. False: it is not. */
export function signalFound(found: FoundProcess, signal: NodeJS.Signals): boolean {
  if (startTicksOf(found.pid) !== found.startTicks) return false;
  try {
    process.kill(found.pid, signal);
    return true;
  } catch {
    return false;
  }
}

export function describeProcesses(found: readonly FoundProcess[]): string {
  return found.map(({ pid, command }) => `  ${pid}  ${command}`).join("\n");
}

/** Our environment as a user's shell would have it: without what the test runner and npm have added. */
export function inheritedEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreignEnv.test(name)));
}

/** TEST_RUN_ID stays: by it scripts/test.ts finds what a run has left. */
const foreignEnv = /^(NODE_(OPTIONS|TEST_CONTEXT|V8_COVERAGE)$|npm_|CELLWS_(?!NODE$)|PORT$)/;

function commandOf(pid: number): string {
  return (readProc(pid, "cmdline") ?? "").replaceAll("\0", " ").trim();
}

function listPids(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function readProc(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    // Gone between the listing and the look, or another user's.
    return null;
  }
}
