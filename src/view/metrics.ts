/**
 * The metrics as Prometheus reads them: its text format 0.0.4, or OpenMetrics 1.0 where that is asked for.
 *
 * Counters without labels, and those whose labels' values are known, are told as 0 before the first is counted: what appears with
 * its first event has no rise that anybody could see.
 */
import { cellClasses } from "../core/cell.ts";
import type { Counted, MetricKind, MetricName, Series, Snapshot } from "../wire/metrics.ts";
import { metrics, organismMetrics } from "../wire/metrics.ts";
import type { OrganismSurvey } from "../wire/survey.ts";
import type { Readiness } from "./readiness.ts";

export type ExpositionFormat = "prometheus" | "openmetrics";

export const contentTypes = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} satisfies Record<ExpositionFormat, string>;

/** With more cells than this they are not told one by one, only counted: the series of one scrape stay few. */
export const cellsToldMax = 200;

export interface MetricsView {
  readonly survey: OrganismSurvey;
  readonly readiness: Readiness;
  readonly snapshot: Snapshot;
  /** Seconds since 1970; null where it is not known. */
  readonly startedAtSeconds: number | null;
}

/** A line: the labels in order, and the value. */
interface Point {
  readonly labels: readonly string[];
  readonly value: number | Counted;
}

export function renderMetrics(view: MetricsView, format: ExpositionFormat): string {
  const lines: string[] = [];
  const add = (name: string, kind: MetricKind, points: readonly Point[]): void => {
    if (points.length === 0) return;
    // OpenMetrics names the family without the suffix that its counters have.
    const family = format === "openmetrics" && kind.type === "counter" ? name.replace(/_total$/, "") : name;
    lines.push(`# HELP ${family} ${escapeHelp(kind.help, format)}`, `# TYPE ${family} ${kind.type}`);
    for (const point of points) lines.push(...renderPoint(name, kind, point, format));
  };
  for (const [name, points] of Object.entries(organismPoints(view))) {
    add(name, organismMetrics[name as keyof typeof organismMetrics], points);
  }
  const counted = Map.groupBy(view.snapshot, (series) => series.name);
  for (const name of Object.keys(metrics) as MetricName[]) {
    add(name, metrics[name], withZeros(metrics[name], counted.get(name) ?? []));
  }
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

/** As the Accept field asks; whoever does not say gets what everything reads. */
export function chooseFormat(accept: string | undefined): ExpositionFormat {
  return /application\/openmetrics-text/i.test(accept ?? "") ? "openmetrics" : "prometheus";
}

function organismPoints({
  survey,
  readiness,
  startedAtSeconds,
}: MetricsView): Record<keyof typeof organismMetrics, Point[]> {
  const { cells, name, organism, revision, strangers } = survey;
  const plain = (value: number): Point[] => [{ labels: [], value }];
  const states = ["live", "suspected", "draining"] as const;
  const population = cellClasses.flatMap((cellClass) =>
    states.map((state) => ({
      labels: [cellClass, state],
      value: cells.filter((cell) => cell.class === cellClass && cell.state === state).length,
    })),
  );
  const told = cells.length > cellsToldMax ? [] : cells;
  const each = (measure: "rssBytes" | "load"): Point[] =>
    told.flatMap((cell) => {
      const value = cell[measure];
      return value === null ? [] : [{ labels: [cell.id, cell.class], value }];
    });
  return {
    cellws_info: [{ labels: [name, organism, revision], value: 1 }],
    cellws_start_time_seconds: startedAtSeconds === null ? [] : plain(startedAtSeconds),
    cellws_ready: plain(readiness.ready ? 1 : 0),
    cellws_cells: population,
    cellws_cells_unanswered: plain(cells.filter((cell) => cell.evidence !== "self").length + strangers.length),
    cellws_drones_ready: plain(cells.filter((cell) => cell.app?.state === "ready").length),
    cellws_cell_resident_memory_bytes: each("rssBytes"),
    cellws_cell_event_loop_utilization_ratio: each("load"),
  };
}

function withZeros(kind: MetricKind, series: readonly Series[]): readonly Point[] {
  const known = new Map<string, Point>(zeros(kind).map((point) => [point.labels.join("\n"), point]));
  for (const one of series) known.set(one.labels.join("\n"), one);
  return [...known.values()];
}

function zeros({ type, labels, bounds = [] }: MetricKind): Point[] {
  if (type === "gauge") return [];
  const lists = Object.values(labels);
  if (lists.length === 0) {
    const none: Counted = { sum: 0, counts: Array.from({ length: bounds.length + 1 }, () => 0) };
    return [{ labels: [], value: type === "histogram" ? none : 0 }];
  }
  const [values] = lists;
  return lists.length > 1 || values === undefined || values === null
    ? []
    : values.map((value) => ({ labels: [value], value: 0 }));
}

function renderPoint(name: string, kind: MetricKind, { labels, value }: Point, format: ExpositionFormat): string[] {
  const pairs = Object.keys(kind.labels).map((label, i) => `${label}="${escapeLabel(labels[i] ?? "")}"`);
  if (typeof value === "number") return [`${name}${braced(pairs)} ${formatNumber(value)}`];
  let count = 0;
  const buckets = [...(kind.bounds ?? []), Number.POSITIVE_INFINITY].map((bound, i) => {
    count += value.counts[i] ?? 0;
    return `${name}_bucket${braced([...pairs, `le="${formatBound(bound, format)}"`])} ${count}`;
  });
  return [
    ...buckets,
    `${name}_sum${braced(pairs)} ${formatNumber(value.sum)}`,
    `${name}_count${braced(pairs)} ${count}`,
  ];
}

const braced = (pairs: readonly string[]): string => (pairs.length === 0 ? "" : `{${pairs.join(",")}}`);

function formatBound(bound: number, format: ExpositionFormat): string {
  // OpenMetrics wants floats to look like floats.
  return format === "openmetrics" && Number.isInteger(bound) ? bound.toFixed(1) : formatNumber(bound);
}

function formatNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function escapeHelp(text: string, format: ExpositionFormat): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return format === "openmetrics" ? escaped.replaceAll('"', '\\"') : escaped;
}
