/**
 * What a cell counts of its own life, whatever its class: births, votes, pulses, time on the CPU. Bodies count their work in
 * the same place. And the telling: written down first, so that the organism's counts never fall (counts-left.ts).
 */
import type { CellClass, CellId } from "../core/cell.ts";
import { specializedClasses } from "../core/cell.ts";
import type { Effect } from "../core/effect.ts";
import type { Happening } from "../core/event.ts";
import { pulseStrengthMax } from "../core/limits.ts";
import type { Levels } from "../core/hormone.ts";
import type { Snapshot } from "../wire/metrics.ts";
import { addUp } from "../wire/metrics.ts";
import { Counters } from "./counters.ts";
import { ownCounts, writeCounts } from "./counts-left.ts";
import type { ProcessIdentity } from "./proc.ts";
import type { RunDir } from "./run-dir.ts";

export interface CellMetricsOptions {
  readonly run: RunDir;
  readonly id: CellId;
  readonly process: ProcessIdentity;
  readonly bornAs: CellClass;
  /** Whether counts are kept in the run directory: where there is somebody who may ask for them. */
  readonly keeps: boolean;
  readonly linesLost: () => number;
  /** Growth hormone in this cell now, in units. */
  readonly levelOf: (hormone: keyof Levels) => number;
}

/** What a cell that is killed has counted since is lost at most. */
const keepEveryMs = 5_000;

export class CellMetrics {
  readonly counters = new Counters();
  readonly #options: CellMetricsOptions;
  #class: CellClass;
  #cpuMicros = 0;
  /** From before this process began anew. */
  readonly #before: Snapshot;
  #keptAtMs = Number.NEGATIVE_INFINITY;
  #lastPulse = "";

  constructor(options: CellMetricsOptions) {
    this.#options = options;
    const before = options.keeps ? ownCounts(options.run, options.id, options.process) : null;
    this.#before = before?.snapshot ?? [];
    this.#class = before?.class ?? options.bornAs;
    if (before === null) this.counters.add("cellws_births_total", { class: options.bornAs });
    else this.#cpuMicros = cpuMicros();
    this.counters.read("cellws_log_lines_lost_total", {}, options.linesLost);
    this.#measure();
  }

  became(cellClass: CellClass): void {
    this.#countCpu();
    if (cellClass !== this.#class) this.counters.add("cellws_differentiations_total", { class: cellClass });
    this.#class = cellClass;
    this.counters.forgetGauges();
    this.#measure();
    this.keep();
  }

  birthFailed(cellClass: CellClass): void {
    this.counters.add("cellws_births_failed_total", { class: cellClass });
  }

  /** What the mind wished. */
  wished(effect: Effect): void {
    if (effect.type === "sign-vote") this.counters.add("cellws_votes_total", { reason: effect.charge.reason });
    if (effect.type !== "send" || effect.message.type !== "pulse") return;
    const { id, origin, class: hormone } = effect.message.pulse;
    // One pulse goes to each of our kin; others' are only passed on.
    if (origin !== this.#options.id || id === this.#lastPulse) return;
    this.#lastPulse = id;
    this.counters.add("cellws_hormone_pulses_total", { class: hormone });
  }

  /** What the mind was told. */
  happened(happening: Happening): void {
    if (happening.type === "app") this.counters.add("cellws_app_starts_total", { outcome: happening.health.state });
    if (happening.type === "probed") this.counters.add("cellws_probes_total", { answer: happening.answer });
  }

  /** All that this cell has counted. It is written down before it is told. */
  tell(): Snapshot {
    this.#countCpu();
    const snapshot = addUp([this.#before, this.counters.snapshot()]);
    if (this.#options.keeps) {
      writeCounts(this.#options.run, this.#options.id, { ...this.#options.process, class: this.#class, snapshot });
    }
    return snapshot;
  }

  /** Writes it down without being asked. */
  keep(): void {
    this.#keptAtMs = performance.now();
    if (this.#options.keeps) this.tell();
  }

  /** To be called now and then. */
  keepSometimes(): void {
    if (performance.now() - this.#keptAtMs >= keepEveryMs) this.keep();
  }

  #measure(): void {
    for (const hormone of specializedClasses) {
      const level = (): number => this.#options.levelOf(hormone) / pulseStrengthMax;
      this.counters.gauge("cellws_hormone_level_ratio", { class: hormone }, level);
    }
  }

  #countCpu(): void {
    const micros = cpuMicros();
    this.counters.add("cellws_cpu_seconds_total", { class: this.#class }, (micros - this.#cpuMicros) / 1e6);
    this.#cpuMicros = micros;
  }
}

/** Since the process began, whatever programs it has run. */
function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
