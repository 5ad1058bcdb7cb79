/**
 * Axes: from a range of values to places in a picture, and to marks at round numbers.
 *
 * A mark stands at 1, 2 or 5 times a power of ten; on an axis of time at what clocks show (15 s, 5 min, 6 h); on a
 * logarithmic axis at the powers of ten.
 */

export interface Axis {
  /** With its unit: `drones`, `waiting, ms`. */
  readonly label: string;
  /** `time`: values are milliseconds. Default: linear. */
  readonly scale?: "linear" | "log" | "time";
  /** Range to show, at least; the data widens it. A linear axis begins at 0 unless told otherwise. */
  readonly from?: number;
  readonly to?: number;
}

export interface Ruler {
  readonly from: number;
  readonly to: number;
  /** 0 at `from`, 1 at `to`. */
  place(value: number): number;
  readonly ticks: ReadonlyArray<{ readonly at: number; readonly text: string }>;
}

/** `countMax`: how many marks there is room for. */
export function rulerOf(axis: Axis, values: Iterable<number>, countMax: number): Ruler {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const positive = axis.scale === "log";
  for (const value of [...values, axis.from, axis.to]) {
    if (value === undefined || !Number.isFinite(value) || (positive && value <= 0)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = positive ? [1, 10] : [0, 1];
  switch (axis.scale ?? "linear") {
    case "log":
      return logRuler(low, high, countMax);
    case "time":
      return timeRuler(low, high, countMax);
    case "linear":
      return linearRuler(axis.from === undefined ? Math.min(0, low) : low, high, countMax);
  }
}

/** What is narrower has no steps: they would be 0 in floating point. */
const spanMin = 1e-200;
/** As a share of the values themselves, which have sixteen digits: the marks must differ in some of them. */
const spanShareMin = 1e-12;

function linearRuler(low: number, high: number, countMax: number): Ruler {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const span = high - low > Math.max(spanMin, size * spanShareMin) ? high - low : Math.max(1, size * spanShareMin);
  const step = niceStep(span / Math.max(1, countMax));
  const from = Math.floor(low / step + 1e-9) * step;
  const to = Math.ceil((low + span) / step - 1e-9) * step;
  return linear(from, to, step, (value) => formatNumber(value, step));
}

function timeRuler(low: number, high: number, countMax: number): Ruler {
  const to = high > low ? high : low + 1_000;
  const step = timeSteps.find((candidate) => (to - low) / candidate <= countMax) ?? niceStep((to - low) / countMax);
  const from = Math.floor(low / step) * step;
  const isExact = (to - from) % step === 0;
  const ruler = linear(from, isExact ? to : high, step, (value) => formatTime(value, step));
  return ruler;
}

function linear(from: number, to: number, step: number, format: (value: number) => string): Ruler {
  const count = Math.floor((to - from) / step + 1e-9);
  const ticks = Array.from({ length: count + 1 }, (_, i) => ({ at: from + i * step, text: format(from + i * step) }));
  return { from, to, ticks, place: (value) => (value - from) / (to - from) };
}

function logRuler(low: number, high: number, countMax: number): Ruler {
  const first = decadeOf(low);
  let last = decadeOf(high);
  if (10 ** last < high) last += 1;
  if (last === first) last += 1;
  const every = Math.max(1, Math.ceil((last - first + 1) / countMax));
  const ticks = [];
  for (let decade = first; decade <= last; decade += every) {
    ticks.push({ at: 10 ** decade, text: formatNumber(10 ** decade, 10 ** decade) });
  }
  const [from, to] = [10 ** first, 10 ** last];
  return { from, to, ticks, place: (value) => (Math.log10(Math.max(value, from)) - first) / (last - first) };
}

/** The power of ten at or below: floor(log10), without its rounding at exact powers. */
function decadeOf(value: number): number {
  let decade = Math.floor(Math.log10(value));
  if (10 ** (decade + 1) <= value) decade += 1;
  return decade;
}

/** 1, 2 or 5 times a power of ten, at least `rough`. */
export function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const timeSteps: readonly number[] = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
  ...[1, 2, 7].map((days) => days * DAY_MS),
];

/** `90 s`, `5 min`, `6 h`, in the largest unit that the marks' step is a whole number of. */
function formatTime(ms: number, stepMs: number): string {
  if (ms === 0) return "0";
  if (stepMs >= DAY_MS) return `${ms / DAY_MS} d`;
  if (stepMs >= HOUR_MS) return `${ms / HOUR_MS} h`;
  if (stepMs >= MINUTE_MS) return `${ms / MINUTE_MS} min`;
  if (stepMs >= SECOND_MS) return `${ms / SECOND_MS} s`;
  return `${ms} ms`;
}

/** `0.25`, `12`, `3k`, `1.5M`. */
export function formatNumber(value: number, step: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${trim(value / 1e9)}G`;
  if (size >= 1e6) return `${trim(value / 1e6)}M`;
  if (size >= 1e4 || (size >= 1e3 && step >= 1e3)) return `${trim(value / 1e3)}k`;
  return trim(value);
}

/** Without the rounding errors of a step's multiples. */
function trim(value: number): string {
  return String(Number(value.toPrecision(6)));
}
