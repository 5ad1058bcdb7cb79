/**
 * One look at a process from outside: what the kernel says it is, has and does. Each fact is read when a check first asks for
 * it and kept for the others of the same look.
 *
 * Nothing here can be forged by the process itself, short of the kernel; that is why names and command lines, which a
 * process writes itself, tell nothing here but what to call it. What cannot be read (the process has ended, it is another
 * user's, there is no /proc) is null: no evidence, for or against.
 */
import fs from "node:fs";
import path from "node:path";
import type { IpWords } from "../../lib/ip-words.ts";
import { newIpWords } from "../../lib/ip-words.ts";
import type { ProcessIdentity } from "../proc.ts";
import { readProc, readProcFile } from "../proc.ts";

export interface OpenFile {
  readonly fd: number;
  /** What the descriptor leads to, as the kernel spells it: a path, `socket:[7]`, `anon_inode:[eventpoll]`. */
  readonly target: string;
}

export interface InternetSocket {
  readonly protocol: "tcp" | "udp";
  readonly family: 4 | 6;
  readonly localPort: number;
  readonly remote: IpWords;
  readonly remotePort: number;
  /** As include/net/tcp_states.h counts. */
  readonly state: number;
}
export const tcpEstablished = 1;
export const tcpListen = 10;

export interface MemoryArea {
  readonly start: string;
  readonly permissions: string;
  readonly inode: number;
  /** A file's path, `[stack]`, or nothing. */
  readonly name: string;
}

/** What `ls` may be made of: a process with more descriptors, threads or areas than this is judged by the first of them. */
const entriesMax = 4_096;
/** /proc/net's tables are of the whole machine; a line is 150 bytes. */
const tableBytesMax = 8 * 1024 * 1024;

export class Look {
  readonly pid: number;
  readonly startTicks: number;
  readonly #kept = new Map<string, unknown>();

  constructor({ pid, startTicks }: ProcessIdentity) {
    this.pid = pid;
    this.startTicks = startTicks;
  }

  /** Whether it is still the process that was meant: to be asked last, for a pid may change hands meanwhile. */
  isSame(): boolean {
    const stat = readProc(this.pid);
    return stat !== null && stat.state !== "Z" && stat.state !== "X" && stat.startTicks === this.startTicks;
  }

  /** Where its program lies. A suffix says that the file is no more there. */
  executable(): string | null {
    return this.#once("exe", () => readLink(`/proc/${this.pid}/exe`));
  }

  /** Real and effective user. */
  users(): readonly [number, number] | null {
    return this.#once("users", () => {
      const line = /^Uid:\s*(\d+)\s+(\d+)/m.exec(readText(`/proc/${this.pid}/status`) ?? "");
      return line === null ? null : [Number(line[1]), Number(line[2])];
    });
  }

  /** Seconds of processor time times a hundred, of all its threads. */
  cpuTicks(): number | null {
    const stat = this.#once("stat", () => readProc(this.pid));
    return stat === null ? null : stat.userTicks + stat.systemTicks;
  }

  /**
   * Page faults of children that it has waited for: it grows with every program that it has ever started and seen end,
   * however short that lived.
   */
  reapedFaults(): number | null {
    return this.#once("stat", () => readProc(this.pid))?.reapedFaults ?? null;
  }

  /** Its living children, whichever of its threads started them. */
  children(): readonly ProcessIdentity[] | null {
    // A zombie runs nothing any more.
    return this.childrenAndZombies()?.filter(({ isZombie }) => !isZombie) ?? null;
  }

  /** With those that have ended and that it has not waited for yet. */
  childrenAndZombies(): ReadonlyArray<ProcessIdentity & { readonly isZombie: boolean }> | null {
    return this.#once("children", () => {
      const threads = readNames(`/proc/${this.pid}/task`);
      if (threads === null) return null;
      const found: Array<ProcessIdentity & { readonly isZombie: boolean }> = [];
      for (const thread of threads) {
        for (const word of (readText(`/proc/${this.pid}/task/${thread}/children`) ?? "").split(" ")) {
          const stat = word === "" ? null : readProc(Number(word));
          // Who has another parent by now was listed before it changed hands.
          if (stat === null || stat.state === "X" || stat.ppid !== this.pid) continue;
          found.push({ pid: stat.pid, startTicks: stat.startTicks, isZombie: stat.state === "Z" });
        }
      }
      return found;
    });
  }

  files(): readonly OpenFile[] | null {
    return this.#once("files", () => {
      const names = readNames(`/proc/${this.pid}/fd`);
      if (names === null) return null;
      return names.flatMap((name) => {
        const target = readLink(`/proc/${this.pid}/fd/${name}`);
        return target === null ? [] : [{ fd: Number(name), target }];
      });
    });
  }

  /** Inodes of its sockets. */
  sockets(): ReadonlySet<number> | null {
    const files = this.files();
    if (files === null) return null;
    const inodes = files.map(({ target }) => /^socket:\[(\d+)\]$/.exec(target)?.[1]);
    return new Set(inodes.filter((inode) => inode !== undefined).map(Number));
  }

  /** What a descriptor leads to now. */
  leadsTo(fd: number): string | null {
    return readLink(`/proc/${this.pid}/fd/${fd}`);
  }

  /** Whether a descriptor was opened for writing. */
  writes(fd: number): boolean {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readText(`/proc/${this.pid}/fdinfo/${fd}`) ?? "")?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0;
  }

  /** Internet sockets of the process's network, by inode: its own and everybody else's. */
  internet(): ReadonlyMap<number, InternetSocket> {
    return this.#once("internet", () => {
      const all = new Map<number, InternetSocket>();
      for (const [table, protocol, family] of internetTables) {
        for (const line of tableLines(`/proc/${this.pid}/net/${table}`)) {
          const read = readInternetLine(line, protocol, family);
          if (read !== null) all.set(read[0], read[1]);
        }
      }
      return all;
    });
  }

  /** Unix sockets that take connections, by inode; the path, or "" for one without a name. */
  unixListeners(): ReadonlyMap<number, string> {
    return this.#once("unix", () => {
      const all = new Map<number, string>();
      for (const line of tableLines(`/proc/${this.pid}/net/unix`)) {
        // Num RefCount Protocol Flags Type St Inode Path; the flag is __SO_ACCEPTCON.
        const [, , , flags, , , inode, ...name] = line.trim().split(/ +/);
        if (flags === "00010000") all.set(Number(inode), name.join(" "));
      }
      return all;
    });
  }

  /** Parts of its memory that may be executed. */
  executableAreas(): readonly MemoryArea[] | null {
    return this.#once("maps", () => {
      const text = readText(`/proc/${this.pid}/maps`);
      if (text === null) return null;
      return text.split("\n").flatMap((line) => {
        const [, start, permissions, inode, name] = areaLine.exec(line) ?? [];
        if (start === undefined || permissions?.[2] !== "x") return [];
        return [{ start, permissions, inode: Number(inode), name: name ?? "" }];
      });
    });
  }

  #once<T>(key: string, read: () => T): T {
    if (!this.#kept.has(key)) this.#kept.set(key, read());
    return this.#kept.get(key) as T;
  }
}

/** A process's children, their children and so on, without those (and what is below them) that are spared. */
export function descendantsOf(
  process_: ProcessIdentity,
  isSpared: (process_: ProcessIdentity) => boolean,
): ProcessIdentity[] {
  const all: ProcessIdentity[] = [];
  const open = [process_];
  for (let next = open.pop(); next !== undefined && all.length < entriesMax; next = open.pop()) {
    const children = (new Look(next).children() ?? []).filter((child) => !isSpared(child));
    all.push(...children);
    open.push(...children);
  }
  return all;
}

/** What to call a process in a log: its program's name. */
export function programName(pid: number): string {
  const executable = readLink(`/proc/${pid}/exe`);
  return executable === null ? `process ${pid}` : path.basename(executable.replace(deletedSuffix, ""));
}

/** The kernel's mark on a path whose file is gone. */
export const deletedSuffix = / \(deleted\)$/;

const internetTables = [
  ["tcp", "tcp", 4],
  ["tcp6", "tcp", 6],
  ["udp", "udp", 4],
  ["udp6", "udp", 6],
] as const;

const areaLine = /^([0-9a-f]+)-[0-9a-f]+ (\S{4}) \S+ \S+ (\d+) *(.*)$/;

/** Exported for its tests: one line of /proc/net/tcp and its sisters. */
export function readInternetLine(
  line: string,
  protocol: InternetSocket["protocol"],
  family: 4 | 6,
): [inode: number, socket: InternetSocket] | null {
  const [, local, remote, state, , , , , , inode] = line.trim().split(/ +/);
  const [, localPort] = (local ?? "").split(":");
  const [address, remotePort] = (remote ?? "").split(":");
  if (address === undefined || localPort === undefined || remotePort === undefined || inode === undefined) return null;
  const words = newIpWords();
  // Words of four bytes, each in the machine's own order: little-endian wherever Node runs on Linux but s390x.
  for (let i = 0; i < address.length / 8; i += 1)
    words[i] = swapped(Number.parseInt(address.slice(8 * i, 8 * i + 8), 16));
  const mapped = family === 6 && words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  if (mapped) words[0] = words[3] ?? 0;
  return [
    Number(inode),
    {
      protocol,
      family: mapped ? 4 : family,
      localPort: Number.parseInt(localPort, 16),
      remote: words,
      remotePort: Number.parseInt(remotePort, 16),
      state: Number.parseInt(state ?? "", 16),
    },
  ];
}

function swapped(word: number): number {
  return ((word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24)) >>> 0;
}

function tableLines(file: string): string[] {
  const text = readText(file);
  return text === null
    ? []
    : text
        .split("\n")
        .slice(1)
        .filter((line) => line !== "");
}

function readText(file: string): string | null {
  return readProcFile(file)?.slice(0, tableBytesMax) ?? null;
}

function readLink(file: string): string | null {
  try {
    return fs.readlinkSync(file);
  } catch {
    return null;
  }
}

function readNames(folder: string): string[] | null {
  try {
    return fs.readdirSync(folder).slice(0, entriesMax);
  } catch {
    return null;
  }
}
