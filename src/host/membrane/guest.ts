/**
 * Another user for drones, where root has started the organism: who the DNA's `membrane.user` is, and how a cell becomes it.
 *
 * A guest lives in the house and has no keys to its rooms: it may knock at the other cells' sockets and has a folder of its own
 * for what a cell leaves (host/run-dir.ts), and that is all; the log it has as an open descriptor. It can signal, trace and
 * read nothing of the cells that are root, whose memory holds the TLS keys. Root sees all of it in /proc and can end it.
 *
 * Users are looked up once, where the organism is started (`getent`, which asks whatever the machine has: files, LDAP; the files
 * themselves where there is no such program), so that a mistake is told to whoever made it. Cells know numbers.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import process from "node:process";
import { CellwsError } from "../../lib/cellws-error.ts";

export interface Guest {
  /** As the DNA has it. */
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  readonly home: string;
}

/** Who drones are to be; null where the DNA does not say. Throws CELLWS_E_USER. */
export function findGuest({ user, group }: { user: string | null; group: string | null }): Guest | null {
  if (user === null) {
    if (group === null) return null;
    throw userError("membrane.group", "it says a group and no user", {
      found: group,
      hint: "Name the user as well, with membrane.user, or leave the group out.",
    });
  }
  if (process.geteuid?.() !== 0) {
    throw userError("membrane.user", "only root can give drones another user", {
      found: `cellws is run by uid ${process.geteuid?.() ?? "unknown"}`,
      expected: "root",
      hint: "Start cellws as root, or leave membrane.user out and start it as the user that the app should be.",
    });
  }
  const entry = lookUp("passwd", user);
  if (entry === null && !isNumber(user)) {
    throw userError("membrane.user", `there is no user ${JSON.stringify(user)}`, {
      found: user,
      expected: "a user of this machine, by name or number",
      hint: `Make one: useradd --system --no-create-home --shell /usr/sbin/nologin ${user}`,
    });
  }
  const [name = user, , uidText = user, gidText, , home = "/"] = entry ?? [];
  const uid = Number(uidText);
  if (uid === 0) {
    throw userError("membrane.user", "that is root", {
      found: user,
      hint: "Root is what drones are without it. Name a user that owns nothing but what the app needs.",
    });
  }
  const gid = gidOf(group, gidText, user);
  if (gid === 0) {
    throw userError("membrane.group", "that group is root's", {
      found: group ?? `the group of ${user}`,
      hint: "Most of root's files are its group's as well. Name another.",
    });
  }
  return { name: user, uid, gid, groups: groupsOf(name, gid), home };
}

/** From here on this process is the guest, for good. Throws where the system refuses. */
export function becomeGuest({ uid, gid, groups }: Guest): void {
  process.setgroups?.([...groups]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

export function isGuest(guest: Guest | null): boolean {
  return guest !== null && process.getuid?.() === guest.uid;
}

/** What the app finds in its environment of who it is. */
export function guestEnvironment(guest: Guest, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: _roots, ...rest } = env;
  return { ...rest, HOME: guest.home, USER: guest.name, LOGNAME: guest.name };
}

/** Whether root here may look into other users' processes; containers often take that right away. */
export function maySeeGuests(status = fs.readFileSync("/proc/self/status", "latin1")): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective === undefined || ((BigInt(`0x${effective}`) >> capSysPtrace) & 1n) === 1n;
}
const capSysPtrace = 19n;

/**
 * Tries what every drone will have to do, as the guest: run this Node, stand in the working directory, read the app and the
 * environment file. Throws CELLWS_E_USER with what it could not.
 */
export function tryGuest(
  guest: Guest,
  { cwd, app, envFile, program }: { cwd: string; app: string; envFile: string | null; program: string },
): void {
  const reads = [program, app, ...(envFile === null ? [] : [envFile])];
  // As a cell becomes it, and not by spawn's uid, which would leave the supplementary groups out.
  const script = `const fs = require("node:fs"); const { guest, enters, reads } = ${JSON.stringify({ guest, enters: [cwd, process.execPath], reads })};
    process.setgroups(guest.groups); process.setgid(guest.gid); process.setuid(guest.uid);
    for (const place of enters) fs.accessSync(place, fs.constants.X_OK);
    for (const file of reads) fs.accessSync(file, fs.constants.R_OK);`;
  const { status, stderr, error } = spawnSync(process.execPath, ["-e", script], {
    cwd,
    env: {},
    encoding: "utf8",
    timeout: trialMsMax,
  });
  if (status === 0) return;
  const why = /(EACCES|ENOENT): [^\n]*/.exec(stderr ?? "")?.[0] ?? error?.message ?? (stderr ?? "").trim();
  throw userError("membrane.user", `${guest.name} cannot run the app`, {
    found: why.slice(0, 300),
    expected: `a user that may run ${process.execPath}, enter ${cwd}, and read cellws, the app and envFile`,
    hint: "Look at the owner and mode of each folder on the way there (namei -l PATH).",
  });
}
const trialMsMax = 10_000;

function gidOf(group: string | null, usersGid: string | undefined, user: string): number {
  if (group === null) {
    if (usersGid !== undefined) return Number(usersGid);
    throw userError("membrane.user", `user ${user} is in no list of users, so its group is not known`, {
      found: user,
      hint: "Say it: membrane.group.",
    });
  }
  const entry = lookUp("group", group);
  if (entry?.[2] !== undefined) return Number(entry[2]);
  if (isNumber(group)) return Number(group);
  throw userError("membrane.group", `there is no group ${JSON.stringify(group)}`, {
    found: group,
    expected: "a group of this machine, by name or number",
    hint: `Make one: groupadd --system ${group}`,
  });
}

/** Groups that list the user as a member. Never root's: whoever is in that has most of root's files. */
function groupsOf(name: string, gid: number): number[] {
  const lines = readLines("/etc/group").filter((entry) => entry[3]?.split(",").includes(name) === true);
  return [...new Set([gid, ...lines.map(([, , id]) => Number(id))])].filter((id) => id !== 0);
}

/** A line of passwd or group, by name or number, as its fields. */
function lookUp(table: "passwd" | "group", key: string): readonly string[] | null {
  const { status, stdout, error } = spawnSync("getent", [table, key], { encoding: "utf8", timeout: trialMsMax });
  if (error === undefined) return status === 0 ? stdout.trim().split(":") : null;
  return readLines(`/etc/${table}`).find(([name, , id]) => name === key || id === key) ?? null;
}

function readLines(file: string): string[][] {
  try {
    return fs
      .readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}

const isNumber = (text: string): boolean => /^\d{1,10}$/.test(text);

function userError(
  path: string,
  message: string,
  details: { found: string; expected?: string; hint: string },
): CellwsError {
  return new CellwsError("CELLWS_E_USER", 2, message, { path, ...details });
}
