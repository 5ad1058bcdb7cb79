/**
 * What B cells tell T cells: marks of refused requests, and sightings of everything else that judgement needs.
 *
 * A mark is evidence of one malicious request. A sighting is behaviour, or its absence: without the clean requests a
 * range could only be judged by its volume, and volume is what offices have.
 *
 * Times are of the machine's monotonic clock, which all processes of one host share; not `performance.now()`, which counts
 * from the start of its own process.
 */
import type { AttackClass } from "./attack-class.ts";

export interface Mark {
  /** Of the request: a mark that arrives twice counts once. */
  readonly id: string;
  /** The client's address as the socket, or a trusted proxy, tells it. */
  readonly client: string;
  readonly attackClass: AttackClass;
  /** Rules that fired. */
  readonly rules: readonly number[];
  /** As the rule set sums it up: 5 is one critical rule. */
  readonly score: number;
  /** The B cell that made it. */
  readonly cell: string;
  readonly atMs: number;
  /** Method, path, what was found; masked where it was made. */
  readonly evidence?: string;
}

export type Sighting =
  /** `count` requests that passed, for sampled traffic each standing for several. */
  | {
      readonly kind: "clean";
      readonly client: string;
      readonly atMs: number;
      readonly count: number;
      /**
       * A hash of what tells clients behind one address apart: session cookie, User-Agent, Accept-Language. Without it an
       * address counts as one client when it floods, and as possibly many when it attacks: in doubt for the innocent.
       */
      readonly print?: number;
      /** A hash of the path, without its query. */
      readonly path?: number;
    }
  /** A path that the app does not have. */
  | { readonly kind: "missing"; readonly client: string; readonly atMs: number; readonly path: number }
  /** A try at one of the configured login paths. */
  | { readonly kind: "login"; readonly client: string; readonly atMs: number; readonly failed: boolean }
  /** A head or a body that came too slowly and was cut off. */
  | { readonly kind: "slow"; readonly client: string; readonly atMs: number }
  /** Bytes that are not HTTP, or HTTP that is refused. */
  | { readonly kind: "protocol-error"; readonly client: string; readonly atMs: number };

/**
 * Where a B cell says what it has seen. Neither call blocks, throws or promises anything: they keep what there is room for, and
 * count what is lost. Marks come from whoever judges requests; sightings from where answers pass (cells/b-cell).
 */
export interface Witness {
  mark(mark: Mark): void;
  sight(sighting: Sighting): void;
}

/** What a mark or a sighting may be at most. Whoever makes one is cut to it; whoever hears more believes nothing. */
export const markLimits = {
  idLengthMax: 64,
  clientLengthMax: 64,
  rulesMax: 32,
  scoreMax: 1_000_000,
  evidenceLengthMax: 1_000,
  cleanCountMax: 1_000_000,
} as const;

/** One critical rule is 1; a faint suspicion counts a fifth, and no single request more than two. */
export function weightOf(score: number): number {
  return Math.min(2, Math.max(0.2, score / 5));
}
