/** What `cellws simulate` shows: the plot, and the summary for a person in a hurry. */
import type { CellClass, SpecializedClass } from "../core/cell.ts";
import type { ChartColor, ChartPoint, Panel, Series } from "./chart.ts";
import { renderChart } from "./chart.ts";
import type { Style } from "./style.ts";
import { paint } from "./style.ts";
import { formatCount, formatDuration } from "./units.ts";

/** What is shown of a simulation (sim/simulation.ts has more). */
export interface SimulationView {
  readonly title: string;
  readonly notes: readonly string[];
  readonly samples: readonly SampleView[];
  readonly summary: SummaryView;
}

export interface SampleView {
  readonly atMs: number;
  readonly ratePerSecond: number;
  readonly populations: Readonly<Record<CellClass, number>>;
  readonly dronesNeeded: number;
  readonly utilizationMilli: number;
  readonly waitMs: number | null;
  readonly hormones: Readonly<Record<SpecializedClass, number>>;
}

export interface SummaryView {
  readonly durationMs: number;
  readonly requests: { readonly came: number; readonly answered: number; readonly refused: number };
  readonly firstAnswerMs: number | null;
  readonly waitMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
  readonly drones: {
    readonly neededMax: number;
    readonly wantedMax: number;
    readonly max: number;
    readonly overshoot: number;
    readonly deadband: number;
    readonly tooFewMs: number;
    readonly tooManyMs: number;
    readonly turns: number;
  };
  readonly settled: boolean;
  readonly cellsMax: number;
  readonly births: number;
  readonly votedOut: Readonly<Record<string, number>>;
}

const classNames = {
  egg: "egg",
  stem: "stem cells",
  neuron: "neurons",
  "b-cell": "B cells",
  "t-cell": "T cells",
  drone: "drones",
} satisfies Record<CellClass, string>;

/** Colours of the classes in every chart. */
export const classColor = {
  egg: "amber",
  stem: "grey",
  neuron: "purple",
  "b-cell": "blue",
  "t-cell": "sky",
  drone: "green",
} satisfies Record<CellClass, ChartColor>;

export function simulationChart({ title, notes, samples, summary }: SimulationView): string {
  const over = (of: (sample: SampleView) => number | null): ChartPoint[] => samples.map((s) => [s.atMs, of(s)]);
  const seen = (Object.keys(classColor) as CellClass[]).filter((c) => samples.some((s) => s.populations[c] > 0));
  const others = seen.filter((c) => c !== "drone" && c !== "egg");
  const panels: Panel[] = [
    {
      y: { label: "requests/s" },
      series: [{ name: "load", kind: "area", color: "black", points: over((s) => s.ratePerSecond) }],
      height: 110,
    },
    {
      y: { label: "drones" },
      series: [
        { name: "drones", kind: "step", color: classColor.drone, points: over((s) => s.populations.drone) },
        {
          name: "needed for the load",
          kind: "step",
          color: "black",
          dash: "dotted",
          points: over((s) => s.dronesNeeded),
        },
      ],
    },
    {
      y: { label: "other cells" },
      series: others.map((c): Series => {
        const dash = ({ "b-cell": "dashed", neuron: "dotted" } as const)[c as string] ?? "solid";
        return { name: classNames[c], kind: "step", color: classColor[c], dash, points: over((s) => s.populations[c]) };
      }),
      height: 110,
    },
    {
      y: { label: "busy, %", from: 0, to: 100 },
      series: [
        { name: "drones, mean", kind: "line", color: classColor.drone, points: over((s) => s.utilizationMilli / 10) },
      ],
      height: 100,
    },
    {
      y: { label: "waiting, ms" },
      series: [{ name: "before work begins", kind: "line", color: "orange", points: over((s) => s.waitMs) }],
      height: 120,
    },
    {
      y: { label: "hormone, millions" },
      series: hormoneSeries(samples),
      height: 110,
    },
  ];
  return renderChart({ title, notes, x: { label: "time", scale: "time", from: 0, to: summary.durationMs }, panels });
}

function hormoneSeries(samples: readonly SampleView[]): Series[] {
  const classes = (["drone", "b-cell", "neuron", "t-cell"] as const).filter((c) =>
    samples.some((s) => s.hormones[c] > 0),
  );
  const dash = { drone: "solid", "b-cell": "dashed", neuron: "dotted", "t-cell": "solid" } as const;
  return classes.map((c) => ({
    name: `for ${classNames[c]}`,
    kind: "line",
    color: classColor[c],
    dash: dash[c],
    points: samples.map((s) => [s.atMs, s.hormones[c] / 1e6] as const),
  }));
}

/** Lines of the summary, for a terminal. */
export function renderSimulationSummary({ title, notes, summary }: SimulationView, style: Style): string[] {
  const { requests, drones, waitMs, firstAnswerMs, votedOut } = summary;
  const sentences = Object.entries(votedOut).map(([reason, count]) => `${count} ${reason}`);
  const overshoot =
    drones.overshoot > drones.deadband ? paint(style, "yellow", `${drones.overshoot}`) : `${drones.overshoot}`;
  const rows: ReadonlyArray<readonly [label: string, text: string]> = [
    ["simulated", formatDuration(summary.durationMs)],
    ["requests", requestsText(requests, style)],
    ["first answer", firstAnswerMs === null ? "none" : `after ${formatDuration(firstAnswerMs)}`],
    ["waiting", `p50 ${ms(waitMs.p50)}, p95 ${ms(waitMs.p95)}, p99 ${ms(waitMs.p99)}, at most ${ms(waitMs.max)}`],
    ["drones", dronesText(drones, style)],
    ["overshoot", `${overshoot} (within ${drones.deadband} is calm)`],
    [
      "settling",
      `too few for at most ${formatDuration(drones.tooFewMs)}, too many for at most ${formatDuration(drones.tooManyMs)}`,
    ],
    ["turns", `${formatCount(drones.turns, "time")} from growing to shrinking or back`],
    ["at the end", summary.settled ? "settled" : paint(style, "yellow", "the drones are not yet what the load needs")],
    ["cells", `at most ${summary.cellsMax} at a time, ${formatCount(summary.births, "birth")}`],
    ["voted out", sentences.length === 0 ? "nobody" : sentences.join(", ")],
  ];
  return [
    paint(style, "bold", title),
    ...notes.map((note) => paint(style, "dim", note)),
    ...rows.map(([label, text]) => `  ${label.padEnd(13)} ${text}`),
  ];
}

function requestsText({ came, answered, refused }: SummaryView["requests"], style: Style): string {
  const lost = refused === 0 ? "none refused" : paint(style, "red", `${refused} refused`);
  return `${came} came, ${answered} answered, ${lost}`;
}

function dronesText({ max, neededMax, wantedMax }: SummaryView["drones"], style: Style): string {
  const text = `at most ${max}, where the load needed ${wantedMax}`;
  return wantedMax <= neededMax ? text : `${text}; ${paint(style, "yellow", `the DNA allows ${neededMax}`)}`;
}

function ms(value: number): string {
  return value < 1_000 ? `${value} ms` : formatDuration(value);
}
