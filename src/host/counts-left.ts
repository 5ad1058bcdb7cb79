/**
 * The counts of cells that are gone, so that those of the organism never fall.
 *
 * Intuition: a ledger that is written before it is read out. Each cell keeps its counts in a file, and writes it anew before it
 * tells anybody. So what was told is never more than what is written, and when a cell is killed its last word is
 * there for whoever is asked next; a sum that once fell would be taken for a restart, and all requests since the
 * beginning for new ones. Not shared memory, which Node cannot map, and no cell that collects, which could die as well.
 *
 * The files of the dead are buried: added to one file, under a lock, each exactly once. That is also where deaths are counted:
 * many cells notice one death, but it is buried once.
 */
import fs from "node:fs";
import path from "node:path";
import type { CellClass } from "../core/cell.ts";
import { cellClasses } from "../core/cell.ts";
import type { DeathCause, KillReason } from "../core/record.ts";
import type { Series, Snapshot } from "../wire/metrics.ts";
import { addUp, lasting, readSnapshot } from "../wire/metrics.ts";
import { takeLockFile } from "./lock-file.ts";
import type { ProcessIdentity } from "./proc.ts";
import { processLives } from "./proc.ts";
import type { RunDir } from "./run-dir.ts";
import { cellCountsPath, listCellFiles, ownCellFile, readText, writeAtomically } from "./run-dir.ts";

export interface CellCounts extends ProcessIdentity {
  readonly class: CellClass;
  readonly snapshot: Snapshot;
}

/** What is known of a death; null: nothing yet, and then it is buried later. */
export interface Obituary {
  readonly cause: DeathCause;
  /** Of the certificate that it was ended by. */
  readonly reason: KillReason | null;
}

/** Ids of the buried that are remembered, so that a file which could not be removed is not added twice. */
const buriedIdsMax = 1_000;
/** Nobody works on it for longer than some milliseconds. */
const lockMsMax = 5_000;
/** Nobody has told what it died of, and nobody will. */
const unexplainedMsMax = 60_000;

/** False: it could not be written; a full disk must not keep a cell from telling. */
export function writeCounts(run: RunDir, id: string, counts: CellCounts): boolean {
  try {
    writeAtomically(
      ownCellFile(run, path.basename(cellCountsPath(run, id))),
      JSON.stringify({ ...counts, snapshot: lasting(counts.snapshot) }),
    );
    return true;
  } catch {
    return false;
  }
}

/** What this very process has written already, as another program: a cell that becomes a drone may begin anew in place. */
export function ownCounts(run: RunDir, id: string, { pid, startTicks }: ProcessIdentity): CellCounts | null {
  const counts = readCounts(readText(cellCountsPath(run, id)));
  return counts !== null && counts.pid === pid && counts.startTicks === startTicks ? counts : null;
}

/** Everything that was ever counted in this organism, with what living cells say of themselves, by id. */
export function sumCounts(run: RunDir, told: ReadonlyMap<string, Snapshot>): Snapshot {
  // In this order: whoever is buried in between is found in what is read last, and named there.
  const written = readAllCounts(run);
  const left = readLeft(run);
  const buried = new Set(left.buried);
  const ids = [...new Set([...written.keys(), ...told.keys()])].filter((id) => !buried.has(id));
  return addUp([left.snapshot, ...ids.map((id) => told.get(id) ?? written.get(id)?.snapshot ?? [])]);
}

/** Adds the counts of the dead to what is left of all, and counts their deaths. Without effect where somebody else is at it. */
export function buryTheDead(run: RunDir, obituaryOf: (id: string) => Obituary | null): void {
  const dead = [...readAllCounts(run)].filter(([, counts]) => !processLives(counts));
  if (dead.length === 0) return;
  try {
    const lock = takeLockFile(`${run.countsLeftFile}.lock`, lockMsMax);
    if (lock === null) return;
    try {
      bury(run, dead, obituaryOf, () => lock.held());
    } finally {
      lock.release();
    }
  } catch {
    // The run directory is being cleared away, or the disk is full: then they stay where they are, and count all the same.
  }
}

function bury(
  run: RunDir,
  dead: ReadonlyArray<[id: string, counts: CellCounts]>,
  obituaryOf: (id: string) => Obituary | null,
  mayWrite: () => boolean,
): void {
  const left = readLeft(run);
  const known = new Set(left.buried);
  const graves = dead.flatMap(([id, counts]) => {
    if (known.has(id)) return [];
    const obituary = obituaryOf(id);
    if (obituary === null && !isOld(cellCountsPath(run, id))) return [];
    return [{ id, snapshot: [...counts.snapshot, ...deathOf(counts.class, obituary)] }];
  });
  if (graves.length > 0 && mayWrite()) {
    const snapshot = addUp([left.snapshot, ...graves.map((grave) => grave.snapshot)]);
    const buried = [...left.buried, ...graves.map(({ id }) => id)].slice(-buriedIdsMax);
    writeAtomically(run.countsLeftFile, JSON.stringify({ snapshot, buried }));
    for (const { id } of graves) known.add(id);
  }
  for (const [id] of dead) if (known.has(id)) fs.rmSync(cellCountsPath(run, id), { force: true });
}

function deathOf(cellClass: CellClass, obituary: Obituary | null): Series[] {
  const death = { name: "cellws_deaths_total", labels: [cellClass, obituary?.cause ?? "unknown"], value: 1 } as const;
  if (obituary === null || obituary.reason === null) return [death];
  return [death, { name: "cellws_certificates_total", labels: [obituary.reason], value: 1 }];
}

function isOld(file: string): boolean {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > unexplainedMsMax;
}

function readAllCounts(run: RunDir): Map<string, CellCounts> {
  const all = new Map<string, CellCounts>();
  for (const id of listCellFiles(run, path.extname(cellCountsPath(run, "id")))) {
    const counts = readCounts(readText(cellCountsPath(run, id)));
    if (counts !== null) all.set(id, counts);
  }
  return all;
}

function readCounts(text: string | null): CellCounts | null {
  const value = parse(text);
  const { pid, startTicks, class: said, snapshot } = value;
  const cellClass = cellClasses.find((known) => known === said);
  if (typeof pid !== "number" || typeof startTicks !== "number" || cellClass === undefined) return null;
  return { pid, startTicks, class: cellClass, snapshot: readSnapshot(snapshot) };
}

function readLeft(run: RunDir): { snapshot: Snapshot; buried: readonly string[] } {
  const { snapshot, buried } = parse(readText(run.countsLeftFile));
  const ids = Array.isArray(buried) ? buried.filter((id) => typeof id === "string") : [];
  return { snapshot: readSnapshot(snapshot), buried: ids };
}

function parse(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
