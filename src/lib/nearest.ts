/**
 * "Did you mean ...?": which of some words is so close to what was typed that it was probably meant.
 *
 * Distance counts what fingers do wrong: a letter too many, too few, another, or two swapped. A wrong guess
 * costs more trust than no guess, so about one slip in three letters is the most that is forgiven. It does
 * not know meanings: "instances" is not near to "drone" (src/dna/suggest.ts knows such words).
 */

/** The candidate that `typed` was probably meant to be, or null. Case is ignored; on a tie the first wins. */
export function nearest(typed: string, candidates: Iterable<string>): string | null {
  if (typed.length > WORD_LENGTH_MAX) return null;
  const wanted = typed.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const candidate of candidates) {
    if (candidate.length > WORD_LENGTH_MAX) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    // A distance as large as the word itself would turn anything of one or two letters into anything else.
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Keys, flags and file names are shorter; the table below is quadratic in the length. */
const WORD_LENGTH_MAX = 100;

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours, each costing 1. */
export function editDistance(left: string, right: string): number {
  let before: number[] = [];
  let above = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(above[column]! + 1, current[column - 1]! + 1, above[column - 1]! + (same ? 0 : 1));
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) cost = Math.min(cost, before[column - 2]! + 1);
      current.push(cost);
    }
    before = above;
    above = current;
  }
  return above[right.length]!;
}
