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
import type { Candidates } from "./screen-table.ts";

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
  readonly checks: number[];
  /** The least that any of its checks must see. */
  bytesMin: number;
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

/** To the checks of a part. `words`: the length of candidate sets. */
export function addCheck(
  { groups }: Part,
  { chain, each }: Way,
  { word, bit, needs: { bytesMin } }: { readonly word: number; readonly bit: number; readonly needs: Needs },
  words: number,
): void {
  let group = groups.find((other) => other.chain === chain && other.each === each);
  if (group === undefined) {
    group = { chain, each, checks: Array.from({ length: words }, () => 0), bytesMin };
    groups.push(group);
  }
  group.checks[word]! |= bit;
  group.bytesMin = Math.min(group.bytesMin, bytesMin);
}

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
  from: number,
  isEnough: (chars: number) => boolean,
): number {
  const { untouched, touched } = planFor(part, reading.profile);
  if (from === 0) add(into, reading.candidates, untouched);
  for (let index = from; index < touched.length; index += 1) {
    const { chain, each, checks, charsMin } = touched[index]!;
    if (reading.text.length < charsMin) continue;
    if (each) {
      for (const stage of reading.stages(chain, charsMin)) {
        if (stage.text.length >= charsMin) add(into, stage.candidatesAmong(checks), checks);
      }
    } else add(into, reading.through(chain).candidates, checks);
    if (isEnough(reading.text.length) && index + 1 < touched.length) return index + 1;
  }
  return JOINED;
}

function add(into: number[], candidates: Candidates, checks: Candidates): void {
  for (let word = 0; word < into.length; word += 1) into[word]! |= candidates[word]! & checks[word]!;
}

function unite(into: number[], checks: Candidates): void {
  for (const [word, bits] of checks.entries()) into[word]! |= bits;
}

function planFor({ groups, plans }: Part, profile: number): Plan {
  const known = plans.get(profile);
  if (known !== undefined) return known;
  const untouched = groups[0]?.checks.map(() => 0) ?? [];
  const touched = new Map<string, Touched>();
  for (const { chain, each, checks, bytesMin } of groups) {
    const effect = effectOf(chain, profile);
    if (effect.length === 0) {
      unite(untouched, checks);
      continue;
    }
    const charsMin = mayLengthen(chain, profile) ? 0 : bytesMin;
    const key = `${each ? "each " : ""}${effect.join()}`;
    const same = touched.get(key);
    if (same === undefined) {
      touched.set(key, { chain, each, checks: checks.slice(), charsMin });
    } else {
      unite(same.checks, checks);
      same.charsMin = Math.min(same.charsMin, charsMin);
    }
  }
  const plan = { untouched, touched: [...touched.values()] };
  if (plans.size >= PLANS_MAX) plans.clear();
  plans.set(profile, plan);
  return plan;
}
