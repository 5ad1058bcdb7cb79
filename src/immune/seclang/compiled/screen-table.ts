/**
 * Says which checks need to be run on a value at all: one search over the texts that they require, the classes of
 * bytes that they require, and the value's length give a set of *candidates*, a bit for each check.
 *
 * It may only ever spare work: with and without it the same rules match, which tests compare.
 */
import { buildPhraseFinder, finderFrom } from "../aho-corasick.ts";
import type { Facts } from "./facts.ts";
import type { Needs } from "./needs.ts";

/** Bits of a number in a candidate set. 30, so that each is a small integer to V8 and the set a plain array. */
export const WORD_BITS = 30;

export type Candidates = readonly number[];

export interface ScreenTable {
  /** The checks that have a chance on this value. The array may be shared: copy it to change it. */
  readonly candidates: (text: string, profile: number) => Candidates;
  /** The same of some checks, of which most values have none: then the profile is not asked for. */
  readonly candidatesAmong: (checks: Candidates, text: string, profile: () => number) => Candidates;
  /**
   * The first text of a check that stands in a value, as it stands there, or null; undefined: that is not known here.
   * For checks that ask for nothing else.
   */
  readonly firstText: (check: number, text: string) => string | null | undefined;
  /** Forgets what was kept of values seen. */
  readonly clear: () => void;
  readonly words: number;
  /** Of a part without values. */
  readonly none: Candidates;
}

/** `needs` by the checks' numbers. */
export function buildScreenTable(needs: readonly Needs[], facts: Facts): ScreenTable {
  const words = Math.ceil(needs.length / WORD_BITS);
  const set = (): number[] => Array.from({ length: words }, () => 0);
  const add = (into: number[], check: number): void => {
    into[Math.floor(check / WORD_BITS)]! |= 1 << (check % WORD_BITS);
  };
  const literals = new Map<string, number[]>();
  const clauses = new Map<number, number[]>();
  const everywhere = set();
  const none = set();
  for (const [check, { literals: required, clauses: classes }] of needs.entries()) {
    if (required === null || required.some((text) => text.length < LITERAL_CHARS_MIN)) add(everywhere, check);
    else for (const literal of required) literals.set(literal, [...(literals.get(literal) ?? []), check]);
    for (const clause of classes) {
      if (!clauses.has(clause)) clauses.set(clause, set());
      add(clauses.get(clause)!, check);
    }
  }
  const texts = [...literals.keys()];
  const known = facts.finders.find(({ phrases }) => isSame(phrases, texts));
  const finder = known === undefined ? buildPhraseFinder(texts) : finderFrom(known);
  if (known === undefined && finder.tables !== null) facts.finders.push(finder.tables);
  const owners = [...literals.values()].map((checks) => new Set(checks));
  const checksOf = [...literals.values()].map((checks) => {
    const bits = set();
    for (const check of checks) add(bits, check);
    return [...bits.entries()].filter(([, word]) => word !== 0).flat();
  });
  const byProfile = new Map<number, Array<Allowed | undefined>>();

  function allowedBy(profile: number, bytes: number): Allowed {
    const size = Math.min(bytes, SIZES - 1);
    let bySize = byProfile.get(profile);
    const known = bySize?.[size];
    if (known !== undefined) return known;
    const allowed = set().fill(ALL_BITS);
    for (const [clause, checks] of clauses) {
      if ((clause & profile) !== 0) continue;
      for (let word = 0; word < words; word += 1) allowed[word]! &= ~checks[word]!;
    }
    for (const [check, { bytesMin }] of needs.entries()) {
      if (bytesMin > size && size < SIZES - 1) allowed[Math.floor(check / WORD_BITS)]! &= ~(1 << (check % WORD_BITS));
    }
    const made = { allowed, withoutLiterals: everywhere.map((word, index) => word & allowed[index]!) };
    if (bySize === undefined) {
      bySize = Array.from({ length: SIZES }, () => undefined);
      // Profiles are the client's to choose. Made anew they cost little.
      if (byProfile.size >= PROFILES_MAX) byProfile.clear();
      byProfile.set(profile, bySize);
    }
    bySize[size] = made;
    return made;
  }

  /** The checks that require no text, and those whose text the value holds; null: it holds none. */
  function searched(text: string): Candidates | null {
    let found: number[] | null = null as number[] | null;
    let last = -1;
    finder.each(text, (literal) => {
      if (literal === last) return;
      last = literal;
      found ??= everywhere.slice();
      const bits = checksOf[literal]!;
      for (let i = 0; i < bits.length; i += 2) found[bits[i]!]! |= bits[i + 1]!;
    });
    return found;
  }

  return {
    firstText: (check, text) => {
      if ((everywhere[Math.floor(check / WORD_BITS)]! & (1 << (check % WORD_BITS))) !== 0) return undefined;
      let first: { readonly literal: number; readonly end: number } | null = null as {
        literal: number;
        end: number;
      } | null;
      finder.each(text, (literal, end) => {
        if (first === null && owners[literal]!.has(check)) first = { literal, end };
      });
      return first === null ? null : text.slice(first.end - texts[first.literal]!.length, first.end);
    },
    clear: () => byProfile.clear(),
    words,
    none,
    candidates: (text, profile) => {
      const { allowed, withoutLiterals } = allowedBy(profile, text.length);
      const found = searched(text);
      return found === null ? withoutLiterals : found.map((word, index) => word & allowed[index]!);
    },
    candidatesAmong: (checks, text, profile) => {
      const found = searched(text) ?? everywhere;
      let isAny = false;
      for (let word = 0; word < words; word += 1) isAny ||= (found[word]! & checks[word]!) !== 0;
      if (!isAny) return none;
      const { allowed } = allowedBy(profile(), text.length);
      return found.map((word, index) => word & checks[index]! & allowed[index]!);
    },
  };
}

/** The checks that a profile and a length allow. */
interface Allowed {
  readonly allowed: Candidates;
  /** Those of them that require no text. */
  readonly withoutLiterals: Candidates;
}

const isSame = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((text, index) => text === right[index]);

/** Shorter texts occur nearly everywhere; where they do not, the classes of bytes say so. */
const LITERAL_CHARS_MIN = 2;

const ALL_BITS = 2 ** WORD_BITS - 1;

/** Lengths that are told apart: of as many bytes and more, all are one. */
const SIZES = 16;

/** Profiles whose sets are kept: ordinary traffic has a few hundred. */
const PROFILES_MAX = 1000;
