/**
 * From the path that the user gave to the file that Node would run.
 *
 * A file is itself (`server` finds server.js, as `node server` does). A folder is what `npm start` there would
 * run, where that is Node: the start script says how an app is started, while `main` says what a package is as a
 * library. So in this order: a `start` script of the form `node FILE`; `exports` or `main`; server, app, index
 * with any extension that Node runs. A start script that is some other program (`next start`) is not imitated,
 * and unless another rule finds a file, the failure says so.
 */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import type { AppFailure } from "./app-failure.ts";

export interface AppEntry {
  /** Absolute, without symbolic links: what `import.meta.url` of an ES module will say. */
  file: string;
  /** Where the app expects to run: the folder that was given. Null: where the organism was started. */
  cwd: string | null;
  /** From the start script: `node FILE a b`. */
  args: string[];
  /** From the start script: `NAME=value node FILE`. */
  env: Record<string, string>;
  /** From the start script: `node --flag FILE`. */
  nodeFlags: string[];
}

export type Resolved = { ok: true; entry: AppEntry } | { ok: false; failure: AppFailure };

const extensions = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];
const usualNames = ["server", "app", "index"];

export function resolveApp(path: string): Resolved {
  const given = resolve(path);
  const found = kindOf(given);
  if (found === "folder") return resolveFolder(given);
  const file = found === "file" ? given : withExtension(given);
  if (file === null) return notFound(`there is no file or folder ${given}`, "Give the path of the app's main file.");
  if (!extensions.some((extension) => file.endsWith(extension))) {
    const hint =
      "Give a .js, .mjs, .cjs, .ts, .mts or .cts file; anything else (JSX, other languages) must be compiled.";
    return notFound(`${given} is not a file that Node runs`, hint);
  }
  return { ok: true, entry: plainEntry(file, null) };
}

interface PackageFile {
  name?: unknown;
  main?: unknown;
  exports?: unknown;
  scripts?: { start?: unknown };
}

function resolveFolder(folder: string): Resolved {
  const packageFile = join(folder, "package.json");
  const read = readPackage(packageFile);
  if (!read.ok) return read;
  const { content } = read;
  const start = typeof content.scripts?.start === "string" ? content.scripts.start : null;
  const started = start === null ? null : parseStart(start, folder);
  if (started !== null) return { ok: true, entry: started };
  for (const candidate of [
    () => exportedFile(packageFile, content),
    () => mainFile(folder, content),
    () => usualFile(folder),
  ]) {
    const file = candidate();
    if (file !== null) return { ok: true, entry: plainEntry(file, folder) };
  }
  const hint =
    start === null
      ? "Give the app's main file, or name it in package.json: `main`, or a start script of the form `node FILE`."
      : `The start script is \`${start}\`, which is not \`node FILE\`. Give the file that it runs.`;
  return notFound(`no entry file was found in ${folder}`, hint);
}

function readPackage(path: string): { ok: true; content: PackageFile } | { ok: false; failure: AppFailure } {
  if (kindOf(path) !== "file") return { ok: true, content: {} };
  try {
    return { ok: true, content: JSON.parse(readFileSync(path, "utf8")) as PackageFile };
  } catch (error) {
    return notFound(
      `${path} cannot be read: ${(error as Error).message}`,
      "Mend the file, or give the app's main file.",
    );
  }
}

/** What stands between quotes, expands, or is more than one command is the shell's, and is not read here. */
const shellCharacters = /[|&;<>()$`\\"'*?[\]#~{}\n]/;

/** `[NAME=value]... node [--flag]... FILE [argument]...`, or null. */
function parseStart(script: string, folder: string): AppEntry | null {
  if (shellCharacters.test(script)) return null;
  const words = script.split(/\s+/).filter((word) => word !== "");
  const env: Record<string, string> = {};
  while (/^[A-Za-z_]\w*=/.test(words[0] ?? "")) {
    const word = words.shift() as string;
    const equals = word.indexOf("=");
    env[word.slice(0, equals)] = word.slice(equals + 1);
  }
  if (words.shift() !== "node") return null;
  const nodeFlags: string[] = [];
  while (words[0]?.startsWith("-")) {
    const flag = words.shift() as string;
    // The flags that take their value as a word of its own.
    const takesWord = /^(-r|-C|--require|--import|--loader|--env-file|--conditions)$/.test(flag);
    nodeFlags.push(takesWord ? `${flag}=${words.shift() ?? ""}` : flag);
  }
  const name = words.shift();
  if (name === undefined) return null;
  const file = fileAt(join(folder, name));
  return file === null ? null : { ...plainEntry(file, folder), args: words, env, nodeFlags };
}

/** A package may name itself; Node then follows `exports` with all its conditions. */
function exportedFile(packageFile: string, { name, exports }: PackageFile): string | null {
  if (exports === undefined || typeof name !== "string") return null;
  try {
    return createRequire(packageFile).resolve(name);
  } catch {
    // Conditions that exclude require, or a file that is not there: the other rules may still find one.
    return null;
  }
}

function mainFile(folder: string, { main }: PackageFile): string | null {
  return typeof main === "string" ? fileAt(join(folder, main)) : null;
}

function usualFile(folder: string): string | null {
  for (const name of usualNames) {
    const file = withExtension(join(folder, name));
    if (file !== null) return file;
  }
  return null;
}

function fileAt(path: string): string | null {
  const found = kindOf(path);
  if (found === "file") return path;
  return withExtension(path) ?? (found === "folder" ? withExtension(join(path, "index")) : null);
}

function withExtension(path: string): string | null {
  for (const extension of extensions) if (kindOf(path + extension) === "file") return path + extension;
  return null;
}

function kindOf(path: string): "file" | "folder" | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  return stats.isDirectory() ? "folder" : "file";
}

function plainEntry(file: string, cwd: string | null): AppEntry {
  return { file: realpathSync(file), cwd, args: [], env: {}, nodeFlags: [] };
}

function notFound(message: string, hint: string): { ok: false; failure: AppFailure } {
  return { ok: false, failure: { code: "CELLWS_E_APP_NOT_FOUND", message, hint } };
}

/** For people: the file, with its folder. */
export function shortName(file: string): string {
  return join(basename(dirname(file)), basename(file));
}
