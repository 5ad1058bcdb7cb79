/**
 * The last lines of the log, across the files that it was turned into, in bounded memory.
 *
 * Goes backwards from the end, a block at a time, only to find where to begin; then reads forwards from there.
 * Each line that counts is so read twice, and none is kept.
 */
import fs from "node:fs";
import type { LogPosition, LogSegment } from "./log-file.ts";
import {
  closeSegments,
  identifyYoungestArchive,
  LINE_BYTES_MAX,
  LineAssembler,
  openArchivesSince,
  openSegment,
  READ_BYTES,
  readBlocks,
} from "./log-file.ts";

export interface TailQuery {
  /** At most so many lines that count; null: all of them. */
  linesMax: number | null;
  /** Whether a line counts, and is given out. */
  accepts: (line: string) => boolean;
  /** True for a line before which nothing is wanted any more (it is too old). */
  isBefore?: (line: string) => boolean;
  /**
   * The newest file may end within a line that is just being written. Whoever goes on to follow leaves it to the
   * follower; else it is given out as it is, for it may be the last words of a crash.
   */
  leaveUnfinished: boolean;
}

/** Gives out the lines, oldest first. Returns where a follower goes on; null: there is no log. */
export function readLogTail(file: string, query: TailQuery, onLine: (line: string) => void): LogPosition | null {
  const opened = openLog(file);
  if (opened === null) return null;
  const { segments, youngestArchive } = opened;
  try {
    const start = findStart(segments, query);
    const lines = new LineAssembler((line) => {
      if (query.accepts(line)) onLine(line);
    });
    let offset = 0;
    for (const [index, { fd, size }] of segments.entries()) {
      if (index < start.segment) continue;
      for (const block of readBlocks(fd, index === start.segment ? start.offset : 0, size)) lines.push(block);
      offset = size - lines.unfinishedBytes;
      const isNewest = index === segments.length - 1;
      if (!isNewest || !query.leaveUnfinished) lines.flush();
    }
    return { offset, youngestArchive };
  } finally {
    closeSegments(segments);
  }
}

/** Oldest first, the living file last. */
function openLog(file: string): { segments: LogSegment[]; youngestArchive: string | null } | null {
  for (let attempt = 1; ; attempt += 1) {
    const youngestArchive = identifyYoungestArchive(file);
    const current = openSegment(file);
    if (current === null) return null;
    const segments = [...openArchivesSince(file, null), current];
    // Turned while we opened: what we hold may overlap or have a gap. A log turns seldom; a few attempts suffice.
    const isSame = identifyYoungestArchive(file) === youngestArchive;
    if (isSame || attempt === OPEN_ATTEMPTS_MAX) return { segments, youngestArchive };
    closeSegments(segments);
  }
}

const OPEN_ATTEMPTS_MAX = 5;

interface Start {
  segment: number;
  offset: number;
}

function findStart(segments: readonly LogSegment[], query: TailQuery): Start {
  let start: Start = { segment: segments.length - 1, offset: segments.at(-1)?.size ?? 0 };
  let count = 0;
  if (query.linesMax === 0) return start;
  for (let segment = segments.length - 1; segment >= 0; segment -= 1) {
    const { fd, size } = segments[segment] ?? { fd: -1, size: 0 };
    for (const line of linesBackwards(fd, size)) {
      const text = line.text();
      if (query.isBefore?.(text) === true) return start;
      start = { segment, offset: line.offset };
      if (query.linesMax === null) continue;
      if (text !== "" && query.accepts(text)) count += 1;
      if (count >= query.linesMax) return start;
    }
  }
  return start;
}

interface BackwardLine {
  offset: number;
  text: () => string;
}

function* linesBackwards(fd: number, size: number): Generator<BackwardLine> {
  let end = size;
  const block = Buffer.allocUnsafe(READ_BYTES);
  for (let blockEnd = size; blockEnd > 0;) {
    const blockStart = Math.max(0, blockEnd - READ_BYTES);
    const bytesRead = fs.readSync(fd, block, 0, blockEnd - blockStart, blockStart);
    // Less than there was: it was cut under us, and what we came for is in `.1`, which was turned too late to be ours.
    if (bytesRead < blockEnd - blockStart) return;
    for (let at = blockEnd - 1; at >= blockStart;) {
      const found = block.subarray(0, at - blockStart + 1).lastIndexOf(0x0a);
      if (found < 0) break;
      const offset = blockStart + found + 1;
      if (offset < end) yield backwardLine(fd, offset, end);
      end = offset;
      at = blockStart + found - 1;
    }
    blockEnd = blockStart;
  }
  if (end > 0) yield backwardLine(fd, 0, end);
}

function backwardLine(fd: number, offset: number, end: number): BackwardLine {
  return {
    offset,
    text: () => {
      const bytes = Buffer.allocUnsafe(Math.min(LINE_BYTES_MAX, end - offset));
      const bytesRead = fs.readSync(fd, bytes, 0, bytes.length, offset);
      return bytes.toString("utf8", 0, bytesRead).trimEnd();
    },
  };
}
