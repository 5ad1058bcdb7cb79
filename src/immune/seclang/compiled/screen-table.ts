/**
 * Says which checks need to be run on a value at all: one search over the texts that they require, the classes of
 * bytes that they require, and the value's length give a set of *candidates*, a bit for each check.
 *
 * It may only ever spare work: with and without it the same rules match, which tests compare.
 */
import { buildPhraseFinder, finderFrom } from "../aho-corasick.ts";
import { isPlain } from "../pattern/byte-classes.ts";
import type { Facts } from "./facts.ts";
import type { Needs } from "./needs.ts";
import type { Required } from "./requirements.ts";
import { isSearchable } from "./requirements.ts";

/** Bits of a number in a candidate set. 30, so that each is a small integer to V8 and the set a plain array. */
export const WORD_BITS = 30;

export type Candidates = readonly number[];

export interface ScreenTable {
  /** The checks that require no text, and those that require one which the value holds. The array may be shared. */
  readonly search: (text: string, profile: number) => Candidates;
  /** Of these, those that have a chance on a value of this profile and length. The array may be shared: copy it to change it. */
  readonly candidates: (found: Candidates, profile: number, bytes: number) => Candidates;
  /** The checks that a long value of this profile, or of a part of it, may match. */
  readonly allowed: (profile: number) => Candidates;
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
  const none: Candidates = emptySet(words);
  const general = gather(needs, words);
  const plain = gather(
    needs.map((each) => each.plain),
    words,
  );
  const texts = [...new Set([...general.literals.keys(), ...plain.literals.keys()])];
  const known = facts.finders.find(({ phrases }) => isSame(phrases, texts));
  const finder = known === undefined ? buildPhraseFinder(texts) : finderFrom(known);
  if (known === undefined && finder.tables !== null) facts.finders.push(finder.tables);
  const generalOwners = texts.map((text) => ownersOf(general, text, words));
  const plainOwners = texts.map((text) => ownersOf(plain, text, words));
  const byProfile = new Map<number, Array<Allowed | undefined>>();

  function allowedBy(profile: number, bytes: number): Allowed {
    const size = Math.min(bytes, SIZES - 1);
    let bySize = byProfile.get(profile);
    const known = bySize?.[size];
    if (known !== undefined) return known;
    const required = isPlain(profile) ? plain : general;
    const made = allow(required, profile, size);
    if (bySize === undefined) {
      bySize = Array.from({ length: SIZES }, () => undefined);
      // Profiles are the client's to choose. Made anew they cost little.
      if (byProfile.size >= PROFILES_MAX) byProfile.clear();
      byProfile.set(profile, bySize);
    }
    bySize[size] = made;
    return made;
  }

  function search(text: string, profile: number): Candidates {
    const [{ everywhere }, owners] = isPlain(profile) ? [plain, plainOwners] : [general, generalOwners];
    let found: number[] | null = null as number[] | null;
    let last = -1;
    finder.each(text, (literal) => {
      if (literal === last) return;
      last = literal;
      const bits = owners[literal]!;
      if (bits.length === 0) return;
      found ??= everywhere.slice();
      for (let i = 0; i < bits.length; i += 2) found[bits[i]!]! |= bits[i + 1]!;
    });
    return found ?? everywhere;
  }

  return {
    firstText: (check, text) => {
      if (has(general.everywhere, check)) return undefined;
      let first: { readonly literal: number; readonly end: number } | null = null as {
        literal: number;
        end: number;
      } | null;
      finder.each(text, (literal, end) => {
        if (first === null && general.literals.get(texts[literal]!)?.has(check) === true) first = { literal, end };
      });
      return first === null ? null : text.slice(first.end - texts[first.literal]!.length, first.end);
    },
    allowed: (profile) => allowedBy(profile, Infinity).allowed,
    clear: () => byProfile.clear(),
    words,
    none,
    search,
    candidates: (found, profile, bytes) => {
      const { allowed, withoutLiterals } = allowedBy(profile, bytes);
      // Most values hold none of the texts.
      if (found === plain.everywhere || found === general.everywhere) return withoutLiterals;
      return found.map((word, index) => word & allowed[index]!);
    },
  };
}

/** What all checks together require, of plain values or of others. */
interface Gathered {
  /** Checks that require no text. */
  readonly everywhere: Candidates;
  /** Checks that none of the values can match. */
  readonly never: Candidates;
  readonly literals: ReadonlyMap<string, ReadonlySet<number>>;
  /** Classes of bytes, and the checks that require one of them. */
  readonly clauses: ReadonlyArray<{ readonly classes: number; readonly checks: Candidates }>;
  /** By the checks' numbers. */
  readonly bytesMin: readonly number[];
}

function gather(required: ReadonlyArray<Required | null>, words: number): Gathered {
  const [everywhere, never] = [emptySet(words), emptySet(words)];
  const literals = new Map<string, Set<number>>();
  const clauses = new Map<number, number[]>();
  for (const [check, each] of required.entries()) {
    if (each === null) {
      add(never, check);
      continue;
    }
    if (!isSearchable(each.literals)) add(everywhere, check);
    else for (const literal of each.literals) literals.set(literal, (literals.get(literal) ?? new Set()).add(check));
    for (const clause of each.clauses) {
      if (!clauses.has(clause)) clauses.set(clause, emptySet(words));
      add(clauses.get(clause)!, check);
    }
  }
  return {
    everywhere,
    never,
    literals,
    clauses: Array.from(clauses, ([classes, checks]) => ({ classes, checks })),
    bytesMin: required.map((each) => each?.bytesMin ?? 0),
  };
}

/** The checks that require a text, as places and words in turn. */
function ownersOf({ literals }: Gathered, text: string, words: number): readonly number[] {
  const bits = emptySet(words);
  for (const check of literals.get(text) ?? []) add(bits, check);
  return [...bits.entries()].filter(([, word]) => word !== 0).flat();
}

/** The checks that a profile and a length allow. */
interface Allowed {
  readonly allowed: Candidates;
  /** Those of them that require no text. */
  readonly withoutLiterals: Candidates;
}

function allow({ everywhere, never, clauses, bytesMin }: Gathered, profile: number, size: number): Allowed {
  const allowed = never.map((word) => ALL_BITS & ~word);
  for (const { classes, checks } of clauses) {
    if ((classes & profile) !== 0) continue;
    for (let word = 0; word < allowed.length; word += 1) allowed[word]! &= ~checks[word]!;
  }
  // The last size is that of all longer values too.
  if (size < SIZES - 1) {
    for (let check = 0; check < bytesMin.length; check += 1) {
      if (bytesMin[check]! > size) allowed[Math.floor(check / WORD_BITS)]! &= ~(1 << (check % WORD_BITS));
    }
  }
  return { allowed, withoutLiterals: everywhere.map((word, index) => word & allowed[index]!) };
}

const emptySet = (words: number): number[] => Array.from({ length: words }, () => 0);

function add(into: number[], check: number): void {
  into[Math.floor(check / WORD_BITS)]! |= 1 << (check % WORD_BITS);
}

const has = (set: Candidates, check: number): boolean =>
  (set[Math.floor(check / WORD_BITS)]! & (1 << (check % WORD_BITS))) !== 0;

const isSame = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((text, index) => text === right[index]);

const ALL_BITS = 2 ** WORD_BITS - 1;

/** Lengths that are told apart: of as many bytes and more, all are one. */
const SIZES = 16;

/** Profiles whose sets are kept: ordinary traffic has a few hundred. */
const PROFILES_MAX = 1000;
