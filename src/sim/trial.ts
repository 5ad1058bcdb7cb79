/**
 * One trial: an organism of random DNA, faults at random times, then peace; and what must be true of it throughout and
 * in the end. All of it follows from the seed.
 *
 * While the faults last only safety is asked for: no healthy cell is ended, no kin cycle, no population above its cap, besides
 * what every cell asserts of itself at each step. After the last fault also liveness: within a bound all classes are there,
 * in one tree, and whoever was still halted is gone.
 */
import type { Prng } from "../lib/prng.ts";
import { prngBelow, prngFrom } from "../lib/prng.ts";
import { InvariantError } from "../lib/assert.ts";
import { hash32 } from "../lib/hash.ts";
import type { CellClass, CellId, SpecializedClass } from "../core/cell.ts";
import { specializedClasses } from "../core/cell.ts";
import type { CoreDna } from "../core/dna.ts";
import type { State } from "../core/state.ts";
import { isElder } from "../core/roster.ts";
import { World } from "./world.ts";

export const faultKinds = [
  "crash",
  "mass-death",
  "stop",
  "stop-and-continue",
  "busy",
  "suspend",
  "cut",
  "app-fails",
  "retire",
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface TrialResult {
  readonly seed: number;
  /** What was violated, or null. */
  readonly violation: string | null;
  readonly events: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  readonly virtualMs: number;
  /** Sum over the cells of the time that each lived, in milliseconds. */
  readonly cellMs: number;
  /** From the last fault until all was whole again. Null where it never was. */
  readonly recoveryMs: number | null;
  /** Deaths by vote: of the halted, and of the healthy for being surplus. */
  /** How long any class was above its cap, as seen every quarter of a second. */
  readonly aboveCapMs: number;
  readonly executions: { readonly hung: number; readonly surplus: number; readonly healthy: number };
  /** Of the whole history. The same seed must give the same. */
  readonly fingerprint: number;
}

/** After the last fault, until every class is there again in one tree and no halted cell is left. */
export const recoveryMsMax = 90_000;
const lookEveryMs = 250;
/** A stable window to be sure, and the ballot windows of a few votes. */
const aboveCapMsMax = 60_000;

export function runTrial(seed: number): TrialResult {
  const trial = new Trial(seed);
  let violation: string | null = null;
  try {
    violation = trial.run();
  } catch (error) {
    if (!(error instanceof InvariantError)) throw error;
    violation = error.message;
  }
  return trial.result(violation);
}

class Trial {
  readonly #seed: number;
  readonly #dna: CoreDna;
  readonly #world: World;
  readonly #faults = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  #prng: Prng;
  #cellMs = 0;
  #recoveryMs: number | null = null;
  /** Who gets going again, and when. */
  readonly #aboveCapSinceMs = new Map<SpecializedClass, number>();
  #aboveCapMs = 0;
  #pending: Array<{ atMs: number; deed: () => void }> = [];

  constructor(seed: number) {
    this.#seed = seed;
    this.#prng = prngFrom(seed, 0x7a1a1);
    this.#dna = this.#randomDna();
    const delaysMs = {
      birth: this.#range(20, 60, 80, 600),
      message: this.#range(0, 2, 2, 30),
      appLoad: this.#range(0, 50, 50, 1_500),
      drain: this.#range(0, 10, 10, 800),
      notice: this.#range(0, 5, 5, 60),
    };
    this.#world = new World({ seed, dna: this.#dna, delaysMs });
  }

  /** Returns what was violated, or null. */
  run(): string | null {
    const world = this.#world;
    const egg = world.spawnEgg();
    world.run(this.#below(2_000));
    world.tell(egg, { type: "first-connection" });
    world.run(1_000 + this.#below(10_000));
    const untilMs = world.nowMs + 20_000 + this.#below(40_000);
    while (world.nowMs < untilMs) {
      const wrong = this.#pass(100 + this.#below(4_000)) ?? this.#healthyWereEnded();
      if (wrong !== null) return wrong;
      this.#fault();
    }
    return this.#recover();
  }

  result(violation: string | null): TrialResult {
    const { executions, log, eventCount, nowMs } = this.#world;
    const count = (reason: string): number => executions.filter((one) => one.reason === reason).length;
    return {
      seed: this.#seed,
      violation,
      events: eventCount,
      faults: this.#faults,
      virtualMs: nowMs,
      cellMs: this.#cellMs,
      recoveryMs: this.#recoveryMs,
      aboveCapMs: this.#aboveCapMs,
      executions: { hung: count("hung"), surplus: count("surplus"), healthy: this.#falseKills() },
      fingerprint: hash32(JSON.stringify(log)),
    };
  }

  /** Lets time pass in small steps, with a look at the whole after each. */
  #pass(forMs: number): string | null {
    const untilMs = this.#world.nowMs + forMs;
    while (this.#world.nowMs < untilMs) {
      const stepMs = Math.min(lookEveryMs, untilMs - this.#world.nowMs);
      this.#world.run(stepMs);
      this.#cellMs += stepMs * this.#world.living().length;
      const due = this.#pending.filter(({ atMs }) => atMs <= this.#world.nowMs);
      this.#pending = this.#pending.filter(({ atMs }) => atMs > this.#world.nowMs);
      for (const { deed } of due) deed();
      this.#keepAMajority();
      const wrong = this.#capExceeded() ?? this.#kinCycle();
      if (wrong !== null) return wrong;
    }
    return null;
  }

  #recover(): string | null {
    this.#world.app = "ready";
    for (const { deed } of this.#pending.splice(0)) deed();
    for (const { self } of this.#world.living()) this.#world.tell(self, { type: "files-changed" });
    const sinceMs = this.#world.nowMs;
    while (this.#world.nowMs - sinceMs < recoveryMsMax) {
      const wrong = this.#pass(lookEveryMs) ?? this.#healthyWereEnded();
      if (wrong !== null) return wrong;
      if (this.#whatIsMissing() !== null) continue;
      this.#recoveryMs = this.#world.nowMs - sinceMs;
      return null;
    }
    return `not whole ${recoveryMsMax} ms after the last fault: ${this.#whatIsMissing()}`;
  }

  #fault(): void {
    const kind = faultKinds[this.#below(faultKinds.length)] as FaultKind;
    const world = this.#world;
    const cells = world.living().map((state) => state.self);
    const victim = cells[this.#below(cells.length)];
    const survivors = this.#well().filter((id) => id !== victim);
    const survivor = survivors[this.#below(Math.max(1, survivors.length))];
    // What is promised is recovery from whatever leaves one sound cell.
    if (victim === undefined || survivor === undefined) return;
    this.#faults[kind] += 1;
    switch (kind) {
      case "crash":
        return world.kill(victim);
      case "mass-death": {
        const percent = 30 + this.#below(66);
        const doomed = cells.filter((id) => id !== survivor && this.#below(100) < percent);
        for (const id of doomed) world.kill(id);
        return;
      }
      case "stop":
        // Half of them at most: a majority must be able to act.
        if (this.#haltedCount() + 1 > (cells.length - 1) / 2) return;
        return world.halt(victim, "stuck");
      case "stop-and-continue":
        world.halt(victim, "stuck");
        return this.#later(100 + this.#below(700), () => world.resume(victim));
      case "busy":
        world.halt(victim, "busy");
        return this.#later(500 + this.#below(6_000), () => world.resume(victim));
      case "suspend":
        for (const id of cells) world.halt(id, "stuck");
        return this.#later(1_000 + this.#below(20_000), () => {
          for (const id of cells) world.resume(id);
        });
      case "cut": {
        const [peer] = world.cells.get(victim)?.links.keys() ?? [];
        return peer === undefined ? undefined : world.cut(victim, peer);
      }
      case "app-fails":
        world.app = "failed";
        return this.#later(this.#below(8_000), () => {
          world.app = "ready";
        });
      case "retire":
        return world.tell(victim, { type: "retire", drainMs: this.#below(2_000) });
    }
  }

  #whatIsMissing(): string | null {
    const living = this.#world.living();
    if (living.length === 0) return "nobody lives";
    const halted = living.filter(({ self }) => this.#world.cells.get(self)?.halted !== null);
    if (halted.length > 0) return `${halted.length} halted cells still there`;
    const count = (cellClass: CellClass): number => living.filter((state) => state.class === cellClass).length;
    for (const cellClass of specializedClasses) {
      const { min } = this.#dna.population[cellClass];
      if (count(cellClass) < min) return `${count(cellClass)} of ${min} ${cellClass}s`;
    }
    if (count("stem") < this.#dna.stemPool) return `${count("stem")} of ${this.#dna.stemPool} stem cells`;
    return this.#notOneTree(living);
  }

  #notOneTree(living: readonly State[]): string | null {
    const ids = new Set(living.map((state) => state.self));
    const ends = living.reduce((sum, state) => sum + [...state.kin].filter((peer) => ids.has(peer)).length, 0);
    if (ends !== 2 * (living.length - 1)) return `${ends / 2} links between ${living.length} cells`;
    const seen = new Set<CellId>();
    const next: CellId[] = [living[0]?.self ?? ""];
    for (let id = next.pop(); id !== undefined; id = next.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      next.push(...(this.#world.cells.get(id)?.state?.kin ?? []));
    }
    return seen.size >= living.length ? null : `${seen.size} of ${living.length} cells hang together`;
  }

  /** See docs/decisions/0007: cells that do not know of each other may be one too many, for as long as a vote takes. */
  #capExceeded(): string | null {
    for (const cellClass of specializedClasses) {
      const count = this.#world.ofClass(cellClass).length;
      const { max } = this.#dna.population[cellClass];
      if (count <= max) {
        this.#aboveCapSinceMs.delete(cellClass);
        continue;
      }
      const sinceMs = this.#aboveCapSinceMs.get(cellClass) ?? this.#world.nowMs;
      this.#aboveCapSinceMs.set(cellClass, sinceMs);
      this.#aboveCapMs += lookEveryMs;
      if (this.#world.nowMs - sinceMs > aboveCapMsMax) return `${count} ${cellClass}s, and the DNA allows ${max}`;
    }
    return null;
  }

  /** Every link leads to a strictly older or younger cell; with one link to an elder at most there can be no cycle. */
  #kinCycle(): string | null {
    for (const state of this.#world.living()) {
      const own = state.alive.get(state.self);
      const elders = [...state.kin].filter((peer) => {
        const body = state.alive.get(peer);
        return own !== undefined && body !== undefined && isElder(body, own);
      });
      if (elders.length > 1) return `${state.self} holds links to ${elders.length} elders`;
    }
    return null;
  }

  #healthyWereEnded(): string | null {
    return this.#falseKills() === 0 ? null : "a healthy cell was voted out as hung";
  }

  #falseKills(): number {
    return this.#world.executions.filter(
      ({ reason, wasHalted, wasInfected }) =>
        !wasInfected && (reason === "infected" || (reason === "hung" && !wasHalted)),
    ).length;
  }

  /** Cells that do what they should, and are not about to leave. */
  #well(): CellId[] {
    const isWell = ({ self, stop, isUseless }: State): boolean =>
      stop === null && !isUseless && this.#world.cells.get(self)?.halted === null;
    return this.#world
      .living()
      .filter(isWell)
      .map(({ self }) => self);
  }

  /**
   * Votes need a majority of cells that can cast one: the promise is for fewer than half halted. Where deaths and faults
   * together have left fewer well than halted, the halted go on, as after a suspension.
   */
  #keepAMajority(): void {
    const halted = [...this.#world.cells.values()].filter((cell) => cell.runs && cell.halted !== null);
    const isSuspended = this.#well().length === 0;
    if (isSuspended || halted.length < this.#well().length) return;
    for (const { id } of halted) this.#world.resume(id);
  }

  #haltedCount(): number {
    return [...this.#world.cells.values()].filter((cell) => cell.runs && cell.halted !== null).length;
  }

  #later(inMs: number, deed: () => void): void {
    this.#pending.push({ atMs: this.#world.nowMs + inMs, deed });
  }

  #randomDna(): CoreDna {
    const bounds = (min: number): { min: number; max: number } => ({ min, max: min + 1 + this.#below(4) });
    const population: Record<SpecializedClass, { min: number; max: number }> = {
      neuron: bounds(1 + this.#below(2)),
      "b-cell": bounds(1 + this.#below(3)),
      "t-cell": bounds(this.#below(2)),
      drone: bounds(1 + this.#below(8)),
    };
    return {
      stemPool: 1 + this.#below(5),
      population,
      daughtersMax: 3 + this.#below(3),
      attenuationMilli: 150 + this.#below(150),
      hormoneHalfLifeMs: 1_000 + this.#below(3_000),
      drainMsMax: 2_000,
      hangMs: 10_000,
      growth: {
        utilizationToGrowMilli: 700,
        utilizationToShrinkMilli: 300,
        queueMsTarget: 50,
        stableWindowMs: 10_000,
        panicWindowMs: 2_000,
      },
      restarts: { backoffMsMin: 250, backoffMsMax: 8_000, budget: 20, windowMs: 60_000 },
    };
  }

  #below(bound: number): number {
    const [value, next] = prngBelow(this.#prng, bound);
    this.#prng = next;
    return value;
  }

  /** A range of delays whose lower end lies in minFrom..minTo and whose upper end in maxFrom..maxTo. */
  #range(minFrom: number, minTo: number, maxFrom: number, maxTo: number): readonly [number, number] {
    return [minFrom + this.#below(minTo - minFrom + 1), maxFrom + this.#below(maxTo - maxFrom + 1)];
  }
}
