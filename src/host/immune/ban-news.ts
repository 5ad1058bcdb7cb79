/**
 * Which bans on record are no news any more: those that are over, and those that everybody has had the time to hear of and
 * that are kept in the memory, where whoever is born later finds them. Records are for news; a hundred thousand bans would
 * make each newborn's inventory too long for its link.
 *
 * All cells of a host judge by the same wall clock, so that they forget at about the same time and do not tell each other
 * of the same bans for ever.
 */
import fs from "node:fs";
import type { State } from "../../core/state.ts";
import { stateDir } from "./state-dir.ts";

/** A newborn that was told the records, or a link that was mended, has looked into the memory by then. */
export const newsMs = 600_000;
const lookEveryMs = 1_000;

export class BanNews {
  readonly #memoryFile: string;
  readonly #isKept: boolean | null;
  #lookedMs = -Infinity;

  /** `isKept`: for a cell that may not look, what others would find. */
  constructor(name: string, isKept: boolean | null = null) {
    this.#memoryFile = stateDir(name).memoryFile;
    this.#isKept = isKept;
  }

  /** Keys of those that may go. Looks at most once a second. */
  old({ bans, records }: Pick<State, "bans" | "records">, nowMs: number, wallMs: number): string[] {
    if (bans.length === 0 || nowMs - this.#lookedMs < lookEveryMs) return [];
    this.#lookedMs = nowMs;
    const isKept = this.#isKept ?? fs.existsSync(this.#memoryFile);
    return bans.filter((key) => {
      const body = records.get(key)?.body;
      if (body?.kind !== "ban") return true;
      return wallMs >= body.untilMs || (isKept && wallMs - body.issuedAtMs >= newsMs);
    });
  }
}
