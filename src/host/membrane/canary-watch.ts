/**
 * When canaries are sent, by whom, and when what they find is believed.
 *
 * B cells send them now and then, while clients ask anything (a sleeping organism is not woken by its own questions, and an
 * infected drone that nobody asks harms nobody). A B cell alone is no majority, and nobody votes on hearsay: so whoever hears
 * that a drone is suspected sends some of its own. A difference counts when it was there in two rounds, a moment apart.
 */
import type { CellId } from "../../core/cell.ts";
import type { AskDrone, CanaryRequest } from "./canary.ts";
import { sendCanary } from "./canary.ts";

export interface CanaryWatchOptions {
  readonly requests: readonly CanaryRequest[];
  readonly everyMs: number;
  readonly ask: AskDrone;
  /** Drones whose app may be asked and compared, without this cell. */
  readonly drones: () => readonly CellId[];
  readonly onFound: (drone: CellId, found: string) => void;
  readonly wait: (ms: number) => Promise<void>;
}

/** Between two rounds that must find the same. */
export const confirmMs = 500;
const roundsNeeded = 2;
/** Of a suspect so many siblings are asked; of all, so many in a round, in turn. */
const dronesPerRoundMax = 8;
/** Suspicions about one drone that are followed up: more often would be somebody's way to make us ask for ever. */
const followUpMsMin = 5_000;
const followedMax = 1_000;

export class CanaryWatch {
  readonly #options: CanaryWatchOptions;
  #isAsking = false;
  #askedMs = Number.NEGATIVE_INFINITY;
  #turn = 0;
  readonly #followedMs = new Map<CellId, number>();

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
    const drones = this.#options.drones();
    const lastMs = this.#followedMs.get(suspect) ?? Number.NEGATIVE_INFINITY;
    if (!drones.includes(suspect) || nowMs - lastMs < followUpMsMin || this.#isAsking) return;
    if (this.#followedMs.size >= followedMax) this.#followedMs.clear();
    this.#followedMs.set(suspect, nowMs);
    const siblings = drones.filter((drone) => drone !== suspect);
    void this.#judge([suspect, ...siblings.slice(0, dronesPerRoundMax - 1)]);
  }

  /** One at a time: what comes meanwhile is looked at in the next round. */
  async #judge(drones: readonly CellId[]): Promise<void> {
    const { requests, ask, onFound, wait } = this.#options;
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
        for (const [drone, text] of found) onFound(drone, text);
      }
    } finally {
      this.#isAsking = false;
    }
  }
}

/** Of two that differ nobody knows which is right. */
const dronesMin = 3;
