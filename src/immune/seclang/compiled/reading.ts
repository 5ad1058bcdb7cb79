/**
 * A value as the compiled rules see it: once for each distinct text of an exchange, whichever variables hold it.
 *
 * It carries what was found out about it, so that nothing is found out twice: what kinds of bytes it holds, which
 * checks have a chance on it, what each transformation makes of it (a reading again: a trie of transformations grows
 * under each value), and what the checks answered.
 */
import type { Match } from "../operators/kind.ts";
import { profileOf } from "../pattern/byte-classes.ts";
import type { Searched } from "../pattern/search.ts";
import type { TransformationName } from "../transformations/table.ts";
import { TRANSFORMATIONS } from "../transformations/table.ts";
import type { Chain } from "./chains.ts";
import { TOUCHES } from "./chains.ts";
import type { ScreenTable } from "./screen-table.ts";

export class Reading implements Searched {
  readonly text: string;
  readonly isLasting: boolean;
  readonly #table: ScreenTable;
  /** Answers are kept, not only matches: for values that come again, and for those that take long. */
  readonly #isKept: boolean;
  /** Copied before a bit is taken out. */
  #candidates: readonly number[] | null = null;
  #ownsCandidates = false;
  #found: readonly number[] | null = null;
  #bytes: Uint8Array | null = null;
  #profile = UNKNOWN;
  #matches: Map<number, Match> | null = null;
  #steps: Made | null = null;
  #chains: Made | null = null;
  /** By the parts' numbers: the checks that have a chance on it. */
  #lives: Lives | null = null;

  /** `isKept`: between exchanges. */
  constructor(text: string, table: ScreenTable, isKept: boolean) {
    this.text = text;
    this.isLasting = isKept;
    this.#table = table;
    this.#isKept = isKept || text.length > KEPT_CHARS_MIN;
  }

  /** For the bounded engine only: most values never need it. */
  get bytes(): Uint8Array {
    this.#bytes ??= Buffer.from(this.text, "latin1");
    return this.#bytes;
  }

  get profile(): number {
    if (this.#profile === UNKNOWN) this.#profile = profileOf(this.text);
    return this.#profile;
  }

  get candidates(): readonly number[] {
    this.#candidates ??= this.#table.candidates(this.found, this.profile, this.text.length);
    return this.#candidates;
  }

  /** Checks of which it holds a text, and those that require none: the same whatever the case of its letters. */
  get found(): readonly number[] {
    this.#found ??= this.#table.search(this.text, this.profile);
    return this.#found;
  }

  /** Of some checks, those that have a chance on it. For values that hardly any check asks about. */
  candidatesAmong(checks: readonly number[]): readonly number[] {
    const { found } = this;
    for (let word = 0; word < found.length; word += 1) if ((found[word]! & checks[word]!) !== 0) return this.candidates;
    return this.#table.none;
  }

  isCandidate({ word, bit }: { readonly word: number; readonly bit: number }): boolean {
    return (this.candidates[word]! & bit) !== 0;
  }

  /** The check does not match, and need not be asked again. */
  strike({ word, bit }: { readonly word: number; readonly bit: number }): void {
    if (!this.#isKept) return;
    if (!this.#ownsCandidates) {
      this.#candidates = this.candidates.slice();
      this.#ownsCandidates = true;
    }
    (this.#candidates as number[])[word]! &= ~bit;
  }

  livesIn(part: number): readonly number[] | null {
    for (let each = this.#lives; each !== null; each = each.next) if (each.part === part) return each.checks;
    return null;
  }

  keepLives(part: number, checks: number[]): void {
    this.#lives = { part, checks, next: this.#lives };
  }

  /** The check, through all that it does to the value, does not match. */
  strikeLives({ word, bit }: { readonly word: number; readonly bit: number }): void {
    for (let each = this.#lives; each !== null; each = each.next) each.checks[word]! &= ~bit;
  }

  matchOf(check: number): Match | undefined {
    return this.#matches?.get(check);
  }

  keepMatch(check: number, match: Match): void {
    this.#matches ??= new Map();
    this.#matches.set(check, match);
  }

  /** No transformation of the chain changes anything of it. */
  isUntouchedBy({ touches }: Chain): boolean {
    return touches === 0 || (touches !== -1 && (touches & this.profile) === 0);
  }

  /** What a chain of transformations makes of it. */
  through(chain: Chain): Reading {
    if (this.isUntouchedBy(chain)) return this;
    for (let made = this.#chains; made !== null; made = made.next) if (made.key === chain.index) return made.reading;
    const reading = chain.names.reduce<Reading>((last, name) => last.#step(name), this);
    this.#chains = { key: chain.index, reading, next: this.#chains };
    return reading;
  }

  /**
   * The value itself and what each transformation made of it, where that differs: what multiMatch asks about. Ends where
   * all that could follow is shorter than `charsMin`.
   */
  stages(chain: Chain, charsMin: number): readonly Reading[] {
    const { names, lengthens } = chain;
    const stages: Reading[] = [this];
    if (this.isUntouchedBy(chain)) return stages;
    for (const name of names) {
      const last = stages.at(-1)!;
      if (last.text.length < charsMin && !lengthens) break;
      const next = last.#step(name);
      if (next !== last) stages.push(next);
    }
    return stages;
  }

  #step(name: TransformationName): Reading {
    const touches: number = TOUCHES[name];
    if (touches !== -1 && (touches & this.profile) === 0) return this;
    const number = NUMBERS[name];
    for (let made = this.#steps; made !== null; made = made.next) if (made.key === number) return made.reading;
    const text = TRANSFORMATIONS[name](this.text);
    const next = text === this.text ? this : new Reading(text, this.#table, this.#isKept);
    this.#steps = { key: number, reading: next, next: this.#steps };
    return next;
  }
}

/** Profiles are no negative numbers. */
const UNKNOWN = -1;

interface Lives {
  readonly part: number;
  readonly checks: number[];
  readonly next: Lives | null;
}

/** One of the things that were made of a value. A list of links: most values have none or a few, and arrays grow by the dozen. */
interface Made {
  readonly key: number;
  readonly reading: Reading;
  readonly next: Made | null;
}

/** A longer value takes long: what it was found to be is kept for whatever else shows the same text. */
export const KEPT_CHARS_MIN = 1024;

const NUMBERS = Object.fromEntries(Object.keys(TRANSFORMATIONS).map((name, index) => [name, index])) as Readonly<
  Record<TransformationName, number>
>;
