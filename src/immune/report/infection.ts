/**
 * An infection of the organism's own: what its cells tell T cells of a drone whose process is not what a cell's may be, and the
 * incident that a T cell makes of their words.
 *
 * Each cell tells what it has seen for itself, and again when a majority has signed the sentence; B cells add what the drone was
 * given to answer, for the hole that somebody came through is in one of those requests. The words come one by one, to any
 * T cell, perhaps twice: so an incident is what its words add up to, in whatever order.
 *
 * Nothing is decided by it. Who is ended is decided by the ballots, and the proof is the certificate (`cellws certificates
 * verify`); who of the clients did it nobody knows, so nobody is banned or reported for it either. It is for people.
 */
import { stripped } from "./strip.ts";

export const infectionStages = ["seen", "condemned"] as const;
export type InfectionStage = (typeof infectionStages)[number];

/** A request that a drone had, as its B cell knows it. */
export interface CarriedRequest {
  readonly requestId: string;
  readonly client: string;
  readonly method: string;
  /** The request-target; without its query, which holds what is nobody's business. */
  readonly path: string;
  /** When the drone got it, by the machine's monotonic clock. */
  readonly atMs: number;
  /** Whether the drone still had it when this was told. */
  readonly isOpen: boolean;
}

/** What one cell says of one drone. */
export interface InfectionWord {
  readonly drone: string;
  readonly pid: number;
  readonly startTicks: number;
  /** "seen": with the teller's own eyes. "condemned": a majority has signed. */
  readonly stage: InfectionStage;
  /** Of the membrane's checks the one that found something, and what; null where the teller saw nothing itself. */
  readonly check: string | null;
  readonly found: string | null;
  /** Signatures under the sentence; 0 before there is one. */
  readonly votes: number;
  /** Who says so. */
  readonly cell: string;
  /** By the machine's monotonic clock. */
  readonly atMs: number;
  readonly requests: readonly CarriedRequest[];
}

/** What a word may be at most. Whoever makes one is cut to it; whoever hears more believes nothing. */
export const infectionLimits = {
  checkLengthMax: 32,
  foundLengthMax: 300,
  requestsMax: 64,
  requestIdLengthMax: 64,
  methodLengthMax: 32,
  pathLengthMax: 200,
} as const;

export interface InfectionIncident {
  readonly kind: "infection";
  readonly id: string;
  readonly drone: string;
  readonly pid: number;
  readonly startTicks: number;
  /** What was found, by which checks; each once. */
  readonly findings: ReadonlyArray<{ readonly check: string; readonly found: string }>;
  /** Who has seen it for itself. */
  readonly witnesses: readonly string[];
  /** Null: no majority has signed, as far as was told. */
  readonly condemned: { readonly votes: number; readonly at: string } | null;
  /** RFC 3339. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** What it had to answer: what it still had in hand first, then the latest. */
  readonly requests: readonly InfectionRequest[];
}

export interface InfectionRequest extends Omit<CarriedRequest, "atMs"> {
  readonly at: string;
}

const findingsMax = 8;
const witnessesMax = 64;
const requestsMax = 128;

/** A process has one incident, whatever is found in it. */
export function infectionId({ drone, pid, startTicks }: Pick<InfectionWord, "drone" | "pid" | "startTicks">): string {
  return `infection-${drone}-${pid}-${startTicks}`;
}

/** The incident with one more word. `toTime`: a time of the machine's monotonic clock as RFC 3339. */
export function withWord(
  known: InfectionIncident | null,
  word: InfectionWord,
  toTime: (atMs: number) => string,
): InfectionIncident {
  const { drone, pid, startTicks, stage, votes, cell } = word;
  const at = toTime(word.atMs);
  const condemned = stage === "condemned" ? { votes, at } : null;
  const before = known?.condemned ?? null;
  return {
    kind: "infection",
    id: infectionId(word),
    drone,
    pid,
    startTicks,
    findings: withFinding(known?.findings ?? [], word),
    witnesses: word.found === null ? (known?.witnesses ?? []) : withOne(known?.witnesses ?? [], cell, witnessesMax),
    // The first to know of it tells when; late votes only make it more.
    condemned:
      before === null || condemned === null
        ? (before ?? condemned)
        : { votes: Math.max(before.votes, votes), at: earlier(before.at, at) },
    firstSeen: earlier(known?.firstSeen ?? at, at),
    lastSeen: known === null || known.lastSeen < at ? at : known.lastSeen,
    requests: withRequests(known?.requests ?? [], word.requests, toTime),
  };
}

function withFinding(known: InfectionIncident["findings"], { check, found }: InfectionWord): typeof known {
  if (check === null || found === null || known.length >= findingsMax) return known;
  const said = stripped(found);
  return known.some((one) => one.check === check && one.found === said) ? known : [...known, { check, found: said }];
}

function withRequests(
  known: readonly InfectionRequest[],
  told: readonly CarriedRequest[],
  toTime: (atMs: number) => string,
): InfectionRequest[] {
  const all = new Map(known.map((request) => [request.requestId, request]));
  for (const { atMs, path, ...request } of told) {
    // What was once told to be open was in hand when something was seen: that stays so.
    const isOpen = request.isOpen || all.get(request.requestId)?.isOpen === true;
    all.set(request.requestId, { ...request, isOpen, path: stripped(path), at: toTime(atMs) });
  }
  const byUse = (a: InfectionRequest, b: InfectionRequest): number =>
    Number(b.isOpen) - Number(a.isOpen) || (a.at < b.at ? 1 : a.at > b.at ? -1 : 0);
  return [...all.values()].sort(byUse).slice(0, requestsMax);
}

function withOne<T>(list: readonly T[], item: T, lengthMax: number): readonly T[] {
  return list.includes(item) || list.length >= lengthMax ? list : [...list, item];
}

const earlier = (a: string, b: string): string => (a < b ? a : b);
