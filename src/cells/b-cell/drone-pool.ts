/**
 * The drones that this B cell can give requests to: which of them gets the next, and who waits while none can take it.
 *
 * Of two ready drones at random the one with less in flight gets the request: nearly as even as looking at all of them,
 * without the herd that forms when many B cells look at the same numbers and all choose the same drone.
 *
 * While no drone is ready (the organism germinates, or heals) requests wait, in order, bounded by number and time. When
 * the app is known to fail there is nothing to wait for, and they are refused at once.
 *
 * Retries draw on a budget that ordinary requests fill: when everything dies, sending everything again is what keeps it
 * dead. How a request is retried, and whether, is the carriage's matter.
 */
import type { Duplex } from "node:stream";
import { AxonClient, type AxonOptions } from "../../host/axon-link.ts";
import type { HttpErrorCode } from "../../http/http-error.ts";
import type { AppHealth } from "../../wire/control.ts";

export interface PoolLimits {
  /** Requests that wait for a drone. */
  waitingCountMax: number;
  /** How long each of them may. A cold start of a large app takes this long. */
  waitingMsMax: number;
  /** Requests at a time that this B cell gives to one drone, tunnels and event streams included. */
  droneInFlightMax: number;
  /** Retries that may happen at once: a drone's whole load may be lost in one moment. */
  retryBurstMax: number;
  /** Retries per request in the long run. */
  retryShareMax: number;
}

export const poolLimitsDefault: Readonly<PoolLimits> = {
  waitingCountMax: 1024,
  waitingMsMax: 30_000,
  droneInFlightMax: 4096,
  retryBurstMax: 2048,
  retryShareMax: 0.2,
};

/** Without a better estimate: when to come back after having been refused. */
const RETRY_AFTER_SECONDS = 1;
const RETRY_AFTER_SECONDS_MAX = 120;

/** One drone as this B cell knows it. */
export interface Member {
  readonly droneId: string;
  readonly client: AxonClient;
}

/** Somebody who wants a drone. Exactly one of the two is called, unless `abandon` comes first. */
export interface Waiter {
  given(member: Member): void;
  refused(code: HttpErrorCode, retryAfterSeconds: number): void;
}

export interface PoolOptions {
  limits?: Partial<PoolLimits>;
  /** 0 <= random < 1. Tests pass their own. */
  random?: () => number;
}

export class DronePool {
  readonly #limits: PoolLimits;
  readonly #random: () => number;
  readonly #members = new Map<string, PoolMember>();
  /** Invariant: exactly the members that can be given requests, but for a full in-flight count. */
  #ready: PoolMember[] = [];
  /** In order of arrival, with the time until which each waits; all wait equally long, so the first is due first. */
  readonly #waiting = new Map<Waiter, number>();
  #waitingTimer: NodeJS.Timeout | null = null;
  #retryTokens: number;
  /** What the rest of the organism knows of the app: for a B cell that has no drone to ask. */
  #appHealth: AppHealth | null = null;
  #isClosed = false;

  constructor(options: PoolOptions = {}) {
    this.#limits = { ...poolLimitsDefault, ...options.limits };
    this.#random = options.random ?? Math.random;
    this.#retryTokens = this.#limits.retryBurstMax;
  }

  /** A new axon to a drone. It gets requests once its status says that the app is ready. */
  add(droneId: string, duplex: Duplex, options: AxonOptions = {}): AxonClient {
    this.#members.get(droneId)?.client.close("a newer axon to the same drone");
    const member = new PoolMember(droneId, duplex, options, {
      changed: () => this.#update(),
      freed: () => this.#serveWaiting(),
      closed: () => {
        if (this.#members.get(droneId) === member) this.#members.delete(droneId);
        this.#update();
      },
    });
    this.#members.set(droneId, member);
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

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** How long the one that waits longest has waited. */
  get waitingMs(): number {
    const [until] = this.#waiting.values();
    return until === undefined ? 0 : Math.max(0, performance.now() - (until - this.#limits.waitingMsMax));
  }

  /** Over all drones, from this B cell. */
  get inFlight(): number {
    let sum = 0;
    for (const member of this.#members.values()) sum += member.client.inFlight;
    return sum;
  }

  /** Calls `given` or `refused`: at once, or after having waited. */
  acquire(waiter: Waiter): void {
    const member = this.#waiting.size === 0 ? this.#choose() : null;
    if (member !== null) {
      waiter.given(member);
      return;
    }
    const refusal = this.#refusal();
    if (refusal !== null) {
      waiter.refused(refusal.code, refusal.retryAfterSeconds);
    } else if (this.#waiting.size >= this.#limits.waitingCountMax) {
      waiter.refused("CELLWS_HTTP_OVERLOADED", RETRY_AFTER_SECONDS);
    } else {
      this.#waiting.set(waiter, performance.now() + this.#limits.waitingMsMax);
      this.#setWaitingTimer();
    }
  }

  /** The waiter does not want a drone any more. */
  abandon(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    if (this.#waiting.size === 0) this.#clearWaitingTimer();
  }

  /** The drone refused a request unseen: it has more than enough, or goes. Nothing new until it says how it does. */
  noteRefusal(member: Member): void {
    if (!(member instanceof PoolMember)) return;
    member.isRefusing = true;
    this.#update();
  }

  /** Each request adds to the retry budget. */
  noteRequest(): void {
    this.#retryTokens = Math.min(this.#limits.retryBurstMax, this.#retryTokens + this.#limits.retryShareMax);
  }

  /** Takes one retry from the budget; false when there is none left. */
  takeRetry(): boolean {
    if (this.#retryTokens < 1) return false;
    this.#retryTokens -= 1;
    return true;
  }

  #choose(): PoolMember | null {
    const ready = this.#ready;
    if (ready.length === 0) return null;
    const i = Math.floor(this.#random() * ready.length);
    const j = (i + 1 + Math.floor(this.#random() * (ready.length - 1))) % ready.length;
    const [a, b] = [ready[i] as PoolMember, ready[j] as PoolMember];
    const chosen = a.burden <= b.burden ? a : b;
    if (chosen.client.isOpen) return this.#orAny(chosen);
    // Its link is dying: its streams are told (and come here to be retried) before we are.
    this.#ready = ready.filter((member) => member.isReady);
    return this.#choose();
  }

  /** The chosen one, or when that is full any that is not. */
  #orAny(chosen: PoolMember): PoolMember | null {
    const max = this.#limits.droneInFlightMax;
    if (chosen.client.inFlight < max) return chosen;
    return this.#ready.find((member) => member.isReady && member.client.inFlight < max) ?? null;
  }

  /** Null: it is worth to wait. */
  #refusal(): { code: HttpErrorCode; retryAfterSeconds: number } | null {
    if (this.#isClosed) return { code: "CELLWS_HTTP_DRAINING", retryAfterSeconds: RETRY_AFTER_SECONDS };
    const healths = [...this.#members.values()].map((member) => member.client.status?.app ?? null);
    if (healths.length === 0) healths.push(this.#appHealth);
    const failed = healths.filter((health) => health?.state === "failed");
    if (failed.length === 0 || failed.length < healths.length) return null;
    const retryInMs = Math.min(...failed.map((health) => health?.retryInMs ?? Number.POSITIVE_INFINITY));
    const retryAfterSeconds = Math.min(
      RETRY_AFTER_SECONDS_MAX,
      Math.max(RETRY_AFTER_SECONDS, Math.ceil(retryInMs / 1000)),
    );
    return { code: "CELLWS_HTTP_APP_FAILED", retryAfterSeconds };
  }

  #update(): void {
    this.#ready = this.#isClosed ? [] : [...this.#members.values()].filter((member) => member.isReady);
    this.#serveWaiting();
    const refusal = this.#waiting.size === 0 ? null : this.#refusal();
    if (refusal === null) return;
    for (const waiter of this.#takeAllWaiting()) waiter.refused(refusal.code, refusal.retryAfterSeconds);
  }

  #serveWaiting(): void {
    for (const waiter of this.#waiting.keys()) {
      const member = this.#choose();
      if (member === null) return;
      this.abandon(waiter);
      waiter.given(member);
    }
  }

  #takeAllWaiting(): Waiter[] {
    const waiters = [...this.#waiting.keys()];
    this.#waiting.clear();
    this.#clearWaitingTimer();
    return waiters;
  }

  #setWaitingTimer(): void {
    if (this.#waitingTimer !== null) return;
    const [first] = this.#waiting.values();
    if (first === undefined) return;
    this.#waitingTimer = setTimeout(() => this.#refuseOverdue(), Math.max(1, first - performance.now()));
  }

  #clearWaitingTimer(): void {
    if (this.#waitingTimer !== null) clearTimeout(this.#waitingTimer);
    this.#waitingTimer = null;
  }

  #refuseOverdue(): void {
    this.#waitingTimer = null;
    const now = performance.now();
    for (const [waiter, until] of this.#waiting) {
      if (until > now) break;
      this.#waiting.delete(waiter);
      waiter.refused("CELLWS_HTTP_NO_DRONE", RETRY_AFTER_SECONDS);
    }
    this.#setWaitingTimer();
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
          events.changed();
        },
        streamClosed: () => events.freed(),
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

  /** The less the better. */
  get burden(): number {
    return this.client.inFlight + this.#othersInFlight;
  }
}
