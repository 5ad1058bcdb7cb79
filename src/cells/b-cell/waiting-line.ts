/**
 * The requests that wait for a drone, in order of arrival, and how long they may.
 *
 * Two kinds of waiting look alike and are not. While no drone is ready (the organism germinates, or heals) a
 * request waits for a birth, and the wait ends for all at once: that is worth seconds. While all drones are full it waits
 * for others, and if more come than go, everybody comes to wait as long as the line is: past their clients' patience,
 * so that all the work is done for nobody. Hence controlled delay (Nichols and Jacobson, ACM Queue 2012; for requests
 * instead of packets: Maurer, "Fail at scale", ACM Queue 2015): a burst may wait; a line that has been standing, and
 * was never empty for twice the target, is too long, and whoever has waited past the target is sent away, with the advice
 * to come back, until it has been empty once.
 *
 * Why not a limit on the length alone: how long a hundred requests wait depends on the app, the delay does not.
 */
export interface WaitingLimits {
  /** How many may wait. */
  countMax: number;
  /** How long each may wait at most: for a cold start of a large app. */
  msMax: number;
  /** How long each may wait in a line that does not get empty, although there are drones. */
  msTarget: number;
}

export const waitingLimitsDefault: Readonly<WaitingLimits> = { countMax: 1024, msMax: 30_000, msTarget: 5_000 };

export class WaitingLine<W> {
  readonly #limits: WaitingLimits;
  /** In order of arrival, with its time. */
  readonly #since = new Map<W, number>();
  /** Since when the line stands: it is not empty and there are drones. Null when it does not. */
  #standingSinceMs: number | null = null;

  constructor(limits: WaitingLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#since.size;
  }

  get isFull(): boolean {
    return this.#since.size >= this.#limits.countMax;
  }

  /** Oldest first. May be changed while it is walked. */
  [Symbol.iterator](): Iterator<W> {
    return this.#since.keys();
  }

  /** How long the one that waits longest has waited. */
  longestMs(nowMs: number): number {
    const [first] = this.#since.values();
    return first === undefined ? 0 : Math.max(0, nowMs - first);
  }

  join(who: W, nowMs: number): void {
    this.#since.set(who, nowMs);
  }

  /** How long it has waited; 0 for who was not in the line. */
  waitedMs(who: W, nowMs: number): number {
    return Math.max(0, nowMs - (this.#since.get(who) ?? nowMs));
  }

  leave(who: W): void {
    this.#since.delete(who);
    if (this.#since.size === 0) this.#standingSinceMs = null;
  }

  /** Whether there are drones for those who wait: only then the line can be too slow. */
  setServed(isServed: boolean, nowMs: number): void {
    if (!isServed || this.#since.size === 0) this.#standingSinceMs = null;
    else this.#standingSinceMs ??= nowMs;
  }

  /** Takes out and returns those who have waited too long, and why each is sent away. */
  takeOverdue(nowMs: number): Array<{ who: W; isOverload: boolean }> {
    const limitMs = this.#limitMs(nowMs);
    const overdue: Array<{ who: W; isOverload: boolean }> = [];
    for (const [who, sinceMs] of this.#since) {
      if (nowMs - sinceMs < limitMs) break;
      overdue.push({ who, isOverload: this.#standingSinceMs !== null });
    }
    // Those sent away do not make the line empty: only being served does.
    for (const { who } of overdue) this.#since.delete(who);
    return overdue;
  }

  takeAll(): W[] {
    const all = [...this.#since.keys()];
    this.#since.clear();
    this.#standingSinceMs = null;
    return all;
  }

  /** Milliseconds until somebody may be overdue; null when nobody waits. */
  nextMs(nowMs: number): number | null {
    if (this.#since.size === 0) return null;
    const { msTarget } = this.#limits;
    const untilDue = this.#limitMs(nowMs) - this.longestMs(nowMs);
    const untilStanding = this.#standingSinceMs === null ? untilDue : this.#standingSinceMs + 2 * msTarget - nowMs;
    return Math.max(1, Math.min(untilDue, untilStanding > 0 ? untilStanding : untilDue));
  }

  #limitMs(nowMs: number): number {
    const { msMax, msTarget } = this.#limits;
    const isStanding = this.#standingSinceMs !== null && nowMs - this.#standingSinceMs >= 2 * msTarget;
    return isStanding ? Math.min(msMax, msTarget) : msMax;
  }
}
