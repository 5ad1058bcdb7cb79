/**
 * Follows the organism's log as it grows and is turned: each line once, none missed.
 *
 * By looking every so often and not by fs.watch, which on some file systems says nothing and on others says it
 * twice. How a turn is noticed and survived: see log-file.ts.
 */
import fs from "node:fs";
import { setImmediate as yieldTurn, setTimeout as sleep } from "node:timers/promises";
import type { LogPosition } from "./log-file.ts";
import {
  closeSegments,
  identifyYoungestArchive,
  LineAssembler,
  openArchivesSince,
  READ_BYTES,
  readBlocks,
} from "./log-file.ts";

export interface FollowOptions {
  /** Where to begin. A file that is not there yet is waited for and read from its start. */
  from: "start" | "end" | LogPosition;
  signal: AbortSignal;
  pollMs?: number;
}

/** `gone`: the file was removed, as an organism's is at its end; everything in it has been given out. */
export type FollowEnd = "aborted" | "gone";

/** The last cell clears the directory away and only then says its last word, into the file that has no name any more. */
const GONE_LOOKS_MAX = 2;

/** Quick enough for a person who watches, slow enough to cost nothing. */
const POLL_MS = 100;

export async function followLog(
  file: string,
  onLine: (line: string) => void,
  { from, signal, pollMs = POLL_MS }: FollowOptions,
): Promise<FollowEnd> {
  const wait = (): Promise<unknown> => sleep(pollMs, undefined, { signal }).catch(() => undefined);
  const opened = await openWhenThere(file, from, signal, wait);
  if (opened === null) return "aborted";
  const reader = createReader(file, onLine, opened);
  let goneLooks = 0;
  try {
    while (!signal.aborted) {
      // Asked before reading: what was written before the removal is then read after it.
      const isGone = fs.fstatSync(opened.fd).nlink === 0;
      const isMore = isGone ? reader.readRest() : reader.readSome();
      // A log that grows as fast as we read must not keep a Ctrl-C from being heard.
      if (isMore) await yieldTurn();
      else if (isGone && (goneLooks += 1) > GONE_LOOKS_MAX) return "gone";
      else await wait();
    }
    return "aborted";
  } finally {
    reader.end();
    fs.closeSync(opened.fd);
  }
}

interface OpenedLog {
  fd: number;
  position: LogPosition;
}

async function openWhenThere(
  file: string,
  from: FollowOptions["from"],
  signal: AbortSignal,
  wait: () => Promise<unknown>,
): Promise<OpenedLog | null> {
  let effectiveFrom = from;
  while (!signal.aborted) {
    const youngestArchive = identifyYoungestArchive(file);
    try {
      const fd = fs.openSync(file, "r");
      return { fd, position: startPosition(effectiveFrom, fd, youngestArchive) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    effectiveFrom = "start";
    await wait();
  }
  return null;
}

function startPosition(from: FollowOptions["from"], fd: number, youngestArchive: string | null): LogPosition {
  if (typeof from === "object") return from;
  return { offset: from === "start" ? 0 : fs.fstatSync(fd).size, youngestArchive };
}

interface Reader {
  /** Gives out what is there, a block at most. True when there may be more. */
  readSome: () => boolean;
  /** The same for a file that has lost its name, and with it all that is named after it. */
  readRest: () => boolean;
  end: () => void;
}

/** When the file shrinks and no new `.1` appears within so many looks, somebody has cut it by hand. */
const SHRUNK_LOOKS_MAX = 5;

function createReader(file: string, onLine: (line: string) => void, { fd, position }: OpenedLog): Reader {
  const lines = new LineAssembler(onLine);
  const block = Buffer.allocUnsafe(READ_BYTES);
  let { offset, youngestArchive } = position;
  let shrunkLooks = 0;

  function readSome(): boolean {
    if (wasTurned()) return catchUpWithTurns();
    if (fs.fstatSync(fd).size < offset) return waitForTurn();
    shrunkLooks = 0;
    const bytesRead = fs.readSync(fd, block, 0, block.length, offset);
    // Turned between the look and the read: then these bytes are not those that follow ours.
    if (wasTurned()) return true;
    return take(bytesRead);
  }

  function readRest(): boolean {
    return take(fs.readSync(fd, block, 0, block.length, offset));
  }

  function take(bytesRead: number): boolean {
    offset += bytesRead;
    // A copy, for an unfinished line is kept while the block is read into again.
    if (bytesRead > 0) lines.push(Buffer.from(block.subarray(0, bytesRead)));
    return bytesRead > 0;
  }

  /** Old logs that vanish are no turn: they are cleared away, by hand or with the organism. */
  function wasTurned(): boolean {
    const youngest = identifyYoungestArchive(file);
    return youngest !== null && youngest !== youngestArchive;
  }

  function waitForTurn(): boolean {
    shrunkLooks += 1;
    if (shrunkLooks < SHRUNK_LOOKS_MAX) return false;
    shrunkLooks = 0;
    offset = 0;
    lines.clear();
    return true;
  }

  /** Reads on in what the file was before it was turned, and in all that it has been since. */
  function catchUpWithTurns(): boolean {
    const youngest = identifyYoungestArchive(file);
    if (youngest === null) return true;
    const archives = openArchivesSince(file, youngestArchive);
    try {
      // Turned once more while we opened them: look again.
      if (identifyYoungestArchive(file) !== youngest) return true;
      for (const archive of archives) {
        for (const part of readBlocks(archive.fd, offset, archive.size)) lines.push(part);
        lines.flush();
        offset = 0;
      }
    } finally {
      closeSegments(archives);
    }
    youngestArchive = youngest;
    offset = 0;
    return true;
  }

  return { readSome, readRest, end: () => lines.flush() };
}
