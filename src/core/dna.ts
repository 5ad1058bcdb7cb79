/** The numbers of the DNA that decisions depend on. The host fills them from the user's DNA; the simulator at will. */
import type { SpecializedClass } from "./cell.ts";

export interface CoreDna {
  /** Stem cells at rest. */
  readonly stemPool: number;
  /** Bounds of each class. Invariant: 0 <= min <= max. */
  readonly population: Readonly<Record<SpecializedClass, { readonly min: number; readonly max: number }>>;
  /** Living daughters that one cell may have before births are handed down. */
  readonly daughtersMax: number;
  /** Thousandths that a hormone keeps at each hop, 1..999. */
  readonly attenuationMilli: number;
  readonly hormoneHalfLifeMs: number;
  /** How long requests in flight may take when the organism is told to stop. */
  readonly drainMsMax: number;
  /** A drone that computes without answering is accused after this. */
  readonly hangMs: number;
  /** Utilization in thousandths; invariant: to shrink < to grow. */
  readonly growth: {
    readonly utilizationToGrowMilli: number;
    readonly utilizationToShrinkMilli: number;
    readonly queueMsTarget: number;
    readonly stableWindowMs: number;
    readonly panicWindowMs: number;
  };
  readonly restarts: {
    /** Wait after the first failed start of the app; doubles with each further one. */
    readonly backoffMsMin: number;
    readonly backoffMsMax: number;
    /** Attempts within `windowMs` after which the organism waits out the window. */
    readonly budget: number;
    readonly windowMs: number;
  };
}
