/**
 * A chart as SVG: one or more panels, one above the other, over one common x axis. For docs and reports: a light
 * background, labelled axes with units, and series that differ in lightness and dash as well as in colour (Okabe and
 * Ito's palette), so that they are told apart in grey and by colour-blind readers.
 *
 *   renderChart({ title: "Growth", x: { label: "time", scale: "time" },
 *     panels: [{ y: { label: "drones" }, series: [{ name: "real", kind: "step", color: "blue", points }] }] })
 *
 * No layout engine: text is assumed to be about half as wide as high, and legends stand in a column of their own.
 */
import type { Axis, Ruler } from "./axis.ts";
import { rulerOf } from "./axis.ts";
import { element, escapeXml, pathThrough, tenth, textElement } from "./svg.ts";

/** Okabe and Ito (2008): eight colours that all common kinds of colour blindness can tell apart. Their yellow, too light on white, is left out. */
export const chartColors = {
  black: "#222222",
  blue: "#0072b2",
  orange: "#d55e00",
  green: "#009e73",
  purple: "#cc79a7",
  sky: "#56b4e9",
  amber: "#e69f00",
  grey: "#999999",
} as const;
export type ChartColor = keyof typeof chartColors;

/** A y of null breaks the line: nothing is known there. */
export type ChartPoint = readonly [x: number, y: number | null];

export interface Series {
  readonly name: string;
  /** step: holds until the next point. area: a line filled down to the axis. dots: no line. marked: a line with dots. */
  readonly kind: "line" | "step" | "area" | "dots" | "marked";
  readonly color: ChartColor;
  readonly dash?: "solid" | "dashed" | "dotted";
  /** In order of x. */
  readonly points: readonly ChartPoint[];
}

/** A moment that is worth a word. */
export interface Mark {
  readonly x: number;
  readonly text: string;
}

export interface Panel {
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly marks?: readonly Mark[];
  /** Pixels; default 150. */
  readonly height?: number;
}

export interface Chart {
  readonly title: string;
  /** Below the title, one line each. */
  readonly notes?: readonly string[];
  readonly x: Axis;
  readonly panels: readonly Panel[];
  /** Pixels; default 960. */
  readonly width?: number;
}

export function renderChart({ title, notes = [], x, panels, width = 960 }: Chart): string {
  const across = rulerOf(x, xValues(panels), Math.floor((width - LEFT - RIGHT) / X_TICK_PIXELS));
  const parts: string[] = [
    element("title", {}, escapeXml(title)),
    element("rect", { width: "100%", height: "100%", fill: "#ffffff" }),
    textElement({ x: MARGIN, y: 28, "font-size": 17, "font-weight": 600 }, title),
    ...notes.map((note, i) => textElement({ x: MARGIN, y: 48 + i * NOTE_HEIGHT, fill: SOFT }, note)),
  ];
  let top = TOP + notes.length * NOTE_HEIGHT;
  for (const [index, panel] of panels.entries()) {
    const height = panel.height ?? PANEL_HEIGHT;
    const frame: Frame = { left: LEFT, top, width: width - LEFT - RIGHT, height };
    parts.push(renderPanel(panel, frame, across, index));
    top += height + GAP;
  }
  const bottom = top - GAP;
  parts.push(renderXAxis(x, { left: LEFT, top: bottom, width: width - LEFT - RIGHT, height: 0 }, across));
  const height = bottom + BOTTOM;
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${tenth(height)}`,
    width,
    height,
    role: "img",
    "font-family": "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif",
    "font-size": 12,
    fill: INK,
  };
  return `${element("svg", attributes, parts)}\n`;
}

const INK = chartColors.black;
const SOFT = "#555555";
const GRID = "#e4e4e4";
const EDGE = "#8a8a8a";
const MARGIN = 16;
const LEFT = 84;
/** The legend's column. */
const RIGHT = 176;
const TOP = 50;
const BOTTOM = 52;
const GAP = 26;
const NOTE_HEIGHT = 17;
const PANEL_HEIGHT = 150;
/** How much of a panel's height its axis takes: a line at the very top would lie on the frame. */
const FULL = 0.95;
const X_TICK_PIXELS = 76;
const Y_TICK_PIXELS = 34;
const LEGEND_HEIGHT = 19;
const MARK_CHARACTER_PIXELS = 6.2;

interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function renderPanel(panel: Panel, frame: Frame, across: Ruler, index: number): string {
  const up = rulerOf(panel.y, yValues(panel), Math.max(2, Math.floor(frame.height / Y_TICK_PIXELS)));
  const place: Place = {
    x: (value) => frame.left + across.place(value) * frame.width,
    y: (value) => frame.top + (1 - up.place(value) * FULL) * frame.height,
  };
  const clip = `panel-${index}`;
  return element("g", {}, [
    element("clipPath", { id: clip }, element("rect", { ...rectOf(frame, 2) })),
    ...across.ticks.map(({ at }) => line(place.x(at), frame.top, place.x(at), frame.top + frame.height, GRID)),
    ...up.ticks.flatMap(({ at, text }) => [
      line(frame.left, place.y(at), frame.left + frame.width, place.y(at), GRID),
      textElement({ x: frame.left - 8, y: place.y(at) + 4, "text-anchor": "end", fill: SOFT }, text),
    ]),
    element(
      "g",
      { "clip-path": `url(#${clip})` },
      panel.series.map((series) => renderSeries(series, place, frame)),
    ),
    element("rect", { ...rectOf(frame), fill: "none", stroke: EDGE }),
    yLabel(panel.y.label, frame),
    ...(panel.marks ?? []).map((mark) => renderMark(mark, place, frame)),
    ...panel.series.map((series, i) =>
      renderLegend(series, frame.left + frame.width + 14, frame.top + 10 + i * LEGEND_HEIGHT),
    ),
  ]);
}

interface Place {
  x(value: number): number;
  y(value: number): number;
}

const dashes = { solid: undefined, dashed: "7 4", dotted: "2 3" } as const;

function renderSeries({ kind, color, dash = "solid", points }: Series, place: Place, frame: Frame): string {
  const stroke = chartColors[color];
  const isSingled = kind === "dots" || kind === "marked";
  const all = points.map(([x, y]) => (y === null ? null : ([place.x(x), place.y(y)] as const)));
  // Dots are single measurements: each is shown.
  const placed = isSingled ? all : thinned(all);
  if (kind === "dots") return placed.map((point) => (point === null ? "" : dot(point, stroke))).join("");
  const cornered = kind === "step" ? withCorners(placed) : placed;
  const path = pathThrough(cornered);
  if (path === "") return element("g", {});
  const pen = {
    fill: "none",
    stroke,
    "stroke-width": 1.8,
    "stroke-linejoin": "round",
    "stroke-dasharray": dashes[dash],
  };
  const drawn = element("path", { d: path, ...pen });
  if (kind === "marked") return drawn + placed.map((point) => (point === null ? "" : dot(point, stroke))).join("");
  if (kind !== "area") return drawn;
  const floor = frame.top + frame.height;
  const filled = runsOf(cornered)
    .map((run) => `${pathThrough([[run[0]![0], floor], ...run, [run.at(-1)![0], floor]])}Z`)
    .join("");
  return element("path", { d: filled, fill: stroke, "fill-opacity": 0.16 }) + drawn;
}

type Placed = ReadonlyArray<readonly [number, number] | null>;

/**
 * In pixels; where many points fall into one column of pixels only the first, the lowest, the highest and the last are
 * kept, so that a day of seconds draws the same as it would in full.
 */
function thinned(placed: Placed): Placed {
  const kept: Array<readonly [number, number] | null> = [];
  for (let i = 0; i < placed.length;) {
    const first = placed[i] ?? null;
    if (first === null) {
      kept.push(null);
      i += 1;
      continue;
    }
    const column = Math.floor(first[0]);
    let end = i + 1;
    while (end < placed.length && isIn(column, placed[end])) end += 1;
    const run = placed.slice(i, end) as Array<readonly [number, number]>;
    kept.push(...(run.length <= 4 ? run : extremes(run)));
    i = end;
  }
  return kept.filter((point, i) => !isBetweenEquals(point, kept[i - 1], kept[i + 1]));
}

function isIn(column: number, point: Placed[number] | undefined): boolean {
  return point !== undefined && point !== null && Math.floor(point[0]) === column;
}

/** In the middle of a level stretch, where it adds nothing. */
function isBetweenEquals(
  point: Placed[number],
  before: Placed[number] | undefined,
  after: Placed[number] | undefined,
): boolean {
  return point !== null && before?.[1] === point[1] && after?.[1] === point[1];
}

function extremes(run: ReadonlyArray<readonly [number, number]>): ReadonlyArray<readonly [number, number]> {
  let [low, high] = [0, 0];
  for (const [i, [, y]] of run.entries()) {
    if (y < run[low]![1]) low = i;
    if (y > run[high]![1]) high = i;
  }
  return [...new Set([0, Math.min(low, high), Math.max(low, high), run.length - 1])].map((i) => run[i]!);
}

/** A value holds until the next one begins. */
function withCorners(points: Placed): Placed {
  const cornered: Array<readonly [number, number] | null> = [];
  let before: readonly [number, number] | null = null;
  for (const point of points) {
    if (point !== null && before !== null && point[1] !== before[1]) cornered.push([point[0], before[1]]);
    cornered.push(point);
    before = point;
  }
  return cornered;
}

function runsOf(points: Placed): Array<Array<readonly [number, number]>> {
  const runs: Array<Array<readonly [number, number]>> = [[]];
  for (const point of points) {
    if (point === null) runs.push([]);
    else runs.at(-1)?.push(point);
  }
  return runs.filter((run) => run.length > 0);
}

function dot([cx, cy]: readonly [number, number], fill: string): string {
  return element("circle", { cx, cy, r: 3, fill });
}

function renderLegend({ name, kind, color, dash = "solid" }: Series, x: number, y: number): string {
  const stroke = chartColors[color];
  const sample =
    kind === "dots"
      ? dot([x + 10, y], stroke)
      : element("path", {
          d: pathThrough([
            [x, y],
            [x + 22, y],
          ]),
          stroke,
          "stroke-width": 2.4,
          "stroke-dasharray": dashes[dash],
        });
  return sample + textElement({ x: x + 29, y: y + 4 }, name);
}

function renderMark({ x, text }: Mark, place: Place, frame: Frame): string {
  const at = place.x(x);
  const isNearEnd = at + text.length * MARK_CHARACTER_PIXELS > frame.left + frame.width;
  return [
    element("path", {
      d: pathThrough([
        [at, frame.top],
        [at, frame.top + frame.height],
      ]),
      stroke: SOFT,
      "stroke-dasharray": "3 3",
    }),
    textElement(
      { x: at + (isNearEnd ? -5 : 5), y: frame.top + 14, "text-anchor": isNearEnd ? "end" : "start", fill: SOFT },
      text,
    ),
  ].join("");
}

function renderXAxis({ label }: Axis, frame: Frame, across: Ruler): string {
  const ticks = across.ticks.map(({ at, text }) =>
    textElement(
      { x: frame.left + across.place(at) * frame.width, y: frame.top + 18, "text-anchor": "middle", fill: SOFT },
      text,
    ),
  );
  const name = textElement({ x: frame.left + frame.width / 2, y: frame.top + 38, "text-anchor": "middle" }, label);
  return element("g", {}, [...ticks, name]);
}

function yLabel(label: string, { left, top, height }: Frame): string {
  const [x, y] = [left - 62, top + height / 2];
  return textElement({ x, y, "text-anchor": "middle", transform: `rotate(-90 ${tenth(x)} ${tenth(y)})` }, label);
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string): string {
  return element("line", { x1, y1, x2, y2, stroke });
}

function rectOf(
  { left, top, width, height }: Frame,
  slack = 0,
): { x: number; y: number; width: number; height: number } {
  return { x: left - slack, y: top - slack, width: width + 2 * slack, height: height + 2 * slack };
}

function* xValues(panels: readonly Panel[]): Generator<number> {
  for (const { series } of panels) for (const { points } of series) for (const [x] of points) yield x;
}

function* yValues({ series }: Panel): Generator<number> {
  for (const { points } of series) for (const [, y] of points) if (y !== null) yield y;
}
