/**
 * What the system tells about a process from outside: whether it lives, since when, and what it uses.
 *
 * A pid alone names nobody, for the system gives it to somebody else as soon as its owner is gone. A pid with
 * the time its process began does. So everything that asks or signals here takes both, and looks again right
 * before it signals; what is left is the microsecond between that look and the kill, which Node (without
 * pidfd) cannot close.
 *
 * Without /proc (macOS) start times are 0, and a pid that answers to signal 0 counts as alive.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";

/** A process, told from a later one with the same pid. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/<pid>/stat; 0 where it is not known, which then matches any. */
  startTicks: number;
}

export interface ProcStat {
  pid: number;
  /** The executable's name as the kernel cuts it (15 bytes); may hold spaces, parentheses, newlines. */
  comm: string;
  /** R running, S sleeping, D in the disk, T stopped, t traced, Z zombie, X dead. */
  state: string;
  ppid: number;
  startTicks: number;
  userTicks: number;
  systemTicks: number;
  /** Page faults of all children that it has waited for. */
  reapedFaults: number;
  rssBytes: number;
}

/** Null: no such process, or no /proc. */
export function readProc(pid: number): ProcStat | null {
  const text = readProcFile(`/proc/${pid}/stat`);
  return text === null ? null : parseProcStat(text, pageBytes());
}

/** Null where the text is not what the kernel writes. */
export function parseProcStat(text: string, pageBytes: number): ProcStat | null {
  // comm is in parentheses and may itself hold any of " ()\n", but nothing after it does: the last one counts.
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open < 0 || close < open) return null;
  const rest = text
    .slice(close + 1)
    .trim()
    .split(" ");
  const field = (number: number): number => Number(rest[number - FIRST_FIELD_AFTER_COMM] ?? Number.NaN);

  const stat = {
    pid: Number(text.slice(0, open)),
    comm: text.slice(open + 1, close),
    state: rest[0] ?? "",
    ppid: field(4),
    startTicks: field(22),
    userTicks: field(14),
    systemTicks: field(15),
    reapedFaults: field(11),
    rssBytes: field(24) * pageBytes,
  };
  const numbers = [stat.pid, stat.ppid, stat.startTicks, stat.userTicks, stat.systemTicks, stat.rssBytes];
  return stat.state.length === 1 && numbers.every((value) => Number.isFinite(value)) ? stat : null;
}

/** proc_pid_stat(5) counts fields from 1; comm is the second. */
const FIRST_FIELD_AFTER_COMM = 3;

/**
 * How often the process's main thread has gone to sleep of its own accord: an event loop does so at least at each of its
 * timers, a thread that is stopped, blocked or in a loop does not. Null: no such process, or no /proc.
 */
export function readSleeps(pid: number): number | null {
  const count = /^voluntary_ctxt_switches:\s*(\d+)$/m.exec(readProcFile(`/proc/${pid}/status`) ?? "")?.[1];
  return count === undefined ? null : Number(count);
}

/**
 * A process's open descriptors, in thousandths of those that it may have. 0: no such process, no /proc, or the system tells it
 * to nobody else (another user's process before Linux 6.2).
 */
export function readDescriptorMilli(pid: number): number {
  const limit = /^Max open files +(\d+)/m.exec(readProcFile(`/proc/${pid}/limits`) ?? "")?.[1];
  const limitCount = limit === undefined ? 0 : Number(limit);
  return limitCount === 0 ? 0 : Math.round((1000 * countDescriptors(pid)) / limitCount);
}

function countDescriptors(pid: number): number {
  try {
    // Since Linux 6.2 the folder's size is their number, and it is told to everybody; before, it is 0.
    return statSync(`/proc/${pid}/fd`).size || readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** A zombie counts as gone: it runs nothing, holds nothing, and waits only for its parent to read its status. */
export function processLives(process_: ProcessIdentity): boolean {
  return readLife(process_).lives;
}

/** Whether it lives, and what was read to find that out; without /proc nothing is. */
export function readLife({ pid, startTicks }: ProcessIdentity): { lives: boolean; stat: ProcStat | null } {
  if (!hasProc()) return { lives: answersSignals(pid), stat: null };
  const stat = readProc(pid);
  const isSame = stat !== null && (startTicks === 0 || stat.startTicks === startTicks);
  return { lives: isSame && stat.state !== "Z" && stat.state !== "X", stat };
}

export type SignalOutcome = "sent" | "gone" | "refused";

/** Signals the process, unless somebody else has its pid by now. */
export function signalProcess(process_: ProcessIdentity, signal: NodeJS.Signals): SignalOutcome {
  // 0 and below would reach process groups, 1 is init: nobody's cell.
  if (process_.pid <= 1 || !processLives(process_)) return "gone";
  try {
    process.kill(process_.pid, signal);
    return "sent";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? "gone" : "refused";
  }
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTicks: readProc(process.pid)?.startTicks ?? 0 };
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

let hasProcCached: boolean | undefined;
function hasProc(): boolean {
  hasProcCached ??= readProcFile("/proc/self/stat") !== null;
  return hasProcCached;
}

let pageBytesCached: number | undefined;
/** The kernel counts memory in pages, whose size Node does not tell; the process's auxiliary vector does. */
function pageBytes(): number {
  pageBytesCached ??= readPageBytes();
  return pageBytesCached;
}

function readPageBytes(): number {
  const AT_PAGESZ = 6n;
  try {
    const vector = readFileSync("/proc/self/auxv");
    for (let at = 0; at + 16 <= vector.length; at += 16) {
      if (vector.readBigUInt64LE(at) === AT_PAGESZ) return Number(vector.readBigUInt64LE(at + 8));
    }
  } catch {
    // Not readable in some sandboxes: the usual size then.
  }
  return 4096;
}

/**
 * A file of /proc as text, each byte a character; null where it cannot be read. Cells read some hundred of them a second,
 * nearly all short: those take one read into a buffer that serves for all, and no look at what the file is.
 */
export function readProcFile(path: string): string | null {
  try {
    const fd = openSync(path, "r");
    try {
      const bytes = readSync(fd, shortText, 0, shortText.length, null);
      // latin1: comm is bytes, and one that is not UTF-8 must not shift anything.
      if (bytes < shortText.length) return shortText.latin1Slice(0, bytes);
    } finally {
      closeSync(fd);
    }
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}

/** Half a page: the kernel hands over at least a page at a time, so what is shorter than this is the whole. */
const shortText = Buffer.allocUnsafeSlow(2_048);
