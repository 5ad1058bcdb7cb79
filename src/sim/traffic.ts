/**
 * Who knocks: connections at random moments, in so far as they keep an organism awake. One is taken by a B cell that goes about
 * its work, or by an egg that listens, or it waits in the kernel's queue until somebody does; nothing else can become of it.
 * What is in the requests, and whether they are answered, is not modelled here (sim/workload.ts does).
 */
import type { Prng } from "../lib/prng.ts";
import { prngBelow, prngFrom } from "../lib/prng.ts";
import type { CellClass, CellId } from "../core/cell.ts";
import { quietMsMax } from "../core/limits.ts";
import type { State } from "../core/state.ts";
import type { World } from "./world.ts";

export class Traffic {
  /** How often somebody knocks: at each look, now and then, or not at all. */
  flow: "steady" | "sparse" | "none" = "sparse";
  /** Connections in the kernel's queue. */
  waiting = 0;
  readonly #world: World;
  /** When each B cell last had something to do. */
  readonly #busyMs = new Map<CellId, number>();
  #prng: Prng;

  constructor(world: World, seed: number) {
    this.#world = world;
    this.#prng = prngFrom(seed, 0x7aff1c);
  }

  /** Lets those in who knock now, and those who have waited. */
  pass(): void {
    const knocks = this.#below(60) === 0;
    if (this.flow === "steady" || (this.flow === "sparse" && knocks)) this.waiting += 1;
    if (this.waiting === 0) return;
    const takers = this.#world.living().filter((state) => this.#takes(state));
    const taker = takers[this.#below(Math.max(1, takers.length))];
    if (taker === undefined) return;
    this.waiting = 0;
    this.#busyMs.set(taker.self, this.#world.nowMs + this.#below(requestMsMax));
    if (taker.class === "egg") this.#world.tell(taker.self, { type: "first-connection" });
  }

  quietMsOf(id: CellId, cellClass: CellClass): number {
    if (cellClass !== "b-cell") return quietMsMax;
    const { nowMs } = this.#world;
    // A new one takes it that there was just a request.
    const busyMs = this.#busyMs.get(id) ?? nowMs;
    this.#busyMs.set(id, busyMs);
    return Math.max(0, nowMs - busyMs);
  }

  /** B cells until they leave, and eggs while no B cell does, as far as they know. */
  #takes({ self, class: cellClass, phase, alive }: State): boolean {
    if (this.#world.cells.get(self)?.halted !== null || phase === "ended") return false;
    if (cellClass === "b-cell") return phase === "living";
    const isAttended = [...alive.values()].some((cell) => cell.class === "b-cell" && cell.state !== "draining");
    return cellClass === "egg" && phase === "dormant" && !isAttended;
  }

  #below(bound: number): number {
    const [value, next] = prngBelow(this.#prng, bound);
    this.#prng = next;
    return value;
  }
}

const requestMsMax = 2_000;
