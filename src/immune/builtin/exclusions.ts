/**
 * What the user does not want to be looked for: a filter altogether, or on some paths, or in some parameters.
 *
 *     { filter: "sql-injection", path: "/wiki/*", parameter: "text" }
 *
 * Names hold * for anything. A parameter is an argument, a cookie or an uploaded file's field by its name, or a value
 * by its full name as reports give it ("REQUEST_HEADERS:Referer"); JSON members are named json.a.b.array_0.
 */
import { CellwsError } from "../../lib/cellws-error.ts";
import type { Filter } from "./filter.ts";

export interface Exclusion {
  /** The filter's name or id; "*" for all of them. */
  readonly filter: string | number;
  /** The path as it came, without the query. Null: on all paths. */
  readonly path?: string | null | undefined;
  /** Null: in all of them. */
  readonly parameter?: string | null | undefined;
}

export interface ReadExclusions {
  /** Turned off everywhere. */
  readonly isOff: (filter: Filter) => boolean;
  /** The rest. */
  readonly exclusions: readonly Exclusion[];
}

export function readExclusions(all: readonly Exclusion[], filters: readonly Filter[]): ReadExclusions {
  const isWhole = ({ path, parameter }: Exclusion): boolean => (path ?? null) === null && (parameter ?? null) === null;
  for (const [index, exclusion] of all.entries()) {
    if (!filters.some((filter) => names(exclusion, filter))) throw unknownFilter(exclusion, index);
  }
  const whole = all.filter(isWhole);
  return {
    isOff: (filter) => filters.includes(filter) && whole.some((exclusion) => names(exclusion, filter)),
    exclusions: all.filter((exclusion) => !isWhole(exclusion)),
  };
}

/** An exclusion that is misspelt would exclude nothing, and nobody would know. */
function unknownFilter({ filter }: Exclusion, index: number): CellwsError {
  const path = `immune.exclude[${index}].filter`;
  return new CellwsError("CELLWS_E_FILTER_UNKNOWN", 2, `${path}: there is no built-in filter of this name`, {
    path,
    found: String(filter),
    expected: "the name or id of a built-in filter, or *",
    hint: "Look its name up in the report of the request, or in docs/FILTERS.md.",
  });
}

const names = ({ filter }: Exclusion, { id, name }: Filter): boolean =>
  filter === "*" || filter === id || filter === name || filter === String(id);

/** Whether a finding of this filter is not to count. */
export function isExcluded(
  exclusions: readonly Exclusion[],
  filter: Filter,
  at: { readonly path: string; readonly variable: string; readonly key: string },
): boolean {
  return exclusions.some(
    (exclusion) =>
      names(exclusion, filter) &&
      fits(exclusion.path ?? "*", at.path) &&
      (fits(exclusion.parameter ?? "*", at.key) ||
        fits(exclusion.parameter ?? "*", at.key === "" ? at.variable : `${at.variable}:${at.key}`)),
  );
}

/** Whether a name is what a pattern with * says. Goes forward only. */
function fits(pattern: string, name: string): boolean {
  const pieces = pattern.split("*");
  const [first = "", ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last)) return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
