/**
 * The state of one exchange while compiled rules look at it: what is known of its values, where a phase was stopped,
 * and how much its patterns may still cost.
 */
import type { Phase } from "../rule.ts";
import type { VariableName } from "../variable-names.ts";
import type { CompiledPhase, CompiledRules } from "./compile.ts";
import type { Reading } from "./reading.ts";
import type { Candidates } from "./screen-table.ts";

/** A value with its full name: `ARGS:q`. */
export interface MatchedValue {
  readonly name: string;
  readonly value: string;
}

/** Of one exchange. */
export interface Evaluation {
  readonly compiled: CompiledRules;
  readonly meter: { left: number };
  view: View | null;
  /** Where a stopped phase goes on. */
  paused: Pause | null;
  overrun: boolean;
  phasesBegun: number;
  /** So far the exchange went as fold.ts supposes. */
  isOrderly: boolean;
}

/** What is known of the exchange's values in one phase. */
export interface View {
  readonly phase: Phase;
  readonly compiled: CompiledPhase;
  /** Readings of values that are no use beyond this exchange. */
  readonly readings: Map<string, Reading>;
  readonly variables: Map<VariableName, readonly Value[]>;
  /** By the parts' numbers. */
  readonly parts: Array<readonly Value[] | undefined>;
  /** By the spots' numbers: the candidates of all values of a part together, as a chain shows them. */
  readonly candidates: Array<Candidates | undefined>;
}

export interface Value {
  readonly variable: VariableName;
  readonly key: string;
  readonly reading: Reading;
}

export interface Pause {
  readonly phase: Phase;
  readonly step: number;
  readonly link: number;
  /** What the first link matched. */
  readonly values: readonly MatchedValue[] | null;
}

export function openEvaluation(compiled: CompiledRules): Evaluation {
  return {
    compiled,
    meter: { left: STEPS_BASE },
    view: null,
    paused: null,
    overrun: false,
    phasesBegun: 0,
    isOrderly: false,
  };
}

/**
 * Steps that an exchange may cost: so many, and so many for each byte that is looked at. A step is some 5 ns, so this
 * is 8 ms, and 1.2 us a byte. Prose, the dearest of harmless values, needs some 80 steps a byte with all of the Core
 * Rule Set's rules; the worst of 8 KB that a search found (scripts/fuzz-regex.ts) 370.
 */
const STEPS_BASE = 1_500_000;
const STEPS_PER_BYTE = 250;

/** More bytes to look at give more steps to do it with. */
export function allowFor(evaluation: Evaluation, bytes: number): void {
  evaluation.meter.left += bytes * STEPS_PER_BYTE;
}
