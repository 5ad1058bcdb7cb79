/**
 * Everything that can happen to a cell. The core never asks, it is told: the time (monotonic, milliseconds, of this
 * cell alone) comes with each event, and what the kernel or the body found out comes as an event of its own.
 */
import type { CellClass, CellId } from "./cell.ts";
import type { KinMessage } from "./message.ts";
import type { Vote } from "./ballot.ts";
import type { Answer } from "./suspicion.ts";
import type { Stranger } from "./solitude.ts";
import type { Vitals } from "./tally.ts";
import type { Wear } from "./wear.ts";
import type { AppBody, BanBody, OrganismRecord } from "./record.ts";

export type Event = { readonly nowMs: number } & Happening;

export type Happening =
  /** The time that `nextWakeMs` asked for has come, or passed. */
  | { readonly type: "wake" }
  /** The egg: somebody has connected. */
  | { readonly type: "first-connection" }
  /** A daughter's process runs and has made its key pair. */
  | ({ readonly type: "conceived"; readonly id: CellId } & Conception)
  /** A daughter's process could not be started, or said nothing in time. */
  | { readonly type: "birth-failed"; readonly id: CellId; readonly reason: string }
  /** The kernel tells the mother that a daughter's process has ended. */
  | { readonly type: "daughter-exited"; readonly id: CellId }
  | { readonly type: "link-opened"; readonly peer: CellId; readonly record: OrganismRecord }
  | { readonly type: "link-closed"; readonly peer: CellId }
  /** An asked-for link did not come about. */
  | { readonly type: "connect-failed"; readonly peer: CellId }
  | { readonly type: "message"; readonly from: CellId; readonly message: KinMessage }
  /** A record of our own, signed by the host. */
  | { readonly type: "signed"; readonly record: OrganismRecord }
  /** The answer to `inspect`: whether that very process (pid and start time) still runs, and what it uses where that is known. */
  | { readonly type: "inspected"; readonly id: CellId; readonly running: boolean; readonly wear: Wear | null }
  /** The answer to `probe`. */
  | { readonly type: "probed"; readonly id: CellId; readonly answer: Answer }
  /** The answer to `seek-strangers`: those that answered, but for those whom we know, the dead included. */
  | { readonly type: "strangers"; readonly found: readonly Stranger[] }
  /** A vote of our own, signed by the host. */
  | { readonly type: "voted"; readonly vote: Vote }
  /** Something other than a kin link makes us doubt that a cell lives (an axon that broke). */
  | { readonly type: "doubt"; readonly id: CellId }
  /** The body found that a cell does its work badly (a drone that is silent, or fails where others do not). */
  | { readonly type: "unwell"; readonly id: CellId }
  /** The drone's app is up, or would not come up. */
  | { readonly type: "app"; readonly health: Omit<AppBody, "kind" | "attempts"> }
  /** What this cell measured of itself. */
  | { readonly type: "vitals"; readonly vitals: Vitals }
  /** A T cell's body has passed sentences: they are remembered by now, and are to be made known. */
  | { readonly type: "sentenced"; readonly bans: readonly BanBody[] }
  /** Somebody has changed the memory of bans from outside, up to this row of it: all are to look. */
  | { readonly type: "memory-changed"; readonly seq: number }
  /** These records of bans are no news any more: over, or old and kept in the memory. */
  | { readonly type: "bans-old"; readonly keys: readonly string[] }
  /** Files that the failed app was made of have changed. */
  | { readonly type: "files-changed" }
  /** The body has nothing in flight any more, after `drain`. */
  | { readonly type: "drained" }
  /** The body of the class that we became cannot work (no socket to listen on, say). */
  | { readonly type: "body-failed"; readonly class: CellClass; readonly reason: string }
  /** The administrator asks this cell alone to leave (a signal to its process); the organism goes on and replaces it. */
  | { readonly type: "retire"; readonly drainMs: number }
  /** The administrator brings another DNA, which can be found under this revision. */
  | { readonly type: "evolve"; readonly revision: string }
  /** The administrator asks for the end. */
  | { readonly type: "stop"; readonly drainMs: number };

export interface Conception {
  readonly pid: number;
  readonly startTicks: number;
  readonly publicKey: string;
  readonly bornAt: string;
}
