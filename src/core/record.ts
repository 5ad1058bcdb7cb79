/**
 * Records: what every cell must come to know, however far away. Unlike hormones they do not fade; they are versioned,
 * flooded over kin links and reconciled when a link opens.
 *
 * A record is a key, a version and a body. Of two with one key the higher version holds, and of two with one version
 * the one whose origin sorts first, so that all cells end with the same whatever the order of arrival.
 * Who may say what is checked where records enter (wire/belief.ts): a cell's birth is signed by its mother, what
 * it becomes by itself, its death is believed only when the kernel agrees.
 */
import type { CellClass, CellId } from "./cell.ts";

/** A cell as everybody knows it: its birth certificate and what has become of it since. */
export interface CellBody {
  readonly kind: "cell";
  readonly id: CellId;
  readonly mother: CellId | null;
  /** Ancestors, oldest first, the mother last. At most lineageMax; the eldest are forgotten first. */
  readonly lineage: readonly CellId[];
  readonly generation: number;
  /** Larger than that of any cell its mother knew: older is smaller, ties by id. Never compared as a time. */
  readonly birthOrder: number;
  readonly publicKey: string;
  readonly pid: number;
  readonly startTicks: number;
  /** RFC 3339, for people. */
  readonly bornAt: string;
  /** Which DNA it was born with, by its content. */
  readonly revision: string;
  /** The mother's signature over all of the above (an egg's own, where nobody bore it); base64url. */
  readonly certificate: string;
  readonly class: CellClass;
  /** gestating: its mother has begun to make it; live: it has linked up; draining: it takes nothing new. */
  readonly state: "gestating" | "live" | "draining";
}

/** The death of a cell. Holds for ever (as long as it is remembered). */
export interface DeathBody {
  readonly kind: "death";
  readonly id: CellId;
  readonly pid: number;
  readonly startTicks: number;
  readonly cause: DeathCause;
}
export type DeathCause = "crashed" | "stopped" | "app-failed" | "stillborn" | "condemned";

/**
 * hung: does not answer. infected: its process is, seen from outside, not what a cell's may be. surplus: one too many.
 * worn: it holds more memory or descriptors than its class may, or is too old. outdated: it was born with another DNA than
 * the one that holds now.
 */
export const killReasons = ["hung", "infected", "surplus", "worn", "outdated"] as const;
export type KillReason = (typeof killReasons)[number];

/** What a cell is accused of, and in which window of time: what voters sign. */
export interface Charge {
  readonly target: CellId;
  readonly pid: number;
  readonly startTicks: number;
  readonly reason: KillReason;
  readonly window: number;
  /** How many juries failed to agree on it in the windows before: each next one is larger. */
  readonly round: number;
}

/** A majority's sentence. Anybody can check it: each vote carries its voter's signature over the charge. */
export interface CertificateBody {
  readonly kind: "certificate";
  /** The condemned. */
  readonly id: CellId;
  readonly charge: Charge;
  readonly votes: ReadonlyArray<{ readonly voter: CellId; readonly signature: string }>;
}

/** How the user's app fares. One for the whole organism: the last word holds. */
export interface AppBody {
  readonly kind: "app";
  readonly state: "ready" | "failed";
  /** Failed starts since it was last ready. */
  readonly attempts: number;
  readonly code: string;
  readonly message: string;
  readonly stack: string;
  /** Files whose change is worth a new attempt. */
  readonly files: readonly string[];
}

/**
 * The DNA that holds now, by its content. Without such a record it is the one that all were born with. Births are of this
 * revision; a cell of another one is outdated.
 */
export interface DnaBody {
  readonly kind: "dna";
  readonly revision: string;
}

/** The administrator wants the organism to end. */
export interface StopBody {
  readonly kind: "stop";
  readonly drainMs: number;
}

/**
 * A restriction of a range of addresses, or its lifting. T cells say it. Times are the wall clock's, for a ban outlives
 * processes and restarts; whoever carries it out counts at most `untilMs - issuedAtMs` on its own clock, so that a clock
 * that is set back lengthens nothing.
 */
export interface BanBody {
  readonly kind: "ban";
  /** As ip-words.ts's canonicalRange spells it. */
  readonly range: string;
  readonly action: BanAction;
  /** An attack class, or who else asked for it. */
  readonly reason: string;
  /** Which time it is: 1 for the first. */
  readonly offence: number;
  readonly issuedAtMs: number;
  readonly untilMs: number;
  /** The same for all that belongs to one offence, whichever T cell says it: what makes saying it twice harmless. */
  readonly incident: string;
}
/** In rising order of severity, and none at all. */
export const banActions = ["lifted", "watch", "rate-limit", "tarpit", "ban"] as const;
export type BanAction = (typeof banActions)[number];

/** The memory of bans was changed from outside (an administrator), up to this row of it. Whoever hears it looks there. */
export interface MemoryBody {
  readonly kind: "memory";
  readonly seq: number;
}

export type RecordBody = CellBody | DeathBody | CertificateBody | AppBody | DnaBody | StopBody | BanBody | MemoryBody;

export interface OrganismRecord<B extends RecordBody = RecordBody> {
  readonly key: string;
  readonly version: number;
  readonly origin: CellId;
  readonly body: B;
  /** Ed25519 by the origin over key, version and body; base64url. Empty only between core and host. */
  readonly signature: string;
}

/** Ancestors kept in a lineage: enough for adoption after any plausible mass death, small enough for every message. */
export const lineageMax = 16;

export const appKey = "app";
export const dnaKey = "dna";
export const stopKey = "stop";
export const memoryKey = "memory";
export const cellKey = (id: CellId): string => `cell/${id}`;
export const certificateKey = (id: CellId): string => `certificate/${id}`;
export const deathKey = (id: CellId): string => `death/${id}`;
export const banKey = (range: string): string => `ban/${range}`;

/** The key that a body must be filed under. */
export function keyOf(body: RecordBody): string {
  switch (body.kind) {
    case "cell":
      return cellKey(body.id);
    case "death":
      return deathKey(body.id);
    case "certificate":
      return certificateKey(body.id);
    case "app":
      return appKey;
    case "dna":
      return dnaKey;
    case "stop":
      return stopKey;
    case "ban":
      return banKey(body.range);
    case "memory":
      return memoryKey;
  }
}

type Edition = Pick<OrganismRecord, "version" | "origin">;

/** Whether `candidate` replaces `present` (undefined: nothing known yet). */
export function supersedes(candidate: Edition, present: Edition | undefined): boolean {
  if (present === undefined) return true;
  if (candidate.version !== present.version) return candidate.version > present.version;
  return candidate.origin < present.origin;
}
