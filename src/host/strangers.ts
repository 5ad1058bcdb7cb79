/**
 * Who lives in the run directory, whether this cell has heard of it or not: for one that is about to grow the organism anew
 * (core/solitude.ts).
 */
import path from "node:path";
import type { CellId } from "../core/cell.ts";
import type { Stranger } from "../core/solitude.ts";
import { strangerOf } from "../core/solitude.ts";
import { askCell, CONCURRENT_QUESTIONS_MAX, mapBounded } from "./control-client.ts";
import type { CellSocket, RunDir } from "./run-dir.ts";
import { listCellSockets } from "./run-dir.ts";

export interface Seeker {
  readonly organism: string;
  readonly id: CellId;
  /** Whether drones are another user, who may put in its folder what it likes. */
  readonly hasGuests: boolean;
  readonly timeoutMs: number;
  readonly isStranger: (id: CellId) => boolean;
}

/**
 * Knocks at the doors of all whom the seeker does not know, for `timeoutMs` at most. Most are dead cells' that nobody has cleared away, and
 * refuse at once; one that is silent hangs, and grows nothing. Where the directory cannot be read (a guest's, or a
 * confined drone's) there is nobody.
 */
export async function seekStrangers(run: RunDir, seeker: Seeker): Promise<readonly Stranger[]> {
  const { organism, id: us, hasGuests, timeoutMs, isStranger } = seeker;
  const isTrusted = (door: CellSocket): boolean => !hasGuests || path.dirname(door.path) === run.cellsDir;
  const doors = sockets(run).filter((door) => isStranger(door.id) && isTrusted(door));
  const answers = await mapBounded(doors, CONCURRENT_QUESTIONS_MAX, async (door) => {
    const outcome = await askCell(door.path, { op: "vitals" }, { timeoutMs });
    if (outcome.kind !== "reply" || !outcome.reply.ok || outcome.reply.op !== "vitals") return [];
    const { organism: its, self, others } = outcome.reply;
    return its === organism && self.id === door.id ? [strangerOf(door.id, [self, ...others], us)] : [];
  });
  return answers.flat();
}

function sockets(run: RunDir): CellSocket[] {
  try {
    return listCellSockets(run);
  } catch {
    return [];
  }
}
