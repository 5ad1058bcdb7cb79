/**
 * What the command line asks of a living cell, over the cell's Unix socket: one JSON value a line,
 * one reply a request. The run directory's mode (0700) is what guards it.
 *
 * There is no cell that knows everything. `cellws ps` asks each cell about itself and merges; a cell
 * that does not answer is described from what its kin say of it.
 */
import type { CellClass } from "../core/cell.ts";
import type { Snapshot } from "./metrics.ts";

export const CONTROL_PROTOCOL_VERSION = 1;

/** First line on any connection to a cell's socket says what it is for. */
export type LinkPurpose = "kin" | "axon" | "control";
export interface LinkPreamble {
  cellws: typeof CONTROL_PROTOCOL_VERSION;
  purpose: LinkPurpose;
}

export type CellLifeState = "live" | "suspected" | "draining";

/** What one cell knows of another (or of itself). */
export interface CellSummary {
  id: string;
  class: CellClass;
  pid: number;
  /** Field 22 of /proc/<pid>/stat in clock ticks since boot; 0 where there is no /proc. Tells a reused pid. */
  startTicks: number;
  /** Id of the mother; null for the egg. */
  mother: string | null;
  /** 0 for the egg, 1 for its daughters, ... */
  generation: number;
  /** RFC 3339, wall clock, for people only. */
  bornAt: string;
  state: CellLifeState;
}

/**
 * `<run>/cells/<id>.json`: what a cell is, written by itself before it listens and again when its class changes.
 * So that a cell which hangs, and whom no kin describes, still has a pid that an administrator can end.
 */
export type CellRecord = Omit<CellSummary, "state">;

/** How the user's app does in this drone. */
export interface AppHealth {
  state: "none" | "loading" | "ready" | "failed";
  /** With `failed`: why, with the stack as it was thrown. */
  error?: { code: string; message: string; stack?: string };
  /** How often it was tried in this failing spell, over the whole organism as far as this cell knows. */
  attempts?: number;
  /** Milliseconds until the next attempt; absent when none is due before the app's files change. */
  retryInMs?: number;
}

/** Something that a person should mend, while the cell goes on as well as it can. */
export interface CellTrouble {
  /** As in docs/ERRORS.md. */
  code: string;
  message: string;
}

/** What a B cell would do with a request now. */
export interface Service {
  /** Drones that it can give one to. */
  drones: number;
  /** With none: the error that a request would get at once; null when it would wait. */
  refusal: string | null;
}

/** For how long requests have had nobody to be given to, and for how long one may wait: past that they are refused. */
export interface Unserved {
  ms: number;
  msMax: number;
}

export interface CellVitals extends CellSummary {
  /** Event-loop utilization over the last window, 0..1. */
  load: number;
  rssBytes: number;
  /** Requests that this cell is working on now. */
  inFlight: number;
  app: AppHealth;
  /** Absent when there is none. */
  troubles?: CellTrouble[];
  /** Of a B cell. */
  service?: Service;
  /** Of a B cell without a drone that could answer, and of another cell that knows of no B cell. */
  unserved?: Unserved;
}

export type ControlRequest =
  /** This cell's own vitals and everything it knows of the others; with what it has counted, if that is asked for. */
  | { op: "vitals"; metrics?: boolean }
  /** Are you there? Between cells: whoever answers has an event loop that turns. */
  | { op: "ping" }
  /** The memory of bans was changed, up to this row of it: have all cells look. */
  | { op: "memory-changed"; seq: number }
  /** End the organism: drain for at most `drainMs` (the DNA's value where absent), then die. */
  | { op: "stop"; drainMs?: number };

export type ControlReply =
  | {
      ok: true;
      op: "vitals";
      organism: string;
      name: string;
      revision: string;
      self: CellVitals;
      others: CellSummary[];
      appHealth: AppHealth;
      metrics?: Snapshot;
    }
  | { ok: true; op: "ping" }
  | { ok: true; op: "stop" }
  | { ok: true; op: "memory-changed" }
  | { ok: false; code: string; message: string };

/** `<run>/organism.json`: written once at start, for people and for the command line. */
export interface OrganismFile {
  version: 1;
  name: string;
  organism: string;
  revision: string;
  /** RFC 3339. */
  startedAt: string;
  cwd: string;
  app: string;
  dnaFile: string | null;
  listen: Array<{ host: string; port: number; tls: boolean }>;
  /** Null where there is none. */
  admin: { host: string; port: number } | null;
  drainMsMax: number;
}
