/**
 * What rules look at is cut into *parts*: one target, with what the same rule excludes from it. Many rules share a part,
 * and each takes its values through its own chain of transformations: a *group* is the checks that take one way.
 *
 * So whatever rules ask of a value can be found in one go (join): which of all the checks that look at its part have a
 * chance on it. Most values hold nothing that any transformation looks for. Then the value itself is looked at once,
 * and nothing is transformed; which groups a value is spared depends on its profile alone, and is kept (`plans`).
 */
import type { Target } from "../ast.ts";
import { keyOf, nameOf } from "../rule-values.ts";
import type { Chain } from "./chains.ts";
import { effectOf, mayLengthen } from "./chains.ts";
import type { Needs } from "./needs.ts";
import type { Reading } from "./reading.ts";
import type { Candidates, ScreenTable } from "./screen-table.ts";

export interface Part {
  readonly index: number;
  readonly target: Target;
  readonly exclusions: readonly Target[];
  /** What a count of its values is told under. */
  readonly countName: string;
  readonly groups: Group[];
  readonly plans: Map<number, Plan>;
}

export interface Group {
  readonly chain: Chain;
  /** Its checks are asked after each transformation, not only after the last. */
  readonly each: boolean;
  readonly checks: GroupCheck[];
}

interface GroupCheck {
  /** Where its bit is in candidate sets. */
  readonly word: number;
  readonly bit: number;
  readonly needs: Needs;
}

/** For the values of one profile. */
interface Plan {
  /** Checks whose transformations change nothing. */
  readonly untouched: Candidates;
  readonly touched: readonly Touched[];
}

/** The checks of all groups that make the same of a value, and how: the chain of one of them. */
interface Touched {
  readonly chain: Chain;
  /** All that changes is the case of letters: what was found in the value is found in what the chain makes of it. */
  readonly isCaseOnly: boolean;
  readonly each: boolean;
  readonly checks: number[];
  /** A shorter value, or stage of it, has no chance with any of them. */
  charsMin: number;
}

/** Profiles of one part whose plans are kept: they are the client's to choose. Ordinary traffic has some dozens. */
const PLANS_MAX = 200;

export function openPart(index: number, target: Target, exclusions: readonly Target[]): Part {
  const countName = `&${nameOf(target, keyOf(target))}`;
  return { index, target, exclusions, countName, groups: [], plans: new Map() };
}

export interface Way {
  readonly chain: Chain;
  readonly each: boolean;
}

/** To the checks of a part. */
export function addCheck({ groups }: Part, { chain, each }: Way, { word, bit, needs }: GroupCheck): void {
  let group = groups.find((other) => other.chain === chain && other.each === each);
  if (group === undefined) {
    group = { chain, each, checks: [] };
    groups.push(group);
  }
  group.checks.push({ word, bit, needs });
}

/** Told of each piece of work: the characters that were gone through, and steps beside them. True: pause here. */
export type IsEnough = (chars: number, aside: number) => boolean;

/** About 20 us. A client can send ever other profiles. */
const PLAN_STEPS = 4000;
/** Of one way of transforming a short value: 0.2 us. */
const WAY_STEPS = 40;

/** How far a value has been joined, where that takes long enough to be stopped: groups still to be looked at. */
export const JOINED = -1;

/**
 * Adds to `into` the part's checks that have a chance on the value. Gives JOINED, or, once `isEnough` says so, the
 * place to go on from: then it is to be called with that again.
 */
export function join(
  into: number[],
  reading: Reading,
  part: Part,
  table: ScreenTable,
  from: number,
  isEnough: IsEnough,
): number {
  const known = part.plans.get(reading.profile);
  const { untouched, touched } = known ?? planFor(part, reading.profile, table);
  if (from === 0) add(into, reading.candidates, untouched);
  if (known === undefined && isEnough(0, PLAN_STEPS)) return 0;
  for (let index = from; index < touched.length; index += 1) {
    const { chain, each, checks, charsMin, isCaseOnly } = touched[index]!;
    if (reading.text.length < charsMin) continue;
    if (isCaseOnly) {
      // The profile has been looked at, when the plan was made.
      add(into, reading.found, checks);
      continue;
    }
    if (each) {
      for (const stage of reading.stages(chain, charsMin)) {
        if (stage.text.length >= charsMin) add(into, stage.candidatesAmong(checks), checks);
      }
    } else add(into, reading.through(chain).candidates, checks);
    if (isEnough(reading.text.length, WAY_STEPS) && index + 1 < touched.length) return index + 1;
  }
  return JOINED;
}

function add(into: number[], candidates: Candidates, checks: Candidates): void {
  for (let word = 0; word < into.length; word += 1) into[word]! |= candidates[word]! & checks[word]!;
}

function planFor({ groups, plans }: Part, profile: number, table: ScreenTable): Plan {
  const untouched = table.none.slice();
  const touched = new Map<string, Touched>();
  for (const { chain, each, checks } of groups) {
    const effect = effectOf(chain, profile);
    if (effect.names.length === 0) {
      for (const { word, bit } of checks) untouched[word]! |= bit;
      continue;
    }
    // Whatever the chain makes of the value, most checks want bytes that it will not hold.
    const allowed = table.allowed(effect.profile);
    const possible = checks.filter(({ word, bit }) => (allowed[word]! & bit) !== 0);
    if (possible.length === 0) continue;
    const key = `${each ? "each " : ""}${effect.names.join()}`;
    let same = touched.get(key);
    if (same === undefined) {
      const isCaseOnly = effect.names.every((name) => name === "lowercase" || name === "uppercase");
      same = { chain, each, isCaseOnly, checks: table.none.slice(), charsMin: Infinity };
      touched.set(key, same);
    }
    if (mayLengthen(chain, profile)) same.charsMin = 0;
    for (const { word, bit, needs } of possible) {
      same.checks[word]! |= bit;
      same.charsMin = Math.min(same.charsMin, needs.bytesMin);
    }
  }
  const plan = { untouched, touched: [...touched.values()] };
  if (plans.size >= PLANS_MAX) plans.clear();
  plans.set(profile, plan);
  return plan;
}
