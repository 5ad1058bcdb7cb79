/**
 * From what was named as the app to the file that Node will load, or to what was probably meant.
 *
 * A folder stands for its package.json's main, or its index file, as with `node folder`. Whether the file
 * runs is found out by a drone, which then says why not.
 */
import * as path from "node:path";
import type { Diagnostic } from "./diagnostic.ts";
import { packageFacts } from "./facts.ts";
import { isRunnable, look, moduleExtensions, nearestFile } from "./files.ts";

export type AppFile = { ok: true; file: string } | { ok: false; diagnostic: Diagnostic };

/** `app` is absolute. */
export function findAppFile(app: string): AppFile {
  const stats = look(app);
  if (stats === null) return notFound(app);
  if (stats.isDirectory()) return inFolder(app);
  // Without an extension Node takes a file for CommonJS: `bin/www` is how Express generates apps.
  if (stats.isFile() && (isRunnable(app) || path.extname(app) === "")) return { ok: true, file: app };
  return refused(app, {
    message: "the app is not a file that Node can run",
    found: stats.isFile() ? `a ${path.extname(app)} file` : "neither a file nor a folder",
    hint: "Name the file that starts the server; if it must be compiled first, name the result.",
  });
}

function inFolder(folder: string): AppFile {
  const { main } = packageFacts(folder);
  const candidates = [
    ...(main === null ? [] : [path.resolve(folder, main)]),
    ...moduleExtensions.map((extension) => path.join(folder, `index${extension}`)),
  ];
  const file = candidates.find((candidate) => look(candidate)?.isFile() === true);
  if (file !== undefined) return { ok: true, file };
  return refused(folder, {
    message: "the app is a folder without a file to start",
    found:
      main === null
        ? "no main in package.json and no index file"
        : `package.json's main (${main}) is not there, and no index file`,
    hint: "Name the file that starts the server.",
  });
}

function notFound(app: string): AppFile {
  const folder = path.dirname(app);
  const near = nearestFile(app);
  const folderIsThere = look(folder)?.isDirectory() === true;
  return refused(app, {
    message: "the app was not found",
    found: folderIsThere ? `nothing at ${app}` : `nothing at ${app}, nor a folder ${folder}`,
    hint:
      near === null
        ? "Paths on the command line start from the current folder, those in the DNA from its own."
        : `Did you mean ${near}?`,
  });
}

function refused(app: string, told: Pick<Diagnostic, "message" | "found" | "hint">): AppFile {
  return {
    ok: false,
    diagnostic: {
      code: "CELLWS_E_APP_NOT_FOUND",
      path: "app",
      ...told,
      expected: `a JavaScript or TypeScript file, such as ${path.join(path.dirname(app), "server.js")}`,
    },
  };
}
