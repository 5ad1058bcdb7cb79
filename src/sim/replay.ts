/**
 * Replay: tells a recorded cell's mind again what it was told, and compares what it decides with what it decided then.
 *
 * `step` is a function of state and event alone, so on the same program the two must be the same to the last effect. Where
 * they are not, either the log was changed or damaged, or the program was (or it is not as pure as it should be); and
 * the first difference says where to look.
 */
import type { Effect } from "../core/effect.ts";
import type { Event } from "../core/event.ts";
import { assertInvariants } from "../core/invariant.ts";
import type { Move } from "../core/move.ts";
import type { State } from "../core/state.ts";
import { beBorn, step } from "../core/step.ts";
import type { EventLine, SegmentHead } from "../wire/event-log.ts";
import { effectsDigest, openLine, readEventLine, readHead, stateDigest } from "../wire/event-log.ts";

export interface Difference {
  /** In the file, from 1. */
  readonly line: number;
  /** Of the event; 0: the beginning of the segment. */
  readonly n: number;
  readonly atMs: number | null;
  readonly what:
    /** The line is not whole, or is no event. */
    | "unreadable"
    /** The line is not the one that was written here. */
    | "altered"
    | "effects"
    | "state"
    /** The mind refused an event that it took then, or the other way. */
    | "refused";
  readonly recorded: string;
  readonly replayed: string;
}

export interface Replayed {
  readonly head: SegmentHead;
  readonly events: number;
  /** From the first event's time to the last's. */
  readonly forMs: number;
  /** The last line was cut off, as when its writer is killed. It is no difference. */
  readonly isTorn: boolean;
  /** Why the mind refused the last event, as it did then; a bug, of which the cell died. */
  readonly refused: string | null;
  /** Null: all as it was. */
  readonly difference: Difference | null;
  /** After the last event that was the same. */
  readonly state: State | null;
}

/** What happened at one event. `event` null: the beginning. */
export interface Happened {
  readonly n: number;
  readonly atMs: number;
  readonly event: Event | null;
  readonly before: State | null;
  readonly after: State;
  readonly effects: readonly Effect[];
}

export type Replay =
  | { readonly ok: true; readonly replayed: Replayed }
  | { readonly ok: false; readonly reason: string };

/** Sees each event as it is replayed. False ends it there. */
export type Watch = (happened: Happened) => boolean;

export function replaySegment(text: string, watch: Watch = () => true): Replay {
  const lines = text.split("\n");
  // What follows the last line's end is nothing, or a line that was cut off.
  const rest = lines.pop() ?? "";
  const [first = ""] = lines;
  const opened = openLine(first, "");
  const head = opened.ok ? readHead(opened.value) : null;
  if (!opened.ok || head === null) {
    const isAltered = !opened.ok && opened.wrong === "altered";
    return {
      ok: false,
      reason: isAltered ? "its first line was altered" : "its first line is not that of an event log",
    };
  }
  return { ok: true, replayed: new Segment(head, opened.chain, opened.value, watch).run(lines, rest !== "") };
}

class Segment {
  readonly #head: SegmentHead;
  readonly #watch: Watch;
  #chain: string;
  #state: State | null = null;
  #difference: Difference | null = null;
  #events = 0;
  #lastMs: number;
  #refused: string | null = null;
  #isOver = false;

  constructor(head: SegmentHead, chain: string, firstLine: unknown, watch: Watch) {
    this.#head = head;
    this.#chain = chain;
    this.#watch = watch;
    this.#lastMs = head.nowMs;
    this.#begin(firstLine as { did: readonly string[]; effects: string });
  }

  run(lines: readonly string[], isTorn: boolean): Replayed {
    for (let i = 1; i < lines.length && this.#difference === null && !this.#isOver; i += 1)
      this.#line(lines[i]!, i + 1);
    const { nowMs } = this.#head;
    return {
      head: this.#head,
      events: this.#events,
      forMs: this.#lastMs - nowMs,
      isTorn,
      refused: this.#refused,
      difference: this.#difference,
      state: this.#state,
    };
  }

  #begin({ did, effects: recorded }: { did: readonly string[]; effects: string }): void {
    const { start, nowMs, before } = this.#head;
    const place = { line: 1, n: before, atMs: nowMs };
    if ("state" in start) {
      this.#state = start.state;
      this.#tell({ n: before, atMs: nowMs, event: null, before: null, after: start.state, effects: [] });
      return;
    }
    const born = attempt(() => beBorn(start.birth, nowMs));
    if (!born.ok) return this.#differ(place, "refused", "a birth", born.reason);
    const [state, effects] = born.move;
    if (effectsDigest(effects) !== recorded) return this.#differ(place, "effects", did.join(" "), kindsOf(effects));
    this.#state = state;
    this.#tell({ n: before, atMs: nowMs, event: null, before: null, after: state, effects });
  }

  #line(text: string, line: number): void {
    const place = { line, n: this.#head.before + this.#events + 1, atMs: null };
    const opened = openLine(text, this.#chain);
    if (!opened.ok) {
      const recorded = text.length <= shownCharsMax ? text : `${text.slice(0, shownCharsMax)}...`;
      return this.#differ(place, opened.wrong, recorded, "");
    }
    const recorded = readEventLine(opened.value);
    if (recorded === null || recorded.n !== place.n || this.#state === null) {
      return this.#differ(place, "unreadable", "no event of this place in the order", "");
    }
    this.#chain = opened.chain;
    const { event } = recorded;
    const at = { ...place, atMs: event.nowMs };
    const before = this.#state;
    const move = this.#step(at, before, recorded);
    if (move === null) return;
    const [state, effects] = move;
    if (effectsDigest(effects) !== recorded.effects) {
      return this.#differ(at, "effects", recorded.did.join(" ") || "none", kindsOf(effects) || "none");
    }
    if (recorded.state !== undefined && stateDigest(state) !== recorded.state) {
      return this.#differ(at, "state", recorded.state, stateDigest(state));
    }
    this.#state = state;
    this.#events += 1;
    this.#lastMs = event.nowMs;
    this.#tell({ n: recorded.n, atMs: event.nowMs, event, before, after: state, effects });
  }

  #tell(happened: Happened): void {
    if (!this.#watch(happened)) this.#isOver = true;
  }

  /** Null where it ends here. */
  #step(at: Place, before: State, { event, refused }: EventLine): Move | null {
    const taken = attempt(() => {
      const move = step(before, event);
      assertInvariants(move[0]);
      return move;
    });
    if (taken.ok && refused === undefined) return taken.move;
    if (!taken.ok && taken.reason === refused) {
      this.#events += 1;
      this.#refused = refused;
      this.#isOver = true;
    } else this.#differ(at, "refused", refused ?? "it was taken", taken.ok ? "it is taken" : taken.reason);
    return null;
  }

  #differ(
    place: Omit<Difference, "what" | "recorded" | "replayed">,
    what: Difference["what"],
    recorded: string,
    replayed: string,
  ): void {
    this.#difference = { ...place, what, recorded, replayed };
  }
}

type Place = Pick<Difference, "line" | "n" | "atMs">;

/** A mind that is told what never was may fail in any way; that is the finding, and not our failure. */
function attempt(deed: () => Move): { ok: true; move: Move } | { ok: false; reason: string } {
  try {
    return { ok: true, move: deed() };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

const shownCharsMax = 120;

function kindsOf(effects: readonly Effect[]): string {
  return effects.map(({ type }) => type).join(" ");
}
