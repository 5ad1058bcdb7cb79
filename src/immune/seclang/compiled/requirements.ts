/** What a value must have for a pattern to have any chance on it: found out once, from the pattern alone. */
import { PLAIN_BYTES, requiredClasses } from "../pattern/byte-classes.ts";
import { leastBytes } from "../pattern/least-bytes.ts";
import type { Pattern } from "../pattern/parse.ts";
import { restrictTo } from "../pattern/restrict.ts";
import { requiredLiterals } from "../required-literals.ts";

export interface Required {
  /** One of these texts, ASCII case ignored; null: no particular one. */
  readonly literals: readonly string[] | null;
  /** A class of bytes out of each (byte-classes.ts). */
  readonly clauses: readonly number[];
  /** A value of fewer bytes cannot match. */
  readonly bytesMin: number;
}

export interface Requirements extends Required {
  /** Of plain values (byte-classes.ts), which most are and hardly an attack is; null: none of them can match. */
  readonly plain: Required | null;
}

/** Shorter texts occur nearly everywhere; where they do not, the classes of bytes say so. */
const LITERAL_CHARS_MIN = 2;

export function requirementsOf(pattern: Pattern): Requirements {
  const required = requiredBy(pattern);
  const root = restrictTo(pattern.root, PLAIN_BYTES);
  if (root === null) return { ...required, plain: null };
  const plain = requiredBy({ ...pattern, root });
  // Texts that are searched for in all other values anyway cost nothing more.
  return { ...required, plain: isSearchable(required.literals) ? { ...plain, literals: required.literals } : plain };
}

export const isSearchable = (literals: readonly string[] | null): literals is readonly string[] =>
  literals !== null && literals.every((text) => text.length >= LITERAL_CHARS_MIN);

function requiredBy(pattern: Pattern): Required {
  const { root } = pattern;
  return { literals: requiredLiterals(pattern), clauses: requiredClasses(root), bytesMin: leastBytes(root) };
}
