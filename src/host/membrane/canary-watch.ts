/**
 * When canaries are sent, by whom, and when what they find is believed.
 *
 * B cells send them now and then, while clients ask anything (a sleeping organism is not woken by its own questions, and an
 * infected drone that nobody asks harms nobody). A B cell alone is no majority, and nobody votes on hearsay: so whoever hears
 * that a drone is suspected sends some of its own. A difference counts when it was there in two rounds, a moment apart.
 *
 * A drone asks itself as well, for its own answer is one that it can believe: of three, the two that are well could not judge the third
 * otherwise. And a suspicion travels only through those who find the same, so whoever stands between others must not be the
 * one who cannot tell, nor who missed it because it was busy just then: it looks again a few times.
 */
import type { CellId } from "../../core/cell.ts";
import type { AskDrone, CanaryRequest } from "./canary.ts";
import { sendCanary } from "./canary.ts";

export interface CanaryWatchOptions {
  readonly requests: readonly CanaryRequest[];
  readonly everyMs: number;
  readonly ask: AskDrone;
  readonly self: CellId;
  /** Drones whose app may be asked and compared; this cell too, where it is one. */
  readonly drones: () => readonly CellId[];
  readonly onFound: (drone: CellId, found: string) => void;
  readonly wait: (ms: number) => Promise<void>;
}

/** Between two rounds that must find the same. */
export const confirmMs = 500;
const roundsNeeded = 2;
/** Of a suspect so many siblings are asked; of all, so many in a round, in turn. */
const dronesPerRoundMax = 8;
/** Between two looks at one suspect: more often would be somebody's way to make us ask for ever. */
export const followUpMsMin = 5_000;
/** So many looks a suspicion is worth, if the first find nothing. */
export const followUpsMax = 3;
const followedMax = 1_000;

interface FollowUp {
  readonly looksLeft: number;
  readonly dueMs: number;
}

export class CanaryWatch {
  readonly #options: CanaryWatchOptions;
  #isAsking = false;
  #askedMs = Number.NEGATIVE_INFINITY;
  #turn = 0;
  readonly #followed = new Map<CellId, FollowUp>();

  constructor(options: CanaryWatchOptions) {
    this.#options = options;
  }

  /** To be called now and then, by whoever is to ask of its own accord. */
  look(nowMs: number): void {
    if (nowMs - this.#askedMs < this.#options.everyMs) return;
    this.#askedMs = nowMs;
    const drones = this.#options.drones();
    const from = drones.length <= dronesPerRoundMax ? 0 : this.#turn++ % drones.length;
    void this.#judge([...drones.slice(from), ...drones.slice(0, from)].slice(0, dronesPerRoundMax));
  }

  /** A relative suspects somebody, of whatever: have a look at whether that one is a drone that answers otherwise. */
  followUp(suspect: CellId, nowMs: number): void {
    if (suspect === this.#options.self || !this.#options.drones().includes(suspect)) return;
    const known = this.#followed.get(suspect);
    if (known === undefined || (known.looksLeft === 0 && nowMs >= known.dueMs)) {
      if (this.#followed.size >= followedMax) this.#followed.clear();
      this.#followed.set(suspect, { looksLeft: followUpsMax, dueMs: nowMs });
    }
    this.pursue(nowMs);
  }

  /** To be called now and then, by everybody: the next look at whom relatives suspect, if one is due. */
  pursue(nowMs: number): void {
    if (this.#isAsking) return;
    for (const [suspect, { looksLeft, dueMs }] of this.#followed) {
      if (looksLeft === 0 || nowMs < dueMs) continue;
      const drones = this.#options.drones();
      if (!drones.includes(suspect)) {
        // It is dead, or we have found what there was: else every turn would ask for it anew.
        this.#followed.delete(suspect);
        continue;
      }
      this.#followed.set(suspect, { looksLeft: looksLeft - 1, dueMs: nowMs + followUpMsMin });
      const siblings = drones.filter((drone) => drone !== suspect);
      return void this.#judge([suspect, ...siblings.slice(0, dronesPerRoundMax - 1)]);
    }
  }

  /** One at a time: what comes meanwhile is looked at in the next round. */
  async #judge(drones: readonly CellId[]): Promise<void> {
    const { requests, self, ask, onFound, wait } = this.#options;
    if (this.#isAsking || drones.length < dronesMin) return;
    this.#isAsking = true;
    try {
      for (const request of requests) {
        let found = await sendCanary(request, drones, ask);
        for (let round = 1; round < roundsNeeded && found.size > 0; round += 1) {
          await wait(confirmMs);
          const again = await sendCanary(request, drones, ask);
          found = new Map([...again].filter(([drone]) => found.has(drone)));
        }
        // Whom we should find ourselves to be is for the others to judge.
        for (const [drone, text] of found) if (drone !== self) onFound(drone, text);
      }
    } finally {
      this.#isAsking = false;
    }
  }
}

/** Of two that differ nobody knows which is right. */
const dronesMin = 3;
