/**
 * The outbox: which report has gone where, kept in the memory so that neither the death of cells nor a restart makes a
 * report twice or forgets one.
 *
 * At most once for each incident and channel. The row is there before anything is sent, and says "sending" while it is; who
 * finds it so after a crash does not know whether the report arrived, and leaves it at that ("uncertain"). Only what surely
 * did not arrive is tried again, each time after twice as long, and given up after `attemptsMax`.
 *
 * In a dry run rows are made and nothing is sent: whoever has looked at them for a week knows what would be told of whom.
 */
import type { Incident } from "../../../immune/report/incident.ts";
import type { InfectionIncident } from "../../../immune/report/infection.ts";
import type { Reporter } from "../../../immune/report/xarf.ts";
import type { Memory, NotWritten } from "../memory.ts";
import { deliveryMsMax, type Delivery, type ReportChannel } from "./channel.ts";

export type OutboxState = "waiting" | "sending" | "sent" | "failed" | "uncertain" | "dry-run";

export interface OutboxEntry {
  readonly incident: string;
  readonly channel: string;
  readonly state: OutboxState;
  readonly attempts: number;
  readonly nextMs: number;
  readonly told: string;
  readonly body: Reported | InfectionIncident;
}

/** An incident, and who reports it. */
export type Reported = Incident & { readonly reporter?: Reporter };

export function isInfection(body: OutboxEntry["body"]): body is InfectionIncident {
  return "kind" in body;
}

export const backoffMsMin = 60_000;
export const backoffMsMax = 6 * 3_600_000;
/** Over about a day and a half. */
export const attemptsMax = 10;
/** Reports that have not gone; an attack by more sources than this is one for the telephone. */
export const waitingMax = 1_000;
const rowsMax = 10_000;
const keptMs = 90 * 24 * 3_600_000;
/** One after the other: nobody's abuse desk is in that much of a hurry. */
const deliveriesAtATime = 10;

export interface OutboxOptions {
  readonly memory: Memory;
  readonly channels: readonly ReportChannel[];
  readonly dryRun: boolean;
  /** 0 .. 1, for the jitter. */
  readonly random?: () => number;
}

export class Outbox {
  readonly #memory: Memory;
  readonly #channels: ReadonlyMap<string, ReportChannel>;
  readonly #dryRun: boolean;
  readonly #random: () => number;
  #isDelivering = false;

  constructor({ memory, channels, dryRun, random = Math.random }: OutboxOptions) {
    this.#memory = memory;
    this.#channels = new Map(channels.map((channel) => [channel.name, channel]));
    this.#dryRun = dryRun;
    this.#random = random;
  }

  /** Puts a report for each channel into the outbox; those that are there already stay as they are. How many were new. */
  add(incident: Incident): number | NotWritten {
    return this.#memory.write(() => this.insert(incident));
  }

  /** The same, within a `write` that writes more. Any T cell may: a report is named by its incident and channel. */
  insert(incident: Reported): number {
    return this.#insert(incident, [...this.#channels.keys()]);
  }

  /** An infection, for the channels that tell the owner. Within a `write` as well. */
  insertInfection(infection: InfectionIncident): number {
    const telling = [...this.#channels.values()].filter((channel) => channel.sendInfection !== undefined);
    return this.#insert(
      infection,
      telling.map(({ name }) => name),
    );
  }

  #insert(incident: OutboxEntry["body"], channels: readonly string[]): number {
    const now = this.#memory.wallMs();
    const waiting = this.#count("state IN ('waiting', 'sending')");
    let added = 0;
    for (const channel of channels) {
      if (waiting + added >= waitingMax) break;
      added += this.#memory.run(
        `INSERT INTO outbox (incident, channel, state, attempts, next_ms, made_ms, told, body)
         VALUES (?, ?, ?, 0, ?, ?, '', ?) ON CONFLICT (incident, channel) DO NOTHING`,
        incident.id,
        channel,
        this.#dryRun ? "dry-run" : "waiting",
        now,
        now,
        JSON.stringify(incident),
      );
    }
    this.#memory.run("DELETE FROM outbox WHERE made_ms < ? AND state <> 'waiting'", now - keptMs);
    const tooMany = this.#count("1") - rowsMax;
    if (tooMany > 0) {
      this.#memory.run(
        `DELETE FROM outbox WHERE (incident, channel) IN (SELECT incident, channel FROM outbox
           WHERE state NOT IN ('waiting', 'sending') ORDER BY made_ms LIMIT ?)`,
        tooMany,
      );
    }
    return added;
  }

  /** Sends what is due. To be called now and then by whoever holds the lease; a call while one is under way does nothing. */
  async deliver(): Promise<number> {
    if (this.#isDelivering || this.#dryRun) return 0;
    this.#isDelivering = true;
    try {
      this.#leaveInterrupted();
      let done = 0;
      for (const { incident, channel, attempts, body } of this.#due()) {
        const way = this.#channels.get(channel);
        if (way === undefined || this.#mark(incident, channel, "sending", attempts + 1, 0, "") !== 1) continue;
        const delivery = await attempt(way, body);
        this.#conclude(incident, channel, attempts + 1, delivery);
        done += 1;
      }
      return done;
    } finally {
      this.#isDelivering = false;
    }
  }

  /** Newest first. */
  entries(limit = 100): OutboxEntry[] {
    return this.#rows("1 ORDER BY made_ms DESC, incident, channel LIMIT ?", limit);
  }

  #due(): OutboxEntry[] {
    return this.#rows(
      "state = 'waiting' AND next_ms <= ? ORDER BY next_ms LIMIT ?",
      this.#memory.wallMs(),
      deliveriesAtATime,
    );
  }

  /** Rows that somebody began to send and did not end. By this one's own clock none of them is under way. */
  #leaveInterrupted(): void {
    const told = "its sender died while it was on its way";
    this.#memory.keep(() =>
      this.#memory.run("UPDATE outbox SET state = 'uncertain', told = ? WHERE state = 'sending'", told),
    );
  }

  #conclude(incident: string, channel: string, attempts: number, delivery: Delivery): void {
    const { outcome, told } = delivery;
    if (outcome !== "again" || attempts >= attemptsMax) {
      const state = ({ delivered: "sent", perhaps: "uncertain", never: "failed", again: "failed" } as const)[outcome];
      this.#mark(incident, channel, state, attempts, 0, told);
      return;
    }
    const doubled = Math.min(backoffMsMax, backoffMsMin * 2 ** (attempts - 1));
    const waitMs = Math.max(delivery.afterMs ?? 0, doubled * (0.8 + 0.4 * this.#random()));
    this.#mark(incident, channel, "waiting", attempts, Math.round(this.#memory.wallMs() + waitMs), told);
  }

  #mark(
    incident: string,
    channel: string,
    state: OutboxState,
    attempts: number,
    nextMs: number,
    told: string,
  ): number | NotWritten {
    return this.#memory.keep(() =>
      this.#memory.run(
        "UPDATE outbox SET state = ?, attempts = ?, next_ms = ?, told = ? WHERE incident = ? AND channel = ?",
        state,
        attempts,
        nextMs,
        told.slice(0, 300),
        incident,
        channel,
      ),
    );
  }

  #count(where: string): number {
    return this.#memory.all<{ count: number }>(`SELECT count(*) AS count FROM outbox WHERE ${where}`)[0]!.count;
  }

  #rows(where: string, ...values: number[]): OutboxEntry[] {
    const rows = this.#memory.all<Omit<OutboxEntry, "body" | "nextMs"> & { body: string; next_ms: number }>(
      `SELECT * FROM outbox WHERE ${where}`,
      ...values,
    );
    return rows.map(({ incident, channel, state, attempts, told, body, next_ms: nextMs }) => {
      return { incident, channel, state, attempts, told, nextMs, body: JSON.parse(body) as OutboxEntry["body"] };
    });
  }
}

async function deliver(channel: ReportChannel, body: OutboxEntry["body"]): Promise<Delivery> {
  if (!isInfection(body)) return await channel.send(body);
  // The row may be older than the DNA that names the channel.
  return (await channel.sendInfection?.(body)) ?? { outcome: "never", told: "this channel tells no infections" };
}

/** A channel that throws, or never answers, is as one that broke off. */
async function attempt(channel: ReportChannel, body: OutboxEntry["body"]): Promise<Delivery> {
  const { promise: late, resolve } = Promise.withResolvers<Delivery>();
  // Channels have their own bounds; this one is for a channel with a bug.
  const timer = setTimeout(() => resolve({ outcome: "perhaps", told: "it did not end" }), 4 * deliveryMsMax);
  try {
    return await Promise.race([deliver(channel, body), late]);
  } catch (error) {
    return { outcome: "perhaps", told: String(error).slice(0, 300) };
  } finally {
    clearTimeout(timer);
  }
}
