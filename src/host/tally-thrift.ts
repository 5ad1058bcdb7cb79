/**
 * Which tallies need not be told, because the relative knows as much already.
 *
 * The mind tells each relative four times a second how this side of the link fares, and goes by the last that it heard for
 * `tallyFreshMs`. At rest that is the same each time but for what grows by itself, a kilobyte to write, read and check. What
 * has changed is told at once as ever; what has not, often enough that it stays fresh even if one comes very late.
 */
import type { CellClass, CellId } from "../core/cell.ts";
import { cellClasses } from "../core/cell.ts";
import { tallyFreshMs } from "../core/limits.ts";
import type { KinMessage } from "../core/message.ts";
import type { ClassTally } from "../core/tally.ts";

type TallyMessage = KinMessage & { readonly type: "tally" };

/** Told again after half of the time for which it counts, whatever it says. */
export const repeatMs = tallyFreshMs / 2;
/** In thousandths: less of a change than this is told with the next repetition. A deadband of growth is three times as wide. */
export const changeMilliMin = 30;

export class TallyThrift {
  readonly #told = new Map<CellId, { readonly message: TallyMessage; readonly atMs: number }>();

  /** Whether it is worth sending now; if so it is taken as sent. */
  isNews(to: CellId, message: TallyMessage, nowMs: number): boolean {
    const told = this.#told.get(to);
    if (told !== undefined && nowMs - told.atMs < repeatMs && isKnown(told.message, message)) return false;
    this.#told.set(to, { message, atMs: nowMs });
    return true;
  }

  /** Another link to the same cell: it may have heard nothing. */
  forget(to: CellId): void {
    this.#told.delete(to);
  }
}

function isKnown(told: TallyMessage, now: TallyMessage): boolean {
  return (
    told.digest === now.digest &&
    told.toTCell === now.toTCell &&
    cellClasses.every((cellClass: CellClass) => isMuchTheSame(told.tally[cellClass], now.tally[cellClass]))
  );
}

function isMuchTheSame(told: ClassTally, now: ClassTally): boolean {
  return (
    told.cells === now.cells &&
    told.inFlight === now.inFlight &&
    told.queued === now.queued &&
    told.queueMs === now.queueMs &&
    told.marks === now.marks &&
    told.came === now.came &&
    told.done === now.done &&
    told.unready === now.unready &&
    // Quiet that has only gone on is understood; that it has ended is news.
    now.quietMs >= told.quietMs &&
    isNear(told.loadMilli, now.loadMilli) &&
    isNear(told.memoryMilli, now.memoryMilli) &&
    isNear(told.throttledMilli, now.throttledMilli)
  );
}

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) < changeMilliMin;
}
