/**
 * What `cellws chaos` does to cells: kills, stops and slows them, one after the other, as its dice say. Each of it can be undone
 * but the killing, and is: whatever happens, nothing is left stopped.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { CellClass } from "../../core/cell.ts";
import { signalProcess } from "../../host/proc.ts";
import type { Prng } from "../../lib/prng.ts";
import { prngBelow, prngFrom } from "../../lib/prng.ts";
import type { SurveyedCell } from "../../wire/survey.ts";

export const harms = ["kill", "stop", "slow"] as const;
export type Harm = (typeof harms)[number];

/** So long a cell is slow: it runs a fifth of the time. */
const slowMs = 3_000;
const slowStoppedMs = 80;
const slowRunningMs = 20;
/** A stopped cell is voted out in seconds. Where too few are left to vote, it is let go. */
export const stopMsMax = 10_000;

export interface Strike {
  readonly harm: Harm;
  readonly cell: Pick<SurveyedCell, "id" | "class" | "pid" | "startTicks">;
}

/** Chance, from a seed: the same choices of class and harm again, though the cells are others. */
export class Dice {
  #state: Prng;

  constructor(seed: number) {
    this.#state = prngFrom(seed);
  }

  below(count: number): number {
    const [value, next] = prngBelow(this.#state, count);
    this.#state = next;
    return value;
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[this.below(from.length)];
  }
}

/**
 * First the class, so that the few of a kind are hit as often as the many. Null: nobody of those classes lives, or only one cell does, after
 * whose death there would be nothing to heal.
 */
export function chooseStrike(
  cells: readonly SurveyedCell[],
  { classes, harms: allowed }: { classes: readonly CellClass[]; harms: readonly Harm[] },
  dice: Dice,
): Strike | null {
  if (cells.length < 2) return null;
  const present = classes.filter((cellClass) => cells.some((cell) => cell.class === cellClass));
  const chosen = dice.pick(present);
  const cell = dice.pick(cells.filter((candidate) => candidate.class === chosen));
  const harm = dice.pick(allowed);
  return cell === undefined || harm === undefined ? null : { harm, cell };
}

export class Mischief {
  readonly #stopped = new Map<number, { strike: Strike; untilMs: number }>();
  readonly #slowing = new Set<Promise<void>>();
  readonly #over = new AbortController();

  /** False: the cell was gone. */
  strike(strike: Strike): boolean {
    const { harm, cell } = strike;
    if (harm === "slow") {
      this.#slowing.add(this.#slow(strike));
      return true;
    }
    if (signalProcess(cell, harm === "kill" ? "SIGKILL" : "SIGSTOP") !== "sent") return false;
    if (harm === "stop") this.#stopped.set(cell.pid, { strike, untilMs: performance.now() + stopMsMax });
    return true;
  }

  /** Whether the cell stands still because of us: to strike it again would be no strike. */
  isStopped({ pid }: { readonly pid: number }): boolean {
    return this.#stopped.has(pid);
  }

  /** Lets those go that nobody has ended in time. To be called again and again. */
  letGo(): void {
    for (const [pid, { strike, untilMs }] of this.#stopped) {
      if (performance.now() < untilMs) continue;
      signalProcess(strike.cell, "SIGCONT");
      this.#stopped.delete(pid);
    }
  }

  /** Nothing is stopped after this. */
  async end(): Promise<void> {
    this.#over.abort();
    for (const { strike } of this.#stopped.values()) signalProcess(strike.cell, "SIGCONT");
    this.#stopped.clear();
    await Promise.all(this.#slowing);
  }

  async #slow({ cell }: Strike): Promise<void> {
    const { signal } = this.#over;
    const endMs = performance.now() + slowMs;
    try {
      while (performance.now() < endMs && !signal.aborted) {
        if (signalProcess(cell, "SIGSTOP") !== "sent") return;
        await sleep(slowStoppedMs, undefined, { signal }).catch(() => undefined);
        signalProcess(cell, "SIGCONT");
        await sleep(slowRunningMs, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      signalProcess(cell, "SIGCONT");
    }
  }
}

/** When a harm is over by itself, counted from its beginning: only then can the cell be well again. */
export function harmMs(harm: Harm): number {
  return harm === "slow" ? slowMs : 0;
}
