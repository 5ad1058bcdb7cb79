/**
 * From judgements to sentences: how long, how wide, and when not at all.
 *
 * A sentence is passed on the narrowest range that was judged, once for each offence: while it, or a wider one at least as
 * severe, is in force nothing is added. A repeated offence doubles the time, up to the longest; a jitter of a tenth keeps a
 * botnet's bans from ending all in one second. Each offence has a name made of its range and number, the same whichever
 * T cell passes it; so two that decide at once have decided the same thing, and whoever remembers it counts one.
 *
 * Two breakers stand behind every decision, because a rule that has gone wrong bans quickly and everybody: so many bans a minute,
 * and no ban that would hit more than a share of the clients that were clean lately. What they hold back is told, so
 * that a person learns of it; the requests themselves are still filtered one by one.
 *
 * It remembers what it must and performs nothing: records are published, and kept, by others.
 */
import type { BanAction, BanBody } from "../../core/record.ts";
import { banActions } from "../../core/record.ts";
import { parseIpRange } from "../../lib/ip-range.ts";
import { prngBelow, type Prng } from "../../lib/prng.ts";
import type { Judgement } from "../ledger/judge.ts";
import { isOfFew, judgeClient } from "../ledger/judge.ts";
import type { Ledger, Standing } from "../ledger/ledger.ts";
import { readPolicy, whyProtected, whyTooWide, type BanPolicy, type ReadPolicy } from "./policy.ts";
import { PrefixTable } from "./prefix-table.ts";

/** Why a sentence that was due is not carried out. */
export type Withheld = "never-banned" | "too-wide" | "too-many-bans" | "too-many-innocents" | "dry-run";

export type Decision =
  | { readonly kind: "sentence"; readonly body: BanBody; readonly judgement: Judgement }
  | {
      readonly kind: "withheld";
      readonly why: Withheld;
      readonly body: BanBody;
      readonly judgement: Judgement;
    };

export interface Moment {
  /** The machine's monotonic clock, as in marks. */
  readonly nowMs: number;
  /** The wall clock: for the record's times, and for nothing that is decided here. */
  readonly wallMs: number;
}

/** An offence is forgiven after so long without another. */
export const offenceMemoryMs = 30 * 24 * 3_600_000;
/** What was held back is not told again for the same range before this. */
const withheldAgainMs = 60_000;
/** Clean clients are counted anew after this: it means looking at every source that is known. */
const cleanCountFreshMs = 1_000;
/** An innocent sends no more than this share of bad requests. */
const cleanBadShareMax = 0.1;
/** A limit, a delay and a mere watching need not last as long as a ban. */
const mildDurationShare = 1 / 8;
/** Offences remembered; those of old go first. As many as there may be bans. */
const offencesMax = 100_000;
const withheldMax = 10_000;

export class Sentencer {
  readonly #policy: ReadPolicy;
  #prng: Prng;
  /** Sentences in force, by severity and monotonic end. */
  readonly #inForce = new PrefixTable();
  /** By action and range, the longest ago first. Invariant: 0 <= forgiven <= count. */
  readonly #offences = new Map<string, { count: number; forgiven: number; atWallMs: number }>();
  /** Monotonic times of the last minute's sentences. */
  #recentMs: number[] = [];
  readonly #withheldMs = new Map<string, number>();
  #clean = { count: 0, atMs: -Infinity };

  constructor(policy: BanPolicy, prng: Prng) {
    this.#policy = readPolicy(policy);
    this.#prng = prng;
  }

  /** What follows from what is now known of `client`: called after each mark or sighting of it. */
  consider(ledger: Ledger, client: string, moment: Moment): Decision[] {
    return judgeClient(ledger, client, moment.nowMs).flatMap((judgement) => {
      return this.#decide(judgement, ledger, moment) ?? [];
    });
  }

  /** A sentence that others have passed, or that was remembered: it counts as an offence once, by its number. */
  learn(body: BanBody, { nowMs, wallMs }: Moment): void {
    if (body.action === "lifted") {
      this.#inForce.delete(body.range);
      for (const action of banActions) this.#forgive(body.range, action);
      return;
    }
    this.#countOffence(body);
    const leftMs = Math.min(body.untilMs - wallMs, body.untilMs - body.issuedAtMs);
    if (leftMs <= 0) return;
    const present = this.#inForce.get(body.range);
    const isSame = present?.action === severityOf(body.action);
    const untilMs = isSame ? Math.max(nowMs + leftMs, present.untilMs) : nowMs + leftMs;
    this.#inForce.set(body.range, { action: severityOf(body.action), untilMs });
  }

  /** Sentences in force, over ones that were not swept yet included. */
  get size(): number {
    return this.#inForce.size;
  }

  sweep(nowMs: number): void {
    this.#inForce.sweep(nowMs, 10_000);
    for (const [range, atMs] of this.#withheldMs) if (nowMs - atMs >= withheldAgainMs) this.#withheldMs.delete(range);
  }

  #decide(judgement: Judgement, ledger: Ledger, moment: Moment): Decision | null {
    const { range } = judgement.standing;
    const action = judgement.remedy;
    const { nowMs } = moment;
    if (this.#isHeld(range, action, nowMs)) return null;
    const body = this.#draft(judgement, moment);
    const why = this.#whyWithheld(body, judgement.standing, ledger, nowMs);
    if (why !== null) {
      if (nowMs - (this.#withheldMs.get(range) ?? -Infinity) < withheldAgainMs) return null;
      if (this.#withheldMs.size >= withheldMax) this.#withheldMs.clear();
      this.#withheldMs.set(range, nowMs);
      return { kind: "withheld", why, body, judgement };
    }
    if (action === "ban") this.#recentMs.push(nowMs);
    this.learn(body, moment);
    return { kind: "sentence", body, judgement };
  }

  /** Whether this range, or a wider one, is under a sentence at least as severe. */
  #isHeld(range: string, action: BanAction, nowMs: number): boolean {
    const inner = parseIpRange(range)!;
    for (let bits = inner.prefixBits; bits >= widestBits[inner.family]; bits -= 1) {
      const entry = this.#inForce.get({ ...inner, prefixBits: bits });
      if (entry !== null && entry.untilMs > nowMs && entry.action >= severityOf(action)) return true;
    }
    return false;
  }

  #draft({ standing: { range }, remedy, attackClass }: Judgement, { wallMs }: Moment): BanBody {
    const { count, forgiven } = this.#offencesOf(range, remedy, wallMs);
    const offence = count + 1;
    const { durationMs, durationMsMax } = this.#policy;
    const doubled = durationMs * 2 ** Math.min(count - forgiven, 30);
    const share = remedy === "ban" ? 1 : mildDurationShare;
    const [jitter, next] = prngBelow(this.#prng, 2_001);
    this.#prng = next;
    const lengthMs = Math.round(Math.min(durationMsMax, doubled * share * (0.9 + jitter / 10_000)));
    const issuedAtMs = Math.floor(wallMs);
    return {
      kind: "ban",
      range,
      action: remedy,
      reason: attackClass,
      offence,
      issuedAtMs,
      untilMs: issuedAtMs + lengthMs,
      incident: incidentOf(range, offence, remedy),
    };
  }

  #whyWithheld({ action }: BanBody, standing: Standing, ledger: Ledger, nowMs: number): Withheld | null {
    const range = parseIpRange(standing.range)!;
    if (whyTooWide(range, this.#policy) !== null) return "too-wide";
    if (whyProtected(range, this.#policy) !== null) return "never-banned";
    if (action === "ban") {
      this.#recentMs = this.#recentMs.filter((atMs) => nowMs - atMs < 60_000);
      if (this.#recentMs.length >= this.#policy.bansPerMinuteMax) return "too-many-bans";
      if (this.#hitsTooMany(standing, ledger, nowMs)) return "too-many-innocents";
    }
    return this.#policy.dryRun ? "dry-run" : null;
  }

  #hitsTooMany(standing: Standing, ledger: Ledger, nowMs: number): boolean {
    // Most bans are of one source, about which everything is known already.
    const hit = countInnocents(standing.rung === 0 ? [standing] : ledger.sources(nowMs, standing.range));
    if (hit === 0) return false;
    if (nowMs - this.#clean.atMs >= cleanCountFreshMs) {
      this.#clean = { count: countInnocents(ledger.sources(nowMs)), atMs: nowMs };
    }
    return hit > this.#clean.count * this.#policy.innocentShareMax;
  }

  #offencesOf(range: string, action: BanAction, wallMs: number): { count: number; forgiven: number } {
    const known = this.#offences.get(`${action} ${range}`);
    if (known === undefined) return { count: 0, forgiven: 0 };
    // The number goes on rising, for it names the offence; only its weight is gone.
    return wallMs - known.atWallMs > offenceMemoryMs ? { count: known.count, forgiven: known.count } : known;
  }

  #countOffence({ range, action, offence, issuedAtMs }: BanBody): void {
    const { count, forgiven } = this.#offencesOf(range, action, issuedAtMs);
    const key = `${action} ${range}`;
    this.#offences.delete(key);
    this.#offences.set(key, { count: Math.max(count, offence), forgiven, atWallMs: issuedAtMs });
    if (this.#offences.size > offencesMax) this.#offences.delete(this.#offences.keys().next().value!);
  }

  #forgive(range: string, action: BanAction): void {
    const known = this.#offences.get(`${action} ${range}`);
    if (known !== undefined) known.forgiven = known.count;
  }
}

/** Wider sentences are not passed by anybody. */
const widestBits = { 4: 16, 6: 32 } as const;

/** Rising with what it does to a client; 0 is nothing. */
export function severityOf(action: BanAction): number {
  return banActions.indexOf(action);
}

export function actionOfSeverity(severity: number): BanAction {
  return banActions[severity] ?? "lifted";
}

/** A tarpit that becomes a ban is another incident than the tarpit. */
export function incidentOf(range: string, offence: number, action: BanAction): string {
  return `${range}#${offence}${action === "ban" ? "" : `-${action}`}`;
}

/** Clients, where they can be told apart behind one address. */
function countInnocents(sources: Iterable<Standing>): number {
  let count = 0;
  for (const standing of sources) if (isInnocent(standing)) count += Math.max(1, standing.clients);
  return count;
}

/** Somebody who sent clean requests lately and hardly others; and not an attacker alone with his alibi. */
function isInnocent(standing: Standing): boolean {
  if (standing.clean < 1 || standing.badShare > cleanBadShareMax) return false;
  return standing.pressure < 1 || !isOfFew(standing);
}
