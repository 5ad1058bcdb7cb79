/**
 * How often what was measured fell under which bound: a histogram as Prometheus has it, but counted for each bucket by
 * itself, so that an observation is one addition. Whoever writes it out adds them up.
 */
import { assert } from "./assert.ts";

export class Histogram {
  /** Upper bounds, rising; what is above the last is counted too. */
  readonly bounds: readonly number[];
  /** One more than there are bounds. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    assert(
      bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] ?? 0)),
      "the bounds of a histogram rise",
    );
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    // A dozen bounds, and most values are small: walking beats halving.
    let i = 0;
    while (i < this.bounds.length && value > (this.bounds[i] as number)) i += 1;
    this.counts[i] = (this.counts[i] as number) + 1;
    this.sum += value;
  }

  get count(): number {
    return this.counts.reduce((a, b) => a + b, 0);
  }
}
