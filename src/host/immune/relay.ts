/**
 * Carries testimony over kin links, hop by hop, towards the nearest T cell. The mind knows the way (core/testimony.ts); this
 * carries, past the mind, what may be thousands of marks a second.
 *
 * What is of an attacker leaves at the end of this turn of the event loop, all of the turn together, and what comes right
 * after it within `burstMs`, so that a link carries some hundred messages a second at most; the rest within `calmMs`. Nothing is sent to a relative that does not read: it waits here then, as it does where there is no T cell,
 * within the bounds of testimony.ts. What has made too many hops goes nowhere any more, and is counted.
 */
import { performance } from "node:perf_hooks";
import type { CellId } from "../../core/cell.ts";
import { testimonyHopsMax } from "../../core/limits.ts";
import type { Testified } from "../../wire/testimony.ts";
import { inBatches, type Testimony } from "./testimony.ts";

/** How long harmless sightings are gathered. Well under what a T cell needs to see whether a network is mostly clean. */
const calmMs = 200;

/** Between two deliveries of urgent testimony. */
const burstMs = 5;

export interface RelayOptions {
  readonly self: CellId;
  readonly testimony: Testimony;
  /** A relative, this cell itself, or nowhere yet. */
  readonly way: () => CellId | null;
  /** False: that relative cannot take anything now. */
  readonly send: (to: CellId, batches: readonly Testified[]) => boolean;
}

export class Relay {
  readonly #options: RelayOptions;
  #take: ((testified: Testified) => void) | null = null;
  #isFlushDue = false;
  #flushedMs = -Infinity;
  #calmTimer: NodeJS.Timeout | null = null;

  constructor(options: RelayOptions) {
    this.#options = options;
    options.testimony.onNews = (urgent) => (urgent ? this.#flushSoon() : this.#flushCalmly());
  }

  /** This cell is a T cell now, and takes what comes; null: it is none any more. */
  deliverTo(take: ((testified: Testified) => void) | null): void {
    this.#take = take;
    this.flush();
  }

  /** From kin. */
  receive(testified: Testified): void {
    this.#options.testimony.passOn(testified);
  }

  /** Sends on what there is, if there is a way. To be called now and then, too: ways change. */
  flush(): void {
    const { self, testimony, way, send } = this.#options;
    if (testimony.isEmpty) return;
    const to = way();
    if (to === null || (to === self && this.#take === null)) return;
    if (testimony.hops >= testimonyHopsMax) return testimony.drop();
    if (to !== self) {
      // Only what can be sent is taken out.
      if (send(to, [])) send(to, inBatches(testimony.take()));
      return;
    }
    this.#take?.(testimony.take());
  }

  stop(): void {
    if (this.#calmTimer !== null) clearTimeout(this.#calmTimer);
    this.#calmTimer = null;
    this.#take = null;
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    const nowMs = performance.now();
    const flush = (): void => {
      this.#isFlushDue = false;
      this.#flushedMs = performance.now();
      this.flush();
    };
    if (nowMs - this.#flushedMs >= burstMs) setImmediate(flush);
    else setTimeout(flush, burstMs).unref();
  }

  #flushCalmly(): void {
    if (this.#calmTimer !== null) return;
    this.#calmTimer = setTimeout(() => {
      this.#calmTimer = null;
      this.flush();
    }, calmMs);
    this.#calmTimer.unref();
  }
}
