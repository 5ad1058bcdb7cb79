/** Two ends of a real Unix socket in this process, and a request to send over it. For tests of the request path. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ExchangeListener } from "../../src/app/exchange.ts";
import type { StreamHandlers } from "../../src/host/axon-link.ts";
import type { ExchangeRequest, HeaderList, ResponseHead } from "../../src/http/message.ts";

export interface SocketPair {
  client: net.Socket;
  server: net.Socket;
  close(): void;
}

export async function socketPair(): Promise<SocketPair> {
  const folder = mkdtempSync(path.join(tmpdir(), "cellws-test-"));
  const listener = net.createServer({ allowHalfOpen: false }).listen(path.join(folder, "s"));
  await once(listener, "listening");
  const accepted = once(listener, "connection");
  const client = net.connect(path.join(folder, "s"));
  const [server] = (await accepted) as [net.Socket];
  if (client.connecting) await once(client, "connect");
  listener.close();
  return {
    client,
    server,
    close() {
      client.destroy();
      server.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function exchangeRequest(changes: Partial<ExchangeRequest> = {}): ExchangeRequest {
  return {
    method: "GET",
    target: "/",
    versionMinor: 1,
    headers: ["host", "example.org"],
    remoteAddress: "127.0.0.1",
    remotePort: 40000,
    localAddress: "127.0.0.1",
    localPort: 8080,
    encrypted: false,
    listener: 0,
    requestId: "r1",
    hasBody: false,
    upgrade: false,
    ...changes,
  };
}

/** Everything that happened to a stream, in order, and promises for it. */
export class StreamRecorder implements StreamHandlers {
  readonly events: string[] = [];
  readonly chunks: Buffer[] = [];
  head: ResponseHead | null = null;
  trailers: HeaderList | null = null;
  bodyBytes = 0;
  #waiting: Array<{ event: string; resolve: () => void }> = [];
  onBody: ((chunk: Buffer) => void) | null = null;
  onWritable: (() => void) | null = null;

  /** Resolves once `event` (the word, or its beginning) has been recorded. */
  async seen(event: string): Promise<void> {
    if (this.events.some((known) => known.startsWith(event))) return;
    await new Promise<void>((resolve) => this.#waiting.push({ event, resolve }));
  }

  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  begun(): void {
    this.#record("begun");
  }
  inform(head: ResponseHead): void {
    this.#record(`inform ${head.status}`);
  }
  respond(head: ResponseHead): void {
    this.head = head;
    this.#record(`respond ${head.status}`);
  }
  body(chunk: Buffer): void {
    this.bodyBytes += chunk.length;
    if (this.onBody) this.onBody(chunk);
    else this.chunks.push(chunk);
  }
  end(trailers: HeaderList): void {
    this.trailers = trailers;
    this.#record("end");
  }
  tunnel(): void {
    this.#record("tunnel");
  }
  writable(): void {
    this.#record("writable");
    this.onWritable?.();
  }
  reset(code: string): void {
    this.#record(`reset ${code}`);
  }
  lost(how: { begun: boolean; responded: boolean }): void {
    this.#record(`lost${how.begun ? " begun" : ""}${how.responded ? " responded" : ""}`);
  }

  #record(event: string): void {
    this.events.push(event);
    this.#waiting = this.#waiting.filter(({ event: wanted, resolve }) => {
      if (!event.startsWith(wanted)) return true;
      resolve();
      return false;
    });
  }
}

/** A listener that remembers. */
export class ListenerRecorder implements ExchangeListener {
  readonly chunks: Buffer[] = [];
  bodyBytes = 0;
  trailers: HeaderList | null = null;
  cancelReason: string | null = null;
  onBody: ((chunk: Buffer) => void) | null = null;
  onEnd: (() => void) | null = null;
  onCancel: (() => void) | null = null;
  onWritable: (() => void) | null = null;

  body(chunk: Buffer): void {
    this.bodyBytes += chunk.length;
    if (this.onBody) this.onBody(chunk);
    else this.chunks.push(chunk);
  }
  end(trailers: HeaderList): void {
    this.trailers = trailers;
    this.onEnd?.();
  }
  cancel(reason: string): void {
    this.cancelReason = reason;
    this.onCancel?.();
  }
  writable(): void {
    this.onWritable?.();
  }
}

/** For what should happen at once: long enough for any machine, short enough to see which wait it was. */
const PATIENCE_MS = 20_000;

/** Waits until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Lets everything that is on its way between sockets of this process arrive. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}
