/**
 * The files whose change is worth a new attempt at an app that fails: the code around its entry. What was really loaded
 * would be more exact, but an app that fails at load has often not loaded the very file that will be mended.
 */
import fs from "node:fs";
import path from "node:path";

const filesMax = 200;
const depthMax = 4;
const codePattern = /\.([cm]?[jt]sx?|json|env)$/;
const skippedFolders = new Set(["node_modules", "dist-types", "coverage", "public"]);

/** Absolute paths, the entry first, at most 200. */
export function appFiles(app: string): string[] {
  const folder = isFolder(app) ? app : path.dirname(app);
  const found = new Set<string>(folder === app ? [] : [app]);
  collect(folder, 0, found);
  return [...found].slice(0, filesMax);
}

function collect(folder: string, depth: number, found: Set<string>): void {
  const folders: string[] = [];
  for (const entry of entriesOf(folder)) {
    if (found.size >= filesMax) return;
    const file = path.join(folder, entry.name);
    if (entry.isFile() && (codePattern.test(entry.name) || entry.name.startsWith(".env"))) found.add(file);
    if (entry.isDirectory() && !entry.name.startsWith(".") && !skippedFolders.has(entry.name)) folders.push(file);
  }
  // Breadth before depth: what lies beside the entry is likelier to be what is mended.
  if (depth < depthMax) for (const sub of folders) collect(sub, depth + 1, found);
}

function entriesOf(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function isFolder(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}
