/**
 * The built-in filters, ready to run: one search over the texts that all checks require, and the classes of bytes that
 * they require, say which few checks to run on a value (seclang/compiled/screen-table.ts); patterns run on automata,
 * which take one look-up a byte and cannot backtrack.
 *
 * Built once in each cell. Readings of headers that come again with each request are kept (memory below): what was
 * found harmless once is.
 */
import type { Facts } from "../seclang/compiled/facts.ts";
import { noFacts } from "../seclang/compiled/facts.ts";
import type { Needs } from "../seclang/compiled/needs.ts";
import { requirementsOf } from "../seclang/compiled/requirements.ts";
import type { ScreenTable } from "../seclang/compiled/screen-table.ts";
import { buildScreenTable, WORD_BITS } from "../seclang/compiled/screen-table.ts";
import type { BoundedRegex } from "../seclang/pattern/bounded-regex.ts";
import { boundedBy } from "../seclang/pattern/bounded-regex.ts";
import type { Pattern } from "../seclang/pattern/parse.ts";
import { parsePattern } from "../seclang/pattern/parse.ts";
import type { Program } from "../seclang/pattern/program.ts";
import { buildProgram } from "../seclang/pattern/program.ts";
import type { Exclusion } from "./exclusions.ts";
import { readExclusions } from "./exclusions.ts";
import type { Check, Filter } from "./filter.ts";
import { FILTERS } from "./filters/table.ts";
import { FORMS } from "./forms.ts";
import type { PlaceName } from "./places.ts";
import { PLACES } from "./places.ts";
import { assert } from "../../lib/assert.ts";

export interface BuiltCheck {
  readonly filter: Filter;
  readonly check: Check;
  /** Null: a search of its own. */
  readonly regex: BoundedRegex | null;
}

export interface BuiltinScreen {
  /** Those that are not turned off. */
  readonly filters: readonly Filter[];
  readonly exclusions: readonly Exclusion[];
  /** By their numbers in candidate sets. */
  readonly checks: readonly BuiltCheck[];
  readonly table: ScreenTable;
  /** For each place, the forms in which any check looks there, and those checks. */
  readonly byPlace: ReadonlyMap<number, readonly FormChecks[]>;
  readonly harmless: HarmlessValues;
}

export interface FormChecks {
  /** Its place in FORMS. */
  readonly form: number;
  /** A candidate set. */
  readonly checks: readonly number[];
}

export interface BuiltinOptions {
  /** What an earlier build found out about the same patterns; what was not among it is added. */
  readonly facts?: Facts;
  /** What not to look for, and where: from the DNA (`immune.exclude`). */
  readonly exclude?: readonly Exclusion[];
  /** For tests: others than the table's. */
  readonly filters?: readonly Filter[];
}

export function buildBuiltin({ exclude = [], filters: all = FILTERS, facts }: BuiltinOptions = {}): BuiltinScreen {
  const { isOff, exclusions } = readExclusions(exclude, all);
  const filters = all.filter((filter) => !isOff(filter));
  const checks: BuiltCheck[] = [];
  const needs: Needs[] = [];
  const places: number[] = [];
  for (const filter of filters) {
    for (const check of filter.checks) {
      const { built, need } = build(filter, check, facts ?? null);
      checks.push(built);
      needs.push(need);
      places.push(placesOf(check.places ?? filter.places));
    }
  }
  const table = buildScreenTable(needs, facts ?? noFacts());
  const setOf = (belongs: (index: number) => boolean): readonly number[] => {
    const set = Array.from({ length: table.words }, () => 0);
    for (const index of checks.keys())
      if (belongs(index)) set[Math.floor(index / WORD_BITS)]! |= 1 << (index % WORD_BITS);
    return set;
  };
  const formChecks = (place: number): FormChecks[] =>
    FORMS.map((name, form) => ({
      form,
      checks: setOf((index) => checks[index]!.check.form === name && (places[index]! & place) !== 0),
    })).filter((each) => each.checks.some((word) => word !== 0));
  return {
    filters,
    exclusions,
    checks,
    table,
    byPlace: new Map(Object.values(PLACES).map((place) => [place, formChecks(place)])),
    harmless: rememberHarmless(),
  };
}

const placesOf = (names: readonly PlaceName[]): number => names.reduce((sum, name) => sum | PLACES[name], 0);

function build(filter: Filter, check: Check, facts: Facts | null): { built: BuiltCheck; need: Needs } {
  const source = check.kind === "pattern" ? check.pattern : check.gate;
  const key = `/${source.source}/${source.flags}`;
  const known = facts?.patterns.get(key);
  const parsed = known === undefined ? parsePattern(source) : null;
  const requirements = known ?? requirementsOf(parsed!);
  const programOf = (): Program => known?.program ?? programFrom(filter, parsed!);
  if (facts !== null && known === undefined) facts.patterns.set(key, { ...requirements, program: programOf() });
  return {
    built: { filter, check, regex: check.kind === "pattern" ? lazily(() => boundedBy(programOf())) : null },
    need: { ...requirements, pure: true, regex: null, regexFor: null },
  };
}

/** A pattern's program is made when a value first holds what it requires: of most patterns that is never. */
function lazily(make: () => BoundedRegex): BoundedRegex {
  let made: BoundedRegex | null = null;
  return { exec: (value, meter, groups) => (made ??= make()).exec(value, meter, groups) };
}

function programFrom({ name }: Filter, parsed: Pattern): Program {
  const program = buildProgram(parsed);
  assert(program !== null, `a pattern of the filter ${name} is small enough to be run in bounded time`);
  return program;
}

/** Values of headers in which nothing was found. */
export interface HarmlessValues {
  readonly has: (place: number, text: string) => boolean;
  readonly add: (place: number, text: string) => void;
}

/** Of one generation: the browsers of a site send a few hundred distinct values. */
const GENERATION_MAX = 1024;
/** Longer ones hardly come again. */
const CHARS_MAX = 512;

/** Two generations, as in seclang/compiled/memory.ts: new values drive old ones out at most. */
function rememberHarmless(): HarmlessValues {
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  return {
    has: (place, text) => {
      if (text.length > CHARS_MAX) return false;
      let places = young.get(text);
      if (places === undefined) {
        places = old.get(text);
        if (places === undefined) return false;
        keep(text, places);
      }
      return (places & place) !== 0;
    },
    add: (place, text) => {
      if (text.length <= CHARS_MAX) keep(text, place | (young.get(text) ?? 0));
    },
  };

  function keep(text: string, places: number): void {
    if (young.size >= GENERATION_MAX) {
      old = young;
      young = new Map();
    }
    // A copy of its own: V8 keeps the whole of a request alive for a piece that was cut out of it.
    young.set(young.has(text) ? text : Buffer.from(text, "latin1").latin1Slice(), places);
  }
}
