/**
 * Opens files below a folder, and none outside of it.
 *
 * Names cannot lead upwards (static-path.ts); symbolic links could. Whether one does is asked of the file that was opened,
 * not of its path: between a look at a path and its opening somebody may swap a link.
 */
import fs from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { constants } from "node:fs";
import path from "node:path";

export interface OpenFile {
  kind: "file";
  handle: FileHandle;
  bytes: number;
  modifiedMs: number;
  /** Changes with the content, as far as the file system tells. */
  version: string;
}

export type Opened = OpenFile | { kind: "folder" } | { kind: "missing" } | { kind: "busy" };

const missing: Opened = { kind: "missing" };

export class StaticFolder {
  readonly #folder: string;
  readonly #mayLeave: boolean;
  #real: string | null = null;

  constructor(folder: string, { symlinks }: { symlinks: "within" | "follow" }) {
    this.#folder = folder;
    this.#mayLeave = symlinks === "follow";
  }

  /** The caller closes what it gets. Names have no slashes and no dots alone. */
  async open(names: readonly string[]): Promise<Opened> {
    const file = path.join(this.#folder, ...names);
    let handle: FileHandle;
    try {
      // Without O_NONBLOCK a named pipe would wait for its writer.
      handle = await fs.open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch (error) {
      return isBusy(error) ? { kind: "busy" } : missing;
    }
    try {
      const stat = await handle.stat({ bigint: true });
      const isUsable = (stat.isFile() || stat.isDirectory()) && (await this.#isWithin(handle, file, stat));
      if (isUsable && stat.isFile()) {
        return {
          kind: "file",
          handle,
          bytes: Number(stat.size),
          modifiedMs: Number(stat.mtimeMs),
          version: `${stat.size.toString(36)}-${stat.mtimeNs.toString(36)}`,
        };
      }
      await handle.close();
      return isUsable ? { kind: "folder" } : missing;
    } catch {
      await handle.close().catch(() => undefined);
      return missing;
    }
  }

  async #isWithin(handle: FileHandle, file: string, stat: Identity): Promise<boolean> {
    if (this.#mayLeave) return true;
    const real = await realPathOf(handle, file, stat);
    if (real === null) return false;
    this.#real ??= await fs.realpath(this.#folder);
    if (isBelow(real, this.#real)) return true;
    // The folder itself may be a link that a new release has moved on.
    this.#real = await fs.realpath(this.#folder);
    return isBelow(real, this.#real);
  }
}

interface Identity {
  dev: bigint;
  ino: bigint;
}

/** Where the open file really lies. Linux tells it of the descriptor; elsewhere the path is asked, and must lead to the same file. */
async function realPathOf(handle: FileHandle, file: string, { dev, ino }: Identity): Promise<string | null> {
  if (process.platform === "linux") return fs.readlink(`/proc/self/fd/${handle.fd}`);
  const real = await fs.realpath(file);
  const there = await fs.stat(real, { bigint: true });
  return there.dev === dev && there.ino === ino ? real : null;
}

function isBelow(file: string, folder: string): boolean {
  return file === folder || file.startsWith(folder === "/" ? folder : `${folder}/`);
}

/** Out of descriptors: the file may well be there. */
function isBusy(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "EMFILE" || code === "ENFILE" || code === "ENOMEM";
}
