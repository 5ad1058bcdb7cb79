/**
 * Every metric of an organism: its name, what it means and how the words of several cells become one. And what a cell tells of
 * them (a snapshot), which cells add up for whoever asks.
 *
 * A new metric is a line in this table; src/host/counters.ts is where cells count, and the compiler knows names and labels.
 * Counts of cells that have died are kept (src/host/counters-left.ts), so that a counter of the organism never falls while
 * cells come and go: Prometheus would take it for a restart, and everything counted before as new.
 *
 * Labels are few and of few values by construction: classes, causes, codes. Never an address, a path or an id; the cells'
 * own measures, which carry ids, are bounded by the population (src/view/metrics.ts).
 */
import { cellClasses, specializedClasses } from "../core/cell.ts";
import { killReasons } from "../core/record.ts";
import { unreachable } from "../lib/assert.ts";
import { Histogram } from "../lib/histogram.ts";

export interface MetricKind {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: Labels;
  /** Of a gauge: what several cells' values make together. */
  readonly together?: "sum" | "max";
  /** Of a histogram: upper bounds, in the unit of its name. */
  readonly bounds?: readonly number[];
}

/** By name the values that a label takes; null where they are another table's (error codes, ids). */
type Labels = Readonly<Record<string, readonly string[] | null>>;

/** From a static file to what clients give up on. */
const latencyBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
/** From a small app on a warm machine to a large one on a busy one. */
const coldStartBounds = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 30, 60] as const;

const statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** What cells count and measure, in the order in which it is told. */
export const metrics = {
  // Requests, as B cells see them.
  cellws_http_requests_total: counter("Requests whose head was read."),
  cellws_http_responses_total: counter("Answers by class of their status: the app's and cellws' own.", {
    status: statusClasses,
  }),
  cellws_http_refused_total: counter("Requests that cellws answered with an error of its own, or cut off, by code.", {
    code: null,
  }),
  cellws_http_aborted_total: counter("Requests whose client left before its answer was complete."),
  cellws_http_retries_total: counter("Requests that were given to another drone after theirs had died."),
  cellws_http_lost_total: counter("Requests whose drone died under them and that could not safely be tried again."),
  cellws_http_tunnels_total: counter("Upgrades that were taken, such as WebSockets."),
  cellws_http_time_to_head_seconds: histogram("From a request's head to its answer's head.", latencyBounds),
  cellws_http_duration_seconds: histogram("From a request's head to the end of its answer.", latencyBounds),
  cellws_http_wait_seconds: histogram(
    "How long requests waited for a drone, of those that got one in the end.",
    latencyBounds,
  ),
  cellws_http_requests_in_flight: sum("Requests that are with a drone or wait for one."),
  cellws_http_requests_waiting: sum("Requests that wait for a drone."),
  cellws_http_longest_wait_seconds: maximum("How long the request has waited that waits longest now."),
  // Connections of clients.
  cellws_http_open_connections: sum("Open connections of clients."),
  cellws_http_connections_total: counter("Connections that were accepted."),
  cellws_http_connections_rejected_total: counter("Connections that were closed at once because there were too many."),
  cellws_http_connections_cut_total: counter("Connections that were cut because too much was held for them."),
  cellws_http_received_bytes_total: counter("Bytes that came from clients."),
  cellws_http_sent_bytes_total: counter("Bytes that were given to clients."),
  // What the firewall found.
  cellws_immune_judged_total: counter("Requests that were judged, by verdict.", {
    verdict: ["pass", "watch", "block"],
  }),
  cellws_immune_attacks_total: counter("Requests that were blocked, or would be, by the class of the attack.", {
    class: null,
  }),
  cellws_immune_gate_total: counter(
    "Connections and requests of restricted addresses, by what was done: refused, delayed, limited, or cut while open.",
    { action: ["refused", "delayed", "limited", "cut"] },
  ),
  cellws_immune_untold_total: counter(
    "Marks, sightings and words of infections that found no room on their way to a T cell, and were lost.",
    {
      what: ["marks", "sightings", "infections"],
    },
  ),
  cellws_immune_bans: maximum("Address ranges that are restricted, as this cell knows."),
  cellws_immune_ranges: maximum("Address ranges of which a T cell keeps statistics."),
  cellws_immune_overrun_total: counter(
    "Requests that were refused because judging them would have cost more than a request may, or failed.",
  ),
  cellws_immune_unseen_bodies_total: counter("Bodies of which only the beginning was looked at."),
  cellws_immune_audit_lines_lost_total: counter("Lines of the audit log that could not be written."),
  // The life of the organism.
  cellws_cold_start_seconds: histogram("From the connection that woke the egg to the first answer.", coldStartBounds),
  cellws_births_total: counter("Cells that were born, by the class that they were born as.", { class: cellClasses }),
  cellws_births_failed_total: counter("Cells that could not be born.", { class: cellClasses }),
  cellws_differentiations_total: counter("Cells that took on another class, by that class.", { class: cellClasses }),
  cellws_deaths_total: counter("Cells that died, by their last class and what they died of.", {
    class: null,
    cause: null,
  }),
  cellws_app_starts_total: counter("Times that a drone loaded the app, by outcome.", { outcome: ["ready", "failed"] }),
  cellws_probes_total: counter("Questions from cell to cell whether it is well, by answer.", {
    answer: ["answered", "absent", "busy", "stuck", "stopped", "infected"],
  }),
  cellws_infections_seen_total: counter("Drones that a cell found infected, each as often as cells saw it.", {
    check: null,
  }),
  cellws_protocol_faults_total: counter("What was not believed, understood or let in of other cells' words, by kind.", {
    kind: null,
  }),
  cellws_votes_total: counter("Votes that were cast, by what the accused was charged with.", { reason: killReasons }),
  cellws_certificates_total: counter("Cells that died under a majority's certificate, by its reason.", {
    reason: killReasons,
  }),
  cellws_hormone_pulses_total: counter("Pulses of growth hormones that were secreted.", { class: specializedClasses }),
  cellws_hormone_level_ratio: maximum("The strongest level of a growth hormone in any cell; 1 is a full pulse.", {
    class: specializedClasses,
  }),
  // What it costs.
  cellws_cpu_seconds_total: counter("CPU time, by the class that cells had when they used it.", { class: cellClasses }),
  cellws_log_lines_lost_total: counter("Lines of the log that could not be written."),
} as const satisfies Record<`cellws_${string}`, MetricKind>;

/** What whoever is asked for the metrics says of the organism as a whole (src/view/metrics.ts). */
export const organismMetrics = {
  cellws_info: sum("Always 1; which organism this is, in labels.", { name: null, organism: null, revision: null }),
  cellws_start_time_seconds: sum("When the organism was started, in seconds since 1970."),
  cellws_ready: sum("Whether a request would be served now, as /readyz has it: 1 or 0."),
  cellws_cells: sum("Living cells.", { class: cellClasses, state: ["live", "suspected", "draining"] }),
  cellws_cells_unanswered: sum("Living cells that did not answer when they were asked for these metrics."),
  cellws_drones_ready: sum("Drones whose app is up."),
  cellws_cell_resident_memory_bytes: sum("Resident memory of a cell.", { cell: null, class: cellClasses }),
  cellws_cell_event_loop_utilization_ratio: sum("How busy a cell's event loop is, from 0 to 1.", {
    cell: null,
    class: cellClasses,
  }),
} as const satisfies Record<`cellws_${string}`, MetricKind>;

export type MetricName = keyof typeof metrics;
type Named<Type> = { [N in MetricName]: (typeof metrics)[N] extends { type: Type } ? N : never }[MetricName];
export type CounterName = Named<"counter">;
export type GaugeName = Named<"gauge">;
export type HistogramName = Named<"histogram">;
export type LabelsOf<N extends MetricName> = LabelsIn<(typeof metrics)[N]["labels"]>;
type LabelsIn<L extends Labels> = { readonly [K in keyof L]: L[K] extends readonly (infer V)[] ? V : string };

/** One series: of a counter or gauge its value, of a histogram what it counted. Label values in the table's order. */
export interface Series {
  readonly name: MetricName;
  readonly labels: readonly string[];
  readonly value: number | Counted;
}

/** As lib/histogram.ts counts. */
export interface Counted {
  readonly sum: number;
  readonly counts: readonly number[];
}

export type Snapshot = readonly Series[];

/** What several cells tell, as one. */
export function addUp(snapshots: Iterable<Snapshot>): Snapshot {
  const together = new Map<string, Series>();
  for (const snapshot of snapshots) {
    for (const series of snapshot) {
      const key = [series.name, ...series.labels].join("\n");
      const known = together.get(key);
      together.set(
        key,
        known === undefined ? series : { ...series, value: join(series.name, known.value, series.value) },
      );
    }
  }
  return [...together.values()];
}

/** What of it outlives its cell. */
export function lasting(snapshot: Snapshot): Snapshot {
  return snapshot.filter(({ name }) => kindOf(name).type !== "gauge");
}

export function kindOf(name: MetricName): MetricKind {
  return metrics[name];
}

/** In the table's order, which is that of a series' label values. */
export function labelNames(name: MetricName): readonly string[] {
  return Object.keys(metrics[name].labels);
}

/** What a cell told, or left behind. Of a newer or older program's metrics those that we know are taken. */
export function readSnapshot(value: unknown): Snapshot {
  return Array.isArray(value) ? value.flatMap(readSeries) : [];
}

function readSeries(value: unknown): Series[] {
  if (typeof value !== "object" || value === null) return [];
  const { name, labels, value: told } = value as Record<string, unknown>;
  if (typeof name !== "string" || !Object.hasOwn(metrics, name)) return [];
  const known = name as MetricName;
  const kind = kindOf(known);
  const fits = Array.isArray(labels) && labels.length === labelNames(known).length && labels.every(isShortText);
  if (!fits) return [];
  if (kind.type !== "histogram") return isFiniteNumber(told) ? [{ name: known, labels, value: told }] : [];
  const { sum, counts } = (told ?? {}) as Record<string, unknown>;
  const isWhole =
    Array.isArray(counts) && counts.length === (kind.bounds ?? []).length + 1 && counts.every(isFiniteNumber);
  return isFiniteNumber(sum) && isWhole ? [{ name: known, labels, value: { sum, counts } }] : [];
}

/** For a series of a histogram of the table. */
export function emptyHistogram(name: HistogramName): Histogram {
  return new Histogram(metrics[name].bounds);
}

function join(name: MetricName, a: Series["value"], b: Series["value"]): Series["value"] {
  if (typeof a !== "number" && typeof b !== "number") {
    return { sum: a.sum + b.sum, counts: a.counts.map((count, i) => count + (b.counts[i] ?? 0)) };
  }
  if (typeof a !== "number" || typeof b !== "number") return a;
  const { type, together = "sum" } = kindOf(name);
  if (type === "counter") return a + b;
  switch (together) {
    case "sum":
      return a + b;
    case "max":
      return Math.max(a, b);
    default:
      return unreachable(together);
  }
}

function counter<const L extends Labels = {}>(
  help: string,
  labels: L = {} as L,
): { type: "counter"; help: string; labels: NoInfer<L> } {
  return { type: "counter", help, labels };
}

function sum<const L extends Labels = {}>(
  help: string,
  labels: L = {} as L,
): { type: "gauge"; help: string; labels: NoInfer<L>; together: "sum" } {
  return { type: "gauge", help, labels, together: "sum" };
}

function maximum<const L extends Labels = {}>(
  help: string,
  labels: L = {} as L,
): { type: "gauge"; help: string; labels: NoInfer<L>; together: "max" } {
  return { type: "gauge", help, labels, together: "max" };
}

function histogram<const B extends readonly number[]>(help: string, bounds: B) {
  return { type: "histogram", help, labels: {}, bounds } as const;
}

const isFiniteNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isShortText = (value: unknown): value is string => typeof value === "string" && value.length <= labelCharsMax;
const labelCharsMax = 128;
