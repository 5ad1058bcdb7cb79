/**
 * Keeps the organism's one log under its cap, while all cells write to it at once.
 *
 * When the file has grown past `bytesMax`, one cell copies it to `.1` (the older ones move up, the oldest goes)
 * and cuts it to nothing where it lies. It is not renamed: every cell, its native stderr, and whatever the app
 * itself has spawned hold the same open file, which nobody can make them let go of. After a rename they would
 * go on writing into the old file, unseen and uncapped. All have it open for appending, so after the cut their
 * next line lands at its new end. See docs/decisions/0001-log-rotation.md for what that costs.
 *
 * What arrives between the last read of the copy and the cut would be lost: microseconds, but in a flood the
 * kernel lets waiting writers in first, and a few lines a turn were seen to go. So the one who cuts puts up a sign
 * before it, and cells that see the sign wait with their line for the two milliseconds that it takes. Before that
 * the file is copied a stretch a turn of the event loop, so that no request waits long for it.
 */
import fs from "node:fs";
import path from "node:path";
import { setImmediate as yieldTurn } from "node:timers/promises";
import type { LockFile } from "./lock-file.ts";
import { takeLockFile } from "./lock-file.ts";

export interface LogRotatorOptions {
  file: string;
  /** This process's own descriptor of it, open for appending. */
  fd: number;
  /** Past this size the file is turned. */
  bytesMax: number;
  /** How many old ones are kept: `.1` is the youngest. At least 1. */
  filesMax: number;
  onRotated?: (report: RotationReport) => void;
  onFailed?: (error: unknown) => void;
}

export interface RotationReport {
  /** Of the log that was turned. */
  bytes: number;
  tookMs: number;
  /** What came after the copy's end and was cut with the rest, as far as it was seen. */
  lostBytesMax: number;
}

export interface LogRotator {
  /** To be called before writing: waits while somebody cuts the file. Nearly always returns at once. */
  beforeWrite(): void;
  /** Tells that this process has written, so that a flood is noticed before the next second. */
  wrote(bytes: number): void;
  /** Resolves when no rotation of this process is under way. */
  settled(): Promise<void>;
  close(): void;
}

export function createLogRotator(options: LogRotatorOptions): LogRotator {
  // A cell that writes nothing looks as well: an app's own children may fill the file without any cell's doing.
  const timer = setInterval(check, CHECK_INTERVAL_MS);
  timer.unref();
  const bytesUncheckedMax = Math.ceil(options.bytesMax / UNCHECKED_SHARE);
  let bytesUnchecked = 0;
  let retryAtMs = 0;
  let running: Promise<void> | null = null;

  function check(): void {
    bytesUnchecked = 0;
    if (running !== null || performance.now() < retryAtMs || sizeOf(options.fd) < options.bytesMax) return;
    running = rotate(options)
      .catch((error: unknown) => {
        // Most likely the disk is full; trying every second would only keep it busy.
        retryAtMs = performance.now() + RETRY_AFTER_MS;
        options.onFailed?.(error);
      })
      .finally(() => (running = null));
  }

  const cuttingSign = cuttingSignPath(options.file);
  return {
    beforeWrite() {
      if (fs.existsSync(cuttingSign)) waitForCut(cuttingSign);
    },
    wrote(bytes) {
      bytesUnchecked += bytes;
      if (bytesUnchecked >= bytesUncheckedMax) check();
    },
    async settled() {
      await running;
    },
    close: () => clearInterval(timer),
  };
}

/** Path of the `index`th old log, 1 being the youngest. */
export const archivePath = (file: string, index: number): string => `${file}.${index}`;

const CHECK_INTERVAL_MS = 1_000;
/** A cell that has written this share of the cap looks at once: so N cells overshoot by N/16 of it at most, and a bit. */
const UNCHECKED_SHARE = 16;
const RETRY_AFTER_MS = 30_000;
/** A rotation takes milliseconds; who holds the lock for a minute is stopped or hangs. */
const LOCK_AGE_MS_MAX = 60_000;
/** So much is copied in one go: a millisecond at most, from the page cache and back into it. */
const STRETCH_BYTES = 1024 * 1024;
/** After so many the rest is copied in one go, for a flood that grows as fast as we copy has no end. */
const STRETCHES_MAX = 64;
/**
 * Of that rest at most so much, for the event loop stands still meanwhile: some twenty milliseconds. What is beyond,
 * after a flood of native output, which heeds no sign, is lost.
 */
const REST_BYTES_MAX = 32 * 1024 * 1024;
/** A writer may be in the middle of a line; the kernel completes it in less time than these reads take. */
const LINE_END_READS_MAX = 200;

async function rotate(options: LogRotatorOptions): Promise<void> {
  const lock = takeLockFile(`${options.file}.lock`, LOCK_AGE_MS_MAX);
  if (lock === null) return;
  const startedMs = performance.now();
  try {
    // While we went for the lock another cell may have done it.
    if (sizeOf(options.fd) < options.bytesMax) return;
    const outcome = await copyAndCut(options, lock);
    if (outcome !== null) options.onRotated?.({ ...outcome, tookMs: performance.now() - startedMs });
  } finally {
    lock.release();
  }
}

type Rotation = Omit<RotationReport, "tookMs">;

async function copyAndCut(options: LogRotatorOptions, lock: LockFile): Promise<Rotation | null> {
  removeUnfinished(options.file);
  const aside = `${options.file}${UNFINISHED}${process.pid}`;
  const copy: Copy = { source: fs.openSync(options.file, "r"), target: fs.openSync(aside, "w", 0o600), offset: 0 };
  try {
    for (let stretch = 0; stretch < STRETCHES_MAX; stretch += 1) {
      if (sizeOf(copy.source) - copy.offset <= STRETCH_BYTES) break;
      copyOn(copy, STRETCH_BYTES);
      await yieldTurn();
    }
    return cutHere(options, { lock, copy, aside });
  } finally {
    fs.closeSync(copy.source);
    fs.closeSync(copy.target);
    fs.rmSync(aside, { force: true });
  }
}

interface Copy {
  source: number;
  target: number;
  /** How far it has come. */
  offset: number;
}

/** What a cell that died while it copied has left; nothing of it is missing in the log. */
function removeUnfinished(file: string): void {
  const dir = path.dirname(file);
  for (const entry of fs.readdirSync(dir)) {
    if (entry.startsWith(path.basename(file) + UNFINISHED)) fs.rmSync(path.join(dir, entry), { force: true });
  }
}

const UNFINISHED = ".turning-";

/** In one synchronous go: copy the rest, cut the file, name the copy. Null: another has cut it, nothing is done. */
function cutHere(
  options: LogRotatorOptions,
  { lock, copy, aside }: { lock: LockFile; copy: Copy; aside: string },
): Rotation | null {
  const sign = cuttingSignPath(options.file);
  fs.writeFileSync(sign, "");
  try {
    // For lines whose writers had looked for the sign just before it was there.
    sleepSync(SIGN_LEAD_MS);
    // Smaller than what we have copied: whoever took the lock for stale has cut it.
    if (!lock.held() || sizeOf(options.fd) < copy.offset) return null;
    const endsLine = copyOn(copy, REST_BYTES_MAX);
    if (!endsLine) awaitLineEnd(copy);
    const lostBytesMax = Math.max(0, sizeOf(options.fd) - copy.offset);
    fs.ftruncateSync(options.fd, 0);
    nameCopy(options, aside);
    return { bytes: copy.offset, lostBytesMax };
  } finally {
    fs.rmSync(sign, { force: true });
  }
}

function nameCopy(options: LogRotatorOptions, aside: string): void {
  // The copy gets its name only after the cut: to whoever follows the log, a new `.1` says that the file has
  // begun anew (see log-follow.ts).
  for (let index = options.filesMax; index > 1; index -= 1) {
    const younger = archivePath(options.file, index - 1);
    if (fs.existsSync(younger)) fs.renameSync(younger, archivePath(options.file, index));
  }
  fs.renameSync(aside, archivePath(options.file, 1));
}

const cuttingSignPath = (file: string): string => `${file}.cutting`;
const SIGN_LEAD_MS = 1;
/** Ten times what a cut takes. Whoever put up the sign is then dead, or stopped, and loses a few lines at most. */
const CUT_MS_MAX = 20;

function waitForCut(sign: string): void {
  for (let waitedMs = 0; waitedMs < CUT_MS_MAX; waitedMs += 1) {
    sleepSync(1);
    if (!fs.existsSync(sign)) return;
  }
  // Nobody else should wait for it in vain.
  fs.rmSync(sign, { force: true });
}

/** Stands still, on purpose: what waits here must not let the event loop go on and write out of order. */
function sleepSync(ms: number): void {
  Atomics.wait(sleepCell, 0, 0, ms);
}

const sleepCell = new Int32Array(new SharedArrayBuffer(4));

/** Copies on, at most `bytesMax` and to the end. Returns whether it stopped at the end of a line. */
function copyOn(copy: Copy, bytesMax: number): boolean {
  const block = Buffer.allocUnsafe(Math.min(bytesMax, STRETCH_BYTES));
  let endsLine = true;
  for (let left = bytesMax; left > 0;) {
    const bytesRead = fs.readSync(copy.source, block, 0, Math.min(left, block.length), copy.offset);
    if (bytesRead === 0) break;
    fs.writeSync(copy.target, block, 0, bytesRead);
    copy.offset += bytesRead;
    left -= bytesRead;
    endsLine = block[bytesRead - 1] === 0x0a;
  }
  return endsLine;
}

/** A line that was half written when we read it is whole a moment later; one that native code left without an end stays. */
function awaitLineEnd(copy: Copy): void {
  for (let read = 0; read < LINE_END_READS_MAX; read += 1) {
    const before = copy.offset;
    const endsLine = copyOn(copy, STRETCH_BYTES);
    if (copy.offset > before && endsLine) return;
  }
}

function sizeOf(fd: number): number {
  return fs.fstatSync(fd).size;
}
