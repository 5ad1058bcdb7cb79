/**
 * What would this organism do under that load? Its cells run the very `step` of production, with the user's DNA, in the
 * simulator's world; the load model (workload.ts) gives them the vitals that real bodies would measure.
 *
 * Nothing fails here unless load brings it about: faults are the trials' matter (trial.ts). What comes out are samples over
 * time and a summary in the terms that one tunes by: does it follow the load, how fast, does it overshoot, who is voted out.
 */
import type { CellClass, SpecializedClass } from "../core/cell.ts";
import { cellClasses, specializedClasses } from "../core/cell.ts";
import type { CoreDna } from "../core/dna.ts";
import { decayed } from "../core/hormone.ts";
import type { State } from "../core/state.ts";
import type { Vitals } from "../core/tally.ts";
import type { LoadTrace } from "./load-trace.ts";
import { TraceReader } from "./load-trace.ts";
import type { WorldOptions } from "./world.ts";
import { World } from "./world.ts";
import type { Outcome, Staff, WorkloadLimits } from "./workload.ts";
import { Workload } from "./workload.ts";

export interface SimulationOptions {
  readonly dna: CoreDna;
  readonly trace: LoadTrace;
  readonly seed: number;
  /** Cores that all cells share. */
  readonly cores: number;
  /** CPU time of a B cell for one request. */
  readonly carryMs: number;
  /** The DNA's limits of requests that wait; defaults where absent. */
  readonly limits?: WorkloadLimits;
  /** From a drone's taking up its class until its app answers. */
  readonly startupMs: number;
  /** Called now and then with the share that is done, 0..1. Throwing ends the run. */
  readonly onProgress?: (share: number) => void;
}

export interface Sample {
  readonly atMs: number;
  readonly ratePerSecond: number;
  /** CPU time that the load asks for, in cores. */
  readonly offeredCores: number;
  readonly populations: Readonly<Record<CellClass, number>>;
  /** Drones whose app is ready. */
  readonly dronesReady: number;
  /** Drones that the load needs at the DNA's mark for growing, within the DNA's bounds. */
  readonly dronesNeeded: number;
  /** Mean event-loop utilization of the ready drones. */
  readonly utilizationMilli: number;
  /** How long a request waits, at most since the last sample; null while nobody works and nobody waits. */
  readonly waitMs: number | null;
  readonly waiting: number;
  /** The highest level of each growth hormone in any cell. */
  readonly hormones: Readonly<Record<SpecializedClass, number>>;
}

export interface Summary {
  readonly durationMs: number;
  readonly requests: { readonly came: number; readonly answered: number; readonly refused: number };
  /** From the first request until the first answer; null where none came, or none was answered. */
  readonly firstAnswerMs: number | null;
  /** Waiting before work begins, over all requests. The last is the highest of any sample. */
  readonly waitMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
  readonly drones: {
    readonly neededMax: number;
    /** The same without the DNA's bounds. */
    readonly wantedMax: number;
    readonly max: number;
    /** More than the highest load ever needed, and what the DNA's deadband allows of that: max(1, 10 %). */
    readonly overshoot: number;
    readonly deadband: number;
    /** The longest time in one piece with fewer, or more, than needed by more than the deadband. */
    readonly tooFewMs: number;
    readonly tooManyMs: number;
    /** Times that it grew after it had begun to shrink, or the other way. */
    readonly turns: number;
  };
  /** Whether the drones at the end are what the load at the end needs, within the deadband. */
  readonly settled: boolean;
  readonly cellsMax: number;
  readonly births: number;
  /** Ended by vote, by reason. */
  readonly votedOut: Readonly<Record<string, number>>;
  readonly events: number;
}

export interface Simulation {
  readonly trace: LoadTrace;
  readonly samples: readonly Sample[];
  readonly summary: Summary;
}

/** Fine enough for the panic window and a birth; coarse enough for a day. */
const tickMs = 50;
/** How often cells hear what they measure: at every look around, as in production. */
const vitalsEveryMs = 250;
/** A cell that has just taken up its work reports no load for so long (host/cell-host.ts). */
const settlingMs = 2_000;
/** Samples kept at least this far apart, and at most so many: a plot has about a thousand columns of pixels. */
const sampleMsMin = 250;
const samplesMax = 20_000;
const progressEveryMs = 10_000;

/** Delays of a machine with some idle time, as measured with small apps; only the app's startup is the user's to know. */
const delaysMs: Omit<WorldOptions["delaysMs"], "appLoad"> = {
  birth: [60, 160],
  message: [0, 2],
  drain: [0, 20],
  notice: [0, 5],
};

export function simulate(options: SimulationOptions): Simulation {
  return new Run(options).run();
}

class Run {
  readonly #options: SimulationOptions;
  readonly #world: World;
  readonly #workload: Workload;
  readonly #load: TraceReader;
  readonly #samples: Sample[] = [];
  readonly #waits = new WaitHistogram();
  readonly #sampleEveryMs: number;
  /** When each drone's app is up. */
  readonly #readyAtMs = new Map<string, number>();
  /** Who was voted out, and why. */
  readonly #condemned = new Map<string, string>();
  /** Lines of the world's log that were looked at. */
  #linesRead = 0;
  #firstCameMs: number | null = null;
  #firstAnswerMs: number | null = null;
  #came = 0;
  #flow = { came: 0, done: 0 };
  #answered = 0;
  #refused = 0;
  /** Since the last sample. */
  #worst: Pick<Sample, "waitMs" | "waiting"> = { waitMs: null, waiting: 0 };

  constructor(options: SimulationOptions) {
    const { dna, seed, trace, startupMs } = options;
    this.#options = options;
    this.#world = new World({ seed, dna, delaysMs: { ...delaysMs, appLoad: [startupMs, startupMs] } });
    this.#workload = new Workload(options);
    this.#load = new TraceReader(trace);
    this.#sampleEveryMs = Math.max(sampleMsMin, Math.ceil(trace.durationMs / samplesMax / tickMs) * tickMs);
  }

  run(): Simulation {
    const { trace, onProgress } = this.#options;
    this.#world.spawnEgg();
    for (let atMs = 0; atMs < trace.durationMs; atMs += tickMs) {
      this.#tick(atMs);
      if (onProgress !== undefined && atMs % progressEveryMs === 0) onProgress(atMs / trace.durationMs);
    }
    return { trace, samples: this.#samples, summary: this.#summarize() };
  }

  #tick(atMs: number): void {
    const world = this.#world;
    world.run(tickMs);
    const load = this.#load.at(atMs);
    const living = world.living();
    const staff = this.#staff(living);
    this.#noteSentences();
    const outcome = this.#workload.advance(tickMs, load, staff);
    this.#account(outcome, load.costMs);
    if (outcome.came > 0) {
      for (const { self, phase } of living) if (phase === "dormant") world.tell(self, { type: "first-connection" });
    }
    if (world.nowMs % vitalsEveryMs === 0) {
      const counted = staff.bCells[0];
      for (const { self } of living) {
        // What all B cells counted is in one's word: only the sum is told on.
        const flow = self === counted ? { came: this.#flow.came, done: Math.floor(this.#flow.done) } : {};
        world.tell(self, { type: "vitals", vitals: { ...this.#vitalsOf(self), ...flow } });
      }
      this.#flow = { came: 0, done: 0 };
    }
    if (atMs % this.#sampleEveryMs === 0) this.#sample(atMs, living, staff);
  }

  /** Every cell that hears of a sentence says so; states forget it with the death, which may come before the next tick. */
  #noteSentences(): void {
    const { log } = this.#world;
    for (; this.#linesRead < log.length; this.#linesRead += 1) {
      const [, id, reason] = / (\w+) was voted out: (.+)$/.exec(log[this.#linesRead]!.text) ?? [];
      if (id !== undefined && reason !== undefined) this.#condemned.set(id, reason);
    }
  }

  #account({ came, answered, refused, given, behindMs, oldestMs, waiting }: Outcome, costMs: number): void {
    const { nowMs } = this.#world;
    this.#came += came;
    this.#flow = { came: this.#flow.came + came, done: this.#flow.done + answered + refused };
    this.#answered += answered;
    this.#refused += refused;
    if (came > 0) this.#firstCameMs ??= nowMs;
    // The first is answered when it has cost what it costs; within a tick or more.
    if (answered > 0) this.#firstAnswerMs ??= nowMs + Math.max(0, costMs - tickMs);
    for (const { waitedMs, count } of given) this.#waits.add(waitedMs + (behindMs ?? 0), count);
    const waitMs = behindMs === null && oldestMs === 0 ? null : oldestMs + (behindMs ?? 0);
    if ((waitMs ?? -1) > (this.#worst.waitMs ?? -1)) this.#worst = { ...this.#worst, waitMs };
    if (waiting > this.#worst.waiting) this.#worst = { ...this.#worst, waiting };
  }

  #staff(living: readonly State[]): Staff {
    const bCells: string[] = [];
    const ready: string[] = [];
    const leaving: string[] = [];
    const { nowMs } = this.#world;
    for (const { self, class: cellClass, phase, isUseless } of living) {
      if (cellClass === "b-cell" && phase === "living") bCells.push(self);
      if (cellClass !== "drone" || isUseless) continue;
      const readyAtMs = this.#readyAtMs.get(self) ?? nowMs + this.#options.startupMs;
      this.#readyAtMs.set(self, readyAtMs);
      if (nowMs < readyAtMs) continue;
      (phase === "living" ? ready : leaving).push(self);
    }
    return { bCells, ready, leaving };
  }

  #vitalsOf(id: string): Vitals {
    const vitals = this.#workload.vitalsOf(id);
    const sinceMs = this.#readyAtMs.get(id);
    const isSettling = sinceMs !== undefined && this.#world.nowMs - sinceMs < settlingMs;
    return isSettling ? { ...vitals, loadMilli: 0, unready: 1 } : vitals;
  }

  #sample(atMs: number, living: readonly State[], { ready }: Staff): void {
    const { dna } = this.#options;
    const { ratePerSecond, costMs } = this.#load.at(atMs);
    const offeredCores = (ratePerSecond * costMs) / 1000;
    const populations = Object.fromEntries(cellClasses.map((c) => [c, 0])) as Record<CellClass, number>;
    const hormones = Object.fromEntries(specializedClasses.map((c) => [c, 0])) as Record<SpecializedClass, number>;
    for (const state of living) {
      populations[state.class] += 1;
      for (const c of specializedClasses) {
        const units = decayed(state.hormones.levels[c], this.#world.nowMs, dna.hormoneHalfLifeMs);
        hormones[c] = Math.max(hormones[c], units);
      }
    }
    const load = ready.reduce((sum, id) => sum + this.#workload.vitalsOf(id).loadMilli, 0);
    this.#samples.push({
      atMs,
      ratePerSecond,
      offeredCores,
      populations,
      hormones,
      dronesReady: ready.length,
      dronesNeeded: this.#needed(offeredCores),
      utilizationMilli: ready.length === 0 ? 0 : Math.round(load / ready.length),
      ...this.#worst,
    });
    this.#worst = { waitMs: null, waiting: 0 };
  }

  /** What demand.ts aims at, without its windows. Before the first request nobody is needed. */
  #needed(offeredCores: number): number {
    if (this.#firstCameMs === null) return 0;
    const { min, max } = this.#options.dna.population.drone;
    return Math.min(max, Math.max(min, this.#wanted(offeredCores)));
  }

  #wanted(offeredCores: number): number {
    return Math.ceil((1000 * offeredCores) / this.#options.dna.growth.utilizationToGrowMilli - 1e-9);
  }

  #summarize(): Summary {
    const { trace } = this.#options;
    const samples = this.#samples;
    const most = (of: (sample: Sample) => number): number =>
      samples.reduce((max, sample) => Math.max(max, of(sample)), 0);
    const neededMax = most((sample) => sample.dronesNeeded);
    const max = most((sample) => sample.populations.drone);
    const offBy = ({ populations, dronesNeeded }: Sample): number => {
      const difference = populations.drone - dronesNeeded;
      return Math.abs(difference) <= deadbandOf(dronesNeeded) ? 0 : difference;
    };
    const last = samples.at(-1);
    const votedOut: Record<string, number> = {};
    for (const reason of this.#condemned.values()) votedOut[reason] = (votedOut[reason] ?? 0) + 1;
    const { came, answered, refused } = { came: this.#came, answered: this.#answered, refused: this.#refused };
    const { firstAnswerMs, firstCameMs } = { firstAnswerMs: this.#firstAnswerMs, firstCameMs: this.#firstCameMs };
    return {
      durationMs: trace.durationMs,
      requests: { came: Math.round(came), answered: Math.round(answered), refused: Math.round(refused) },
      firstAnswerMs: firstAnswerMs === null || firstCameMs === null ? null : Math.round(firstAnswerMs - firstCameMs),
      waitMs: this.#waits.percentiles(Math.round(most((sample) => sample.waitMs ?? 0))),
      drones: {
        neededMax,
        wantedMax: most((sample) => this.#wanted(sample.offeredCores)),
        max,
        overshoot: Math.max(0, max - neededMax),
        deadband: deadbandOf(neededMax),
        tooFewMs: this.#longest((sample) => offBy(sample) < 0),
        tooManyMs: this.#longest((sample) => offBy(sample) > 0),
        turns: turnsOf(samples.map((sample) => sample.populations.drone)),
      },
      settled: last === undefined || offBy(last) === 0,
      cellsMax: most(({ populations }) => cellClasses.reduce((sum, c) => sum + populations[c], 0)),
      births: this.#world.cells.size - 1,
      votedOut,
      events: this.#world.eventCount,
    };
  }

  /** The longest time in one piece in which that is so. */
  #longest(isSo: (sample: Sample) => boolean): number {
    let longestMs = 0;
    let sinceMs: number | null = null;
    for (const sample of this.#samples) {
      sinceMs = isSo(sample) ? (sinceMs ?? sample.atMs) : null;
      if (sinceMs !== null) longestMs = Math.max(longestMs, sample.atMs + this.#sampleEveryMs - sinceMs);
    }
    return longestMs;
  }
}

/** Within it a population is as it should be. */
export function deadbandOf(needed: number): number {
  return Math.max(1, Math.floor(needed / 10));
}

function turnsOf(counts: readonly number[]): number {
  let turns = 0;
  let direction = 0;
  for (let i = 1; i < counts.length; i += 1) {
    const now = Math.sign(counts[i]! - counts[i - 1]!);
    if (now === 0) continue;
    if (direction !== 0 && now !== direction) turns += 1;
    direction = now;
  }
  return turns;
}

/** How long requests waited, in classes a twentieth apart: a percentile to 5 % in bounded memory. */
class WaitHistogram {
  readonly #counts = new Map<number, number>();
  #total = 0;

  add(waitMs: number, count: number): void {
    const slot = waitMs < 0.1 ? 0 : Math.max(1, Math.round(Math.log(waitMs / 0.1) / Math.log(slotRatio)) + 1);
    this.#counts.set(slot, (this.#counts.get(slot) ?? 0) + count);
    this.#total += count;
  }

  percentiles(max: number): Summary["waitMs"] {
    const at = (share: number): number => Math.min(max, this.#at(share));
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max };
  }

  #at(share: number): number {
    let below = 0;
    for (const [slot, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
      below += count;
      if (below >= share * this.#total) return slot === 0 ? 0 : Math.round(slotRatio ** (slot - 1)) / 10;
    }
    return 0;
  }
}

const slotRatio = 1.05;
