/**
 * What each drone was given to answer lately, and what it still has: when a drone turns out to be infected, the hole that
 * somebody came through is in one of these requests.
 *
 * A ring for each drone, because that is what it costs: one small object a request, and no search. What is pushed out of the ring
 * while it is still in hand (a download, a tunnel, a shell that is kept waiting) is kept aside, within bounds. Of drones that are gone
 * the last is known for a while, too: the word of an infection may come after the axon's end.
 */
import { performance } from "node:perf_hooks";
import { machineNowMs } from "../../host/clock.ts";
import type { ExchangeRequest } from "../../http/message.ts";
import type { CarriedRequest } from "../../immune/report/infection.ts";
import { infectionLimits } from "../../immune/report/infection.ts";

/** A second's worth of a busy drone; looks come four times in it. */
export const ringLengthMax = 256;
/** Pushed out while it was in hand. */
const longOpenMax = 32;
const dronesMax = 256;

/** One request that a drone was given. Whoever was handed it says when the drone has it no more. */
export interface Given {
  isOpen: boolean;
}

interface Entry extends Given {
  readonly requestId: string;
  readonly client: string;
  readonly method: string;
  readonly target: string;
  readonly atMs: number;
}

export class Carried {
  /** By drone; whoever got nothing for longest is forgotten first. */
  readonly #drones = new Map<string, DroneRing>();

  note(droneId: string, { requestId, remoteAddress: client, method, target }: ExchangeRequest): Given {
    const entry: Entry = {
      requestId,
      client,
      method,
      target,
      atMs: Math.round(performance.now() + machinesMs),
      isOpen: true,
    };
    this.#ringOf(droneId).push(entry);
    return entry;
  }

  /** What it has in hand first, then the latest; as many as a word of it takes. */
  of(droneId: string): CarriedRequest[] {
    return (this.#drones.get(droneId)?.entries() ?? [])
      .sort((a, b) => Number(b.isOpen) - Number(a.isOpen) || b.atMs - a.atMs)
      .slice(0, infectionLimits.requestsMax)
      .map(({ target, ...entry }) => ({ ...entry, path: target.split("?", 1)[0]! }));
  }

  #ringOf(droneId: string): DroneRing {
    let ring = this.#drones.get(droneId);
    if (ring !== undefined) return ring;
    if (this.#drones.size >= dronesMax) this.#drones.delete(this.#drones.keys().next().value!);
    ring = new DroneRing();
    this.#drones.set(droneId, ring);
    return ring;
  }
}

class DroneRing {
  readonly #ring: Entry[] = [];
  #next = 0;
  #longOpen: Entry[] = [];

  push(entry: Entry): void {
    const old = this.#ring[this.#next];
    if (old?.isOpen === true) this.#setAside(old);
    this.#ring[this.#next] = entry;
    this.#next = (this.#next + 1) % ringLengthMax;
  }

  entries(): Entry[] {
    return [...this.#longOpen.filter(({ isOpen }) => isOpen), ...this.#ring];
  }

  #setAside(entry: Entry): void {
    if (this.#longOpen.length >= longOpenMax) this.#longOpen = this.#longOpen.filter(({ isOpen }) => isOpen);
    if (this.#longOpen.length < longOpenMax) this.#longOpen.push(entry);
  }
}

/** From this process's clock to the machine's, which all its processes share. */
const machinesMs = machineNowMs() - performance.now();
