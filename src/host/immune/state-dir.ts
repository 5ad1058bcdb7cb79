/**
 * The state directory: what must outlive the organism, by its name.
 *
 *   $XDG_STATE_HOME/cellws/<name>/      or ~/.local/state/cellws/<name>/
 *     immune.db       bans, statistics, incidents, the reports' outbox (memory.ts)
 *     immune.db.corrupt-<time>   what could not be read, set aside
 *
 * Like the run directory it is one user's own (mode 0700), for addresses are personal data. Unlike it, it is never cleared
 * away by anybody but its owner.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { CellwsError } from "../../lib/cellws-error.ts";

export interface StateDir {
  readonly name: string;
  readonly path: string;
  readonly memoryFile: string;
}

/** `$XDG_STATE_HOME/cellws`, or `~/.local/state/cellws`. */
export function stateBase(env: NodeJS.ProcessEnv = process.env): string {
  const stateHome = env["XDG_STATE_HOME"];
  if (stateHome !== undefined && path.isAbsolute(stateHome)) return path.join(stateHome, "cellws");
  return path.join(os.homedir(), ".local", "state", "cellws");
}

/** Only paths: nothing needs to exist. `name` is one that a run directory may have. */
export function stateDir(name: string, base = stateBase()): StateDir {
  const dir = path.join(base, name);
  return { name, path: dir, memoryFile: path.join(dir, "immune.db") };
}

/** All that have a memory, by name. */
export function listStateDirs(base = stateBase()): StateDir[] {
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(base, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => stateDir(entry.name, base))
    .filter(({ memoryFile }) => fs.existsSync(memoryFile))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Makes it where it is not there. Throws CELLWS_E_STATE_DIR. */
export function ensureStateDir({ path: dir }: StateDir): void {
  try {
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    const { uid, mode } = fs.statSync(dir);
    if (uid !== process.geteuid?.() || (mode & 0o077) !== 0) {
      throw new CellwsError("CELLWS_E_STATE_DIR", 1, `${dir} is not this user's alone`, {
        found: `owner ${uid}, mode ${(mode & 0o777).toString(8)}`,
        expected: `owner ${process.geteuid?.()}, mode 700`,
        hint: "It holds addresses of people: chown it to this user, chmod it to 700, or set XDG_STATE_HOME to another folder.",
      });
    }
  } catch (error) {
    if (error instanceof CellwsError) throw error;
    throw new CellwsError("CELLWS_E_STATE_DIR", 1, `cannot make the state directory ${dir}`, {
      found: (error as NodeJS.ErrnoException).code ?? String(error),
      hint: "Set XDG_STATE_HOME to a folder that this user may write to.",
      cause: error,
    });
  }
}
