/**
 * Listening sockets that a service manager has opened (sd_listen_fds(3)): LISTEN_FDS of them, from descriptor 3 on, meant for
 * the process LISTEN_PID. The manager keeps its own copies, so that connections wait in the kernel's queue even while every
 * cell is dead, and none is refused until the organism is there again.
 *
 * Which socket is which listener of the DNA is told by the port alone. A socket that nobody asked for, or a listener that got
 * none, is refused: a plain port that answers as the one with TLS would be worse than no start.
 */
import fs from "node:fs";
import { CellwsError } from "../lib/cellws-error.ts";
import type { ListenAddress } from "./listeners.ts";

const firstFd = 3;
/** A DNA names far fewer; a number beyond is a mistake in the environment. */
const fdsMax = 64;

/** What of the environment only this process may heed. Its children must not believe that they are meant. */
export const activationVariables = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"] as const;

/**
 * The descriptors that were passed to this very process; none where it was not activated.
 *
 * @throws CellwsError CELLWS_E_LISTEN_FDS
 */
export function passedFds(env: NodeJS.ProcessEnv, pid = process.pid): readonly number[] {
  const text = env["LISTEN_FDS"];
  // Another's: a shell between the service manager and us has kept the variables.
  if (text === undefined || env["LISTEN_PID"] !== String(pid)) return [];
  const count = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= 0 && count <= fdsMax)) {
    throw mismatch("LISTEN_FDS is no number of sockets", text, `0 to ${fdsMax}`);
  }
  return Array.from({ length: count }, (_, i) => firstFd + i);
}

/**
 * For each listener of the DNA the descriptor that it listens on. `portOf` tells where a passed socket listens, or null where
 * it is no listening TCP socket.
 *
 * @throws CellwsError CELLWS_E_LISTEN_FDS
 */
export function matchSockets(
  wanted: readonly ListenAddress[],
  fds: readonly number[],
  portOf: (fd: number) => number | null,
): readonly number[] {
  const ports = new Map(fds.map((fd) => [fd, portOf(fd)]));
  for (const [fd, port] of ports) {
    if (port === null)
      throw mismatch(`descriptor ${fd} is no TCP socket that listens`, `descriptor ${fd}`, expected(wanted));
  }
  const found = [...ports.values()].join(", ");
  if (fds.length !== wanted.length)
    throw mismatch("not as many sockets as listeners", `ports ${found}`, expected(wanted));
  // Those that ask for a certain port first; any free one is then any that is left.
  const order = [...wanted.keys()].sort((a, b) => Number(wanted[a]?.port === 0) - Number(wanted[b]?.port === 0));
  const chosen = new Map<number, number>();
  for (const i of order) {
    const port = wanted[i]?.port;
    const match = [...ports].find(([, candidate]) => port === 0 || candidate === port);
    if (match === undefined) throw mismatch(`no socket for port ${port}`, `ports ${found}`, expected(wanted));
    ports.delete(match[0]);
    chosen.set(i, match[0]);
  }
  return wanted.map((_, i) => chosen.get(i) as number);
}

function expected(wanted: readonly ListenAddress[]): string {
  return `a TCP socket for each listener of the DNA: ${wanted.map(({ port }) => (port === 0 ? "any port" : `port ${port}`)).join(", ")}`;
}

function mismatch(message: string, found: string, expectation: string): CellwsError {
  return new CellwsError(
    "CELLWS_E_LISTEN_FDS",
    2,
    `the sockets that the service manager passed do not fit: ${message}`,
    {
      found,
      expected: expectation,
      hint: "ListenStream= in the .socket unit and `listen` in the DNA must name the same ports; `cellws service systemd` writes both.",
    },
  );
}

/**
 * Where a descriptor listens, as the kernel tells it: /proc/net/tcp lists the sockets by inode. Node could only tell by
 * listening on it, which would begin to accept before all are known to fit. Null: it is no listening TCP socket.
 */
export function listeningPort(fd: number): number | null {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/self/fd/${fd}`))?.[1];
    if (inode === undefined) return null;
    for (const table of ["/proc/self/net/tcp", "/proc/self/net/tcp6"]) {
      if (!fs.existsSync(table)) continue;
      for (const line of fs.readFileSync(table, "latin1").split("\n")) {
        const fields = line.trim().split(/\s+/);
        if (fields[9] !== inode || fields[3] !== tcpListen) continue;
        return Number.parseInt(fields[1]?.split(":")[1] ?? "", 16);
      }
    }
  } catch {
    // No such descriptor, or no /proc: nothing that could be served.
  }
  return null;
}

/** A socket's state in /proc/net/tcp. */
const tcpListen = "0A";
