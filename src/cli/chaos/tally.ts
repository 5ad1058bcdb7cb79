/** What a chaos run adds up, in slices of time: a run of an hour is no larger than its picture. */
import type { CellClass } from "../../core/cell.ts";
import type { SurveyedCell } from "../../wire/survey.ts";
import type { Loss, Outcome } from "./load.ts";
import type { Harm, Strike } from "./mischief.ts";
import { harmMs, stopMsMax } from "./mischief.ts";

export const sliceMs = 250;
/** Latencies are counted in steps of 5 %. */
const latencyStep = Math.log(1.05);
const latencyMsMin = 0.1;

interface Slice {
  answered: number;
  lost: number;
  latencies: Map<number, number>;
}

export interface StrikeReport {
  readonly atMs: number;
  readonly harm: Strike["harm"];
  readonly class: CellClass;
  readonly id: string;
  readonly pid: number;
  /** Null: not healed by the end. */
  healedMs: number | null;
}

export interface LossReport {
  readonly atMs: number;
  readonly loss: Loss;
  readonly detail: string;
  /** Whether its connection may have been one that a cell held which had just been struck: see `excusedMs`. */
  readonly isExcused: boolean;
}

/** After a strike on a B cell the connections that it held are cut, or wait; so long after it a lost request is put down to that. */
const excusedMs = { kill: 1_000, stop: stopMsMax + 2_000, slow: harmMs("slow") + 1_000 } as const satisfies Record<
  Harm,
  number
>;
const lossesMax = 1_000;

export type Populations = Partial<Record<CellClass, number>>;

export class Tally {
  readonly #slices = new Map<number, Slice>();
  readonly #all: Slice = { answered: 0, lost: 0, latencies: new Map() };
  readonly losses: LossReport[] = [];
  readonly lossCounts: Partial<Record<Loss, number>> = {};
  unexcused = 0;
  readonly strikes: StrikeReport[] = [];
  readonly census: Array<{ atMs: number; populations: Populations }> = [];
  readonly #pending = new Map<StrikeReport, Strike>();

  add({ sentMs, endedMs, loss, detail }: Outcome): void {
    const slice = this.#slice(endedMs);
    if (loss === null) {
      for (const counted of [slice, this.#all]) {
        counted.answered += 1;
        const bin = Math.round(Math.log(Math.max(latencyMsMin, endedMs - sentMs) / latencyMsMin) / latencyStep);
        counted.latencies.set(bin, (counted.latencies.get(bin) ?? 0) + 1);
      }
      return;
    }
    slice.lost += 1;
    this.#all.lost += 1;
    this.lossCounts[loss] = (this.lossCounts[loss] ?? 0) + 1;
    const isExcused =
      (loss === "cut" || loss === "timeout") &&
      this.strikes.some(
        (strike) =>
          strike.class === "b-cell" && endedMs >= strike.atMs && sentMs <= strike.atMs + excusedMs[strike.harm],
      );
    if (!isExcused) this.unexcused += 1;
    if (this.losses.length < lossesMax) this.losses.push({ atMs: endedMs, loss, detail, isExcused });
  }

  struck(strike: Strike, atMs: number): void {
    const { id, class: cellClass, pid } = strike.cell;
    const report: StrikeReport = { atMs, harm: strike.harm, class: cellClass, id, pid, healedMs: null };
    this.strikes.push(report);
    this.#pending.set(report, strike);
  }

  /** Who lives now: whoever was struck is healed when it is gone or well, and everybody is there whom the DNA wants. */
  saw(cells: readonly SurveyedCell[], wanted: Populations, atMs: number): void {
    this.census.push({ atMs, populations: populationsOf(cells) });
    const isWhole = Object.entries(wanted).every(
      ([cellClass, count]) => cells.filter((cell) => cell.class === cellClass && cell.state === "live").length >= count,
    );
    for (const [report, { harm, cell }] of this.#pending) {
      if (atMs < report.atMs + harmMs(harm)) continue;
      const still = cells.find(({ id, pid }) => id === cell.id && pid === cell.pid);
      const isWell =
        harm === "kill"
          ? still === undefined
          : still === undefined || (still.state === "live" && still.evidence === "self");
      if (!isWhole || !isWell) continue;
      report.healedMs = atMs - report.atMs;
      this.#pending.delete(report);
    }
  }

  get isHealed(): boolean {
    return this.#pending.size === 0;
  }

  get answered(): number {
    return this.#all.answered;
  }

  get lost(): number {
    return this.#all.lost;
  }

  latencyMs(share: number): number | null {
    return quantileOf(this.#all, share);
  }

  /** In order of time, with the empty slices. */
  slices(): Array<{ atMs: number; answered: number; lost: number; p50Ms: number | null; p99Ms: number | null }> {
    const last = Math.max(-1, ...this.#slices.keys());
    return Array.from({ length: last + 1 }, (_, i) => {
      const slice = this.#slices.get(i) ?? { answered: 0, lost: 0, latencies: new Map<number, number>() };
      const { answered, lost } = slice;
      return { atMs: i * sliceMs, answered, lost, p50Ms: quantileOf(slice, 0.5), p99Ms: quantileOf(slice, 0.99) };
    });
  }

  #slice(atMs: number): Slice {
    const index = Math.floor(atMs / sliceMs);
    const known = this.#slices.get(index);
    if (known !== undefined) return known;
    const slice: Slice = { answered: 0, lost: 0, latencies: new Map() };
    this.#slices.set(index, slice);
    return slice;
  }
}

export function populationsOf(cells: readonly SurveyedCell[]): Populations {
  const populations: Populations = {};
  for (const cell of cells) populations[cell.class] = (populations[cell.class] ?? 0) + 1;
  return populations;
}

function quantileOf({ answered, latencies }: Slice, share: number): number | null {
  if (answered === 0) return null;
  let left = Math.ceil(answered * share);
  for (const bin of [...latencies.keys()].sort((a, b) => a - b)) {
    left -= latencies.get(bin) ?? 0;
    if (left <= 0) return latencyMsMin * Math.exp(bin * latencyStep);
  }
  return null;
}
