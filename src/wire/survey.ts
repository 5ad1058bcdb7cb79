/**
 * What an organism is, put together from what its cells say: each of itself, and each of its kin.
 *
 * No cell knows everything, and the one that is in trouble is the one that does not answer. So a cell's own
 * word comes first, then its kin's, then the record it left in the run directory. What cannot be known is
 * null and not guessed. Which processes are alive is not judged here: the caller, who can look, leaves the
 * dead out.
 */
import type {
  AppHealth,
  CellLifeState,
  CellRecord,
  CellSummary,
  CellTrouble,
  CellVitals,
  Service,
  Unserved,
} from "./control.ts";
import type { Snapshot } from "./metrics.ts";

/** Whose word a surveyed cell rests on. */
export type SurveyEvidence = "self" | "kin" | "record";

export interface SurveyedCell extends CellSummary {
  evidence: SurveyEvidence;
  /** Null where the cell did not answer. */
  load: number | null;
  rssBytes: number | null;
  inFlight: number | null;
  app: AppHealth | null;
  troubles?: CellTrouble[];
  service?: Service;
  unserved?: Unserved;
}

export interface OrganismSurvey {
  name: string;
  organism: string;
  revision: string;
  /** Eldest first. Only cells whose process lives. */
  cells: SurveyedCell[];
  /** Dead cells that a living one descends from, as far as a record of them is left. For the family tree. */
  ghosts: CellRecord[];
  /** Ids of sockets that somebody holds, without an answer, a record or kin that know them. */
  strangers: string[];
  /** The organism's view of its app: the gravest that any cell reports. */
  app: AppHealth;
}

/** One cell's answer to `vitals`. */
export interface VitalsReply {
  organism: string;
  name: string;
  revision: string;
  self: CellVitals;
  others: CellSummary[];
  appHealth: AppHealth;
  metrics?: Snapshot;
}

export interface SurveyInput {
  name: string;
  /** From organism.json, for when nobody answers. */
  organism: string;
  revision: string;
  replies: readonly VitalsReply[];
  records: readonly CellRecord[];
  /** Ids of the sockets that did not refuse the connection. */
  heldSockets: readonly string[];
  /** Whether this process lives: pid and start time both. */
  lives: (process: { pid: number; startTicks: number }) => boolean;
  /** Memory of a process that did not answer, where the system tells. */
  rssBytesOf: (pid: number) => number | null;
}

export function mergeSurvey(input: SurveyInput): OrganismSurvey {
  const opinions = collectOpinions(input.replies);
  const answered = new Map(input.replies.map((reply) => [reply.self.id, reply.self]));
  const records = new Map(input.records.map((record) => [record.id, record]));

  const cells: SurveyedCell[] = [];
  const known = new Set<string>();
  for (const id of new Set([...answered.keys(), ...opinions.keys(), ...records.keys()])) {
    const cell = describeCell(id, input, answered.get(id), opinions.get(id) ?? [], records.get(id));
    if (cell === null) continue;
    known.add(id);
    cells.push(cell);
  }
  cells.sort(compareAge);

  return {
    name: input.name,
    organism: input.replies[0]?.organism ?? input.organism,
    revision: mostFrequent(input.replies.map((reply) => reply.revision)) ?? input.revision,
    cells,
    ghosts: findGhosts(cells, records),
    strangers: input.heldSockets.filter((id) => !known.has(id)),
    app: gravestAppHealth(input.replies.flatMap((reply) => [reply.appHealth, reply.self.app])),
  };
}

/** The one that a person must hear of first: failed, then loading, then ready, then none. */
export function gravestAppHealth(healths: readonly AppHealth[]): AppHealth {
  let gravest: AppHealth = { state: "none" };
  for (const health of healths) if (compareGravity(health, gravest) > 0) gravest = health;
  return gravest;
}

/** Of two failures, the one tried more often is the newer; then the one that says more. */
function compareGravity(a: AppHealth, b: AppHealth): number {
  return (
    appGravity[a.state] - appGravity[b.state] ||
    (a.attempts ?? 0) - (b.attempts ?? 0) ||
    Number(a.error !== undefined) - Number(b.error !== undefined) ||
    Number(a.retryInMs !== undefined) - Number(b.retryInMs !== undefined)
  );
}

const appGravity = { none: 0, ready: 1, loading: 2, failed: 3 } satisfies Record<AppHealth["state"], number>;
const stateGravity = { live: 0, suspected: 1, draining: 2 } satisfies Record<CellLifeState, number>;

function describeCell(
  id: string,
  input: SurveyInput,
  self: CellVitals | undefined,
  kin: readonly CellSummary[],
  record: CellRecord | undefined,
): SurveyedCell | null {
  if (self !== undefined) return { ...self, state: stateOf(self, kin), evidence: "self" };

  const word = kin.find((summary) => summary.class === mostFrequent(kin.map((one) => one.class))) ?? kin[0];
  const base = word ?? record;
  if (base === undefined || !input.lives(base)) return null;
  return {
    ...base,
    id,
    state: stateOfSilent(kin, input.heldSockets.includes(id)),
    evidence: word === undefined ? "record" : "kin",
    load: null,
    rssBytes: input.rssBytesOf(base.pid),
    inFlight: null,
    app: null,
  };
}

/** A cell knows best that it drains; that it is suspected it learns last. */
function stateOf(self: CellVitals, kin: readonly CellSummary[]): CellLifeState {
  if (self.state === "draining") return "draining";
  return majorityState([self.state, ...kin.map((summary) => summary.state)]);
}

function stateOfSilent(kin: readonly CellSummary[], holdsSocket: boolean): CellLifeState {
  if (kin.length > 0) return majorityState(kin.map((summary) => summary.state));
  // Nobody else's word: it holds a socket and did not answer us, or it is too young to hold one.
  return holdsSocket ? "suspected" : "live";
}

function majorityState(states: readonly CellLifeState[]): CellLifeState {
  // Gravest first, so that it wins a tie.
  return mostFrequent([...states].sort((a, b) => stateGravity[b] - stateGravity[a])) ?? "live";
}

function collectOpinions(replies: readonly VitalsReply[]): Map<string, CellSummary[]> {
  const opinions = new Map<string, CellSummary[]>();
  for (const { self, others } of replies) {
    for (const other of others) {
      if (other.id === self.id) continue;
      const known = opinions.get(other.id);
      if (known === undefined) opinions.set(other.id, [other]);
      else known.push(other);
    }
  }
  return opinions;
}

/** Follows the mothers of the living upwards through the records of the dead. */
function findGhosts(cells: readonly SurveyedCell[], records: ReadonlyMap<string, CellRecord>): CellRecord[] {
  const living = new Set(cells.map((cell) => cell.id));
  const ghosts = new Map<string, CellRecord>();
  for (const cell of cells) {
    let mother = cell.mother;
    while (mother !== null && !living.has(mother) && !ghosts.has(mother)) {
      const record = records.get(mother);
      if (record === undefined) break;
      ghosts.set(mother, record);
      mother = record.mother;
    }
  }
  return [...ghosts.values()];
}

function compareAge(a: SurveyedCell, b: SurveyedCell): number {
  return a.generation - b.generation || compareText(a.bornAt, b.bornAt) || compareText(a.id, b.id);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The first of the most frequent values. */
function mostFrequent<T extends string>(values: readonly T[]): T | undefined {
  const counts = new Map<T, number>();
  let best: T | undefined;
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  for (const [value, count] of counts) if (best === undefined || count > (counts.get(best) ?? 0)) best = value;
  return best;
}
