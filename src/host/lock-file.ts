/**
 * A lock between processes of one user: a file that only one of them can create.
 *
 * Node has no flock, so a lock does not vanish with its holder. The file therefore says who holds it (pid and
 * start time); whoever finds it held by the dead, or for longer than anybody needs, breaks it. Breaking cannot
 * be made airtight with files alone: in the worst interleaving two processes believe for a moment that they
 * hold it. So the holder asks `held()` again right before the step that must not happen twice, and that step
 * should itself be harmless when it does. Good enough for turning a log; not for money.
 */
import fs from "node:fs";
import { ownIdentity, processLives } from "./proc.ts";

export interface LockFile {
  /** Whether the file is still ours. */
  held(): boolean;
  release(): void;
}

/** Null: somebody else holds it. `ageMsMax`: after this time a holder counts as hung. */
export function takeLockFile(path: string, ageMsMax: number): LockFile | null {
  const content = JSON.stringify({ ...ownIdentity(), serial: (serial += 1) });
  if (!create(path, content)) {
    if (!breakStale(path, ageMsMax) || !create(path, content)) return null;
  }
  const held = (): boolean => read(path) === content;
  return {
    held,
    release: () => {
      if (held()) fs.rmSync(path, { force: true });
    },
  };
}

/** Tells two locks of one process apart. */
let serial = 0;

function create(path: string, content: string): boolean {
  try {
    fs.writeFileSync(path, content, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** True when the way is free. */
function breakStale(path: string, ageMsMax: number): boolean {
  const seen = read(path);
  if (seen === null) return true;
  if (!isStale(path, seen, ageMsMax)) return false;
  const aside = `${path}.stale-${process.pid}`;
  try {
    fs.renameSync(path, aside);
    const taken = read(aside);
    // Another process broke it first, and this is its new lock: give it back, unless a third has its own by now.
    if (taken !== seen) fs.linkSync(aside, path);
    return taken === seen;
  } catch {
    return false;
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

function isStale(path: string, content: string, ageMsMax: number): boolean {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  const ageMs = stat === undefined ? 0 : Date.now() - stat.mtimeMs;
  if (ageMs > ageMsMax) return true;
  try {
    return !processLives(JSON.parse(content) as { pid: number; startTicks: number });
  } catch {
    // Created and not yet written to, or its writer died in between: for that its age decides.
    return ageMs > HALF_WRITTEN_AGE_MS_MAX;
  }
}

const HALF_WRITTEN_AGE_MS_MAX = 1_000;

function read(path: string): string | null {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
