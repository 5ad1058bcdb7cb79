/** The numbers of the DNA that decisions depend on. The host fills them from the user's DNA; the simulator at will. */
import type { CellClass, SpecializedClass } from "./cell.ts";

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
    /** Memory in use, in thousandths of what may be used, from which on nothing grows beyond its minimum. */
    readonly memoryMilliMax: number;
  };
  /** From which on a cell is worn out, and replaced. 0: never for this reason. */
  readonly wear: {
    readonly rssBytesMax: Readonly<Record<CellClass, number>>;
    /** Open descriptors, in thousandths of those that the process may have. */
    readonly descriptorMilliMax: Readonly<Record<CellClass, number>>;
    readonly ageMsMax: number;
  };
  /** Without a request for so long the organism goes back to being an egg. 0: never. */
  readonly dormancyIdleMs: number;
  readonly restarts: {
    /** Wait after the first failed start of the app; doubles with each further one. */
    readonly backoffMsMin: number;
    readonly backoffMsMax: number;
    /** Attempts within `windowMs` after which the organism waits out the window. */
    readonly budget: number;
    readonly windowMs: number;
  };
}
