/**
 * The run directory: where one living organism keeps what must be found by name.
 *
 *   $XDG_RUNTIME_DIR/cellws/<name>/      or <temp dir>/cellws-<uid>/<name>/
 *     organism.json      who it is and where it listens (OrganismFile)
 *     launcher.json      the process that started it, so that two starts of one name cannot both win
 *     dna/<revision>.json
 *     cells/<id>.sock    each cell's socket
 *     cells/<id>.json    each cell's record: pid and start time, for when it does not answer
 *     cells/<id>.counts  what each has counted, where there is an admin listener (counts-left.ts)
 *     counts-left.json   what the dead have counted
 *     log/cellws.log     one log for all cells
 *     admin-token        what the admin listener asks for
 *     affinity-key       what B cells seal clients' cookies with (shared-key.ts)
 *
 * Its mode (0700) and owner are all that guards the sockets in it, so both are checked on every way in.
 * Whether an organism lives is never read from a file alone: a socket must answer to `connect`, or a recorded
 * pid must belong to the process that recorded it. What a dead one left behind may be cleared away by
 * whoever wants its name; what a living one holds, by nobody.
 *
 * State that outlives the organism (bans, statistics) does not live here.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dna } from "../dna/dna.ts";
import { CellwsError } from "../lib/cellws-error.ts";
import type { CellRecord, OrganismFile } from "../wire/control.ts";
import { readCellRecord, readOrganismFile as parseOrganismFile } from "../wire/read-control.ts";
import { CONCURRENT_QUESTIONS_MAX, mapBounded, socketAccepts } from "./control-client.ts";
import { takeLockFile } from "./lock-file.ts";
import type { ProcessIdentity } from "./proc.ts";
import { ownIdentity, processLives } from "./proc.ts";

/** Where everything is. Only paths: nothing needs to exist. */
export interface RunDir {
  name: string;
  path: string;
  organismFile: string;
  launcherFile: string;
  dnaDir: string;
  cellsDir: string;
  logFile: string;
  adminTokenFile: string;
  countsLeftFile: string;
  affinityKeyFile: string;
}

export interface CellSocket {
  id: string;
  path: string;
}

/** Who of an organism is alive. */
export interface Living {
  /** Cells whose recorded process lives. */
  records: CellRecord[];
  /** Sockets that took a connection. A cell may be in both lists. */
  sockets: CellSocket[];
  /** The launcher, if it lives. It is no cell, and an organism does very well without it. */
  launcher: ProcessIdentity | null;
}

export interface CreatedRunDir {
  run: RunDir;
  /** What a dead organism of that name had left and was cleared away, relative to the run directory. */
  leftovers: string[];
}

/**
 * Makes the run directory of a new organism. The directory appears at once and whole, with the launcher's
 * identity in it, so of two starts with one name exactly one gets it. As long as the launcher lives, so does the
 * claim to the name, and `cellws stop` ends the launcher too.
 *
 * Throws CELLWS_E_NAME_INVALID, CELLWS_E_NAME_TAKEN or CELLWS_E_RUN_DIR.
 */
export async function createRunDir(
  name: string,
  { base = runBase(), launcher = ownIdentity() }: { base?: string; launcher?: ProcessIdentity } = {},
): Promise<CreatedRunDir> {
  const run = runDir(name, base);
  checkSocketPathLength(run);
  ensureBase(base);

  return await withNameLock(run, async () => {
    sweepAside(base);
    if (placeRunDir(run, launcher)) return { run, leftovers: [] };
    isPrivateDir(run.path);
    const living = await whoLives(run);
    if (isAlive(living)) throw nameTaken(run, living);
    const leftovers = clearRunDir(run);
    if (placeRunDir(run, launcher)) return { run, leftovers };
    throw runDirError(`${run.path} reappears when it is cleared away`, {
      hint: "Something other than cellws creates that directory: choose another --name, or find it.",
    });
  });
}

/** `$XDG_RUNTIME_DIR/cellws`, or `<temp dir>/cellws-<uid>`. */
export function runBase(env: NodeJS.ProcessEnv = process.env): string {
  const runtimeDir = env["XDG_RUNTIME_DIR"];
  if (runtimeDir !== undefined && path.isAbsolute(runtimeDir)) return path.join(runtimeDir, "cellws");
  return path.join(os.tmpdir(), `cellws-${ownUid()}`);
}

/** Throws CELLWS_E_NAME_INVALID. */
export function runDir(name: string, base = runBase()): RunDir {
  checkName(name);
  const dir = path.join(base, name);
  return {
    name,
    path: dir,
    organismFile: path.join(dir, "organism.json"),
    launcherFile: path.join(dir, "launcher.json"),
    dnaDir: path.join(dir, "dna"),
    cellsDir: path.join(dir, "cells"),
    logFile: path.join(dir, "log", "cellws.log"),
    adminTokenFile: path.join(dir, "admin-token"),
    countsLeftFile: path.join(dir, "counts-left.json"),
    affinityKeyFile: path.join(dir, "affinity-key"),
  };
}

export const dnaPath = (run: RunDir, revision: string): string => path.join(run.dnaDir, `${revision}.json`);
export const cellSocketPath = (run: RunDir, id: string): string => path.join(run.cellsDir, `${id}.sock`);
export const cellCountsPath = (run: RunDir, id: string): string => path.join(run.cellsDir, `${id}.counts`);
export const cellRecordPath = (run: RunDir, id: string): string => path.join(run.cellsDir, `${id}.json`);

/** All organisms of this user, living or not, by name. Throws CELLWS_E_RUN_DIR where the base is not ours alone. */
export function listRunDirs(base = runBase()): RunDir[] {
  if (!isPrivateDir(base)) return [];
  return fs
    .readdirSync(base, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && NAME_PATTERN.test(entry.name))
    .map((entry) => runDir(entry.name, base))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Whether there is such a directory, which must then be ours alone (else CELLWS_E_RUN_DIR). */
export function runDirExists(run: RunDir): boolean {
  return isPrivateDir(path.dirname(run.path)) && isPrivateDir(run.path);
}

export function listCellSockets(run: RunDir): CellSocket[] {
  return listCellFiles(run, ".sock").map((id) => ({ id, path: cellSocketPath(run, id) }));
}

/** Every readable record, of the living and of the dead. */
export function listCellRecords(run: RunDir): CellRecord[] {
  return listCellFiles(run, ".json").flatMap((id) => {
    const read = readCellRecord(readText(cellRecordPath(run, id)) ?? "");
    return read.ok && read.value.id === id ? [read.value] : [];
  });
}

/**
 * To be called by a cell before it listens, and again when its class changes. False: the disk is full, or the run
 * directory is being cleared away. That is no reason for a cell to die; it is only harder to find when it hangs.
 */
export function recordCell(run: RunDir, record: CellRecord): boolean {
  try {
    writeAtomically(cellRecordPath(run, record.id), JSON.stringify(record));
    return true;
  } catch {
    return false;
  }
}

export function writeOrganismFile(run: RunDir, file: OrganismFile): void {
  writeAtomically(run.organismFile, `${JSON.stringify(file, null, 2)}\n`);
}

/** Null: not written yet, or not readable as one. */
export function readOrganismFile(run: RunDir): OrganismFile | null {
  const read = parseOrganismFile(readText(run.organismFile) ?? "");
  return read.ok ? read.value : null;
}

/** A DNA that was put there under its revision. Null: there is none, or it cannot be read; the name may be anybody's word. */
export function readDna(run: RunDir, revision: string): Dna | null {
  if (!REVISION_PATTERN.test(revision)) return null;
  try {
    return JSON.parse(readText(dnaPath(run, revision)) ?? "null") as Dna | null;
  } catch {
    return null;
  }
}

/** As identity.ts makes them. */
const REVISION_PATTERN = /^[0-9a-f]{12}$/;

/** Asks the kernel, not the files: who listens, and whose process still runs. */
export async function whoLives(run: RunDir): Promise<Living> {
  const sockets = listCellSockets(run);
  const accepted = await mapBounded(sockets, CONCURRENT_QUESTIONS_MAX, (socket) => socketAccepts(socket.path));
  return {
    records: listCellRecords(run).filter(processLives),
    sockets: sockets.filter((_, index) => accepted[index] === true),
    launcher: readLauncher(run),
  };
}

/** Whether any cell lives; cheap while one does that has left its record, so fit for asking again and again. */
export async function anyCellLives(run: RunDir): Promise<boolean> {
  return listCellRecords(run).some(processLives) || hasCells(await whoLives(run));
}

/** Whether an organism, or one that is being started, holds the name. */
export function isAlive(living: Living): boolean {
  return hasCells(living) || living.launcher !== null;
}

export function hasCells(living: Living): boolean {
  return living.records.length > 0 || living.sockets.length > 0;
}

/** Removes what is left, unless somebody lives. `exceptPid`: the launcher that tidies up after its own organism. */
export async function removeRunDir(
  run: RunDir,
  options: { exceptPid?: number } = {},
): Promise<{ removed: true; leftovers: string[] } | { removed: false; living: Living }> {
  return await withNameLock(run, async () => {
    if (!exists(run.path)) return { removed: true, leftovers: [] };
    const living = await whoLives(run);
    if (living.launcher?.pid === options.exceptPid) living.launcher = null;
    if (isAlive(living)) return { removed: false, living };
    return { removed: true, leftovers: clearRunDir(run) };
  });
}

const NAME_PATTERN = /^[a-z0-9][a-z0-9-]{0,31}$/;

function checkName(name: string): void {
  if (NAME_PATTERN.test(name)) return;
  throw new CellwsError("CELLWS_E_NAME_INVALID", 2, `${JSON.stringify(name)} cannot name an organism`, {
    found: name,
    expected: "1 to 32 lower-case letters, digits and dashes, beginning with a letter or digit",
    hint: "Choose another with --name, such as --name shop-2.",
  });
}

/** sun_path holds 108 bytes on Linux and 104 on macOS, of which one ends the string. */
const SOCKET_PATH_BYTES_MAX = process.platform === "darwin" ? 103 : 107;
/** As long as any cell's id: see CellId. */
const LONGEST_ID = "x".repeat(10);

function checkSocketPathLength(run: RunDir): void {
  const socket = cellSocketPath(run, LONGEST_ID);
  const bytes = Buffer.byteLength(socket);
  if (bytes <= SOCKET_PATH_BYTES_MAX) return;
  throw runDirError(`the run directory ${run.path} is too long for Unix sockets in it`, {
    found: `socket paths of ${bytes} bytes`,
    expected: `at most ${SOCKET_PATH_BYTES_MAX} bytes, of which ${bytes - Buffer.byteLength(run.path)} are needed below it`,
    hint: "Choose a shorter --name, or point XDG_RUNTIME_DIR at a directory with a shorter path.",
  });
}

function ensureBase(base: string): void {
  try {
    fs.mkdirSync(base, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST") throw baseUnusable(base, code ?? String(error));
  }
  isPrivateDir(base);
}

function baseUnusable(base: string, code: string): CellwsError {
  const parent = path.dirname(base);
  return runDirError(`cannot create ${base}: ${code}`, {
    hint:
      code === "ENOENT"
        ? `${parent} does not exist: create it, or set XDG_RUNTIME_DIR to a directory of yours (or to nothing, for the temp directory).`
        : `Make ${parent} writable for you, or set XDG_RUNTIME_DIR to a directory of yours.`,
  });
}

/** False: there is none. Throws CELLWS_E_RUN_DIR unless it is a directory of ours that nobody else can enter. */
function isPrivateDir(dir: string): boolean {
  // lstat: a link here could lead anywhere.
  const stat = fs.lstatSync(dir, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if (!stat.isDirectory()) {
    throw runDirError(`${dir} is no directory`, { hint: "Move it away, or set XDG_RUNTIME_DIR elsewhere." });
  }
  if (stat.uid !== ownUid()) {
    throw runDirError(`${dir} belongs to somebody else`, {
      found: `owner uid ${stat.uid}`,
      expected: `uid ${ownUid()}`,
      hint: "Run cellws as that user, or set XDG_RUNTIME_DIR to a directory of yours.",
    });
  }
  if ((stat.mode & 0o077) !== 0) {
    throw runDirError(`others may enter ${dir}`, {
      found: `mode ${(stat.mode & 0o777).toString(8).padStart(4, "0")}`,
      expected: "mode 0700",
      hint: `Whoever can enter it controls the organism. If nobody has tampered with it: chmod 700 ${dir}`,
    });
  }
  return true;
}

/** False: there is one already. */
function placeRunDir(run: RunDir, launcher: ProcessIdentity): boolean {
  // Built aside and renamed: rename refuses to replace a directory with something in it, and ours always has.
  // The dot keeps it out of every listing (see NAME_PATTERN).
  const aside = fs.mkdtempSync(path.join(path.dirname(run.path), ".new-"));
  try {
    for (const dir of ["dna", "cells", "log"]) fs.mkdirSync(path.join(aside, dir), { mode: 0o700 });
    fs.writeFileSync(path.join(aside, "launcher.json"), JSON.stringify(launcher), { mode: 0o600 });
    fs.renameSync(aside, run.path);
    return true;
  } catch (error) {
    fs.rmSync(aside, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw runDirError(`cannot create ${run.path}: ${code ?? String(error)}`, { cause: error });
  }
}

function nameTaken(run: RunDir, living: Living): CellwsError {
  const cellCount = new Set([...living.records, ...living.sockets].map((cell) => cell.id)).size;
  const found =
    cellCount === 0
      ? `it is being started by pid ${living.launcher?.pid}`
      : `${cellCount} living cell(s) in ${run.path}`;
  return new CellwsError("CELLWS_E_NAME_TAKEN", 1, `an organism named '${run.name}' is already running`, {
    found,
    hint: `Give this one another name with --name, or end that one: cellws stop --name ${run.name}`,
  });
}

/** Renamed first: whoever looks for the name finds nothing, or everything, and never a half-cleared directory. */
function clearRunDir(run: RunDir): string[] {
  const aside = path.join(path.dirname(run.path), `.old-${run.name}-${process.pid}`);
  try {
    fs.renameSync(run.path, aside);
  } catch (error) {
    throw runDirError(`cannot clear ${run.path} away: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
  const leftovers = listFiles(aside);
  fs.rmSync(aside, { recursive: true, force: true, maxRetries: 3 });
  return leftovers;
}

/**
 * Judging that nobody lives and clearing away take a while, and a directory that was judged dead must not have
 * become another's new one meanwhile. So one at a time does either, for each name.
 */
async function withNameLock<T>(run: RunDir, work: () => Promise<T>): Promise<T> {
  const file = path.join(path.dirname(run.path), `.lock-${run.name}`);
  for (let attempt = 0; attempt < LOCK_ATTEMPTS_MAX; attempt += 1) {
    const lock = exists(path.dirname(run.path)) ? takeLockFile(file, LOCK_AGE_MS_MAX) : NO_LOCK_NEEDED;
    if (lock === null) {
      await sleep(LOCK_RETRY_MS);
      continue;
    }
    try {
      return await work();
    } finally {
      lock.release();
    }
  }
  throw runDirError(`another cellws is at work on '${run.name}' and does not finish`, {
    found: `its lock ${file}`,
    hint: "Look at the process whose pid is in that file, and end it if it hangs.",
  });
}

/** Where there is no run base, there is nothing to be cleared. */
const NO_LOCK_NEEDED = { release: () => undefined };
const LOCK_RETRY_MS = 50;
/** Looking who lives takes a second at most; after ten something is wrong. */
const LOCK_ATTEMPTS_MAX = 200;
const LOCK_AGE_MS_MAX = 30_000;

/** What a start or a stop that was itself killed left beside the run directories. */
function sweepAside(base: string): void {
  for (const entry of fs.readdirSync(base)) {
    if (!entry.startsWith(".new-") && !entry.startsWith(".old-")) continue;
    const dir = path.join(base, entry);
    const ageMs = Date.now() - (fs.lstatSync(dir, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY);
    if (ageMs > ASIDE_AGE_MS_MAX) fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** Such a directory lives for milliseconds; one that is a minute old has lost its maker. */
const ASIDE_AGE_MS_MAX = 60_000;

function listFiles(dir: string): string[] {
  return fs
    .readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)));
}

function readLauncher(run: RunDir): ProcessIdentity | null {
  const text = readText(run.launcherFile);
  if (text === null) return null;
  try {
    const { pid, startTicks } = JSON.parse(text) as ProcessIdentity;
    const identity = { pid, startTicks };
    return Number.isInteger(pid) && pid > 0 && Number.isInteger(startTicks) && processLives(identity) ? identity : null;
  } catch {
    return null;
  }
}

export function listCellFiles(run: RunDir, extension: string): string[] {
  try {
    return fs
      .readdirSync(run.cellsDir)
      .filter((file) => file.endsWith(extension))
      .map((file) => file.slice(0, -extension.length))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

export function writeAtomically(file: string, text: string): void {
  const aside = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(aside, text, { mode: 0o600 });
  fs.renameSync(aside, file);
}

export function readText(file: string): string | null {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

function exists(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

function ownUid(): number {
  return process.geteuid?.() ?? -1;
}

function runDirError(message: string, details: ConstructorParameters<typeof CellwsError>[3]): CellwsError {
  return new CellwsError("CELLWS_E_RUN_DIR", 1, message, details);
}
