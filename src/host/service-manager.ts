/**
 * What the organism tells its service manager (sd_notify(3)): that it serves, how it does, that it lives, that it ends.
 *
 * NOTIFY_SOCKET is a datagram socket, which Node cannot send to and which no cell needs otherwise; systemd's own
 * `systemd-notify` does it, and is there wherever systemd is (docs/decisions/0027). Nothing depends on an answer: where it
 * cannot be told, that is said once and the organism lives on.
 *
 * The watchdog is fed by the organism and not by its launcher, which is no cell: by the eldest that is no drone, or where
 * there are only drones by the eldest of those. Nobody is appointed. Two that each think themselves the eldest both
 * feed it, which does no harm; when the one hangs the others end it by vote, long before the watchdog's time is over. And
 * it is fed only as long as somebody accepts connections: an organism that does not heal is to be started anew.
 */
import { spawn } from "node:child_process";
import type { CellClass, CellId } from "../core/cell.ts";
import { isElder } from "../core/roster.ts";
import type { CellBody } from "../core/record.ts";
import type { AppHealth } from "../wire/control.ts";

/** What tells cells of a service manager; an app has no business with it. */
export const serviceManagerVariables = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

export type NotifyOutcome = { readonly told: true } | { readonly told: false; readonly reason: string };

/** The manager takes a datagram in microseconds; one that does not is not waited for. */
const notifyMsMax = 5_000;

/** Sends `READY=1`, `STATUS=...` and the like, in one message. There must be a NOTIFY_SOCKET in `env`. */
export function notifyServiceManager(assignments: readonly string[], env: NodeJS.ProcessEnv): Promise<NotifyOutcome> {
  const { promise, resolve } = Promise.withResolvers<NotifyOutcome>();
  const failed = (reason: string): void => resolve({ told: false, reason });
  // The environment of an app may hold anything; the tool needs this much of it.
  const child = spawn("systemd-notify", assignments, {
    env: { PATH: env["PATH"] ?? "/usr/bin:/bin", NOTIFY_SOCKET: env["NOTIFY_SOCKET"] },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: notifyMsMax,
    killSignal: "SIGKILL",
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (errors.length < errorCharsMax) errors += text;
  });
  child.on("error", (error: NodeJS.ErrnoException) =>
    failed(error.code === "ENOENT" ? "there is no systemd-notify, which systemd brings" : error.message),
  );
  child.on("close", (code, signal) => {
    if (code === 0) resolve({ told: true });
    else failed(`systemd-notify ended with ${signal ?? code}: ${errors.trim().slice(0, errorCharsMax)}`);
  });
  return promise;
}

const errorCharsMax = 500;

export function isSupervised(env: NodeJS.ProcessEnv): boolean {
  return (env["NOTIFY_SOCKET"] ?? "") !== "";
}

export interface PulseOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly id: CellId;
  readonly view: () => PulseView;
  /** Told once, and again after it went well in between. */
  readonly onFailed: (reason: string) => void;
}

export interface PulseView {
  readonly alive: ReadonlyMap<CellId, CellBody>;
  readonly app: AppHealth;
  readonly isEnding: boolean;
}

/** Of three signs of life two may be lost. */
const beatsInTime = 3;
/** Where there is no watchdog only the status is told, when it has changed. */
const statusEveryMs = 5_000;
const beatMsMin = 100;

/** One cell's part in telling the service manager that the organism lives. */
export class ServicePulse {
  readonly #options: PulseOptions;
  readonly #isWatched: boolean;
  readonly #timer: NodeJS.Timeout;
  #toldStatus = "";
  #isTelling = false;
  #hasFailed = false;

  constructor(options: PulseOptions) {
    this.#options = options;
    const watchdogMs = watchdogMsOf(options.env);
    this.#isWatched = watchdogMs !== null;
    const everyMs = watchdogMs === null ? statusEveryMs : Math.max(beatMsMin, watchdogMs / beatsInTime);
    this.#timer = setInterval(() => void this.#beat(), everyMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #beat(): Promise<void> {
    const { env, id, view } = this.#options;
    const now = view();
    if (this.#isTelling || feeder(now.alive) !== id) return;
    const status = describeLife(now);
    const assignments = [
      ...(this.#isWatched && (now.isEnding || acceptsConnections(now.alive)) ? ["WATCHDOG=1"] : []),
      ...(now.isEnding ? ["STOPPING=1"] : []),
      ...(status === this.#toldStatus ? [] : [`STATUS=${status}`]),
    ];
    if (assignments.length === 0) return;
    this.#isTelling = true;
    const outcome = await notifyServiceManager(assignments, env);
    this.#isTelling = false;
    if (outcome.told) this.#toldStatus = status;
    else if (!this.#hasFailed) this.#options.onFailed(outcome.reason);
    this.#hasFailed = !outcome.told;
  }
}

/** Null: no watchdog. WATCHDOG_PID is not asked: it names the launcher, and the unit lets every cell speak (NotifyAccess=all). */
export function watchdogMsOf(env: NodeJS.ProcessEnv): number | null {
  const us = Number(env["WATCHDOG_USEC"]);
  return isSupervised(env) && Number.isSafeInteger(us) && us > 0 ? us / 1_000 : null;
}

/** Who tells, of those that live: see above. Null: nobody lives. */
export function feeder(alive: ReadonlyMap<CellId, CellBody>): CellId | null {
  let eldest: CellBody | null = null;
  for (const cell of alive.values()) {
    if (cell.state === "gestating") continue;
    if (eldest === null) eldest = cell;
    else if ((cell.class === "drone") === (eldest.class === "drone")) eldest = isElder(cell, eldest) ? cell : eldest;
    else if (eldest.class === "drone") eldest = cell;
  }
  return eldest?.id ?? null;
}

function acceptsConnections(alive: ReadonlyMap<CellId, CellBody>): boolean {
  for (const cell of alive.values()) if (cell.class === "b-cell" || cell.class === "egg") return true;
  return false;
}

const order = ["egg", "neuron", "b-cell", "t-cell", "drone", "stem"] as const satisfies readonly CellClass[];

/** One line for `systemctl status`. */
export function describeLife({ alive, app, isEnding }: PulseView): string {
  const counts = order.flatMap((cellClass) => {
    const count = [...alive.values()].filter((cell) => cell.class === cellClass && cell.state !== "gestating").length;
    return count === 0 ? [] : [`${count} ${cellClass}`];
  });
  const what = isEnding ? "ending" : app.state === "failed" ? `the app fails: ${app.error?.code ?? ""}` : "living";
  return `${what}; cells: ${counts.join(", ") || "none"}`;
}
