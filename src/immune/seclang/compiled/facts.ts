/**
 * What is found out about a rule set's patterns and phrases and depends on nothing else: it takes most of the time of
 * compiling, and can be kept for the next cell that compiles the same (src/host/immune/facts-cache.ts).
 */
import type { FinderTables } from "../aho-corasick.ts";
import type { Program } from "../pattern/program.ts";
import type { Requirements } from "./requirements.ts";

export interface Facts {
  /** By the pattern as the rule has it. */
  readonly patterns: Map<string, PatternFacts>;
  /** Of the searches over required texts, in the order in which they are built. */
  readonly finders: FinderTables[];
}

export interface PatternFacts extends Requirements {
  readonly program: Program;
}

export const noFacts = (): Facts => ({ patterns: new Map(), finders: [] });
