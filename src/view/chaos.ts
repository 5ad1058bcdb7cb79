/** What `cellws chaos` shows: the picture over time, and the account for a person. */
import type { CellClass } from "../core/cell.ts";
import type { ChartPoint, Panel, Series } from "./chart.ts";
import { renderChart } from "./chart.ts";
import { classColor } from "./simulation.ts";
import type { Style } from "./style.ts";
import { paint } from "./style.ts";
import { renderTable } from "./table.ts";
import { formatCount, formatDuration } from "./units.ts";

export interface ChaosView {
  readonly title: string;
  readonly notes: readonly string[];
  readonly durationMs: number;
  readonly seed: number;
  readonly endedEarly: boolean;
  readonly requests: {
    readonly answered: number;
    readonly lost: number;
    /** Lost, and not because a B cell that held the connection had been struck. */
    readonly unexcused: number;
    readonly byLoss: Readonly<Record<string, number>>;
    readonly firstLosses: ReadonlyArray<{ readonly atMs: number; readonly loss: string; readonly detail: string }>;
  };
  readonly latencyMs: { readonly p50: number | null; readonly p99: number | null; readonly max: number | null };
  readonly strikes: ReadonlyArray<{
    readonly atMs: number;
    readonly harm: string;
    readonly class: CellClass;
    readonly healedMs: number | null;
  }>;
  readonly slices: ReadonlyArray<{
    readonly atMs: number;
    readonly answered: number;
    readonly lost: number;
    readonly p50Ms: number | null;
    readonly p99Ms: number | null;
  }>;
  readonly sliceMs: number;
  readonly census: ReadonlyArray<{ readonly atMs: number; readonly populations: Partial<Record<CellClass, number>> }>;
}

const plural = {
  egg: "eggs",
  stem: "stem cells",
  neuron: "neurons",
  "b-cell": "B cells",
  "t-cell": "T cells",
  drone: "drones",
} as const satisfies Record<CellClass, string>;

const harmColor = { kill: "orange", stop: "blue", slow: "grey" } as const;

export function chaosChart(view: ChaosView): string {
  const { slices, sliceMs, strikes, census } = view;
  const perSecond = 1_000 / sliceMs;
  const over = (of: (slice: ChaosView["slices"][number]) => number | null): ChartPoint[] =>
    slices.map((slice) => [slice.atMs + sliceMs / 2, of(slice)]);
  const classes = (Object.keys(plural) as CellClass[]).filter((c) => census.some((s) => (s.populations[c] ?? 0) > 0));
  const dashes = { "b-cell": "dashed", neuron: "dotted", "t-cell": "dashed" } as Partial<
    Record<CellClass, Series["dash"]>
  >;
  const panels: Panel[] = [
    {
      y: { label: "requests/s" },
      series: [
        { name: "answered right", kind: "area", color: "green", points: over((s) => s.answered * perSecond) },
        { name: "lost", kind: "area", color: "orange", points: over((s) => s.lost * perSecond) },
      ],
    },
    {
      y: { label: "answer, ms", scale: "log" },
      series: [
        { name: "p99 in 250 ms", kind: "line", color: "black", points: over((s) => s.p99Ms) },
        { name: "p50 in 250 ms", kind: "line", color: "sky", dash: "dashed", points: over((s) => s.p50Ms) },
      ],
    },
    {
      y: { label: "cells" },
      series: classes.map((c) => ({
        name: plural[c],
        kind: "step",
        color: classColor[c],
        dash: dashes[c] ?? "solid",
        points: census.map(({ atMs, populations }) => [atMs, populations[c] ?? 0]),
      })),
    },
    {
      y: { label: "healed after, s" },
      series: (Object.keys(harmColor) as Array<keyof typeof harmColor>)
        .filter((harm) => strikes.some((strike) => strike.harm === harm))
        .map((harm) => ({
          name: { kill: "killed", stop: "stopped", slow: "slowed" }[harm],
          kind: "dots",
          color: harmColor[harm],
          points: strikes
            .filter((strike) => strike.harm === harm)
            .map(({ atMs, healedMs }) => [atMs, healedMs === null ? null : healedMs / 1_000]),
        })),
    },
  ];
  const x = { label: "time", scale: "time", from: 0, to: view.durationMs } as const;
  return renderChart({ title: view.title, notes: view.notes, x, panels });
}

export function renderChaos(view: ChaosView, style: Style): string[] {
  const { requests, latencyMs, strikes } = view;
  const total = requests.answered + requests.lost;
  const unhealed = strikes.filter(({ healedMs }) => healedMs === null);
  const lines = [
    paint(style, "bold", view.title),
    ...view.notes.map((note) => paint(style, "dim", note)),
    `  requests      ${total} sent, ${requests.answered} answered right, ${lostText(requests, style)}`,
    `  answers       p50 ${msText(latencyMs.p50)}, p99 ${msText(latencyMs.p99)}, at most ${msText(latencyMs.max)}`,
    `  struck        ${formatCount(strikes.length, "cell")}${view.endedEarly ? ", ended early" : ""}; the same dice again: --seed ${view.seed}`,
    `  healed        ${unhealed.length === 0 ? "every time" : paint(style, "red", `${unhealed.length} not by the end`)}`,
    "",
  ];
  const groups = new Map<string, number[]>();
  for (const { harm, class: cellClass, healedMs } of strikes) {
    const key = `${harm} ${cellClass}`;
    groups.set(key, [...(groups.get(key) ?? []), healedMs ?? Number.POSITIVE_INFINITY]);
  }
  const rows = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, times]) => {
      const sorted = times.toSorted((a, b) => a - b);
      const at = (share: number): string => secondsText(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]);
      return [{ text: what }, { text: String(times.length) }, { text: at(0.5) }, { text: at(1) }];
    });
  if (rows.length > 0) {
    const columns = ["what", "times", "whole again, p50", "at most"];
    lines.push(
      ...renderTable(
        columns.map((title, i) => ({ title, align: i === 0 ? "left" : "right" }) as const),
        rows,
        style,
      ).map((row) => `  ${row}`),
    );
  }
  for (const { atMs, loss, detail } of requests.firstLosses) {
    lines.push(paint(style, "dim", `  lost at ${(atMs / 1_000).toFixed(1)} s: ${loss}, ${detail}`));
  }
  return lines;
}

function lostText({ lost, unexcused, byLoss }: ChaosView["requests"], style: Style): string {
  if (lost === 0) return paint(style, "green", "none lost");
  const kinds = Object.entries(byLoss).map(([loss, count]) => `${count} ${loss}`);
  const excused = lost - unexcused;
  const because = excused === 0 ? "" : `, ${excused} of them on connections of a B cell that was struck`;
  return paint(style, unexcused > 0 ? "red" : "yellow", `${lost} lost (${kinds.join(", ")}${because})`);
}

const msText = (ms: number | null): string =>
  ms === null ? "-" : ms < 1_000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : formatDuration(ms);
const secondsText = (ms: number | undefined): string =>
  ms === undefined || !Number.isFinite(ms) ? "not" : `${(ms / 1_000).toFixed(1)} s`;
