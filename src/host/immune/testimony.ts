/**
 * What a cell has seen of attackers and others, and has not told yet: marks and sightings between the request that they speak
 * of and their way to a T cell.
 *
 * Two rooms, because marks are worth more: a flood of harmless requests must not push the evidence out. Each is bounded; what
 * finds no room is lost, the newest first, for the oldest have waited longest to be told, and each loss is counted.
 */
import type { Mark, Sighting, Witness } from "../../immune/ledger/mark.ts";

export const testimonyLimits = {
  /** A second of a strong attack on one cell: a ban is due after some dozens. */
  marksMax: 2_048,
  sightingsMax: 4_096,
} as const;

export interface Untold {
  readonly marks: readonly Mark[];
  readonly sightings: readonly Sighting[];
}

export class Testimony implements Witness {
  #marks: Mark[] = [];
  #sightings: Sighting[] = [];
  /** Since this cell was born. */
  readonly lost = { marks: 0, sightings: 0 };

  mark(mark: Mark): void {
    if (this.#marks.length < testimonyLimits.marksMax) this.#marks.push(mark);
    else this.lost.marks += 1;
  }

  sight(sighting: Sighting): void {
    if (this.#sightings.length < testimonyLimits.sightingsMax) this.#sightings.push(sighting);
    else this.lost.sightings += 1;
  }

  get isEmpty(): boolean {
    return this.#marks.length === 0 && this.#sightings.length === 0;
  }

  /** All that there is, and begins anew. */
  take(): Untold {
    const untold = { marks: this.#marks, sightings: this.#sightings };
    this.#marks = [];
    this.#sightings = [];
    return untold;
  }
}
