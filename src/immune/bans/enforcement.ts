/**
 * What a B cell asks at each accept: is anything in force against this address?
 *
 * It takes in ban records as they arrive and keeps of them what the DNA allows (policy.ts), on its own clock: of a ban's
 * time counts what is left by the wall clock, and never more than the ban was meant to last. The most severe of all that
 * hold an address counts. In a dry run it answers "nothing", whatever it knows.
 *
 * It decides nothing about connections: the caller refuses, delays, limits, or closes what is open already.
 */
import type { BanAction, BanBody } from "../../core/record.ts";
import { readPolicy, whyUnlawful, type BanPolicy, type ReadPolicy } from "./policy.ts";
import { PrefixTable } from "./prefix-table.ts";
import { actionOfSeverity, severityOf, type Moment } from "./sentencing.ts";

/** Looked at for what is over at each `sweep`: a table of 100,000 in some twenty calls. */
const sweepNodes = 10_000;

export class Enforcement {
  readonly #policy: ReadPolicy;
  readonly #table = new PrefixTable();

  constructor(policy: BanPolicy) {
    this.#policy = readPolicy(policy);
  }

  get size(): number {
    return this.#table.size;
  }

  /** Takes in the last word on a range. Returns why it was not taken, or null. */
  take(body: BanBody, { nowMs, wallMs }: Moment): string | null {
    const why = whyUnlawful(body, this.#policy);
    if (why !== null) return why;
    const leftMs = Math.min(body.untilMs - wallMs, body.untilMs - body.issuedAtMs);
    if (body.action === "lifted" || leftMs <= 0) {
      this.#table.delete(body.range);
      return null;
    }
    const taken = this.#table.set(body.range, { action: severityOf(body.action), untilMs: nowMs + leftMs });
    return taken ? null : "there are too many bans";
  }

  /** Null: nothing. For each connection: allocates nothing. */
  actionFor(address: string, nowMs: number): Exclude<BanAction, "lifted"> | null {
    if (this.#policy.dryRun) return null;
    const severity = this.#table.severityFor(address, nowMs);
    return severity === 0 ? null : (actionOfSeverity(severity) as Exclude<BanAction, "lifted">);
  }

  /** To be called now and then: gives back the places of what is over. Answers do not depend on it. */
  sweep(nowMs: number): void {
    this.#table.sweep(nowMs, sweepNodes);
  }
}
