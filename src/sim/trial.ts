/**
 * One trial: an organism of random DNA, faults at random times, then peace; and what must be true of it throughout and
 * in the end. All of it follows from the seed.
 *
 * At every event: what each cell asserts of itself; kin links lead to strictly older cells (so there is no cycle), one at most;
 * roles stay; daughters are of their mother's class and hold the listening sockets unless they are drones; nobody is signalled
 * but the process that was meant; a sentence has its majority; no hormone is stronger than its hops allow. Every quarter of
 * a second: no healthy cell was voted out as hung or infected; no class stays above its cap (decision 0007); infected cells are
 * not half of anybody's electorate. After the last fault, within a bound: all classes are there, in one tree, and whoever was
 * still halted or infected is gone; nobody is worn out or of an old DNA; one that may sleep is a single egg, and the next who
 * knocks has it grow whole again. Whoever knocks meanwhile is let in by somebody, within a bound.
 */
import type { Prng } from "../lib/prng.ts";
import { prngBelow, prngFrom } from "../lib/prng.ts";
import { InvariantError } from "../lib/assert.ts";
import { hash32 } from "../lib/hash.ts";
import type { CellClass, CellId, SpecializedClass } from "../core/cell.ts";
import { specializedClasses } from "../core/cell.ts";
import type { CoreDna } from "../core/dna.ts";
import type { State } from "../core/state.ts";
import { electorate } from "../core/ballot.ts";
import { electorateMin, lineageWindowMs, tickMs } from "../core/limits.ts";
import type { Misdeed } from "./infection.ts";
import { misdeeds, Plague } from "./infection.ts";
import { whyNotOneTree } from "./tree.ts";
import { noVitals } from "../core/tally.ts";
import { Traffic } from "./traffic.ts";
import type { Execution, SimCell } from "./world.ts";
import { World } from "./world.ts";
import { forEachClass } from "../core/wear.ts";

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
  "stall",
  "most-hang",
  "disturbance",
  "partition",
  "pid-reuse",
  "infection",
  "leak",
  "evolve",
  "squeeze",
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
  readonly executions: {
    readonly hung: number;
    readonly infected: number;
    readonly surplus: number;
    readonly worn: number;
    readonly outdated: number;
    readonly healthy: number;
  };
  /** From the last fault until every class was at work again, whoever had still to be voted out. */
  readonly serviceMs: number | null;
  /** From then until nobody was worn out or outdated. Null where nobody was. */
  readonly renewalMs: number | null;
  /** Times that the organism slept, and how long after the last request it did so in the end; null where it never should. */
  readonly sleeps: number;
  readonly sleepMs: number | null;
  /** Cells that were infected, their daughters included; and what they did, by kind. */
  readonly infectedCells: number;
  readonly misdeeds: Readonly<Record<Misdeed, number>>;
  /** Messages lost, doubled, overtaken, refused. */
  readonly mishaps: Readonly<World["mishaps"]>;
  /** The largest share of the working cells that a fault took away shortly before peace, in percent. */
  readonly lossPercent: number;
  /** Times at which deaths had left the infected half of an electorate or more, and the promise off: they were ended. */
  readonly excused: number;
  /** Of the whole history. The same seed must give the same. */
  readonly fingerprint: number;
}

/**
 * After the last fault, until every class is there again in one tree and nobody halted or infected is left. Each who must be
 * voted out takes a ballot window; where they are the most, the others give them up first, regrow, and come of age for the vote.
 */
export const recoveryMsMax = 120_000;
export const recoveryMsPerSentence = 20_000;
/** Losses within this of the peace are what it recovers from. */
const lossFreshMs = 15_000;
const lookEveryMs = 250;
/** Cells that must have lived for the lineage window before one begins to divide for votes. */
const settledMin = 5;
/** Share of an electorate at which the trial ends the infected: faults are about to leave them the majority. */
const shareMilliToEnd = 450;
/** Under the DNA's hangMs: who is out of reach for longer is voted out as any that does not answer. */
const partitionMsMax = 8_000;
/** Faults that take away so many healthy cells at once that too few would be left to outvote the infected. */
const tooMuchWithLiars: ReadonlySet<FaultKind> = new Set([
  "crash",
  "mass-death",
  "stop",
  "most-hang",
  "pid-reuse",
  "retire",
]);
const endsOne: ReadonlySet<FaultKind> = new Set(["crash", "stop", "most-hang", "pid-reuse"]);
/** A stable window to be sure, and the ballot windows of a few votes. */
const aboveCapMsMax = 60_000;
const rssBytesMax = 512 * 1_048_576;
/** After the idle time: an egg's birth and settling, three kinds of cells that leave one after the other, and whoever hears late. */
const sleepMsMax = 60_000;
/** Some knocks, a quarter of a minute apart on average. */
const sparseMs = 40_000;

/** Voted out for what it was not. */
function isUnjust({ reason, wasHalted, wasInfected, wasWorn, wasOutdated }: Execution): boolean {
  if (wasInfected) return false;
  if (reason === "infected") return true;
  return (
    (reason === "hung" && !wasHalted) || (reason === "worn" && !wasWorn) || (reason === "outdated" && !wasOutdated)
  );
}

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

export class Trial {
  readonly #seed: number;
  readonly #dna: CoreDna;
  readonly world: World;
  readonly #faults = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  #prng: Prng;
  #cellMs = 0;
  #recoveryMs: number | null = null;
  readonly #plague: Plague;
  readonly #losses: Array<{ atMs: number; percent: number }> = [];
  #lossPercent = 0;
  #excused = 0;
  /** From when on the infected can be told from outside. */
  #foundOutMs = Number.POSITIVE_INFINITY;
  /** Who gets going again, and when. */
  readonly #aboveCap = new Map<SpecializedClass, { sinceMs: number; excess: number }>();
  #aboveCapMs = 0;
  #serviceMs: number | null = null;
  #renewalMs: number | null = null;
  #sleepMs: number | null = null;
  #sleeps = 0;
  #wasAsleep = true;
  #isSqueezed = false;
  readonly #traffic: Traffic;
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
    this.world = new World({ seed, dna: this.#dna, delaysMs, pidMax: 300 + this.#below(200) });
    this.#plague = new Plague(this.world, seed);
    this.#traffic = new Traffic(this.world, seed);
  }

  /** Returns what was violated, or null. */
  run(): string | null {
    const { world } = this;
    const egg = world.spawnEgg();
    world.run(this.#below(2_000));
    world.tell(egg, { type: "first-connection" });
    world.run(1_000 + this.#below(10_000));
    const untilMs = world.nowMs + 20_000 + this.#below(40_000);
    while (world.nowMs < untilMs) {
      const wrong = this.#pass(100 + this.#below(4_000));
      if (wrong !== null) return wrong;
      const before = this.#well().length;
      this.#fault();
      const lost = before - this.#well().length;
      this.#losses.push({ atMs: world.nowMs, percent: Math.round((100 * Math.max(0, lost)) / Math.max(1, before)) });
    }
    return this.#recover();
  }

  result(violation: string | null): TrialResult {
    const { convictions, log, eventCount, nowMs } = this.world;
    const count = (reason: string): number => convictions.filter((one) => one.reason === reason).length;
    return {
      seed: this.#seed,
      violation,
      events: eventCount,
      faults: this.#faults,
      virtualMs: nowMs,
      cellMs: this.#cellMs,
      recoveryMs: this.#recoveryMs,
      aboveCapMs: this.#aboveCapMs,
      executions: {
        hung: count("hung"),
        infected: count("infected"),
        surplus: count("surplus"),
        worn: count("worn"),
        outdated: count("outdated"),
        healthy: this.#falseKills(),
      },
      infectedCells: [...this.world.cells.values()].filter((cell) => cell.infection !== null).length,
      misdeeds: this.#plague.counts,
      mishaps: this.world.mishaps,
      serviceMs: this.#serviceMs,
      renewalMs: this.#renewalMs,
      sleeps: this.#sleeps,
      sleepMs: this.#sleepMs,
      lossPercent: this.#lossPercent,
      excused: this.#excused,
      fingerprint: hash32(`${this.world.history}/${JSON.stringify(log)}`),
    };
  }

  /** Lets time pass in small steps, with a look at the whole after each. */
  #pass(forMs: number): string | null {
    const untilMs = this.world.nowMs + forMs;
    while (this.world.nowMs < untilMs) {
      const stepMs = Math.min(lookEveryMs, untilMs - this.world.nowMs);
      this.world.run(stepMs);
      this.#cellMs += stepMs * this.world.living().length;
      const due = this.#pending.filter(({ atMs }) => atMs <= this.world.nowMs);
      this.#pending = this.#pending.filter(({ atMs }) => atMs > this.world.nowMs);
      for (const { deed } of due) deed();
      this.#findOut();
      this.#plague.act();
      this.#tellVitals();
      const wrong =
        this.#capExceeded() ?? this.#infectedMajority() ?? this.#healthyWereEnded() ?? this.#nobodyListens();
      if (wrong !== null) return wrong;
    }
    return null;
  }

  #recover(): string | null {
    this.world.app = "ready";
    this.#isSqueezed = false;
    // One that sleeps cannot show that it is whole; and what was worn out is to be seen replaced.
    this.#traffic.flow = "steady";
    for (const { deed } of this.#pending.splice(0)) deed();
    // Whoever was told of a new DNA may have died of a fault before it told the others: its administrator says it again.
    const revision = [...this.world.revisions].at(-1) ?? "";
    for (const { self } of this.world.living()) {
      this.world.tell(self, { type: "files-changed" });
      this.world.tell(self, { type: "evolve", revision });
    }
    this.#foundOutMs = Math.min(this.#foundOutMs, this.world.nowMs);
    const sinceMs = this.world.nowMs;
    const recent = this.#losses.filter(({ atMs }) => sinceMs - atMs < lossFreshMs);
    this.#lossPercent = Math.max(0, ...recent.map(({ percent }) => percent));
    // Those that are still to be voted out, and daughters that they bear until they are.
    const sentenced = new Set<CellId>();
    const boundMs = (): number => {
      for (const id of [...this.#halted(), ...this.#plague.living(), ...this.#due()]) sentenced.add(id);
      return recoveryMsMax + recoveryMsPerSentence * sentenced.size;
    };
    while (this.world.nowMs - sinceMs < boundMs()) {
      this.#endTheUnknown();
      const wrong = this.#pass(lookEveryMs);
      if (wrong !== null) return wrong;
      if (this.#serviceMs === null && this.#isServing()) this.#serviceMs = this.world.nowMs - sinceMs;
      if (this.#recoveryMs === null && this.#whatIsMissing() === null) this.#recoveryMs = this.world.nowMs - sinceMs;
      if (this.#recoveryMs === null || this.#due().length > 0) continue;
      const renewedMs = this.world.nowMs - sinceMs - this.#recoveryMs;
      this.#renewalMs = renewedMs > 0 ? renewedMs : null;
      return this.#dna.dormancyIdleMs === 0 ? null : this.#sleepAndWake();
    }
    return `not whole ${boundMs()} ms after the last fault: ${this.#whatIsMissing() ?? "some are worn out or outdated"}`;
  }

  /**
   * In peace, and asked something now and then, it may fall asleep and be woken on the way; asked nothing more, it goes back to
   * being one egg. That wakes when it is asked.
   */
  #sleepAndWake(): string | null {
    this.#traffic.flow = "sparse";
    const wrong = this.#pass(sparseMs);
    if (wrong !== null) return wrong;
    this.#traffic.flow = "none";
    const isAsleep = (): boolean => {
      const living = this.world.living();
      return living.length === 1 && living[0]?.phase === "dormant";
    };
    this.#sleepMs = this.#until(isAsleep, this.#dna.dormancyIdleMs + sleepMsMax);
    if (this.#sleepMs === null) return `not asleep: ${this.world.living().length} cells live`;
    this.#traffic.flow = "steady";
    const wokenMs = this.#until(() => this.#whatIsMissing() === null, recoveryMsMax);
    return wokenMs === null ? `not whole after its sleep: ${this.#whatIsMissing()}` : null;
  }

  #until(isSo: () => boolean, msMax: number): number | null {
    const sinceMs = this.world.nowMs;
    while (this.world.nowMs - sinceMs < msMax) {
      if (this.#pass(lookEveryMs) !== null) return null;
      if (isSo()) return this.world.nowMs - sinceMs;
    }
    return null;
  }

  /** Cells that should be replaced; but for their age, of which there is no end. */
  #due(): CellId[] {
    return [...this.world.cells.values()]
      .filter((cell) => cell.runs && cell.state !== null && (this.world.leaks(cell) || this.world.isOutdated(cell)))
      .map(({ id }) => id);
  }

  /** Every class is at work with as many as there should be. */
  #isServing(): boolean {
    return specializedClasses.every((c) => this.world.working[c] >= this.#dna.population[c].min);
  }

  /** What the cells measure of themselves, as far as it matters here. */
  #tellVitals(): void {
    const slept = this.world.living().length === 1 && this.world.living()[0]?.phase === "dormant";
    if (slept && !this.#wasAsleep && this.world.nowMs > 0) this.#sleeps += 1;
    this.#wasAsleep = slept;
    this.#traffic.pass();
    for (const { self, class: cellClass } of this.world.living()) {
      const quietMs = this.#traffic.quietMsOf(self, cellClass);
      const memoryMilli = cellClass === "neuron" && this.#isSqueezed ? 950 : 0;
      this.world.tell(self, { type: "vitals", vitals: { ...noVitals, quietMs, memoryMilli } });
    }
  }

  /** Whoever lives, but drones, holds the listening sockets: nobody who knocks is refused. */
  #nobodyListens(): string | null {
    const living = this.world.living();
    const holders = living.filter(({ self }) => this.world.cells.get(self)?.listens === true);
    const others = living.filter(({ class: cellClass }) => cellClass !== "drone");
    return others.length > 0 && holders.length === 0 ? "nobody holds the listening sockets" : null;
  }

  #fault(): void {
    const kind = faultKinds[this.#below(faultKinds.length)] as FaultKind;
    const { world } = this;
    const cells = world.living().map((state) => state.self);
    const victim = cells[this.#below(cells.length)];
    const survivors = this.#well().filter((id) => id !== victim);
    const survivor = survivors[this.#below(Math.max(1, survivors.length))];
    // What is promised is recovery from whatever leaves one sound cell.
    if (victim === undefined || survivor === undefined) return;
    if (this.#plague.living().length > 0 && tooMuchWithLiars.has(kind)) return;
    // While the others leave the egg is all there will be, and then whoever ends or stops it ends the organism.
    const isEgg = (id: CellId): boolean => world.cells.get(id)?.state?.class === "egg";
    if (isEgg(victim) && survivors.length < 3 && endsOne.has(kind)) return;
    this.#faults[kind] += 1;
    switch (kind) {
      case "crash":
        return world.kill(victim);
      case "pid-reuse": {
        const pid = world.cells.get(victim)?.pid ?? 0;
        world.kill(victim);
        return world.reusePid(pid);
      }
      case "stall": {
        const percent = 30 + this.#below(66);
        const stalled = cells.filter(() => this.#below(100) < percent);
        for (const id of stalled) world.halt(id, "stuck");
        return this.#later(200 + this.#below(5_000), () => {
          for (const id of stalled) world.resume(id);
        });
      }
      case "most-hang": {
        const doomed = cells.filter((id) => id !== survivor && !isEgg(id) && this.#below(100) < 80);
        if (this.#haltedCount() + doomed.length > this.#wantedCount() - 2) return;
        for (const id of doomed) world.halt(id, this.#below(2) === 0 ? "stuck" : "stopped");
        return;
      }
      case "disturbance":
        world.disturbance = {
          lossMilli: this.#below(300),
          duplicateMilli: this.#below(300),
          lateMsMax: this.#below(300),
        };
        return this.#later(500 + this.#below(8_000), () => {
          world.disturbance = null;
        });
      case "partition": {
        const percent = 10 + this.#below(80);
        world.partition(cells.filter(() => this.#below(100) < percent));
        return this.#later(300 + this.#below(partitionMsMax), () => world.heal());
      }
      case "infection":
        return this.#infect(cells);
      case "mass-death": {
        const percent = 30 + this.#below(66);
        const doomed = cells.filter((id) => id !== survivor && this.#below(100) < percent);
        for (const id of doomed) world.kill(id);
        return;
      }
      case "stop":
        // However many: those who take the places of the given up must be the more in the end.
        if (this.#haltedCount() + 1 > this.#wantedCount() - 2) return;
        return world.halt(victim, this.#below(2) === 0 ? "stuck" : "stopped");
      case "stop-and-continue":
        world.halt(victim, "stopped");
        return this.#later(100 + this.#below(700), () => world.resume(victim));
      case "busy":
        world.halt(victim, "busy");
        return this.#later(500 + this.#below(6_000), () => world.resume(victim));
      case "suspend":
        for (const id of cells) world.halt(id, "stopped");
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
      case "leak": {
        const cell = world.cells.get(victim);
        if (cell === undefined) return;
        if (this.#below(2) === 0) cell.wear = { ...cell.wear, rssBytes: rssBytesMax * 2 };
        else cell.wear = { ...cell.wear, descriptorMilli: 900 };
        // Some are only large for a while.
        if (this.#below(3) > 0) return;
        return this.#later(this.#below(15_000), () => {
          cell.wear = { rssBytes: 0, descriptorMilli: 0 };
          cell.relievedMs = world.nowMs;
        });
      }
      case "evolve": {
        const revision = `r${world.revisions.size}`;
        world.revisions.add(revision);
        return world.tell(survivor, { type: "evolve", revision });
      }
      case "squeeze":
        this.#isSqueezed = true;
        return this.#later(1_000 + this.#below(20_000), () => {
          this.#isSqueezed = false;
        });
    }
  }

  #whatIsMissing(): string | null {
    const living = this.world.living();
    if (living.length === 0) return "nobody lives";
    const halted = living.filter(({ self }) => this.world.cells.get(self)?.halted !== null);
    if (halted.length > 0) return `${halted.length} halted cells still there`;
    const infected = this.#plague.living();
    if (infected.length > 0) return `${infected.length} infected cells still there`;
    const count = (cellClass: CellClass): number => living.filter((state) => state.class === cellClass).length;
    for (const cellClass of specializedClasses) {
      const { min } = this.#dna.population[cellClass];
      if (count(cellClass) < min) return `${count(cellClass)} of ${min} ${cellClass}s`;
    }
    if (count("stem") < this.#dna.stemPool) return `${count("stem")} of ${this.#dna.stemPool} stem cells`;
    return whyNotOneTree(this.world);
  }

  /** See docs/decisions/0007: cells that do not know of each other may be one too many, for as long as a vote takes. */
  #capExceeded(): string | null {
    // Those that hang work at nothing: their places are regrown when they were given up. And the replacement of one that is worn out
    // or outdated is there before that one goes (decision 0017).
    const excessOf = (cellClass: SpecializedClass): number =>
      this.world.working[cellClass] - this.#dna.population[cellClass].max - this.#renewals(cellClass);
    const excess = specializedClasses.reduce((sum, cellClass) => sum + Math.max(0, excessOf(cellClass)), 0);
    for (const cellClass of specializedClasses) {
      // A surplus is voted out after those who do harm or nothing: while there are any it waits.
      if (excessOf(cellClass) <= 0 || this.#haltedCount() + this.#plague.living().length > 0) {
        this.#aboveCap.delete(cellClass);
        continue;
      }
      const before = this.#aboveCap.get(cellClass) ?? { sinceMs: this.world.nowMs, excess };
      const above = { ...before, excess: Math.max(before.excess, excess) };
      this.#aboveCap.set(cellClass, above);
      this.#aboveCapMs += lookEveryMs;
      // One after the other, in an order that all agree on: each takes a sentence.
      if (this.world.nowMs - above.sinceMs <= aboveCapMsMax + (above.excess - 1) * recoveryMsPerSentence) continue;
      return `${this.world.working[cellClass]} ${cellClass}s, and the DNA allows ${this.#dna.population[cellClass].max}`;
    }
    return null;
  }

  /** Replacements that may be there already. One at a time: no class here is so large that a tenth of it is more. */
  #renewals(cellClass: SpecializedClass): number {
    const isDue = (id: CellId): boolean => {
      const cell = this.world.cells.get(id);
      return cell !== undefined && (this.world.isWorn(cell) || this.world.isOutdated(cell));
    };
    return this.world.ofClass(cellClass).some(({ self }) => isDue(self)) ? 1 : 0;
  }

  /**
   * As many as may be without half of any electorate being infected; those that divide for votes come alone, for what they
   * gain is held against their line only.
   */
  #infect(cells: readonly CellId[]): void {
    const isFirst = this.#plague.living().length === 0;
    const alone = isFirst && this.#isSettled() && this.#below(3) === 0;
    const count = alone ? 1 : 1 + this.#below(Math.max(1, Math.floor(cells.length / 3)));
    for (let i = 0; i < count; i += 1) {
      const id = cells[this.#below(cells.length)] ?? "";
      if (this.#plague.living().some((other) => this.#plague.isSybil(other))) return;
      if (this.world.cells.get(id)?.infection !== null || this.#worstShareMilli(id) >= 400) continue;
      const deeds = new Set<Misdeed>(misdeeds.filter((deed) => deed !== "sybil" && this.#below(3) === 0));
      if (alone) deeds.add("sybil");
      this.world.log.push({ atMs: this.world.nowMs, cell: id, text: `infected: ${[...deeds].join(", ")}` });
      this.#plague.infect(id, deeds);
    }
    const detectMs = 1_000 + this.#below(20_000);
    this.#foundOutMs = Math.min(this.#foundOutMs, this.world.nowMs + detectMs);
  }

  /** Once it is known what to look for, all of the same kind are found. */
  #findOut(): void {
    if (this.world.nowMs < this.#foundOutMs) return;
    for (const id of this.#plague.living()) (this.world.cells.get(id) as SimCell).isFoundOut = true;
    if (this.#plague.living().length === 0) this.#foundOutMs = Number.POSITIVE_INFINITY;
  }

  /** Whether enough cells are known for so long that a line can be measured against them. */
  #isSettled(): boolean {
    const settled = this.world.living().filter(({ self }) => {
      const startTicks = this.world.cells.get(self)?.startTicks ?? Number.POSITIVE_INFINITY;
      return this.world.nowMs - startTicks * tickMs >= lineageWindowMs;
    });
    return settled.length >= settledMin;
  }

  /** The largest share, in thousandths, that the infected (with `next`) have of a healthy cell's electorate. */
  #worstShareMilli(next: CellId | null): number {
    let worst = 0;
    for (const state of this.world.living()) {
      if (this.world.cells.get(state.self)?.infection !== null) continue;
      const electors = electorate(state, this.world.nowMs);
      if (electors.length < electorateMin) continue;
      const bad = electors.filter((id) => id === next || this.world.cells.get(id)?.infection !== null).length;
      worst = Math.max(worst, Math.floor((1000 * bad) / electors.length));
    }
    return worst;
  }

  /** One that divides never gets half of an electorate; of others deaths may leave so many that nothing is promised. */
  #infectedMajority(): string | null {
    const infected = this.#plague.living();
    const shareMilli = infected.length === 0 ? 0 : this.#worstShareMilli(null);
    if (shareMilli < shareMilliToEnd) return null;
    if (shareMilli >= 500 && infected.some((id) => this.#plague.isSybil(id)))
      return "a line gained half of an electorate by dividing";
    if (shareMilli >= 500) this.#excused += 1;
    for (const id of infected) this.world.kill(id);
    // They may have been all that did not hang; what is promised is recovery from whatever leaves one sound cell.
    if (this.#well().length === 0) for (const id of this.#halted()) this.world.resume(id);
    return null;
  }

  /** The cells of a whole organism at rest. */
  #wantedCount(): number {
    return specializedClasses.reduce((sum, c) => sum + this.#dna.population[c].min, this.#dna.stemPool);
  }

  #healthyWereEnded(): string | null {
    return this.#falseKills() === 0 || this.#excused > 0 ? null : "a healthy cell was voted out";
  }

  #falseKills(): number {
    return this.world.convictions.filter(isUnjust).length;
  }

  /** Cells that do what they should, and are not about to leave. */
  #well(): CellId[] {
    const isWell = ({ self, stop, isUseless }: State): boolean =>
      stop === null && !isUseless && this.world.cells.get(self)?.halted === null;
    return this.world
      .living()
      .filter(isWell)
      .map(({ self }) => self);
  }

  #haltedCount(): number {
    return this.#halted().length;
  }

  /**
   * Who was born while links were cut, and hung before anybody else heard of it, is voted out by nobody: there is no word of it.
   * It holds nothing up and is ended by the administrator, who can see it; going on, and finding all dead that it knew, it would
   * grow an organism of its own beside the other (docs/EVALUATION.md).
   */
  #endTheUnknown(): void {
    const sound = this.world.living().filter(({ self }) => this.world.cells.get(self)?.halted === null);
    if (sound.length === 0) return;
    for (const id of this.#halted()) if (!sound.some(({ alive }) => alive.has(id))) this.world.kill(id);
  }

  #halted(): CellId[] {
    return [...this.world.cells.values()].filter((cell) => cell.runs && cell.halted !== null).map(({ id }) => id);
  }

  #later(inMs: number, deed: () => void): void {
    this.#pending.push({ atMs: this.world.nowMs + inMs, deed });
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
        memoryMilliMax: 900,
      },
      restarts: { backoffMsMin: 250, backoffMsMax: 8_000, budget: 20, windowMs: 60_000 },
      wear: {
        rssBytesMax: forEachClass(rssBytesMax),
        descriptorMilliMax: forEachClass(800),
        ageMsMax: this.#below(10) === 0 ? 120_000 : 0,
      },
      dormancyIdleMs: this.#below(3) === 0 ? 2_000 + this.#below(6_000) : 0,
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
