/** Files that commands write for people: plots. */
import fs from "node:fs";
import path from "node:path";
import { CellwsError } from "../lib/cellws-error.ts";

/** Judged before the work: nobody should wait for a plot that cannot be written. */
export function judgeOutput(option: string, file: string): string {
  const folder = path.dirname(file);
  const isFolder = (place: string): boolean => fs.statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder(folder)) throw usage(option, `no folder ${folder}`, "a file in a folder that exists");
  if (isFolder(file)) throw usage(option, `${file} is a folder`, "a file, such as plot.svg");
  return file;
}

/** Whole or not at all: an old plot is replaced only by a complete one. */
export function writeWhole(file: string, text: string): void {
  const aside = `${file}.${process.pid}.part`;
  try {
    fs.writeFileSync(aside, text);
    fs.renameSync(aside, file);
  } catch (error) {
    fs.rmSync(aside, { force: true });
    throw new CellwsError("CELLWS_E_OUTPUT", 1, "the plot could not be written", {
      path: file,
      found: (error as Error).message,
    });
  }
}

function usage(option: string, found: string, expected: string): CellwsError {
  return new CellwsError("CELLWS_E_USAGE", 2, `${option} cannot be used so`, { path: option, found, expected });
}
