/**
 * Where one stands in a log that is turned under the reader (log-rotate.ts).
 *
 * Turning copies the file to `.1` and then cuts it. So `.1` is byte for byte what the file was, and an offset
 * into the file, after a turn, is the same offset into `.1`: nothing need be missed or read twice. That the
 * file was turned is seen by `.1` being another file than before, for its size alone cannot tell: it may have
 * grown past our offset again.
 */
import fs from "node:fs";
import { archivePath } from "./log-rotate.ts";

export interface LogPosition {
  /** Everything before this byte of the file has been read. */
  offset: number;
  /** Which file was `.1` then; null when there was none. */
  youngestArchive: string | null;
}

/** A log file that is being read: its descriptor stays valid whatever happens to its name. */
export interface LogSegment {
  fd: number;
  /** What it held when it was opened. */
  size: number;
}

/** More than anybody keeps. */
const ARCHIVES_MAX = 100;

/** Tells a file from another that has, or had, its name. Null: there is none. */
export function identify(file: string): string | null {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  // The inode number alone may be given to the next file; nobody writes to an old log, so its time stays.
  return stat === undefined ? null : `${stat.dev}:${stat.ino}:${stat.mtimeMs}`;
}

export function identifyYoungestArchive(file: string): string | null {
  return identify(archivePath(file, 1));
}

/** The old logs that are younger than `known`, oldest first; all of them when that one is gone, or null. */
export function openArchivesSince(file: string, known: string | null): LogSegment[] {
  const segments: LogSegment[] = [];
  for (let index = 1; index <= ARCHIVES_MAX; index += 1) {
    const archive = archivePath(file, index);
    const identity = identify(archive);
    if (identity === null || identity === known) break;
    const segment = openSegment(archive);
    if (segment === null) break;
    segments.unshift(segment);
  }
  return segments;
}

export function openSegment(file: string): LogSegment | null {
  try {
    const fd = fs.openSync(file, "r");
    return { fd, size: fs.fstatSync(fd).size };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

export function closeSegments(segments: readonly LogSegment[]): void {
  for (const { fd } of segments) fs.closeSync(fd);
}

/** Reads up to `end`, a block at a time. */
export function* readBlocks(fd: number, start: number, end: number): Generator<Buffer> {
  for (let at = start; at < end;) {
    const block = Buffer.allocUnsafe(Math.min(READ_BYTES, end - at));
    const bytesRead = fs.readSync(fd, block, 0, block.length, at);
    if (bytesRead === 0) return;
    yield block.subarray(0, bytesRead);
    at += bytesRead;
  }
}

export const READ_BYTES = 64 * 1024;
/** Four times what the log itself writes in a line; raw output may be one endless line. The rest is skipped. */
export const LINE_BYTES_MAX = 256 * 1024;

/** Blocks in, whole lines out. Invariant: holds at most LINE_BYTES_MAX bytes. */
export class LineAssembler {
  #parts: Buffer[] = [];
  #bytes = 0;
  #isSkipping = false;
  readonly #onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(block: Buffer): void {
    let start = 0;
    for (let end = block.indexOf(LINE_END); end >= 0; end = block.indexOf(LINE_END, start)) {
      this.#extend(block.subarray(start, end));
      this.flush();
      this.#isSkipping = false;
      start = end + 1;
    }
    this.#extend(block.subarray(start));
  }

  /** Bytes of a line whose end has not come yet. */
  get unfinishedBytes(): number {
    return this.#bytes;
  }

  /** Gives out a last line that has no end. */
  flush(): void {
    if (this.#bytes > 0) this.#onLine(Buffer.concat(this.#parts, this.#bytes).toString("utf8"));
    this.clear();
  }

  /** Forgets an unfinished line: its rest will not come. */
  clear(): void {
    this.#parts = [];
    this.#bytes = 0;
  }

  #extend(part: Buffer): void {
    if (this.#isSkipping || part.length === 0) return;
    const kept = part.subarray(0, LINE_BYTES_MAX - this.#bytes);
    this.#parts.push(kept);
    this.#bytes += kept.length;
    if (kept.length === part.length) return;
    this.flush();
    this.#isSkipping = true;
  }
}

const LINE_END = 0x0a;
