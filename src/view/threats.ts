/** `cellws threats`: what attackers did and what was done about it, as tables and as a plot over time. */
import type { BanAction } from "../core/record.ts";
import type { ChartColor, ChartPoint, Mark, Panel } from "./chart.ts";
import { renderChart } from "./chart.ts";
import type { Ink, Style } from "./style.ts";
import type { Column } from "./table.ts";
import { renderTable } from "./table.ts";
import { formatAge, formatCount, formatDuration } from "./units.ts";

export interface ThreatsView {
  readonly name: string;
  readonly sinceMs: number;
  readonly nowMs: number;
  /** The newest first. */
  readonly incidents: readonly IncidentView[];
  /** By time; of kind "class" also "clean": requests that passed. */
  readonly seen: readonly SeenView[];
  readonly reports: readonly ReportView[];
}

export interface IncidentView {
  readonly range: string;
  readonly action: BanAction;
  readonly outcome: string;
  readonly attackClass: string;
  readonly offence: number;
  readonly requests: number;
  readonly sources: number;
  readonly issuedAtMs: number;
  readonly untilMs: number;
}

export interface SeenView {
  readonly minute: number;
  readonly kind: "class" | "rule";
  readonly name: string;
  readonly count: number;
}

export interface ReportView {
  readonly incident: string;
  readonly channel: string;
  readonly state: string;
  readonly attempts: number;
  readonly told: string;
}

export interface Total {
  readonly name: string;
  readonly count: number;
}

export const minuteMs = 60_000;
/** What passed is counted beside the attacks, and is none of them. */
export const cleanClass = "clean";

/** Most first. */
export function totalsOf(seen: readonly SeenView[], kind: SeenView["kind"]): Total[] {
  const totals = new Map<string, number>();
  for (const { kind: its, name, count } of seen) {
    if (its === kind && name !== cleanClass) totals.set(name, (totals.get(name) ?? 0) + count);
  }
  return mostFirst(totals);
}

/** Requests of each range that was sentenced, most first. */
export function rangesOf(incidents: readonly IncidentView[]): Total[] {
  const totals = new Map<string, number>();
  // A later incident of a range counts on from the earlier one: the largest is the sum.
  for (const { range, requests } of incidents) totals.set(range, Math.max(totals.get(range) ?? 0, requests));
  return mostFirst(totals);
}

function mostFirst(totals: ReadonlyMap<string, number>): Total[] {
  return [...totals]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

const incidentColumns: Column[] = [
  { title: "WHEN", align: "right" },
  { title: "RANGE", align: "left" },
  { title: "ATTACK", align: "left" },
  { title: "REQUESTS", align: "right" },
  { title: "SOURCES", align: "right" },
  { title: "DONE", align: "left" },
  { title: "LEFT", align: "right" },
];
const inks: Readonly<Partial<Record<BanAction, Ink>>> = { ban: "red", tarpit: "yellow", "rate-limit": "yellow" };
const incidentsShownMax = 20;
const totalsShownMax = 10;

export function renderThreats(view: ThreatsView, style: Style): string[] {
  const { name, nowMs, sinceMs, incidents, seen, reports } = view;
  const past = formatDuration(nowMs - sinceMs);
  const byClass = totalsOf(seen, "class");
  if (incidents.length === 0 && byClass.length === 0) return [`no threats to ${name} in the last ${past}`];
  const lines: string[] = [];
  if (incidents.length > 0) {
    const rows = incidents
      .slice(0, incidentsShownMax)
      .map((incident) => [
        { text: `${formatAge(nowMs - incident.issuedAtMs)} ago` },
        { text: incident.range },
        { text: incident.attackClass },
        { text: String(incident.requests) },
        { text: String(incident.sources) },
        doneCell(incident),
        { text: leftOf(incident, nowMs) },
      ]);
    lines.push(...renderTable(incidentColumns, rows, style));
    const more = incidents.length - incidentsShownMax;
    if (more > 0) lines.push(`and ${formatCount(more, "incident")} before`);
  } else lines.push(`no incident in the last ${past}`);
  lines.push(
    ...section("ATTACKS", byClass, style),
    ...section("RANGES", rangesOf(incidents), style),
    ...section("RULES", totalsOf(seen, "rule"), style),
  );
  if (reports.length > 0)
    lines.push("", ...renderTable(reportColumns, reports.slice(0, incidentsShownMax).map(reportRow), style));
  return lines;
}

function doneCell({ action, outcome }: IncidentView): { text: string; ink?: Ink | null } {
  return outcome === "sentenced" ? { text: action, ink: inks[action] ?? null } : { text: `no ${action}: ${outcome}` };
}

function leftOf({ outcome, untilMs }: IncidentView, nowMs: number): string {
  if (outcome !== "sentenced") return "-";
  return untilMs > nowMs ? formatDuration(untilMs - nowMs) : "over";
}

function section(title: string, totals: readonly Total[], style: Style): string[] {
  if (totals.length === 0) return [];
  const columns: Column[] = [
    { title, align: "left" },
    { title: "REQUESTS", align: "right" },
  ];
  const rows = totals.slice(0, totalsShownMax).map(({ name, count }) => [{ text: name }, { text: String(count) }]);
  return ["", ...renderTable(columns, rows, style)];
}

const reportColumns: Column[] = [
  { title: "REPORT", align: "left" },
  { title: "OVER", align: "left" },
  { title: "STATE", align: "left" },
  { title: "TRIES", align: "right" },
  { title: "ANSWER", align: "left" },
];

function reportRow({ incident, channel, state, attempts, told }: ReportView) {
  return [{ text: incident }, { text: channel }, { text: state }, { text: String(attempts) }, { text: told || "-" }];
}

const seriesMax = 6;
const colors = ["orange", "blue", "green", "purple", "sky", "amber"] as const satisfies readonly ChartColor[];
/** Of the plot's width, what a mark's words take: nearer ones would lie on each other. */
const markShare = 1 / 5;
const smallPanel = 90;
/** Counts of one are not cut in halves: an axis goes up to this at least. */
const countMin = 2;

/** Attacks by kind, clean requests, and the sentences in force, minute by minute. `toTime`: of a wall clock's ms, as people read it. */
export function threatsChart(
  { name, sinceMs, nowMs, incidents, seen }: ThreatsView,
  toTime: (ms: number) => string,
): string {
  const first = Math.floor(sinceMs / minuteMs);
  const startMs = first * minuteMs;
  const over = (kind: string): ChartPoint[] => perMinute(seen, kind, { first, startMs, nowMs });
  const shown = incidents.filter(({ issuedAtMs }) => issuedAtMs >= startMs);
  const kinds = totalsOf(seen, "class").slice(0, seriesMax);
  const attacks: Panel = {
    y: { label: "attacks a minute", to: countMin },
    series: kinds.map(({ name: kind }, i) => ({
      name: kind,
      kind: "step" as const,
      color: colors[i % colors.length]!,
      points: over(kind),
    })),
    marks: marksOf(shown, startMs, nowMs),
  };
  const clean: Panel = {
    y: { label: "clean a minute", to: countMin },
    series: [{ name: "clean requests", kind: "step", color: "grey", points: over(cleanClass) }],
    height: smallPanel,
  };
  const bans: Panel = {
    y: { label: "in force", to: countMin },
    series: [{ name: "sentences in force", kind: "step", color: "black", points: inForce(incidents, startMs, nowMs) }],
    height: smallPanel,
  };
  const hasClean = seen.some(({ kind, name: its }) => kind === "class" && its === cleanClass);
  const notes = [
    `${formatCount(shown.length, "incident")} in ${formatDuration(nowMs - startMs)}, until ${toTime(nowMs)}`,
  ];
  return renderChart({
    title: `Threats to ${name}`,
    notes,
    x: { label: `time since ${toTime(startMs)}`, scale: "time" },
    panels: hasClean ? [attacks, clean, bans] : [attacks, bans],
  });
}

/** Counts hold for their minute; that of the last one until now. */
function perMinute(
  seen: readonly SeenView[],
  name: string,
  { first, startMs, nowMs }: { first: number; startMs: number; nowMs: number },
): ChartPoint[] {
  const counts = new Map<number, number>();
  for (const one of seen) if (one.kind === "class" && one.name === name) counts.set(one.minute, one.count);
  const last = Math.floor(nowMs / minuteMs);
  const points = Array.from({ length: last - first + 1 }, (_, i): ChartPoint => [
    i * minuteMs,
    counts.get(first + i) ?? 0,
  ]);
  return [...points, [nowMs - startMs, counts.get(last) ?? 0]];
}

/** Sentences in words, as far as there is room: of several close together the first. */
function marksOf(incidents: readonly IncidentView[], startMs: number, nowMs: number): Mark[] {
  const marks: Mark[] = [];
  const apartMs = (nowMs - startMs) * markShare;
  for (const { outcome, action, range, issuedAtMs } of incidents.toSorted((a, b) => a.issuedAtMs - b.issuedAtMs)) {
    const x = issuedAtMs - startMs;
    const isApart = x - (marks.at(-1)?.x ?? -Infinity) >= apartMs;
    if (outcome === "sentenced" && action !== "watch" && isApart) marks.push({ x, text: `${action} ${range}` });
  }
  return marks;
}

function inForce(incidents: readonly IncidentView[], startMs: number, nowMs: number): ChartPoint[] {
  const changes = incidents
    .filter(({ outcome }) => outcome === "sentenced")
    .flatMap(({ issuedAtMs, untilMs }) => [
      { atMs: issuedAtMs, by: 1 },
      { atMs: untilMs, by: -1 },
    ])
    .filter(({ atMs }) => atMs <= nowMs)
    .sort((a, b) => a.atMs - b.atMs);
  const points: ChartPoint[] = [[0, 0]];
  let count = 0;
  for (const { atMs, by } of changes) {
    count += by;
    points.push([Math.max(0, atMs - startMs), count]);
  }
  points.push([nowMs - startMs, count]);
  return points;
}
