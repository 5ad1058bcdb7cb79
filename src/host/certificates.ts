/**
 * Where death certificates outlive the cells: one file each in the state directory.
 *
 *   $XDG_STATE_HOME/cellws/<name>/certificates/<condemned>.json
 *
 * Every cell that holds a sentence may write it down, and the first has done it for all: the file appears whole, or not at all.
 * Only where that one had not seen what the condemned did, and voters who have come later, is theirs put in its place.
 * The oldest go when there are too many. A cell that cannot write says so once and lives on.
 */
import fs from "node:fs";
import path from "node:path";
import type { DeathCertificate } from "../wire/death-certificate.ts";
import { deathCertificateBytesMax, readDeathCertificate } from "../wire/death-certificate.ts";
import { ensureStateDir, stateBase, stateDir } from "./immune/state-dir.ts";

/** Some 10 KiB each: years of a healthy organism, or a bad night of an unhealthy one. */
export const certificatesMax = 1_000;
const suffix = ".json";

export function certificatesDir(name: string, base = stateBase()): string {
  return path.join(stateDir(name, base).path, "certificates");
}

/** Writes it down, unless somebody else has, who knew as much of it. Throws where that is not possible. */
export function keepCertificate(certificate: DeathCertificate, base = stateBase()): void {
  const dir = certificatesDir(certificate.name, base);
  const file = path.join(dir, `${certificate.certificate.body.id}${suffix}`);
  const isKept = fs.existsSync(file);
  if (isKept && !tellsMore(certificate, file)) return;
  ensureStateDir(stateDir(certificate.name, base));
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (!isKept) makeRoom(dir);
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, `${JSON.stringify(certificate)}\n`, { mode: 0o600 });
  try {
    fs.linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (tellsMore(certificate, file)) fs.renameSync(draft, file);
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

/** Whether its writer saw what the condemned did, and the writer of what is kept did not. */
function tellsMore({ finding }: DeathCertificate, file: string): boolean {
  if (finding === null) return false;
  const kept = readCertificateFile(file);
  return kept.ok && kept.value.finding === null;
}

function makeRoom(dir: string): void {
  const files = listFiles(dir);
  if (files.length < certificatesMax) return;
  const byAge = files.map((file) => ({ file, ms: mtimeMs(file) })).sort((a, b) => a.ms - b.ms);
  for (const { file } of byAge.slice(0, files.length - certificatesMax + 1)) fs.rmSync(file, { force: true });
}

/** All that are kept for a name, oldest first, and files that are none. */
export function listCertificates(
  name: string,
  base = stateBase(),
): { certificates: DeathCertificate[]; damaged: string[] } {
  const certificates: DeathCertificate[] = [];
  const damaged: string[] = [];
  for (const file of listFiles(certificatesDir(name, base))) {
    const read = readCertificateFile(file);
    if (read.ok) certificates.push(read.value);
    else damaged.push(file);
  }
  certificates.sort((a, b) => (a.at < b.at ? -1 : 1));
  return { certificates, damaged };
}

export function readCertificateFile(file: string): ReturnType<typeof readDeathCertificate> {
  try {
    if (fs.statSync(file).size > deathCertificateBytesMax) return { ok: false, reason: "it is too large" };
    return readDeathCertificate(fs.readFileSync(file, "utf8"));
  } catch (error) {
    return { ok: false, reason: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}

/** Names that have any. */
export function namesWithCertificates(base = stateBase()): string[] {
  try {
    return fs.readdirSync(base).filter((name) => listFiles(certificatesDir(name, base)).length > 0);
  } catch {
    return [];
  }
}

function listFiles(dir: string): string[] {
  try {
    return fs
      .readdirSync(dir)
      .filter((name) => name.endsWith(suffix))
      .map((name) => path.join(dir, name));
  } catch {
    return [];
  }
}

function mtimeMs(file: string): number {
  try {
    return fs.statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
