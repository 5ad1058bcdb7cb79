/**
 * A key that all cells of one organism share and nobody else knows: the first that needs it draws it, and leaves it in
 * the run directory, which only the organism's user can read. It goes with the organism.
 */
import { randomBytes } from "node:crypto";
import fs from "node:fs";

const keyBytes = 32;

/** @throws where the file can neither be written nor read. */
export function sharedKey(file: string): Buffer {
  const known = readKey(file);
  if (known !== null) return known;
  // Written aside and linked, so that nobody ever reads half a key; of two that link at once one is first.
  const aside = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  fs.writeFileSync(aside, randomBytes(keyBytes), { mode: 0o600, flag: "wx" });
  try {
    fs.linkSync(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    fs.rmSync(aside, { force: true });
  }
  const key = readKey(file);
  if (key === null) throw new Error(`${file} is not a key of ${keyBytes} bytes`);
  return key;
}

function readKey(file: string): Buffer | null {
  try {
    const key = fs.readFileSync(file);
    return key.length === keyBytes ? key : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
