/**
 * What one cell knows and means to do. A value: `step` makes the next one and leaves this as it was.
 *
 * A cell knows its kin by their links and the others by records. It never knows the organism as it is, only as it has
 * heard of it; every rule must hold up when two cells have heard different things.
 */
import type { Prng } from "../lib/prng.ts";
import type { CellClass, CellId, SpecializedClass } from "./cell.ts";
import type { CoreDna } from "./dna.ts";
import type { Hormones } from "./hormone.ts";
import type { Discord, HeardTally, Vitals } from "./tally.ts";
import type { Ballot } from "./ballot.ts";
import type { Demand, Flow, LoadedClass } from "./demand.ts";
import type { Suspect } from "./suspicion.ts";
import type { AppBody, CellBody, KillReason, OrganismRecord } from "./record.ts";

export interface State {
  readonly self: CellId;
  readonly class: CellClass;
  /** dormant: an egg before its first connection. ended: `exit` was asked for; nothing happens any more. */
  readonly phase: "dormant" | "living" | "stopping" | "ended";
  readonly dna: CoreDna;
  readonly prng: Prng;
  readonly nextControlMs: number;

  /** Every record held, by key. */
  readonly records: ReadonlyMap<string, OrganismRecord>;
  /** The last version that this cell gave out under a key, signed or about to be. */
  readonly issued: ReadonlyMap<string, number>;
  /** The cells that live as far as is known, this one included: `records` without the dead. */
  readonly alive: ReadonlyMap<CellId, CellBody>;
  /** Of the records of the living and those of the organism as a whole; equal where two cells hold the same. */
  readonly digest: number;
  /** Tombstones in order of arrival. Invariant: each has its death record in `records`. */
  readonly tombstones: ReadonlyArray<{ readonly id: CellId; readonly atMs: number }>;

  /** Open kin links. Invariant: at most one is to an elder. */
  readonly kin: ReadonlySet<CellId>;
  /** The elder that we are knocking at, and those that did not answer in this search. */
  readonly adoption: {
    readonly asked: CellId;
    readonly deadlineMs: number;
    readonly refused: readonly CellId[];
  } | null;
  /** Cells that may be dead, until the kernel or a new link tells. */
  readonly doubted: ReadonlySet<CellId>;

  /** How many cells were looked after in turn, as a place in the roster. */
  readonly patrolled: number;

  /** When we first heard of each living cell: who is new does not vote. */
  readonly heardMs: ReadonlyMap<CellId, number>;
  /** Cells probed so far, as a place in the roster; when we last looked around; whether there was a hole before that. */
  readonly probed: number;
  readonly lookedMs: number;
  readonly isDazed: boolean;
  /** Lifeguard's score of our own health: 0 well .. healthScoreMax. */
  readonly healthScore: number;
  /** Those who did not answer us, and what others said of whom. */
  readonly suspects: ReadonlyMap<CellId, Suspect>;
  readonly rumours: ReadonlyMap<CellId, ReadonlySet<CellId>>;
  /** Whose process runs while nobody answers under their name, when last asked: a socket that is late or gone, or a ghost. */
  readonly absent: ReadonlySet<CellId>;
  /** Names that were found to be nobody's. */
  readonly ghosts: ReadonlySet<CellId>;
  /** Open ballots by charge, and on whom we voted lately. Invariant: at most ballotsMax. */
  readonly ballots: ReadonlyMap<string, Ballot>;
  readonly votes: ReadonlyArray<{ readonly target: CellId; readonly atMs: number }>;
  /** Who was voted out and may still run. */
  readonly condemned: ReadonlyMap<CellId, Sentence>;
  /** What the load wants, and since when a class has too many. */
  readonly demand: Readonly<Record<LoadedClass, Demand>>;
  /** Requests that came and that were done with, of all B cells, at each look. */
  readonly flow: Flow;
  readonly surplusSinceMs: Readonly<Partial<Record<CellClass, number | null>>>;
  /** Neurons see that memory or CPU time is all but used up: nothing grows beyond its minimum. */
  readonly isSqueezed: boolean;
  /** Whom this cell finds to hold more than its class may, and since when at each of its looks. */
  readonly wornSinceMs: ReadonlyMap<CellId, number>;
  /** When an egg last answered us. */
  readonly eggAnsweredMs: number;
  /** Since when this cell knows of the DNA that holds now. */
  readonly revisedMs: number;

  /** When this cell last heard of evidence against anybody; -Infinity: never. */
  readonly attackedMs: number;
  /** Keys of the bans on record, in the order of their coming. Invariant: at most bansHeldMax, each held. */
  readonly bans: readonly string[];

  /** What this cell last measured of itself, and what its kin last said of all on their side. */
  readonly vitals: Vitals;
  readonly tallies: ReadonlyMap<CellId, HeardTally>;
  /** Relatives who hold other records than we do: both digests, and for how many looks both have stayed so. */
  readonly discords: ReadonlyMap<CellId, Discord>;

  readonly hormones: Hormones;
  /** Pulses secreted, for their ids. */
  readonly pulseCount: number;
  /** Pulses of each class in a row that found no answer: the call grows louder. */
  readonly unanswered: Readonly<Record<SpecializedClass, number>>;

  /** When we answer a call that others may answer first, or null. */
  readonly answersAtMs: number | null;

  /** Daughters that do not live yet. Invariant: size <= gestationsMax. */
  readonly gestations: ReadonlyMap<CellId, Gestation>;
  readonly refractoryUntilMs: number;
  /** While it is for us to grow the organism anew: since when, and when we last looked for strangers. */
  readonly solitude: { readonly sinceMs: number; readonly askedMs: number; readonly isAnswered: boolean } | null;

  readonly app: AppOutlook;
  /** A drone whose own app would not come up: it leaves as soon as somebody else is known to live. */
  readonly isUseless: boolean;
  /** When the organism (or, with `alone`, this cell) was told to stop, and for how long it may drain. */
  readonly stop: { readonly atMs: number; readonly drainMs: number; readonly alone: boolean } | null;
  readonly drained: boolean;
}

/** left: it said farewell, and is to be gone once it has had the time. */
export interface Sentence {
  readonly reason: KillReason | "left";
  readonly pid: number;
  readonly startTicks: number;
  readonly atMs: number;
}

export interface Gestation {
  readonly class: CellClass;
  /** An egg that is to wake at once: regeneration. One that is to sleep is not. */
  readonly urgent: boolean;
  readonly deadlineMs: number;
}

/** How the app fares, as it bears on growing drones. */
export interface AppOutlook {
  readonly known: AppBody | null;
  /** No drone is grown before this. */
  readonly retryAtMs: number;
  /** When drones died of themselves, newest last, within the DNA's window. */
  readonly crashesMs: readonly number[];
  /** The latest of them that was made known as the app's failure. */
  readonly reportedCrashMs: number;
}
