/**
 * The drones that this B cell can give requests to: which of them gets the next, and who waits while none can take it.
 *
 * Of two ready drones at random the one that is less loaded gets the request: nearly as even as looking at all of them,
 * without the herd that forms when many B cells look at the same numbers and all choose the same drone (Mitzenmacher, "The
 * power of two choices"). Loaded means: requests in flight, times how slow the drone is (drone-health.ts). One that is silent
 * gets nothing while another can, one that answers errors where others do not gets nothing for a while; but
 * if all are like that, they are all there is. Affinity (affinity.ts) goes before choice.
 *
 * Requests that no drone can take wait in a line (waiting-line.ts). When the app is known to fail there is nothing to wait
 * for, and they are refused at once.
 *
 * Retries draw on a budget that ordinary requests fill: when everything dies, sending everything again is what keeps it
 * dead. How a request is retried, and whether, is the carriage's matter.
 */
import type { Duplex } from "node:stream";
import { AxonClient, type AxonOptions } from "../../host/axon-link.ts";
import type { HttpErrorCode } from "../../http/http-error.ts";
import { rendezvousRank } from "../../lib/hash.ts";
import type { AppHealth } from "../../wire/control.ts";
import { emptyHistogram } from "../../wire/metrics.ts";
import type { Affinity, Wish } from "./affinity.ts";
import { Carried } from "./carried.ts";
import { DroneHealth, findOutliers, healthLimits, latencyWeight } from "./drone-health.ts";
import { WaitingLine, waitingLimitsDefault } from "./waiting-line.ts";

export interface PoolLimits {
  /** Requests that wait for a drone. */
  waitingCountMax: number;
  /** How long each of them may. A cold start of a large app takes this long. */
  waitingMsMax: number;
  /** How long each of them may in a line that does not get empty. */
  waitingMsTarget: number;
  /** Requests at a time that this B cell gives to one drone and that wait for its answer to begin. */
  droneUnansweredMax: number;
  /** Retries that may happen at once: a drone's whole load may be lost in one moment. */
  retryBurstMax: number;
  /** Retries per request in the long run. */
  retryShareMax: number;
  /** Of how many drones' deaths a request may be the cause and still be tried again; each is shared by all that died with it. */
  blameMax: number;
  /** Of a request's body, kept until the answer begins. */
  replayBytesMax: number;
}

export const poolLimitsDefault: Readonly<PoolLimits> = {
  waitingCountMax: waitingLimitsDefault.countMax,
  waitingMsMax: waitingLimitsDefault.msMax,
  waitingMsTarget: waitingLimitsDefault.msTarget,
  droneUnansweredMax: 1024,
  retryBurstMax: 2048,
  retryShareMax: 0.2,
  blameMax: 2,
  replayBytesMax: 64 * 1024,
};

/** Without a better estimate: when to come back after having been refused. */
const RETRY_AFTER_SECONDS = 1;
const RETRY_AFTER_SECONDS_MAX = 120;

/** One drone as this B cell knows it. */
export interface Member {
  readonly droneId: string;
  readonly client: AxonClient;
  readonly health: DroneHealth;
}

/** Somebody who wants a drone. Exactly one of the two is called, unless `abandon` comes first. */
export interface Waiter {
  /** Which drone, if it can be had. */
  readonly wish: Wish | null;
  given(member: Member): void;
  refused(code: HttpErrorCode, retryAfterSeconds: number): void;
}

/** What a drone did that the rest of the organism should look at, too. */
export type DroneTrouble = "silent" | "failing";

export interface PoolOptions {
  limits?: Partial<PoolLimits>;
  /** 0 <= random < 1. Tests pass their own. */
  random?: () => number;
  affinity?: Affinity | null;
  onTrouble?: (droneId: string, trouble: DroneTrouble) => void;
}

export class DronePool {
  readonly limits: Readonly<PoolLimits>;
  readonly affinity: Affinity | null;
  /** What each drone was given lately. */
  readonly carried = new Carried();
  readonly #random: () => number;
  readonly #onTrouble: (droneId: string, trouble: DroneTrouble) => void;
  readonly #members = new Map<string, PoolMember>();
  /** Invariant: exactly the members that can be given requests, but for a full in-flight count. */
  #ready: PoolMember[] = [];
  /** Invariant: those of the ready ones that are well; all of them if none is. */
  #preferred: PoolMember[] = [];
  readonly #waiting: WaitingLine<Waiter>;
  #waitingTimer: NodeJS.Timeout | null = null;
  #lookTimer: NodeJS.Timeout | null = null;
  #lookedAtMs = 0;
  /** How long those had waited who were given a drone in the end, in seconds. */
  readonly waits = emptyHistogram("cellws_http_wait_seconds");
  /** Since when there has been no drone that is ready and heard of; null when there is one. */
  #unableSinceMs: number | null = performance.now();
  #retryTokens: number;
  /** What the rest of the organism knows of the app: for a B cell that has no drone to ask. */
  #appHealth: AppHealth | null = null;
  #isClosed = false;

  constructor(options: PoolOptions = {}) {
    this.limits = { ...poolLimitsDefault, ...options.limits };
    this.affinity = options.affinity ?? null;
    this.#random = options.random ?? Math.random;
    this.#onTrouble = options.onTrouble ?? (() => undefined);
    this.#retryTokens = this.limits.retryBurstMax;
    const { waitingCountMax: countMax, waitingMsMax: msMax, waitingMsTarget: msTarget } = this.limits;
    this.#waiting = new WaitingLine({ countMax, msMax, msTarget });
  }

  /** A new axon to a drone. It gets requests once its status says that the app is ready. */
  add(droneId: string, duplex: Duplex, options: AxonOptions = {}): AxonClient {
    this.#members.get(droneId)?.client.close("a newer axon to the same drone");
    const member = new PoolMember(droneId, duplex, options, {
      changed: () => this.#update(),
      freed: () => this.#serveWaiting(),
      closed: () => {
        if (this.#members.get(droneId) === member) this.#forget(droneId);
        this.#update();
      },
    });
    this.#members.set(droneId, member);
    this.affinity?.learn(droneId);
    this.#startLooking();
    return member.client;
  }

  /** Gives the drone nothing new; what it has it may finish. For a drone that is to die. */
  retire(droneId: string): void {
    const member = this.#members.get(droneId);
    if (member === undefined) return;
    member.isRetired = true;
    this.#update();
  }

  /** What the organism knows of the app beyond this pool's own drones; null when nothing. */
  setAppHealth(health: AppHealth | null): void {
    this.#appHealth = health;
    this.#update();
  }

  /** Refuses all who wait, and closes all axons. */
  close(): void {
    this.#isClosed = true;
    this.#update();
    for (const member of this.#members.values()) member.client.close("the B cell goes");
  }

  get readyCount(): number {
    return this.#ready.length;
  }

  /** For `cellws status` and /readyz: drones that would take a request; with none, what becomes of one, and since when. */
  get service(): { drones: number; refusal: HttpErrorCode | null; unableMs: number | null } {
    const drones = this.#ready.filter(({ health }) => !health.isSilent).length;
    const unableMs = this.#unableSinceMs === null ? null : Math.round(performance.now() - this.#unableSinceMs);
    return { drones, refusal: this.#ready.length > 0 ? null : (this.#refusal()?.code ?? null), unableMs };
  }

  get waitingCount(): number {
    return this.#waiting.count;
  }

  /** How long the one that waits longest has waited. */
  get waitingMs(): number {
    return this.#waiting.longestMs(performance.now());
  }

  /** Over all drones, from this B cell. */
  get inFlight(): number {
    let sum = 0;
    for (const member of this.#members.values()) sum += member.client.inFlight;
    return sum;
  }

  /** Calls `given` or `refused`: at once, or after having waited. */
  acquire(waiter: Waiter): void {
    // Nobody is overtaken: whoever waits could not be given any drone that is free now.
    const member = this.#choose(waiter.wish);
    if (member !== null) {
      waiter.given(member);
      return;
    }
    const refusal = this.#refusal();
    if (refusal !== null) {
      waiter.refused(refusal.code, refusal.retryAfterSeconds);
    } else if (this.#waiting.isFull) {
      waiter.refused("CELLWS_HTTP_OVERLOADED", RETRY_AFTER_SECONDS);
    } else {
      const now = performance.now();
      this.#waiting.join(waiter, now);
      this.#waiting.setServed(this.#ready.length > 0, now);
      this.#setWaitingTimer();
    }
  }

  /** The waiter does not want a drone any more. */
  abandon(waiter: Waiter): void {
    this.#waiting.leave(waiter);
    if (this.#waiting.count === 0) this.#clearWaitingTimer();
  }

  /** The drone refused a request unseen: it has more than enough, or goes. Nothing new until it says how it does. */
  noteRefusal(member: Member): void {
    if (!(member instanceof PoolMember)) return;
    member.isRefusing = true;
    this.#update();
  }

  /** Each request adds to the retry budget. */
  noteRequest(): void {
    this.#retryTokens = Math.min(this.limits.retryBurstMax, this.#retryTokens + this.limits.retryShareMax);
  }

  /** Takes one retry from the budget; false when there is none left. */
  takeRetry(): boolean {
    if (this.#retryTokens < 1) return false;
    this.#retryTokens -= 1;
    return true;
  }

  #choose(wish: Wish | null): PoolMember | null {
    if (this.#ready.length === 0) return null;
    // Its link is dying: its streams are told (and come here to be retried) before we are.
    if (this.#ready.some((member) => !member.client.isOpen)) this.#sort();
    const wished = wish === null ? null : this.#wished(wish);
    // Who wants one drone waits for it: what it has of the client, no other has.
    if (wished !== null) return wished.hasRoom(this.limits.droneUnansweredMax) ? wished : null;
    return this.#lessLoadedOfTwo();
  }

  #lessLoadedOfTwo(): PoolMember | null {
    const candidates = this.#preferred;
    if (candidates.length === 0) return null;
    const i = Math.floor(this.#random() * candidates.length);
    const j = (i + 1 + Math.floor(this.#random() * (candidates.length - 1))) % candidates.length;
    const [a, b] = [candidates[i] as PoolMember, candidates[j] as PoolMember];
    const isFirst = a.burden * latencyWeight(a.health, b.health) <= b.burden * latencyWeight(b.health, a.health);
    return this.#orAny(isFirst ? a : b);
  }

  /** The chosen one, or when that is full any that is not. */
  #orAny(chosen: PoolMember): PoolMember | null {
    const max = this.limits.droneUnansweredMax;
    if (chosen.hasRoom(max)) return chosen;
    return this.#preferred.find((member) => member.hasRoom(max)) ?? null;
  }

  /** Null: the drone is not there (any more), and any other will do. */
  #wished(wish: Wish): PoolMember | null {
    if (wish.kind === "drone") {
      const member = this.#members.get(wish.droneId);
      return member?.isReady === true ? member : null;
    }
    const ids = this.#ready.map((member) => member.droneId);
    return this.#ready.find((member) => rendezvousRank(wish.key, member.droneId, ids) === 0) ?? null;
  }

  /** Null: it is worth to wait. */
  #refusal(): { code: HttpErrorCode; retryAfterSeconds: number } | null {
    if (this.#isClosed) return { code: "CELLWS_HTTP_DRAINING", retryAfterSeconds: RETRY_AFTER_SECONDS };
    const healths = [...this.#members.values()].map((member) => member.client.status?.app ?? null);
    if (healths.length === 0) healths.push(this.#appHealth);
    const failed = healths.filter((health) => this.#isHopeless(health));
    if (failed.length === 0 || failed.length < healths.length) return null;
    const retryInMs = Math.min(...failed.map((health) => health?.retryInMs ?? Number.POSITIVE_INFINITY));
    const retryAfterSeconds = Math.min(
      RETRY_AFTER_SECONDS_MAX,
      Math.max(RETRY_AFTER_SECONDS, Math.ceil(retryInMs / 1000)),
    );
    return { code: "CELLWS_HTTP_APP_FAILED", retryAfterSeconds };
  }

  /** An app that came up and whose drones died is about to come up again; one that does not even load is not. */
  #isHopeless(health: AppHealth | null): boolean {
    if (health?.state !== "failed") return false;
    const isCrashing = health.error?.code === "CELLWS_E_APP_CRASHING";
    return !isCrashing || (health.retryInMs ?? Number.POSITIVE_INFINITY) > this.limits.waitingMsTarget;
  }

  #update(): void {
    this.#sort();
    this.#serveWaiting();
    const refusal = this.#waiting.count === 0 ? null : this.#refusal();
    if (refusal === null) return;
    this.#clearWaitingTimer();
    for (const waiter of this.#waiting.takeAll()) waiter.refused(refusal.code, refusal.retryAfterSeconds);
  }

  #forget(droneId: string): void {
    this.#members.delete(droneId);
    this.affinity?.forget(droneId);
    if (this.#members.size === 0) this.#stopLooking();
  }

  #sort(): void {
    this.#ready = this.#isClosed ? [] : [...this.#members.values()].filter((member) => member.isReady);
    const audible = this.#ready.filter(({ health }) => !health.isSilent);
    if (audible.length > 0) this.#unableSinceMs = null;
    else this.#unableSinceMs ??= performance.now();
    const well = audible.filter(({ health }) => !health.isEjected);
    this.#preferred = well.length > 0 ? well : audible.length > 0 ? audible : this.#ready;
  }

  #serveWaiting(): void {
    if (this.#waiting.count === 0) return;
    for (const waiter of this.#waiting) {
      const member = this.#choose(waiter.wish);
      // Somebody behind may wish for another drone.
      if (member === null && this.affinity === null) break;
      if (member === null) continue;
      this.waits.observe(this.#waiting.waitedMs(waiter, performance.now()) / 1000);
      this.abandon(waiter);
      waiter.given(member);
    }
    this.#waiting.setServed(this.#ready.length > 0, performance.now());
  }

  #setWaitingTimer(): void {
    if (this.#waitingTimer !== null) return;
    const nextMs = this.#waiting.nextMs(performance.now());
    if (nextMs !== null) this.#waitingTimer = setTimeout(() => this.#refuseOverdue(), nextMs);
  }

  #clearWaitingTimer(): void {
    if (this.#waitingTimer !== null) clearTimeout(this.#waitingTimer);
    this.#waitingTimer = null;
  }

  #refuseOverdue(): void {
    this.#waitingTimer = null;
    for (const { who, isOverload } of this.#waiting.takeOverdue(performance.now())) {
      who.refused(isOverload ? "CELLWS_HTTP_OVERLOADED" : "CELLWS_HTTP_NO_DRONE", RETRY_AFTER_SECONDS);
    }
    this.#setWaitingTimer();
  }

  // Looking after the drones.

  #startLooking(): void {
    if (this.#lookTimer !== null) return;
    this.#lookedAtMs = performance.now();
    this.#lookTimer = setInterval(() => this.#look(), healthLimits.lookMs).unref();
  }

  #stopLooking(): void {
    if (this.#lookTimer !== null) clearInterval(this.#lookTimer);
    this.#lookTimer = null;
  }

  #look(): void {
    const now = performance.now();
    // A hole in our own time: what the drones said in it may lie here unread.
    const elapsedMs = Math.min(now - this.#lookedAtMs, 2 * healthLimits.lookMs);
    this.#lookedAtMs = now;
    for (const member of this.#members.values()) {
      const wasSilent = member.health.isSilent;
      member.health.look(elapsedMs);
      if (!wasSilent && member.health.isSilent) this.#onTrouble(member.droneId, "silent");
    }
    for (const member of findOutliers(this.#ready)) {
      member.health.eject();
      this.#onTrouble(member.droneId, "failing");
    }
    this.#update();
  }
}

interface MemberEvents {
  changed(): void;
  freed(): void;
  closed(): void;
}

class PoolMember implements Member {
  readonly droneId: string;
  readonly client: AxonClient;
  readonly health = new DroneHealth();
  isRetired = false;
  isRefusing = false;
  /** What other B cells had given the drone when it last told. */
  #othersInFlight = 0;

  constructor(droneId: string, duplex: Duplex, options: AxonOptions, events: MemberEvents) {
    this.droneId = droneId;
    this.client = new AxonClient(
      duplex,
      {
        status: (status) => {
          this.isRefusing = false;
          this.#othersInFlight = Math.max(0, status.inFlight - this.client.inFlight);
          this.health.noteReport(status.load);
          events.changed();
        },
        streamMoved: () => events.freed(),
        closed: () => events.closed(),
      },
      options,
    );
  }

  get isReady(): boolean {
    const status = this.client.status;
    if (this.isRetired || this.isRefusing || !this.client.isOpen || status === null) return false;
    return status.app.state === "ready" && !status.draining;
  }

  hasRoom(unansweredMax: number): boolean {
    const { unanswered } = this.client;
    return unanswered < unansweredMax && unanswered < this.health.saturatedCountMax;
  }

  /** The less the better. Never zero, so that speed counts between idle drones too. */
  get burden(): number {
    const { inFlight, unanswered } = this.client;
    const own = 1 + unanswered + (inFlight - unanswered) * healthLimits.streamWeight;
    // Of what others gave it we know the number only: it is taken to be of the same kinds as ours.
    return own * (1 + this.#othersInFlight / (1 + inFlight));
  }
}
