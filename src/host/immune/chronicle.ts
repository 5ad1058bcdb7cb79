/**
 * The chronicle: what T cells have decided and why, and how much of which kind of attack there was in each minute. For
 * people (`cellws threats`); nothing is decided by it. Kept in the memory, within bounds in number and age.
 */
import type { BanAction, BanBody } from "../../core/record.ts";
import type { Withheld } from "../../immune/bans/sentencing.ts";
import type { Incident } from "../../immune/report/incident.ts";
import type { Memory } from "./memory.ts";

/** An incident, what was done about it, or why nothing was. */
export interface ChronicleEntry extends Incident {
  readonly action: BanAction;
  readonly outcome: "sentenced" | Withheld;
  readonly offence: number;
  readonly issuedAtMs: number;
  readonly untilMs: number;
}

/** How often something was seen in one minute (of the wall clock). */
export interface SeenCount {
  readonly minute: number;
  readonly kind: "class" | "rule";
  readonly name: string;
  readonly count: number;
}

export const minuteMs = 60_000;
const entriesMax = 10_000;
const seenKeptMs = 7 * 24 * 3_600_000;
/** A week of a dozen kinds, and of those rules that fire. */
const seenMax = 200_000;

export function entryOf(incident: Incident, ban: BanBody, outcome: ChronicleEntry["outcome"]): ChronicleEntry {
  const { action, offence, issuedAtMs, untilMs } = ban;
  return { ...incident, action, outcome, offence, issuedAtMs, untilMs };
}

export class Chronicle {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /**
   * Within a `write`. What was withheld and then withheld again is told once a minute at most, under one name each. False: another
   * T cell has told of this sentence already.
   */
  insert(entry: ChronicleEntry): boolean {
    const id = entry.outcome === "sentenced" ? entry.id : `${entry.id}-${entry.outcome}-${entry.issuedAtMs}`;
    const changes = this.#memory.run(
      "INSERT INTO incident (id, made_ms, body) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
      id,
      entry.issuedAtMs,
      JSON.stringify(entry),
    );
    return changes === 1;
  }

  /** Within a `write`: adds to what others have counted. */
  count(counts: readonly SeenCount[]): void {
    for (const { minute, kind, name, count } of counts) {
      this.#memory.run(
        `INSERT INTO seen (minute, kind, name, count) VALUES (?, ?, ?, ?)
         ON CONFLICT (minute, kind, name) DO UPDATE SET count = count + excluded.count`,
        minute,
        kind,
        name,
        count,
      );
    }
  }

  /** Within a `keep`. */
  forget(wallMs: number): void {
    this.#memory.run("DELETE FROM incident WHERE seq <= (SELECT coalesce(max(seq), 0) FROM incident) - ?", entriesMax);
    this.#memory.run("DELETE FROM seen WHERE minute < ?", Math.floor((wallMs - seenKeptMs) / minuteMs));
    this.#memory.run(
      `DELETE FROM seen WHERE (minute, kind, name) IN
         (SELECT minute, kind, name FROM seen ORDER BY minute DESC LIMIT -1 OFFSET ?)`,
      seenMax,
    );
  }

  /** The newest first. */
  entries(sinceMs: number, limit: number): ChronicleEntry[] {
    return this.#memory
      .all<{ body: string }>("SELECT body FROM incident WHERE made_ms >= ? ORDER BY seq DESC LIMIT ?", sinceMs, limit)
      .map(({ body }) => JSON.parse(body) as ChronicleEntry);
  }

  /** By time. */
  seen(sinceMs: number): SeenCount[] {
    const since = Math.floor(sinceMs / minuteMs);
    return this.#memory.all<SeenCount>("SELECT * FROM seen WHERE minute >= ? ORDER BY minute, kind, name", since);
  }
}
