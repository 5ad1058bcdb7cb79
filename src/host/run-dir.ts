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
 * Where drones are another user (membrane.user), that user can enter none of this. Then `cells` is a link to a folder of its
 * own, under /run: root's cells have their sockets in it, which are the guest's to knock at, and the guest's own cells have
 * `guests` below it, where they may make and remove what they like. Root reads there what may be anybody's word, and
 * neither writes there nor follows a link.
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

/** Whose drones' folder is to be. */
export interface GuestIds {
  readonly uid: number;
  readonly gid: number;
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
  {
    base = runBase(),
    launcher = ownIdentity(),
    guest = null,
  }: { base?: string; launcher?: ProcessIdentity; guest?: GuestIds | null } = {},
): Promise<CreatedRunDir> {
  const run = runDir(name, base);
  checkSocketPathLength(run, guest !== null);
  ensureBase(base);

  return await withNameLock(run, async () => {
    sweepAside(base);
    if (placeRunDir(run, launcher, guest)) return { run, leftovers: [] };
    isPrivateDir(run.path);
    const living = await whoLives(run);
    if (isAlive(living)) throw nameTaken(run, living);
    const leftovers = clearRunDir(run);
    if (placeRunDir(run, launcher, guest)) return { run, leftovers };
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

/** As a cell sees it that may not enter the run directory, or whose relatives may not. `doors`: where `cells` leads. */
export function withDoors(run: RunDir, doors: string): RunDir {
  return { ...run, cellsDir: doors };
}

/** Where `cells` leads, if it is a link. */
export function doorsOf(run: RunDir): string | null {
  try {
    return fs.readlinkSync(run.cellsDir);
  } catch {
    return null;
  }
}

export const dnaPath = (run: RunDir, revision: string): string => path.join(run.dnaDir, `${revision}.json`);
export const cellSocketPath = (run: RunDir, id: string): string => cellFile(run, `${id}.sock`);
export const cellCountsPath = (run: RunDir, id: string): string => cellFile(run, `${id}.counts`);
export const cellRecordPath = (run: RunDir, id: string): string => cellFile(run, `${id}.json`);

/** Of a cell that is a guest, below `cells`. */
const guestsFolder = "guests";
export const guestCellsDir = (run: RunDir): string => path.join(run.cellsDir, guestsFolder);

/** Root's first: a guest cannot put something of its own in another's place, nor lead elsewhere by a link. */
function cellFile(run: RunDir, name: string): string {
  const own = path.join(run.cellsDir, name);
  if (exists(own)) return own;
  const guests = path.join(run.cellsDir, guestsFolder, name);
  const stat = fs.lstatSync(guests, { throwIfNoEntry: false });
  return stat === undefined || stat.isSymbolicLink() ? own : guests;
}

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
    writeAtomically(ownCellFile(run, `${record.id}.json`), JSON.stringify(record));
    return true;
  } catch {
    return false;
  }
}

/** Where this very process keeps what is its own: a guest in the guests' folder. */
export function ownCellFile(run: RunDir, name: string): string {
  const guests = path.join(run.cellsDir, guestsFolder);
  const isGuests = fs.lstatSync(guests, { throwIfNoEntry: false })?.uid === ownUid();
  return path.join(isGuests ? guests : run.cellsDir, name);
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

function checkSocketPathLength(run: RunDir, hasGuests: boolean): void {
  const socket = path.join(hasGuests ? guestCellsDir(run) : run.cellsDir, `${LONGEST_ID}.sock`);
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
function placeRunDir(run: RunDir, launcher: ProcessIdentity, guest: GuestIds | null): boolean {
  const doors = guest === null ? null : makeDoors(guest);
  const isPlaced = placeWithDoors(run, launcher, doors);
  if (!isPlaced && doors !== null) clearDoors(doors);
  return isPlaced;
}

function placeWithDoors(run: RunDir, launcher: ProcessIdentity, doors: string | null): boolean {
  // Built aside and renamed: rename refuses to replace a directory with something in it, and ours always has.
  // The dot keeps it out of every listing (see NAME_PATTERN).
  const aside = fs.mkdtempSync(path.join(path.dirname(run.path), ".new-"));
  try {
    for (const dir of ["dna", "log"]) fs.mkdirSync(path.join(aside, dir), { mode: 0o700 });
    if (doors === null) fs.mkdirSync(path.join(aside, "cells"), { mode: 0o700 });
    else fs.symlinkSync(doors, path.join(aside, "cells"));
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

/** Root's, for all to pass through; a guest's socket path must be short. */
const doorsParent = "/run";
const doorsPrefix = "cellws-doors-";

function makeDoors({ uid, gid }: GuestIds): string {
  try {
    sweepDoors();
    const doors = fs.mkdtempSync(path.join(doorsParent, doorsPrefix));
    fs.chmodSync(doors, 0o711);
    const guests = path.join(doors, guestsFolder);
    fs.mkdirSync(guests, { mode: 0o700 });
    fs.chownSync(guests, uid, gid);
    return doors;
  } catch (error) {
    throw runDirError(`cannot make a folder for the drones' sockets: ${(error as NodeJS.ErrnoException).code}`, {
      hint: `${doorsParent} must be there and be root's: membrane.user needs it.`,
      cause: error,
    });
  }
}

/**
 * What dead organisms have left whose run directory is gone with the link to it: systemd removes a service's as soon as its last
 * process is dead, and nobody would ever look there again.
 */
function sweepDoors(): void {
  for (const name of fs.readdirSync(doorsParent)) {
    if (!name.startsWith(doorsPrefix)) continue;
    const doors = path.join(doorsParent, name);
    const stat = fs.lstatSync(doors, { throwIfNoEntry: false });
    if (stat?.uid !== ownUid() || !stat.isDirectory()) continue;
    // One that is new may have no cell yet.
    if (Date.now() - stat.mtimeMs < ASIDE_AGE_MS_MAX) continue;
    if (!listCellRecords(withDoors(runDir("any", doorsParent), doors)).some(processLives)) clearDoors(doors);
  }
}

/**
 * Flat, and without following anything: what lies in the guests' folder may be anybody's. What cannot be removed so (a folder that
 * the app has made there) stays, until the next boot clears /run.
 */
function clearDoors(doors: string): void {
  // A link of root's own making, and only root could have changed it; but what follows removes files as root.
  if (path.dirname(doors) !== doorsParent || !path.basename(doors).startsWith(doorsPrefix)) return;
  for (const dir of [path.join(doors, guestsFolder), doors]) {
    try {
      for (const entry of fs.readdirSync(dir, { withFileTypes: true }))
        if (!entry.isDirectory()) fs.unlinkSync(path.join(dir, entry.name));
      fs.rmdirSync(dir);
    } catch {
      return;
    }
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
  const doors = doorsOf({ ...run, cellsDir: path.join(aside, "cells") });
  if (doors !== null) clearDoors(doors);
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
    const guests = guestCellsDir(run);
    const files = [...fs.readdirSync(run.cellsDir), ...(exists(guests) ? fs.readdirSync(guests) : [])];
    const ids = files.filter((file) => file.endsWith(extension)).map((file) => file.slice(0, -extension.length));
    return [...new Set(ids)].sort();
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

/**
 * Null: it cannot be read, or is no ordinary file. Some of it a guest may have put there: a link would lead root elsewhere, a
 * pipe would hold it for ever.
 */
export function readText(file: string): string | null {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  let fd: number | null = null;
  try {
    fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stat = fs.fstatSync(fd);
    return stat.isFile() && stat.size <= TEXT_BYTES_MAX ? fs.readFileSync(fd, "utf8") : null;
  } catch {
    return null;
  } finally {
    if (fd !== null) fs.closeSync(fd);
  }
}

/** The largest is a DNA, or what all the dead have counted. */
const TEXT_BYTES_MAX = 16 * 1024 * 1024;

function exists(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

function ownUid(): number {
  return process.geteuid?.() ?? -1;
}

function runDirError(message: string, details: ConstructorParameters<typeof CellwsError>[3]): CellwsError {
  return new CellwsError("CELLWS_E_RUN_DIR", 1, message, details);
}
