/**
 * What cells' processes use, for the mind to judge who is worn out. It asks about each cell several times a second, and whoever is
 * worn out is that for ten seconds before anybody acts on it; so what is dear to read is read less often.
 */
import type { CellId } from "../core/cell.ts";
import type { Wear } from "../core/wear.ts";
import type { ProcStat } from "./proc.ts";
import { readDescriptorMilli } from "./proc.ts";

export const descriptorsEveryMs = 2_000;

export class WearGauge {
  readonly #read: typeof readDescriptorMilli;
  readonly #known = new Map<CellId, { readonly startTicks: number; readonly milli: number; readonly atMs: number }>();

  constructor(read = readDescriptorMilli) {
    this.#read = read;
  }

  /** Of a cell whose process has just been looked at. */
  read(id: CellId, { pid, startTicks, rssBytes }: ProcStat, nowMs: number): Wear {
    const known = this.#known.get(id);
    if (known !== undefined && known.startTicks === startTicks && nowMs - known.atMs < descriptorsEveryMs)
      return { rssBytes, descriptorMilli: known.milli };
    const milli = this.#read(pid);
    this.#known.set(id, { startTicks, milli, atMs: nowMs });
    return { rssBytes, descriptorMilli: milli };
  }

  /** Lets go of all but these. */
  keep(isAlive: (id: CellId) => boolean): void {
    for (const id of this.#known.keys()) if (!isAlive(id)) this.#known.delete(id);
  }
}
