/**
 * Looks through a request with the built-in filters: at its head, and once it has come at its body.
 *
 * Each filter tells once in a phase, at the first value in which it finds something: a second one says nothing new. It
 * can be stopped between two values and go on later, so that no body holds the event loop; and what the patterns cost is
 * charged to a meter as with rules: beyond it the request is *overrun*, and is to be refused, since what was not
 * looked at cannot be called harmless.
 */
import type { AttackClass } from "../ledger/attack-class.ts";
import { WORD_BITS } from "../seclang/compiled/screen-table.ts";
import { shorten } from "../seclang/judgement.ts";
import { SECLANG_LIMITS } from "../seclang/limits.ts";
import { profileOf } from "../seclang/pattern/byte-classes.ts";
import type { Meter } from "../seclang/pattern/search.ts";
import { isExcluded } from "./exclusions.ts";
import type { Filter, Phase } from "./filter.ts";
import { formOf, plainForm } from "./forms.ts";
import type { ParsedRequest } from "./parsed-request.ts";
import type { PlacedValue } from "./places.ts";
import { PLACES, valuesOf } from "./places.ts";
import type { BuiltCheck, BuiltinScreen } from "./screen.ts";
import { hiddenText } from "./hidden-text.ts";
import { innerValues } from "./inner-values.ts";
import { isPassword } from "./secret.ts";
import { isWritten } from "./written.ts";

export interface BuiltinHit {
  readonly id: number;
  readonly name: string;
  readonly message: string;
  readonly score: number;
  readonly attackClass: AttackClass;
  /** As rules name values: ARGS:q. */
  readonly where: string;
  /** What was found there, as the filter saw it; shortened. */
  readonly matched: string;
}

/** Of one phase of one request. */
export interface BuiltinRun {
  readonly screen: BuiltinScreen;
  readonly request: ParsedRequest;
  readonly phase: Phase;
  readonly hits: BuiltinHit[];
  /** Those that are exempt counted too. */
  findings: number;
  readonly meter: Meter;
  /** More was to be looked at than a request may cost. */
  overrun: boolean;
  readonly values: readonly PlacedValue[];
  /** The next value to look at. */
  next: number;
}

/** All of a phase at once. For bodies of more than a few KB see stepBuiltin. */
export function evaluateBuiltin(screen: BuiltinScreen, request: ParsedRequest, phase: Phase): BuiltinRun {
  const run = openBuiltin(screen, request, phase);
  stepBuiltin(run, Infinity);
  return run;
}

export function openBuiltin(screen: BuiltinScreen, request: ParsedRequest, phase: Phase): BuiltinRun {
  const values: PlacedValue[] = [];
  for (const value of valuesOf(request, phase)) takeApart(value, values, 0);
  let bytes = 0;
  for (const { text } of values) bytes += text.length;
  return {
    screen,
    request,
    phase,
    hits: [],
    findings: 0,
    meter: { left: STEPS_BASE + STEPS_PER_BYTE * bytes },
    overrun: false,
    values,
    next: 0,
  };
}

/** A step is some 5 ns: 5 ms, and 1 us a byte. Ordinary values need about 10 steps a byte. */
const STEPS_BASE = 1_000_000;
const STEPS_PER_BYTE = 200;
/** About 15 ms: what a single value may take of it. */
const STEPS_PER_VALUE_MAX = 3_000_000;

/**
 * JSON within a value is looked at string by string, and a long value piece by piece: what a filter looks for is much
 * shorter than the overlap.
 */
function takeApart(value: PlacedValue, into: PlacedValue[], depth: number): void {
  const { text, place } = value;
  const inner = (place & HOLDS_JSON) !== 0 && depth < DEPTH_MAX ? innerValues(text) : null;
  if (inner !== null) {
    for (const { name, value: part } of inner) {
      into.push({ ...value, place: PLACES.name, text: name });
      if (part !== "") takeApart({ ...value, place: PLACES.argument, text: part }, into, depth + 1);
    }
    return;
  }
  if (text.length <= WINDOW_CHARS) {
    into.push(value);
    return;
  }
  for (let at = 0; at + WINDOW_OVERLAP < text.length; at += WINDOW_CHARS - WINDOW_OVERLAP) {
    into.push({ ...value, text: text.slice(at, at + WINDOW_CHARS) });
  }
}

const HOLDS_JSON = PLACES.argument | PLACES.cookie | PLACES.body;
/** JSON within JSON within a form's field. */
const DEPTH_MAX = 3;
const WINDOW_CHARS = 4096;
const WINDOW_OVERLAP = 512;

/** Goes on for about `steps` (or to the end: Infinity). True: the phase is done. */
export function stepBuiltin(run: BuiltinRun, steps: number): boolean {
  if (run.next === 0) judgeWhole(run);
  const { values, screen, meter } = run;
  const floor = meter.left - steps;
  let bytesLeft = steps / STEPS_PER_BYTE_OF_TURN;
  while (run.next < values.length && !run.overrun) {
    const value = values[run.next]!;
    run.next += 1;
    bytesLeft -= value.text.length;
    const isHeader = (value.place & HEADERS) !== 0;
    if (isHeader && screen.harmless.has(value.place, value.text)) continue;
    lookAt(run, value);
    // Once something was found, filters that have told are not asked again: then nothing can be called harmless.
    if (isHeader && run.findings === 0 && !run.overrun) screen.harmless.add(value.place, value.text);
    if (meter.left < floor || bytesLeft < 0) break;
  }
  return run.overrun || run.next >= values.length;
}

/** Not all that a value costs is counted in steps: its forms and the tokens of SQL and HTML are charged by its length. */
const STEPS_PER_BYTE_OF_TURN = 120;

/** Their values come again from request to request. */
const HEADERS = PLACES.header | PLACES["user-agent"] | PLACES.name | PLACES["cookie-name"];

function judgeWhole(run: BuiltinRun): void {
  for (const filter of run.screen.filters) {
    if (filter.judge?.phase !== run.phase) continue;
    const found = filter.judge.find(run.request);
    if (found === null) continue;
    const [variable = "", key = ""] = found.where.split(/:(.*)/s);
    tell(run, filter, { variable, key }, found.matched);
  }
}

function lookAt(run: BuiltinRun, value: PlacedValue): void {
  lookThrough(run, value, value.text);
  const hidden = run.overrun ? null : hiddenText(value.text);
  if (hidden === null) return;
  const parts: PlacedValue[] = [];
  takeApart({ ...value, text: hidden }, parts, 1);
  for (const part of parts) if (!run.overrun) lookThrough(run, part, part.text);
}

function lookThrough(run: BuiltinRun, value: PlacedValue, text: string): void {
  const { screen } = run;
  const profile = profileOf(text);
  const plain = plainForm(text, profile);
  const plainProfile = plain === text ? profile : profileOf(plain);
  let last: string | null = null;
  let candidates: readonly number[] = NONE;
  let written: boolean | null = null;
  for (const { form, checks } of screen.byPlace.get(value.place)!) {
    const shown = formOf(form, text, plain, plainProfile);
    if (shown !== last) candidates = candidatesOf(screen, shown, shown === text ? profile : profileOf(shown));
    last = shown;
    for (let word = 0; word < checks.length; word += 1) {
      let bits = candidates[word]! & checks[word]!;
      while (bits !== 0) {
        const bit = bits & -bits;
        bits ^= bit;
        const built = screen.checks[word * WORD_BITS + 31 - Math.clz32(bit)]!;
        if (isTold(run, built.filter)) continue;
        const found = find(run, built, shown);
        if (run.overrun) return;
        if (found === null) continue;
        if (
          built.check.inText === "excused" &&
          (written ??= isWritten(text) || (value.place === PLACES.argument && isPassword(value.key, text)))
        )
          continue;
        tell(run, built.filter, value, found);
      }
    }
  }
}

const NONE: readonly number[] = [];

function candidatesOf({ table }: BuiltinScreen, text: string, profile: number): readonly number[] {
  return table.candidates(table.search(text, profile), profile, text.length);
}

const isTold = ({ hits }: BuiltinRun, { id }: Filter): boolean => hits.some((hit) => hit.id === id);

/** What was found, or null. */
function find(run: BuiltinRun, { check, regex }: BuiltCheck, text: string): string | null {
  const { meter } = run;
  if (check.kind === "search") {
    // Searches are linear: a few steps a byte.
    meter.left -= 8 + 4 * text.length;
    return check.search(text);
  }
  const own = { left: Math.min(meter.left, STEPS_PER_VALUE_MAX) };
  const before = own.left;
  const match = regex!.exec({ text, bytes: Buffer.from(text, "latin1") }, own, true);
  meter.left -= before - own.left;
  if (own.left < 0) run.overrun = true;
  return match === null ? null : (match[0] ?? "");
}

function tell(
  run: BuiltinRun,
  filter: Filter,
  { variable, key }: Pick<PlacedValue, "variable" | "key">,
  matched: string,
): void {
  run.findings += 1;
  if (run.hits.length >= SECLANG_LIMITS.hitsMax || isTold(run, filter)) return;
  const path = run.request.target.uri.split("?", 1)[0]!;
  if (isExcluded(run.screen.exclusions, filter, { path, variable, key })) return;
  const { id, name, message, score, attackClass } = filter;
  run.hits.push({
    id,
    name,
    message,
    score,
    attackClass,
    where: key === "" ? variable : `${variable}:${key}`,
    matched: shorten(matched),
  });
}

/** The sum of all hits of a request's phases: from 5 on it is to be refused. */
export function scoreOf(hits: readonly Pick<BuiltinHit, "score">[]): number {
  return hits.reduce((sum, { score }) => sum + score, 0);
}

/** As the Core Rule Set has it: one certain attack. */
export const BLOCKING_SCORE = 5;
