/**
 * How a drone has been doing lately, from what this B cell has seen of it itself: how fast, how often wrong, how silent.
 *
 * Speed is the mean time to the head of an answer, over the last seconds. The mean and not the peak (Finagle's Peak EWMA):
 * peaks find a server far away that has begun to be slow before its queue shows it. Our drones share a machine and an
 * app, and a queue shows at once in the requests in flight; a peak would tell of the request (a report among
 * thumbnails), not of the drone, and send everybody to its neighbour. For the same reason speed counts within bounds.
 *
 * Errors count only in comparison: a database that is down makes all drones fail alike, and to take one of them out would
 * not help anybody. As with Envoy's outlier detection few are out at a time, for a while that grows, and never all.
 *
 * Silence is told by the link: each drone tells of itself twice a second, whatever its app does, unless its loop is
 * blocked or its process stopped.
 */

export const healthLimits = {
  /** How far back the mean of the time to an answer reaches. Long enough for one slow request to drown in it. */
  latencyMemoryMs: 3_000,
  /** Added to each mean: between 0.2 and 0.6 ms there is a factor of three and no difference. */
  latencyFloorMs: 2,
  /** A drone that answers so many times slower counts as if each of its requests were so many. More would starve it. */
  latencyFactorMax: 8,
  /** Answers that go on (downloads, event streams, tunnels) weigh little: a thousand idle WebSockets are no load. */
  streamWeight: 1 / 16,

  /** How often drones are looked at. */
  lookMs: 250,
  /** Three of a drone's reports missed. One is chance, and a garbage collection takes less. */
  silentMs: 1_500,

  /** The last ten seconds' answers count by half. */
  outcomeHalfLifeMs: 10_000,
  /** Fewer answers prove nothing. */
  outcomesToJudge: 8,
  /** At least this share is wrong, and at least twice the share of the others. */
  failureShareToEject: 0.5,
  failureRatioToEject: 2,
  ejectionMs: 10_000,
  ejectionMsMax: 300_000,
  /** An ejection so long after the last is a first one. */
  ejectionMemoryMs: 300_000,
  /** Of the ready drones; but one may always be out when there are two. */
  ejectedShareMax: 0.3,

  /** From this utilization of its loop on, what waits in a drone waits for the CPU. */
  saturatedLoad: 0.95,
  /** As much as a saturated drone answers in this time it may have; more waits here, where it can still go elsewhere. */
  saturatedMsMax: 1_000,
  /** But so many always: with fewer its loop might run dry between two turns. */
  saturatedCountMin: 16,
} as const;

export class DroneHealth {
  /** Mean milliseconds to the head of an answer; null before the first. */
  #latencyMs: number | null = null;
  #sampledAtMs = 0;
  /** Decayed counts. Invariant: 0 <= #failures <= #outcomes. */
  #outcomes = 0;
  #failures = 0;
  #answersSinceLook = 0;
  #answersPerSecond = 0;
  #hasSpoken = true;
  #silentForMs = 0;
  #ejectedForMs = 0;
  #sinceEjectionMs: number = healthLimits.ejectionMemoryMs;
  #ejections = 0;
  #saturatedReports = 0;

  /** An answer has begun, so long after the whole request had been handed over. */
  noteLatency(ms: number, nowMs: number): void {
    if (this.#latencyMs === null) this.#latencyMs = ms;
    const kept = Math.exp((this.#sampledAtMs - nowMs) / healthLimits.latencyMemoryMs);
    this.#latencyMs = this.#latencyMs * kept + ms * (1 - kept);
    this.#sampledAtMs = nowMs;
  }

  noteOutcome(failed: boolean): void {
    this.#outcomes += 1;
    this.#answersSinceLook += 1;
    if (failed) this.#failures += 1;
  }

  /** It reports how busy its loop was since its last report. */
  noteReport(load: number): void {
    this.#hasSpoken = true;
    this.#saturatedReports = load >= healthLimits.saturatedLoad ? this.#saturatedReports + 1 : 0;
  }

  /** Time passes. `elapsedMs` is time in which this cell could have heard the drone. */
  look(elapsedMs: number): void {
    this.#silentForMs = this.#hasSpoken ? 0 : this.#silentForMs + elapsedMs;
    this.#hasSpoken = false;
    const kept = 2 ** (-elapsedMs / healthLimits.outcomeHalfLifeMs);
    this.#outcomes *= kept;
    this.#failures *= kept;
    const rate = (this.#answersSinceLook * 1000) / Math.max(1, elapsedMs);
    this.#answersPerSecond += (rate - this.#answersPerSecond) * (1 - 2 ** (-elapsedMs / 1000));
    this.#answersSinceLook = 0;
    this.#sinceEjectionMs += elapsedMs;
    if (this.#ejectedForMs === 0) return;
    this.#ejectedForMs = Math.max(0, this.#ejectedForMs - elapsedMs);
    // On trial: what it did before is forgotten, what it does now counts.
    if (this.#ejectedForMs === 0) this.#outcomes = this.#failures = 0;
  }

  eject(): void {
    this.#ejections = this.#sinceEjectionMs >= healthLimits.ejectionMemoryMs ? 1 : this.#ejections + 1;
    this.#ejectedForMs = Math.min(healthLimits.ejectionMsMax, healthLimits.ejectionMs * this.#ejections);
    this.#sinceEjectionMs = 0;
  }

  get isEjected(): boolean {
    return this.#ejectedForMs > 0;
  }

  get isSilent(): boolean {
    return this.#silentForMs >= healthLimits.silentMs;
  }

  get latencyMs(): number {
    return (this.#latencyMs ?? 0) + healthLimits.latencyFloorMs;
  }

  get outcomes(): { readonly count: number; readonly failed: number } {
    return { count: this.#outcomes, failed: this.#failures };
  }

  /** How many requests it may have unanswered, by what it can do; infinite while its loop has time to spare. */
  get saturatedCountMax(): number {
    // One report may have caught a burst.
    if (this.#saturatedReports < 2) return Number.POSITIVE_INFINITY;
    const { saturatedCountMin, saturatedMsMax } = healthLimits;
    return Math.max(saturatedCountMin, (this.#answersPerSecond * saturatedMsMax) / 1000);
  }
}

/** How a drone's speed weighs against another's: by their ratio, within bounds. */
export function latencyWeight(own: DroneHealth, other: DroneHealth): number {
  return Math.min(own.latencyMs, other.latencyMs * healthLimits.latencyFactorMax);
}

/** Which of these drones, all of them ready, should be ejected now. */
export function findOutliers<D extends { readonly health: DroneHealth }>(drones: readonly D[]): D[] {
  const { ejectedShareMax, outcomesToJudge, failureShareToEject, failureRatioToEject } = healthLimits;
  if (drones.length < 2) return [];
  const room =
    Math.max(1, Math.floor(drones.length * ejectedShareMax)) - drones.filter((d) => d.health.isEjected).length;
  if (room <= 0) return [];
  const total = { count: 0, failed: 0 };
  for (const { health } of drones) {
    total.count += health.outcomes.count;
    total.failed += health.outcomes.failed;
  }
  return drones
    .map((drone) => ({ drone, ...drone.health.outcomes }))
    .filter(({ drone, count, failed }) => {
      const others = { count: total.count - count, failed: total.failed - failed };
      if (drone.health.isEjected || count < outcomesToJudge || others.count < outcomesToJudge) return false;
      const share = failed / count;
      return share >= failureShareToEject && share >= (failureRatioToEject * others.failed) / others.count;
    })
    .toSorted((a, b) => b.failed / b.count - a.failed / a.count)
    .slice(0, room)
    .map(({ drone }) => drone);
}
