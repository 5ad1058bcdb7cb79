/**
 * A drone in small: hosts the app named on its command line, sends it the requests it is told of, and prints as
 * JSON what came of it. A process of its own, since argv, env and the listen hook belong to the process.
 */
import type { AppEvent } from "../../src/app/app-event.ts";
import { hostApp } from "../../src/app/host.ts";
import { FakeExchange } from "./fake-exchange.ts";

export interface ChildOrder {
  path: string;
  listeners?: Array<{ host: string; port: number }>;
  env?: Record<string, string>;
  listenTimeoutMs?: number;
  /** Targets to ask for, one after the other, each after so many milliseconds. */
  requests?: Array<{ target: string; listener?: number; afterMs?: number }>;
}

export interface ChildReport {
  failure: { code: string; message: string; stack?: string; hint?: string } | null;
  kind?: string;
  description?: string;
  answers: Array<{ status: number | null; text: string }>;
  inFlight?: number;
  events: AppEvent[];
}

/** Tells the report from what the app prints. */
export const MARK = "REPORT:";

if (process.argv[2] !== undefined) await main(JSON.parse(process.argv[2]) as ChildOrder);

async function main(order: ChildOrder): Promise<void> {
  // A drone has handles of its own; without one, a process that waits for nothing ends.
  setInterval(() => {}, 1000);
  const events: AppEvent[] = [];
  const hosting = await hostApp({
    path: order.path,
    listeners: order.listeners ?? [{ host: "127.0.0.1", port: 8080 }],
    env: order.env ?? {},
    listenTimeoutMs: order.listenTimeoutMs ?? 10_000,
    onEvent: (event) => events.push(event),
  });
  if (!hosting.ok) return report({ failure: hosting.failure, answers: [], events });
  const { app } = hosting;
  const answers: ChildReport["answers"] = [];
  for (const { target, listener = 0, afterMs = 0 } of order.requests ?? [{ target: "/" }]) {
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    const exchange = new FakeExchange({ target, listener });
    app.handle(exchange);
    await exchange.done;
    answers.push({ status: exchange.head?.status ?? null, text: exchange.text });
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { kind, description, inFlight } = app;
  app.close();
  report({ failure: null, kind, description, inFlight, answers, events });
}

function report(what: ChildReport): void {
  process.stdout.write(`\n${MARK}${JSON.stringify(what)}\n`, () => process.exit(0));
}
