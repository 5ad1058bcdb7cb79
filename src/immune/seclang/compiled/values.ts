/**
 * Where a link's values come from. What stays the same during a phase is collected once for all rules that look at it,
 * and each text becomes one reading.
 */
import type { Target } from "../ast.ts";
import { SECLANG_LIMITS } from "../limits.ts";
import type { Rule } from "../rule.ts";
import { nameOf, valuesOf } from "../rule-values.ts";
import type { Transaction } from "../transaction.ts";
import { eachEntry, storeOf } from "../transaction.ts";
import type { VariableName } from "../variable-names.ts";
import type { Link, List, Taken } from "./compile.ts";
import type { View } from "./evaluation.ts";
import { Value } from "./evaluation.ts";
import type { Part } from "./parts.ts";
import { KEPT_CHARS_MIN, Reading } from "./reading.ts";

export function valuesFor(
  transaction: Transaction,
  view: View,
  { rule, source }: Link,
  head: Rule,
  taken: Taken | null,
): readonly Value[] {
  if (taken !== null && source.kind !== "list") return collected(transaction, view, rule, head);
  switch (source.kind) {
    case "nothing":
      return NONE;
    case "list":
      return listed(transaction, view, source.list, taken);
    case "stored": {
      const { store, key, target } = source;
      const value = storeOf(transaction, store).get(key);
      const { memory } = view.compiled.domain;
      if (target.mode === "count") {
        const name = `&${nameOf(target, key)}` as VariableName;
        return [new Value(name, "", memory.recall(value === undefined ? "0" : "1"))];
      }
      return value === undefined ? NONE : [new Value(store, key, memory.recall(value))];
    }
    case "collected":
      return collected(transaction, view, rule, head);
  }
}

const NONE: readonly Value[] = [];

function listed(transaction: Transaction, view: View, { parts }: List, taken: Taken | null): readonly Value[] {
  const [first] = parts;
  if (parts.length === 1 && taken === null) return valuesOfPart(transaction, view, first!);
  const values: Value[] = [];
  for (const part of parts) {
    const chosen =
      taken === null || !taken.targets.some(({ variable }) => variable === part.target.variable)
        ? valuesOfPart(transaction, view, part)
        : chosenValues(transaction, view, part, [...part.exclusions, ...taken.targets]);
    for (const value of chosen) if (values.length < SECLANG_LIMITS.valuesMax) values.push(value);
  }
  return values;
}

export function valuesOfPart(transaction: Transaction, view: View, part: Part): readonly Value[] {
  let values = view.parts[part.index];
  if (values === undefined) {
    values = chosenValues(transaction, view, part, part.exclusions);
    view.parts[part.index] = values;
  }
  return values;
}

function chosenValues(
  transaction: Transaction,
  view: View,
  { target, countName }: Part,
  excluded: readonly Target[],
): readonly Value[] {
  const { variable, selector, mode } = target;
  const all = valuesOfVariable(transaction, view, variable);
  const isWhole = all.length === 0 || (selector.kind === "all" && excluded.length === 0);
  const values = isWhole ? all : chosenFrom(all, target, excluded);
  if (mode !== "count")
    return values.length > SECLANG_LIMITS.valuesMax ? values.slice(0, SECLANG_LIMITS.valuesMax) : values;
  const reading = view.compiled.domain.memory.recall(String(values.length));
  // The name of a count says what was counted: it is all in the variable.
  return [new Value(countName as VariableName, "", reading)];
}

function chosenFrom(all: readonly Value[], target: Target, excluded: readonly Target[]): readonly Value[] {
  // Most choose one header: a list of one, written out, takes a tenth of the memory of one that is pushed to.
  let chosen: Value[] | null = null;
  for (const value of all) {
    if (!isChosen(target, value) || isExcluded(value, excluded)) continue;
    if (chosen === null) chosen = [value];
    else chosen.push(value);
  }
  return chosen ?? NONE;
}

function isExcluded(value: Value, excluded: readonly Target[]): boolean {
  for (const each of excluded) if (each.variable === value.variable && isChosen(each, value)) return true;
  return false;
}

/** As transaction.ts has it, with each key put in lower case once. */
function isChosen({ selector }: Target, value: Value): boolean {
  switch (selector.kind) {
    case "all":
      return true;
    case "key":
      return value.lowerKey === selector.key;
    case "regex":
      return selector.regex.test(value.key);
  }
}

function valuesOfVariable(transaction: Transaction, view: View, variable: VariableName): readonly Value[] {
  const known = view.variables.get(variable);
  if (known !== undefined) return known;
  const { memory } = view.compiled.domain;
  const isLasting = LASTING.has(variable);
  const values: Value[] = [];
  eachEntry(transaction, variable, (key, value) => {
    values.push(new Value(variable, key, isLasting ? memory.recall(value) : read(view, value)));
  });
  view.variables.set(variable, values);
  return values;
}

/** Variables whose values come again from request to request. */
const LASTING: ReadonlySet<VariableName> = new Set([
  "ARGS_GET_NAMES",
  "ARGS_NAMES",
  "ARGS_POST_NAMES",
  "REMOTE_ADDR",
  "REQBODY_PROCESSOR",
  "REQUEST_COOKIES_NAMES",
  "REQUEST_HEADERS",
  "REQUEST_HEADERS_NAMES",
  "REQUEST_METHOD",
  "REQUEST_PROTOCOL",
  "RESPONSE_HEADERS",
  "RESPONSE_HEADERS_NAMES",
  "RESPONSE_STATUS",
] satisfies VariableName[]);

function read(view: View, text: string): Reading {
  let reading = view.readings.get(text);
  if (reading === undefined) {
    reading = new Reading(text, view.compiled.domain.table, false);
    view.readings.set(text, reading);
  }
  return reading;
}

/** Values that change from rule to rule, or of which something was taken out in this exchange. */
function collected(transaction: Transaction, view: View, rule: Rule, head: Rule): readonly Value[] {
  const values = valuesOf(transaction, rule, rule.check!.targets, head);
  return values.map(({ name, value }) => {
    // Of a long value most often something is known by then: it stands in another variable too.
    const isLong = value.length > KEPT_CHARS_MIN;
    const reading = isLong ? read(view, value) : new Reading(value, view.compiled.domain.table, false);
    return new Value(name as VariableName, "", reading);
  });
}
