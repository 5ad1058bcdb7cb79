/**
 * A body: the process side of a cell's class, what it does all day. The mind (core/step.ts) decides what the cell is;
 * the host gives it that class's body, and tells the body what is known of the others.
 */
import type { Socket } from "node:net";
import type { CellId } from "../core/cell.ts";
import type { Happening } from "../core/event.ts";
import type { BanBody, CellBody } from "../core/record.ts";
import type { Dna } from "../dna/dna.ts";
import type { Witness } from "../immune/ledger/mark.ts";
import type { CarriedRequest } from "../immune/report/infection.ts";
import type { AppHealth, CellTrouble, Service, Unserved } from "../wire/control.ts";
import type { Testified } from "../wire/testimony.ts";
import type { Counters } from "./counters.ts";
import type { InheritedListener, ListenAddress, TakenConnection } from "./listeners.ts";
import type { CellLog } from "./log.ts";
import type { RunDir } from "./run-dir.ts";

/** What the others are, as far as this cell knows. */
export interface OrganismView {
  readonly alive: ReadonlyMap<CellId, CellBody>;
  readonly app: AppHealth;
  /** The whole organism ends: whoever is draining still does what others have begun. */
  readonly isEnding: boolean;
}

export interface BodyContext {
  readonly id: CellId;
  readonly organism: string;
  /** The organism's, for people, and for the folders that are its own. */
  readonly name: string;
  readonly dna: Dna;
  readonly run: RunDir;
  readonly log: CellLog;
  /** Where this cell counts what it does; a new metric is a line in src/wire/metrics.ts. */
  readonly counters: Counters;
  readonly listeners: readonly InheritedListener[];
  /** Where the organism listens; for drones too, which hold no listener. */
  readonly addresses: readonly ListenAddress[];
  readonly view: () => OrganismView;
  /** Tells the mind what happened. */
  readonly dispatch: (happening: Happening) => void;
  /** Connections that were accepted before this cell became a B cell, as they come; each once. */
  readonly onHandedConnection: (take: (connection: TakenConnection) => void) => void;
  /** By the machine's monotonic clock (clock.ts): when a client woke the egg that bore this B cell for it. */
  readonly awokenAtMs: number | null;
  /** Keeps an accepted, unread connection for the first B cell that this cell bears. */
  readonly hold: (connection: TakenConnection) => void;
  /** Where marks of refused requests go, and sightings of the others. */
  readonly witness: Witness;
  /** For a T cell: it takes what others have seen. */
  readonly onTestimony: (take: (testified: Testified) => void) => void;
  /** The bans on record: news, for the most part in the memory as well. */
  readonly bans: () => readonly BanBody[];
  /** Opens an axon to another cell. Rejects with the reason. */
  readonly openAxon: (to: CellId) => Promise<OpenAxon>;
}

/** An authenticated socket, paused, with what came behind the handshake. */
export interface OpenAxon {
  readonly peer: CellId;
  readonly socket: Socket;
  readonly rest: Buffer;
}

export interface Body {
  /** Requests that are being worked on. */
  inFlight(): number;
  /** Requests that wait for a drone, and how long the one that waits longest has waited, in milliseconds. */
  queue?(): { readonly queued: number; readonly queueMs: number };
  /** Requests that have come so far, of a body that they come to. */
  requestCount?(): number;
  /** For how long nobody has asked it anything, of a body that is asked: milliseconds, 0 while there is something in hand. */
  quietMs?(): number;
  /** What memory and CPU time are left, of a body that looks: in thousandths in use, and taken away by a quota. */
  pressure?(): { readonly memoryMilli: number; readonly throttledMilli: number };
  /** Of a B cell: what it would do with a request now, and for how long it has had no drone for any. */
  service?(): Service & { readonly unserved: Unserved | null };
  /** Of a B cell: what it gave that drone to answer lately, and what of it the drone still has. */
  carriedTo?(drone: CellId): readonly CarriedRequest[];
  /** What is known of the others has changed. */
  inform?(view: OrganismView): void;
  /** Bans, and liftings of bans, have become known. */
  enforce?(bans: readonly BanBody[]): void;
  /** The memory of bans was changed from outside. */
  recall?(): void;
  /** A B cell has opened an axon to us. */
  axonOpened?(axon: OpenAxon): void;
  /**
   * Takes nothing new; resolves when nothing is left, at the latest after `drainMs`. `alone`: only this cell leaves, and
   * others take over; otherwise the whole organism ends.
   */
  drain(drainMs: number, alone: boolean): Promise<void>;
  /** Lets go of timers and handles, because the cell takes on another class. */
  release?(): void;
  /** What a person should mend; for `cellws status`. */
  troubles?(): readonly CellTrouble[];
  /** How the app does in this very cell. */
  appHealth?(): AppHealth;
}

export type MakeBody = (context: BodyContext) => Promise<Body>;
