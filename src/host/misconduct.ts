/**
 * Cells that break the protocol: what they do wrong is counted by kind, and who does what no honest cell can do is kept out for
 * a while.
 *
 * Two sorts of fault. A word that is not believed (a record from nobody known, a vote whose voter we do not know) may be passed
 * on by an honest relative who knows more than we do: it is ignored and counted. A line that is none, a hormone stronger
 * than its hops allow, a flood: no honest cell sends these, whatever it knows. That link is cut, and whoever was at
 * the other end is not linked with again for a minute. This is each cell's own affair and harms nobody else: who is shunned by all
 * sits alone, and is voted out for what its neighbours see of it, or not at all.
 */
import type { CellId } from "../core/cell.ts";
import type { Counters } from "./counters.ts";

export type ProtocolFault =
  /** A record, a vote or a sentence that was not believed. */
  | "word"
  /** A hormone that is stronger than it can be. */
  | "hormone"
  /** More hormones, or more messages at all, than an organism has to say. */
  | "flood"
  /** A line or frame that is none, or a longer one than there are. */
  | "malformed"
  /** It reads so slowly that what is said to it would fill our memory. */
  | "slow"
  /** Somebody at our door who is no cell of ours, or not in order. */
  | "stranger";

const shunMs = 60_000;
/** Shunned at a time: far above what lives on one machine. */
const shunnedMax = 1_000;
/** Lines in the log about one kind of fault, in so long; the rest is only counted. */
const linesMax = 10;
const linesMs = 60_000;

export class Misconduct {
  readonly #counters: Counters;
  readonly #shunned = new Map<CellId, number>();
  readonly #lines = new Map<ProtocolFault, { count: number; sinceMs: number }>();

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** Counts it. True: it may be told in the log, too. */
  note(fault: ProtocolFault, nowMs: number, count = 1): boolean {
    this.#counters.add("cellws_protocol_faults_total", { kind: fault }, count);
    const lines = this.#lines.get(fault);
    if (lines === undefined || nowMs - lines.sinceMs >= linesMs) {
      this.#lines.set(fault, { count: 1, sinceMs: nowMs });
      return true;
    }
    lines.count += 1;
    return lines.count <= linesMax;
  }

  shun(peer: CellId, nowMs: number): void {
    for (const [id, untilMs] of this.#shunned) if (untilMs <= nowMs) this.#shunned.delete(id);
    if (this.#shunned.size < shunnedMax) this.#shunned.set(peer, nowMs + shunMs);
  }

  isShunned(peer: CellId, nowMs: number): boolean {
    return (this.#shunned.get(peer) ?? 0) > nowMs;
  }
}

/** What may come over one kin link: so much a second, and so much at once when two cells compare what they know. */
export const linkRates = {
  /** A handful of neurons call four times a second each; hormones may be lost, so more are. */
  pulse: { perSecond: 100, burst: 400 },
  /** A thousand births in a few seconds, each with its records, is what the largest organism has to tell. */
  message: { perSecond: 5_000, burst: 20_000 },
} as const;

/** A bucket of tokens that fills with time. */
export class Rate {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** False: it is too much. */
  take(nowMs: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#atMs) * this.#perSecond) / 1_000);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
