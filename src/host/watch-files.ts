/**
 * Tells when any of some files changed, appeared or vanished. By looking at them twice a second and not by inotify: it is
 * only done while an app fails, for some dozens of files, and it works on every file system and through editors that
 * replace the file.
 */
import fs from "node:fs";

const lookEveryMs = 500;
const filesMax = 256;

/** Calls `changed` after each look that found a difference. Returns how to stop. */
export function watchFiles(files: readonly string[], changed: () => void): () => void {
  const watched = files.slice(0, filesMax);
  let before = watched.map(fingerprint);
  const timer = setInterval(() => {
    const now = watched.map(fingerprint);
    if (now.some((print, i) => print !== before[i])) changed();
    before = now;
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}

function fingerprint(file: string): string {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? "" : `${stat.ino}/${stat.size}/${stat.mtimeMs}`;
}
