/** Files that were asked for and are not there: what was probably meant. */
import { readdirSync, statSync, type Stats } from "node:fs";
import * as path from "node:path";
import { nearest } from "../lib/nearest.ts";

/** A folder with more entries is searched no further: it costs time, and a guess there is worth little. */
const ENTRIES_MAX = 10_000;

/** What is at `file`, or null when nothing is, or nothing that we may look at. */
export function look(file: string): Stats | null {
  try {
    return statSync(file);
  } catch {
    return null;
  }
}

/**
 * The file in the same folder whose name is nearest to a missing one's: with another extension (server.ts
 * for server.js, server.js for server), or spelt almost so. Null when none is near.
 */
export function nearestFile(missing: string): string | null {
  const folder = path.dirname(missing);
  const wanted = path.basename(missing);
  const names = filesIn(folder);
  const stemOf = (name: string): string => path.parse(name).name;
  const runnableNames = names.filter(isRunnable);
  const stem = nearest(wanted, runnableNames.map(stemOf));
  const found =
    runnableNames.find((name) => stemOf(name) === stemOf(wanted) || stemOf(name) === wanted) ??
    nearest(wanted, names) ??
    runnableNames.find((name) => stemOf(name) === stem);
  return found === undefined ? null : path.join(folder, found);
}

/** Whether a file of this name is a program for Node. */
export function isRunnable(name: string): boolean {
  return moduleExtensions.includes(path.extname(name));
}

/** What Node runs, TypeScript by leaving out the types. */
export const moduleExtensions: readonly string[] = [".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"];

function filesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries
      .slice(0, ENTRIES_MAX)
      .flatMap((entry) => (entry.isFile() || entry.isSymbolicLink() ? [entry.name] : []));
  } catch {
    return [];
  }
}
