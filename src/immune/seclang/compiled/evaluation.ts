/**
 * The state of one exchange while compiled rules look at it: what is known of its values, where a phase was stopped,
 * and how much its patterns may still cost.
 */
import type { Match } from "../operators/kind.ts";
import type { Phase, Rule } from "../rule.ts";
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
  /** Steps of this turn that no byte of the exchange pays for: what is made for it and kept for others too. */
  aside: number;
  view: View | null;
  /** Where a stopped phase goes on. */
  paused: Pause | null;
  overrun: boolean;
  phasesBegun: number;
  /** So far the exchange went as fold.ts supposes. */
  isOrderly: boolean;
  /** Of the transaction's removed rules, how many have been looked at for whether they leave it so. */
  removalsSeen: number;
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
  /** By the parts' numbers: the checks that have a chance on any value of the part. */
  readonly lives: Array<Candidates | undefined>;
  /** Those that have one on any value that the phase looks at, of the checks by which its steps begin; null: not known. */
  live: Candidates | null;
  /** The part whose values were being joined when a phase was stopped. */
  joining: Joining | null;
  /** The link whose values were being asked about then. */
  asking: Asking | null;
}

export interface Joining {
  readonly part: number;
  readonly joined: number[];
  /** The place of the value to go on with, and of the way among those that it is taken through. */
  value: number;
  group: number;
}

export class Value {
  readonly variable: VariableName;
  readonly key: string;
  readonly reading: Reading;
  #lowerKey: string | null = null;

  constructor(variable: VariableName, key: string, reading: Reading) {
    this.variable = variable;
    this.key = key;
    this.reading = reading;
  }

  get lowerKey(): string {
    this.#lowerKey ??= this.key.toLowerCase();
    return this.#lowerKey;
  }
}

export interface Asking {
  readonly rule: Rule;
  readonly sources: readonly ValueSource[];
  /** The places of the source and of the value to go on with. */
  readonly source: number;
  readonly value: number;
  readonly findings: Finding[];
}

/** Values to be asked about, and the number of the part that they are of; NO_PART where they are of several. */
export interface ValueSource {
  readonly part: number;
  readonly values: readonly Value[];
}

export const NO_PART = -1;

/** A value that a rule matches. */
export interface Finding {
  readonly value: Value;
  readonly stage: Reading;
  readonly match: Match | null;
}

export interface Pause {
  readonly phase: Phase;
  readonly step: number;
  /** In a link of the step, and not before it. */
  readonly isWithin: boolean;
  readonly link: number;
  /** What the first link matched. */
  readonly values: readonly MatchedValue[] | null;
}

export function openEvaluation(compiled: CompiledRules): Evaluation {
  return {
    compiled,
    meter: { left: STEPS_BASE },
    aside: 0,
    view: null,
    paused: null,
    overrun: false,
    phasesBegun: 0,
    isOrderly: false,
    removalsSeen: 0,
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
