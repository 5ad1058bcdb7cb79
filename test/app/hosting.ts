/** What the tests of src/app share: a registry and a way to pass exchanges to servers, without loading a file. */
import type * as net from "node:net";
import type { AppEvent } from "../../src/app/app-event.ts";
import { converse, type Conversation } from "../../src/app/conversation.ts";
import { answer, hookListen } from "../../src/app/listen-hook.ts";
import { ServerRegistry, type ListenerAddress } from "../../src/app/server-registry.ts";
import type { FakeExchange } from "./fake-exchange.ts";

export interface TestHostingOptions {
  listeners?: ListenerAddress[];
  /** Off: only what is given to `serve` is hosted, and other servers of the process really listen. */
  hook?: boolean;
}

export class TestHosting {
  readonly events: AppEvent[] = [];
  readonly registry: ServerRegistry;
  readonly conversations = new Set<Conversation>();
  private readonly unhook: () => void;

  constructor({ listeners = [{ host: "192.0.2.1", port: 8080 }], hook = true }: TestHostingOptions = {}) {
    this.registry = new ServerRegistry(listeners, (event) => this.events.push(event));
    this.registry.destroyConnections = (server) => {
      for (const { hosted, socket } of this.conversations) if (hosted.server === server) socket.destroy();
    };
    this.unhook = hook ? hookListen(this.registry) : () => {};
  }

  /** Lets `server` be the one that answers, and resolves when it says that it listens. */
  async serve<T extends net.Server>(server: T, port = 8080): Promise<T> {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      answer(this.registry, server, { port, host: null, callback: resolve, signal: null, standIn: false });
    });
    return server;
  }

  handle(exchange: FakeExchange): Conversation {
    const hosted = this.registry.serverFor(exchange.request.listener);
    if (hosted === null) throw new Error("no server listens");
    const conversation = converse(exchange, hosted, {
      onEvent: (event) => this.events.push(event),
      onOver: (over) => this.conversations.delete(over),
    });
    if (!conversation.over) this.conversations.add(conversation);
    return conversation;
  }

  /** Handles `exchange` and waits for its end. */
  async answer(exchange: FakeExchange): Promise<FakeExchange> {
    this.handle(exchange);
    await exchange.done;
    return exchange;
  }

  codes(): string[] {
    return this.events.map(({ code }) => code);
  }

  close(): void {
    this.unhook();
  }
}

/** Runs `act` with a hosting of its own. */
export async function hosted(
  act: (hosting: TestHosting) => Promise<void>,
  options: TestHostingOptions = {},
): Promise<void> {
  const hosting = new TestHosting(options);
  try {
    await act(hosting);
  } finally {
    hosting.close();
  }
}

/** Waits until `ready`, looking once a turn of the event loop. */
export async function until(ready: () => boolean, turnsMax = 20_000): Promise<void> {
  for (let turn = 0; !ready(); turn += 1) {
    if (turn > turnsMax) throw new Error("it did not come about");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function turns(count = 10): Promise<void> {
  let turn = 0;
  return until(() => (turn += 1) > count);
}
