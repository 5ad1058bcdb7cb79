/**
 * Hormones: typed signals that travel from mother to daughter or daughter to mother, lose strength at each hop, decay
 * with time and add up in the cell that they reach.
 *
 * Intuition: a cry for help in a large family. Those nearby hear it and act; far away it is a murmur, so not everybody
 * comes running. Deliberately not a broadcast, and deliberately lossy: what must not be lost is a record.
 *
 * All arithmetic is on integers: `Math.pow` may differ between V8 versions, and then a seed would not give its history.
 */
import type { CellId, SpecializedClass } from "./cell.ts";
import { specializedClasses } from "./cell.ts";
import {
  answerRefractoryMs,
  hormoneEpsilon,
  hormoneLevelMax,
  pulsesRememberedMax,
  pulseStrengthMax,
} from "./limits.ts";

/** One release of a growth hormone. */
export interface Pulse {
  /** Unique: the secreting cell and its count. Known pulses are not taken twice, also when links change under way. */
  readonly id: string;
  readonly origin: CellId;
  readonly class: SpecializedClass;
  /** 1 .. pulseStrengthMax * attenuation^hops, in units of hormone. */
  readonly strength: number;
  /** How many cells are wanted. The best-ranked that many stem cells answer, not all that hear. */
  readonly wanted: number;
  /** How many pulses before this one found no answer. */
  readonly unanswered: number;
  readonly hops: number;
}

export interface Level {
  readonly units: number;
  readonly atMs: number;
  /** How many cells the latest pulse asked for, less those that were seen to answer. */
  readonly wanted: number;
  /** How many pulses before the latest found no answer. */
  readonly unanswered: number;
  /** Who sent the latest; null before any. */
  readonly caller: CellId | null;
  /** Answers seen lately, and when the last of them. */
  readonly answers: number;
  readonly answeredMs: number;
}
export type Levels = Readonly<Record<SpecializedClass, Level>>;

export interface Hormones {
  readonly levels: Levels;
  /** Ids of the pulses taken in, oldest first. Invariant: length <= pulsesRememberedMax. */
  readonly seen: readonly string[];
}

export const noHormones: Hormones = {
  levels: Object.fromEntries(
    specializedClasses.map((c) => [
      c,
      { units: 0, atMs: 0, wanted: 0, unanswered: 0, caller: null, answers: 0, answeredMs: 0 },
    ]),
  ) as unknown as Levels,
  seen: [],
};

/** Takes a pulse in. Unchanged (the same object) when it was known or claims more than is possible. */
export function absorb(hormones: Hormones, pulse: Pulse, nowMs: number, halfLifeMs: number): Hormones {
  if (hormones.seen.includes(pulse.id)) return hormones;
  const level = hormones.levels[pulse.class];
  const units = Math.min(hormoneLevelMax, decayed(level, nowMs, halfLifeMs) + pulse.strength);
  // Its sender may not have heard yet of the last answers; what is still wanted is called for again in a moment.
  const wanted = Math.max(0, pulse.wanted - recentAnswers(level, nowMs));
  const felt: Level = { ...level, units, atMs: nowMs, wanted, unanswered: pulse.unanswered, caller: pulse.origin };
  return {
    levels: { ...hormones.levels, [pulse.class]: felt },
    seen: [...hormones.seen, pulse.id].slice(-pulsesRememberedMax),
  };
}

/** Somebody took the role that was called for. When the last place is taken, what is left of the hormone is spent. */
export function answered(hormones: Hormones, cellClass: SpecializedClass, nowMs: number): Hormones {
  const level = hormones.levels[cellClass];
  const wanted = Math.max(0, level.wanted - 1);
  const answers = recentAnswers(level, nowMs) + 1;
  const next: Level = { ...level, units: wanted === 0 ? 0 : level.units, wanted, answers, answeredMs: nowMs };
  return { ...hormones, levels: { ...hormones.levels, [cellClass]: next } };
}

function recentAnswers({ answers, answeredMs }: Level, nowMs: number): number {
  return answers > 0 && nowMs - answeredMs < answerRefractoryMs ? answers : 0;
}

/** The pulse as the next cell gets it, or undefined when it has become too weak to travel. */
export function attenuated(pulse: Pulse, attenuationMilli: number): Pulse | undefined {
  const strength = Math.floor((pulse.strength * attenuationMilli) / 1000);
  return strength < hormoneEpsilon ? undefined : { ...pulse, strength, hops: pulse.hops + 1 };
}

/** Whether a pulse claims no more strength than its hops allow: s0 * alpha^hops. */
export function isPlausible(pulse: Pulse, attenuationMilli: number): boolean {
  let bound = pulseStrengthMax;
  for (let hop = 0; hop < pulse.hops && bound > 0; hop += 1) bound = Math.floor((bound * attenuationMilli) / 1000);
  return pulse.strength <= bound;
}

/** Units left of a level at `nowMs`. */
export function decayed(level: Level, nowMs: number, halfLifeMs: number): number {
  const elapsedMs = nowMs - level.atMs;
  if (elapsedMs <= 0 || level.units === 0) return level.units;
  const halvings = Math.floor(elapsedMs / halfLifeMs);
  if (halvings > 40) return 0;
  const sixteenths = Math.floor(((elapsedMs - halvings * halfLifeMs) * 16) / halfLifeMs);
  const factor = halfLifeQ16[sixteenths] ?? 32_768;
  return Math.floor((level.units * factor) / 65_536 / 2 ** halvings);
}

/** 2^(-i/16) in 65,536ths, rounded down: a half-life in sixteen steps is finer than any period that reads it. */
const halfLifeQ16 = [
  65_536, 62_757, 60_096, 57_548, 55_108, 52_772, 50_535, 48_392, 46_340, 44_376, 42_494, 40_693, 38_967, 37_315,
  35_733, 34_218,
];
