/**
 * What a built-in filter is: a few checks with a name, and the words in which it explains itself.
 *
 * A filter looks at values (check) or at the request as a whole (judge). A check says in which *form* it wants to see a
 * value (forms.ts), in which *places* of a request it looks, and whether it counts within text that somebody has
 * written (written.ts) and in a password (secret.ts): a tutorial about SQL is full of SQL, and is no attack.
 *
 * Ids are 100000 to 109999, apart from those of the Core Rule Set (900000 to 999999) and from those which ModSecurity
 * leaves to users (1 to 99999): hundreds are the kind of attack, see the table.
 */
import type { AttackClass } from "../ledger/attack-class.ts";
import type { FormName } from "./forms.ts";
import type { PlaceName } from "./places.ts";
import type { ParsedRequest } from "./parsed-request.ts";

export interface Filter {
  readonly id: number;
  /** In kebab-case, as the file's name. */
  readonly name: string;
  /** What it says of a request, to a person. */
  readonly message: string;
  readonly attackClass: AttackClass;
  /** As the Core Rule Set counts: 5 is enough to refuse a request, less adds up. */
  readonly score: 2 | 3 | 5;
  /** For the documentation: whole sentences. */
  readonly catches: string;
  readonly letsPass: string;
  /** A value that is caught. */
  readonly example: string;
  /** Where its checks look, unless they say otherwise. */
  readonly places: readonly PlaceName[];
  readonly checks: readonly Check[];
  /** Looks at the head (or, once it has come, the body) as a whole. */
  readonly judge?: Judge;
}

interface CheckOptions {
  readonly form: FormName;
  readonly places?: readonly PlaceName[];
  /** Whether it counts where the value is text that somebody has written. */
  readonly inText: "counts" | "excused";
}

export interface PatternCheck extends CheckOptions {
  readonly kind: "pattern";
  readonly pattern: RegExp;
}

/** A search that no pattern can express, in time that grows with the value's length at most. */
export interface SearchCheck extends CheckOptions {
  readonly kind: "search";
  /** A pattern of what a value must hold for the search to have any chance: read for its texts and bytes, never run. */
  readonly gate: RegExp;
  /** What was found, as evidence. */
  readonly search: (text: string) => string | null;
}

export type Check = PatternCheck | SearchCheck;

export interface Finding {
  /** As rules name it: REQUEST_HEADERS:Range. */
  readonly where: string;
  readonly matched: string;
}

export interface Judge {
  readonly phase: Phase;
  readonly find: (request: ParsedRequest) => Finding | null;
}

export type Phase = "head" | "body";

/** A check with a pattern. Case is ignored. */
export function pattern(form: FormName, source: string | RegExp, options: Partial<CheckOptions> = {}): PatternCheck {
  const text = typeof source === "string" ? source : source.source;
  return { inText: "excused", ...options, kind: "pattern", form, pattern: new RegExp(text, "is") };
}

/** One of these words, which are separated by blanks, as a group of a pattern. */
export const oneOf = (words: string): string => `(?:${words.trim().split(/\s+/).join("|")})`;
