/** Which organism a command is about: the one that was named, or the one that can only be meant. */
import fs from "node:fs";
import { CellwsError } from "../lib/cellws-error.ts";
import type { OrganismFile } from "../wire/control.ts";
import type { Living, RunDir } from "../host/run-dir.ts";
import { hasCells, listRunDirs, readOrganismFile, runBase, runDir, runDirExists, whoLives } from "../host/run-dir.ts";

export interface FoundOrganism {
  run: RunDir;
  /** Null while it is being started, or when the file is damaged. */
  file: OrganismFile | null;
  living: Living;
}

/**
 * `accept`: whether only a living organism will do, or also what a dead one has left.
 * Throws CELLWS_E_NO_ORGANISM (exit 1) or CELLWS_E_NAME_NEEDED (exit 2).
 */
export async function findOrganism(
  name: string | undefined,
  { cwd, accept }: { cwd: string; accept: "living" | "any" },
): Promise<FoundOrganism> {
  if (name !== undefined) {
    const run = runDir(name);
    if (!runDirExists(run)) throw await noSuchOrganism(name);
    const found = await look(run);
    if (accept === "living" && !hasCells(found.living)) throw notRunning(found);
    return found;
  }

  const all = await Promise.all(listRunDirs().map(look));
  const running = all.filter(({ living }) => hasCells(living));
  const candidates = running.length === 0 && accept === "any" ? all : running;
  const here = candidates.filter(({ file }) => file !== null && isSameDir(file.cwd, cwd));
  const [only] = candidates.length === 1 ? candidates : here;
  if (only !== undefined && (candidates.length === 1 || here.length === 1)) return only;
  if (candidates.length > 1) throw nameNeeded(candidates);
  const [starting] = all.filter(({ living }) => living.launcher !== null);
  throw starting === undefined ? noneRuns(all) : notRunning(starting);
}

async function look(run: RunDir): Promise<FoundOrganism> {
  return { run, file: readOrganismFile(run), living: await whoLives(run) };
}

async function noSuchOrganism(name: string): Promise<CellwsError> {
  const all = await Promise.all(listRunDirs().map(look));
  const names = all.filter(({ living }) => hasCells(living)).map(({ run }) => run.name);
  return new CellwsError("CELLWS_E_NO_ORGANISM", 1, `there is no organism named '${name}'`, {
    found: names.length === 0 ? `none that runs in ${runBase()}` : names.join(", "),
    hint: names.length === 0 ? HINT_START : "Give one of these to --name.",
  });
}

function notRunning({ run, living }: FoundOrganism): CellwsError {
  if (living.launcher !== null) {
    return new CellwsError("CELLWS_E_NO_ORGANISM", 1, `'${run.name}' is being started and has no cell yet`, {
      found: `its launcher, pid ${living.launcher.pid}`,
      hint: "Ask again in a moment.",
    });
  }
  return new CellwsError("CELLWS_E_NO_ORGANISM", 1, `'${run.name}' is not running; it ended without clearing up`, {
    found: `what it left in ${run.path}`,
    hint: `Its last words: cellws logs --name ${run.name}\nStart it again, or clear it away: cellws stop --name ${run.name}`,
  });
}

function noneRuns(all: readonly FoundOrganism[]): CellwsError {
  const dead = all.map(({ run }) => run.name);
  return new CellwsError("CELLWS_E_NO_ORGANISM", 1, "no organism is running", {
    found: dead.length === 0 ? `none in ${runBase()}` : `what dead ones left: ${dead.join(", ")}`,
    hint: HINT_START,
  });
}

const HINT_START =
  "Start one: cellws start app.js\n(One that was started with another XDG_RUNTIME_DIR or user is not seen here.)";

function nameNeeded(candidates: readonly FoundOrganism[]): CellwsError {
  const names = candidates.map(({ run, file }) => (file === null ? run.name : `${run.name} (${file.cwd})`));
  return new CellwsError("CELLWS_E_NAME_NEEDED", 2, "several organisms could be meant", {
    found: names.join(", "),
    expected: "one of them",
    hint: `Say which with --name, such as --name ${candidates[0]?.run.name}, or call from its directory.`,
  });
}

function isSameDir(a: string, b: string): boolean {
  return a === b || realPath(a) === realPath(b);
}

function realPath(dir: string): string {
  try {
    return fs.realpathSync(dir);
  } catch {
    return dir;
  }
}
