/**
 * Waiting for something to become true, with a bound and a reason.
 *
 * Tests never sleep for "long enough" and never assert on speed: they look again and again until what they wait for
 * is there. The bound only ends a test that would otherwise hang; it is so generous that a loaded machine does not reach it.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** A cell's birth takes tens of milliseconds; on a machine with other work to do, seconds. */
export const waitMsMax = 30_000;
const lookEveryMs = 40;

export interface UntilOptions {
  msMax?: number;
  /** Called when time is up: what to add to the message. */
  explain?: () => string | Promise<string>;
  /** A reason why there is no use in waiting on, or null. */
  abandon?: () => string | null;
}

/**
 * Looks until `look` gives something truthy, and returns that. What it throws counts as "not yet", and is
 * told if time runs out, with what was seen last.
 *
 * @example await until("two drones", async () => (await organism.count("drone")) === 2)
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<NonNullable<T>> {
  const msMax = options.msMax ?? waitMsMax;
  const deadline = performance.now() + msMax;
  let last: unknown;
  let abandoned: string | null = null;
  for (;;) {
    try {
      const seen = await look();
      if (seen) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    abandoned = options.abandon?.() ?? null;
    if (abandoned !== null || performance.now() > deadline) break;
    await sleep(lookEveryMs);
  }
  const explanation = await options.explain?.();
  throw new Error(
    [
      `waited ${abandoned === null ? `${msMax} ms ` : ""}in vain for: ${what}`,
      `last seen: ${describe(last)}`,
      ...(abandoned === null ? [] : [abandoned]),
      ...(explanation === undefined ? [] : [explanation]),
    ].join("\n"),
    last instanceof Error ? { cause: last } : undefined,
  );
}

/** The promise's value, or a failure that says what did not come. The timer does not outlive it. */
export async function within<T>(what: string, promise: Promise<T>, msMax = waitMsMax): Promise<T> {
  const timer = Promise.withResolvers<never>();
  const handle = setTimeout(() => timer.reject(new Error(`waited ${msMax} ms in vain for: ${what}`)), msMax);
  try {
    return await Promise.race([promise, timer.promise]);
  } finally {
    clearTimeout(handle);
  }
}

function describe(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
}
