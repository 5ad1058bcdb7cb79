/**
 * The load model: what a stream of requests does to the drones and B cells that are there, and what those then measure of
 * themselves, in the same terms as in production (core/tally.ts's Vitals).
 *
 * It is a fluid model. Each tick some requests come, at random around what the trace says, each with the same cost. B cells
 * carry them, at a cost of their own, and give each to the drone with the least in its hands; a drone works them off one
 * after the other, a core-second a second. Where more are busy than there are cores, all are slowed alike, and to each its
 * event loop seems busy all the same, as it does to a real one. While no drone is ready requests wait in the B cells,
 * bounded by number and time as there.
 *
 * How long a request waits: the backlog of a drone over its speed, and beneath saturation, where a fluid does not wait at
 * all, what an M/G/k queue of as many drones waits on average (Sakasegawa 1977; costs taken to vary as widely as an
 * exponential's). That term is only reported: what cells measure and decide by is the backlog.
 *
 * Not in it: I/O that a request waits for without using the CPU, clients that give up, caches that warm up.
 */
import type { Prng } from "../lib/prng.ts";
import { prngFrom, prngNext } from "../lib/prng.ts";
import type { CellId } from "../core/cell.ts";
import type { Vitals } from "../core/tally.ts";
import { noVitals } from "../core/tally.ts";

/** A B cell's limits of requests that it cannot give to a drone (cells/b-cell/waiting-line.ts); the DNA sets them. */
export interface WorkloadLimits {
  /** Requests that wait in one B cell while no drone takes them. */
  readonly waitingCountMax: number;
  readonly waitingMsMax: number;
  /** How long one may wait in a line that there are drones for and that was not empty for twice as long. */
  readonly waitingMsTarget: number;
  /** Requests that one drone is given at a time. */
  readonly droneUnansweredMax: number;
}

export const workloadLimitsDefault: WorkloadLimits = {
  waitingCountMax: 1_024,
  waitingMsMax: 30_000,
  waitingMsTarget: 5_000,
  droneUnansweredMax: 1_024,
};

export interface WorkloadOptions {
  readonly seed: number;
  /** Cores that all processes share. */
  readonly cores: number;
  /** CPU time of a B cell for one request. */
  readonly carryMs: number;
  readonly limits?: WorkloadLimits;
}

/** Who is there for the next stretch of time. */
export interface Staff {
  readonly bCells: readonly CellId[];
  /** Drones whose app is ready and that are not leaving. */
  readonly ready: readonly CellId[];
  /** Drones that leave: they finish what they have. */
  readonly leaving: readonly CellId[];
}

export interface Outcome {
  /** Requests that came, were answered, and were refused, in this stretch. */
  readonly came: number;
  readonly answered: number;
  readonly refused: number;
  /** Requests that were given to drones, and how long they had waited until then. */
  readonly given: ReadonlyArray<{ readonly waitedMs: number; readonly count: number }>;
  /** How long a request that is given to a drone now waits behind others there; null where there is none. */
  readonly behindMs: number | null;
  /** How long the one that waits longest has waited until now; 0 where none does. */
  readonly oldestMs: number;
  /** Requests that wait: in B cells, and behind others in drones. */
  readonly waiting: number;
}

/** Event-loop utilization is measured over so long (host/cell-host.ts). */
const loadWindowMs = 1_000;

interface Worker {
  /** Requests in its hands; fractions are requests half done. */
  backlog: number;
  busyMs: number;
  elapsedMs: number;
  loadMilli: number;
}

export class Workload {
  readonly #options: WorkloadOptions;
  readonly #limits: WorkloadLimits;
  readonly #drones = new Map<CellId, Worker>();
  readonly #bCells = new Map<CellId, Worker>();
  /** In the B cells, oldest first: requests by when they came. */
  #waiting: Array<{ readonly atMs: number; count: number }> = [];
  #waitingCount = 0;
  readonly #given: Array<{ waitedMs: number; count: number }> = [];
  #waitingCapacity = 0;
  /** Since when requests wait although there are drones, or null. */
  #standingSinceMs: number | null = null;
  /** Whether requests wait because no drone can take them. */
  #lacksDrones = false;
  #nowMs = 0;
  #prng: Prng;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#limits = options.limits ?? workloadLimitsDefault;
    this.#prng = prngFrom(options.seed, 0x10ad);
  }

  /** Lets `forMs` pass under a load. */
  advance(forMs: number, load: { ratePerSecond: number; costMs: number }, staff: Staff): Outcome {
    this.#nowMs += forMs;
    this.#follow(staff);
    const came = this.#arrivals((load.ratePerSecond * forMs) / 1000);
    if (came > 0) this.#waiting.push({ atMs: this.#nowMs, count: came });
    this.#waitingCount += came;
    const speed = this.#speed(staff, load, forMs);
    const refused = this.#refuse(staff);
    if (staff.bCells.length > 0) this.#handOut(staff, forMs, speed);
    const answered = this.#work([...staff.ready, ...staff.leaving], { forMs, speed, costMs: load.costMs });
    const behindMs = this.#behindMs(staff.ready, load, speed);
    const oldestMs = this.#waiting.length === 0 ? 0 : this.#nowMs - this.#waiting[0]!.atMs;
    const given = this.#given.splice(0);
    return { came, answered, refused, given, behindMs, oldestMs, waiting: this.#waitingCount + this.#behindOthers() };
  }

  /** What a cell measures of itself now. */
  vitalsOf(id: CellId): Vitals {
    const drone = this.#drones.get(id);
    if (drone !== undefined) {
      return { ...noVitals, loadMilli: drone.loadMilli, inFlight: Math.ceil(drone.backlog - 1e-9) };
    }
    const bCell = this.#bCells.get(id);
    if (bCell === undefined) return noVitals;
    // What a saturated B cell has not read yet it does not know of.
    const queued = this.#lacksDrones ? Math.ceil(this.#waitingCount / this.#bCells.size) : 0;
    const oldestMs = this.#waiting[0]?.atMs ?? this.#nowMs;
    let inHand = this.#waitingCount;
    for (const { backlog } of this.#drones.values()) inHand += backlog;
    return {
      ...noVitals,
      loadMilli: bCell.loadMilli,
      inFlight: Math.ceil(inHand / this.#bCells.size - 1e-9),
      queued,
      queueMs: queued === 0 ? 0 : Math.round(this.#nowMs - oldestMs),
    };
  }

  /** What a drone that died had in its hands goes back to the B cells; whoever is new begins with nothing. */
  #follow({ bCells, ready, leaving }: Staff): void {
    const drones = new Set([...ready, ...leaving]);
    for (const [id, { backlog }] of this.#drones) {
      if (drones.has(id)) continue;
      this.#drones.delete(id);
      if (backlog > 0) this.#waiting.unshift({ atMs: this.#nowMs, count: backlog });
      this.#waitingCount += backlog;
    }
    for (const id of drones) if (!this.#drones.has(id)) this.#drones.set(id, idle());
    const present = new Set(bCells);
    for (const id of this.#bCells.keys()) if (!present.has(id)) this.#bCells.delete(id);
    for (const id of bCells) if (!this.#bCells.has(id)) this.#bCells.set(id, idle());
    // Before there is a B cell the kernel's queue holds what comes; it is about as long.
    this.#waitingCapacity = this.#limits.waitingCountMax * Math.max(1, bCells.length);
  }

  /** Too many, and those who have waited for too long. */
  #refuse({ ready }: Staff): number {
    let refused = 0;
    const drop = (index: number, count: number): void => {
      const entry = this.#waiting[index]!;
      entry.count -= count;
      this.#waitingCount -= count;
      refused += count;
    };
    const msMax = this.#patienceMs(ready.length > 0);
    while (this.#waiting.length > 0 && this.#nowMs - this.#waiting[0]!.atMs > msMax) {
      drop(0, this.#waiting[0]!.count);
      this.#waiting.shift();
    }
    // What a B cell has not come to yet is not in its line.
    if (ready.length > 0 && !this.#lacksDrones) return refused;
    while (this.#waitingCount > this.#waitingCapacity && this.#waiting.length > 0) {
      drop(this.#waiting.length - 1, Math.min(this.#waiting.at(-1)!.count, this.#waitingCount - this.#waitingCapacity));
      if (this.#waiting.at(-1)!.count <= 0) this.#waiting.pop();
    }
    return refused;
  }

  /** Less where the line stands, so that those who are served are served in time. */
  #patienceMs(hasDrones: boolean): number {
    if (!hasDrones || !this.#lacksDrones) this.#standingSinceMs = null;
    else this.#standingSinceMs ??= this.#nowMs;
    const { waitingMsMax, waitingMsTarget } = this.#limits;
    const isStanding = this.#standingSinceMs !== null && this.#nowMs - this.#standingSinceMs >= 2 * waitingMsTarget;
    return isStanding ? Math.min(waitingMsMax, waitingMsTarget) : waitingMsMax;
  }

  /** How fast a busy process runs: a core each, or its share where there are more busy processes than cores. */
  #speed(
    { bCells, ready, leaving }: Staff,
    { ratePerSecond, costMs }: { ratePerSecond: number; costMs: number },
    forMs: number,
  ): number {
    let wanted = Math.min(bCells.length, (ratePerSecond * this.#options.carryMs) / 1000);
    const each = ready.length === 0 ? 0 : (ratePerSecond * costMs) / 1000 / ready.length;
    for (const id of [...ready, ...leaving]) {
      const { backlog } = this.#drones.get(id) as Worker;
      wanted += Math.min(1, (backlog * costMs) / forMs + each);
    }
    return Math.min(1, this.#options.cores / Math.max(wanted, 1e-9));
  }

  /** The B cells give what waits to drones with room, as far as they themselves have time for. */
  #handOut({ bCells, ready }: Staff, forMs: number, speed: number): void {
    const { carryMs } = this.#options;
    const capacity = carryMs === 0 ? Number.POSITIVE_INFINITY : (bCells.length * forMs * speed) / carryMs;
    const drones = ready.map((id) => this.#drones.get(id) as Worker);
    const room = drones.reduce((sum, { backlog }) => sum + Math.max(0, this.#limits.droneUnansweredMax - backlog), 0);
    const count = Math.min(this.#waitingCount, capacity, room);
    this.#lacksDrones = room < Math.min(this.#waitingCount, capacity);
    this.#take(count);
    pourEvenly(drones, count);
    const busyMs = carryMs === 0 ? 0 : (count / bCells.length) * (carryMs / speed);
    for (const id of bCells) measure(this.#bCells.get(id) as Worker, busyMs, forMs);
  }

  #take(count: number): void {
    let left = count;
    while (left > 1e-9 && this.#waiting.length > 0) {
      const first = this.#waiting[0]!;
      const taken = Math.min(first.count, left);
      this.#given.push({ waitedMs: this.#nowMs - first.atMs, count: taken });
      first.count -= taken;
      left -= taken;
      if (first.count <= 1e-9) this.#waiting.shift();
    }
    this.#waitingCount = this.#waiting.length === 0 ? 0 : Math.max(0, this.#waitingCount - count);
  }

  #work(ids: readonly CellId[], { forMs, speed, costMs }: { forMs: number; speed: number; costMs: number }): number {
    let answered = 0;
    for (const id of ids) {
      const drone = this.#drones.get(id) as Worker;
      const done = Math.min(drone.backlog, (forMs * speed) / costMs);
      drone.backlog = drone.backlog - done < 1e-9 ? 0 : drone.backlog - done;
      answered += done;
      measure(drone, (done * costMs) / speed, forMs);
    }
    return answered;
  }

  #behindMs(
    ready: readonly CellId[],
    { ratePerSecond, costMs }: { ratePerSecond: number; costMs: number },
    speed: number,
  ): number | null {
    if (ready.length === 0) return null;
    let least = Number.POSITIVE_INFINITY;
    for (const id of ready) least = Math.min(least, (this.#drones.get(id) as Worker).backlog);
    const serviceMs = costMs / speed;
    const utilization = (ratePerSecond * serviceMs) / 1000 / ready.length;
    return Math.max(least * serviceMs, mgkWaitMs(utilization, ready.length, serviceMs));
  }

  #behindOthers(): number {
    let count = 0;
    for (const { backlog } of this.#drones.values()) count += Math.max(0, backlog - 1);
    return count;
  }

  /**
   * How many requests come where `mean` are expected: Poisson's, nearly. Few are drawn one by one, of many the spread is that
   * of a sum of twelve even draws, which is normal enough. Only sums, products and square roots, which are the same everywhere.
   */
  #arrivals(mean: number): number {
    if (mean <= 0) return 0;
    if (mean < manyArrivals) {
      const slots = Math.ceil(mean) * slotsPerArrival;
      let count = 0;
      for (let i = 0; i < slots; i += 1) if (this.#fraction() < mean / slots) count += 1;
      return count;
    }
    let spread = -6;
    for (let i = 0; i < 12; i += 1) spread += this.#fraction();
    return Math.max(0, Math.round(mean + spread * Math.sqrt(mean)));
  }

  #fraction(): number {
    const [word, next] = prngNext(this.#prng);
    this.#prng = next;
    return word / 0x1_0000_0000;
  }
}

const manyArrivals = 12;
const slotsPerArrival = 16;

/** Mean wait in an M/G/k queue with costs of an exponential's spread; without bound from saturation on, where the backlog speaks. */
export function mgkWaitMs(utilization: number, servers: number, serviceMs: number): number {
  if (utilization >= saturation) return 0;
  return (serviceMs * utilization ** (Math.sqrt(2 * (servers + 1)) - 1)) / (servers * (1 - utilization));
}

/** Beyond this the formula's pole says more than the queue, which had no time to fill. */
const saturation = 0.98;

/** Fills up those with least first, as giving each request to the less burdened of two does on average. */
function pourEvenly(workers: readonly Worker[], count: number): void {
  if (count <= 0) return;
  const sorted = [...workers].sort((a, b) => a.backlog - b.backlog);
  let left = count;
  for (let filled = 1; left > 0; filled += 1) {
    const level = sorted[filled - 1]!.backlog;
    const next = sorted[filled]?.backlog ?? Number.POSITIVE_INFINITY;
    const rise = Math.min(next - level, left / filled);
    for (let i = 0; i < filled; i += 1) sorted[i]!.backlog = level + rise;
    left -= rise * filled;
    if (filled === sorted.length) return;
  }
}

function idle(): Worker {
  return { backlog: 0, busyMs: 0, elapsedMs: 0, loadMilli: 0 };
}

function measure(worker: Worker, busyMs: number, forMs: number): void {
  worker.busyMs += Math.min(busyMs, forMs);
  worker.elapsedMs += forMs;
  if (worker.elapsedMs < loadWindowMs) return;
  worker.loadMilli = Math.round((1000 * worker.busyMs) / worker.elapsedMs);
  worker.busyMs = 0;
  worker.elapsedMs = 0;
}
