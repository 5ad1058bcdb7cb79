/**
 * Where a cell counts: its share of the metrics in src/wire/metrics.ts, from its birth to its death, whatever classes it goes through.
 *
 *   counters.add("cellws_votes_total", { reason: "hung" });             now and then
 *   const retries = counters.counter("cellws_http_retries_total", {});  on a hot path: keep it,
 *   retries.value += 1;                                                 and count as if it were a variable
 *
 * A count that somebody keeps already is not kept twice: `read` asks for it when it is to be told.
 */
import { Histogram } from "../lib/histogram.ts";
import type { CounterName, GaugeName, HistogramName, LabelsOf, MetricName, Series, Snapshot } from "../wire/metrics.ts";
import { emptyHistogram, kindOf, labelNames } from "../wire/metrics.ts";

/** A counter to count with. It only ever rises. */
export interface Count {
  value: number;
}

/** Series of one metric in one cell: label values are drawn from short lists, and a mistake here must not become a leak. */
export const seriesPerMetricMax = 100;
/** What is beyond that is counted together. */
export const otherLabel = "other";

type Source = Count | Histogram | (() => number);

export class Counters {
  readonly #series = new Map<MetricName, Map<string, { labels: readonly string[]; source: Source }>>();

  add<N extends CounterName>(name: N, labels: LabelsOf<N>, by = 1): void {
    this.counter(name, labels).value += by;
  }

  /** The counter itself; the same for the same labels. */
  counter<N extends CounterName>(name: N, labels: LabelsOf<N>): Count {
    return this.#find(name, labels, () => ({ value: 0 })) as Count;
  }

  histogram(name: HistogramName): Histogram {
    return this.#find(name, {}, () => emptyHistogram(name)) as Histogram;
  }

  /** A count that is kept elsewhere. It must never fall. */
  read<N extends CounterName>(name: N, labels: LabelsOf<N>, count: () => number): void {
    this.#put(name, labels, count);
  }

  /** A histogram that is kept elsewhere, with the bounds of the table. */
  adopt(name: HistogramName, histogram: Histogram): void {
    this.#put(name, {}, histogram);
  }

  /** Measured when it is asked for. */
  gauge<N extends GaugeName>(name: N, labels: LabelsOf<N>, measure: () => number): void {
    this.#put(name, labels, measure);
  }

  /** A cell that takes on another class measures that class' things from there on; what was counted stays. */
  forgetGauges(): void {
    for (const name of this.#series.keys()) if (kindOf(name).type === "gauge") this.#series.delete(name);
  }

  snapshot(): Snapshot {
    const told: Series[] = [];
    for (const [name, all] of this.#series) {
      for (const { labels, source } of all.values()) told.push({ name, labels, value: valueOf(source) });
    }
    return told;
  }

  #put(name: MetricName, labels: object, source: Source): void {
    const values = valuesOf(name, labels);
    this.#seriesOf(name).set(values.join("\n"), { labels: values, source });
  }

  #find(name: MetricName, labels: object, make: () => Source): Source {
    const all = this.#seriesOf(name);
    const values = valuesOf(name, labels);
    const known = all.get(values.join("\n"));
    if (known !== undefined) return known.source;
    // One place is kept for the others.
    const kept = all.size < seriesPerMetricMax - 1 ? values : values.map(() => otherLabel);
    const key = kept.join("\n");
    const series = all.get(key) ?? { labels: kept, source: make() };
    all.set(key, series);
    return series.source;
  }

  #seriesOf(name: MetricName): Map<string, { labels: readonly string[]; source: Source }> {
    const all = this.#series.get(name) ?? new Map<string, { labels: readonly string[]; source: Source }>();
    this.#series.set(name, all);
    return all;
  }
}

function valuesOf(name: MetricName, labels: object): readonly string[] {
  const given = new Map<string, string>(Object.entries(labels));
  return labelNames(name).map((label) => given.get(label) ?? "");
}

function valueOf(source: Source): Series["value"] {
  if (typeof source === "function") return source();
  return source instanceof Histogram ? { sum: source.sum, counts: [...source.counts] } : source.value;
}
