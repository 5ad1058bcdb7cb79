/** An organism as a benchmark watches it: through the same questions that `cellws ps` asks, without a process for each look. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CellClass } from "../../src/core/cell.ts";
import { runDir } from "../../src/host/run-dir.ts";
import { surveyOrganism } from "../../src/host/survey.ts";
import type { SurveyedCell } from "../../src/wire/survey.ts";
import type { Organism } from "../../test/e2e/organism.ts";

export type Wanted = Partial<Record<CellClass, number>>;

/** Who lives, as the cells themselves say. */
export async function cellsOf(organism: Organism): Promise<SurveyedCell[]> {
  const run = runDir(organism.name, join(organism.home, "run", "cellws"));
  const { survey } = await surveyOrganism(run, { timeoutMs: askMs });
  return survey.cells;
}

const askMs = 500;

/** Whether at least those are there whom `wanted` names (a pool may hold some stem cells too many), and nobody is listed who is not well. */
export function isWhole(cells: readonly SurveyedCell[], wanted: Wanted): boolean {
  const count = (cellClass: string): number => cells.filter((cell) => cell.class === cellClass).length;
  return (
    cells.every(({ state }) => state === "live") &&
    Object.entries(wanted).every(([cellClass, number]) => count(cellClass) >= number)
  );
}

/** Looks until the organism is whole. Null: it was not by then. */
export async function untilWhole(
  organism: Organism,
  wanted: Wanted,
  { everyMs, msMax }: { everyMs: number; msMax: number },
): Promise<SurveyedCell[] | null> {
  const deadlineMs = performance.now() + msMax;
  for (;;) {
    const cells = await cellsOf(organism);
    if (isWhole(cells, wanted)) return cells;
    if (performance.now() > deadlineMs) return null;
    await sleep(everyMs);
  }
}
