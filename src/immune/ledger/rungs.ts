/**
 * The ladder of ranges: from one source to the network that it sits in.
 *
 * One IPv4 address is the narrowest that can be told apart; of IPv6 it is a /64, for any customer owns at least that many
 * addresses and may use each once. A wider range is judged only by how many of the ranges directly below it offend:
 * however loud one of them is, it fills its own bucket and hardly its parent's (`childPressureMax`). So the widest
 * range that is ever named is the narrowest that explains what was seen.
 */
import { formatIpRange } from "../../lib/ip-range.ts";
import { newIpWords, rangeOfWords, readIpWords } from "../../lib/ip-words.ts";

export interface Rung {
  readonly prefixBits: number;
  /** What must have gathered before the range is sentenced, in full buckets. */
  readonly pressureMin: number;
  /** Of the ranges directly below, so many must have offended. */
  readonly childrenMin: number;
  /** Less than this share of bad requests, and the range is left alone. Rises with what is at stake. */
  readonly badShareMin: number;
}

export const rungs: Readonly<Record<4 | 6, readonly [Rung, ...Rung[]]>> = {
  4: [
    { prefixBits: 32, pressureMin: 1, childrenMin: 0, badShareMin: 0.25 },
    { prefixBits: 24, pressureMin: 3, childrenMin: 8, badShareMin: 0.5 },
  ],
  6: [
    { prefixBits: 64, pressureMin: 1, childrenMin: 0, badShareMin: 0.25 },
    { prefixBits: 56, pressureMin: 2, childrenMin: 4, badShareMin: 0.5 },
    // Eight /56: so many homes, or so many parts of one data centre's customer.
    { prefixBits: 48, pressureMin: 4, childrenMin: 8, badShareMin: 0.5 },
  ],
};

/** What one child adds to its parent at most, in full buckets. */
export const childPressureMax = 1;
/** And in requests. Nine to one, so that a child with 90 % clean traffic looks like that to its parent, too. */
export const childBadMax = 10;
export const childCleanMax = 90;

export interface Ladder {
  readonly family: 4 | 6;
  /** Canonical ranges, narrowest first, one a rung. */
  readonly ranges: readonly string[];
}

const words = newIpWords();

/** Null: `client` is no address. */
export function ladderOf(client: string): Ladder | null {
  const family = readIpWords(client, words);
  if (family === 0) return null;
  return {
    family,
    ranges: rungs[family].map(({ prefixBits }) => formatIpRange(rangeOfWords(family, words, prefixBits))),
  };
}
