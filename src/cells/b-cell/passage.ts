/**
 * What stands between whatever answers and the client's connection, and by itself passes everything on. Whoever extends it
 * says only what it does otherwise, and so cannot forget a part of what it passes on.
 */
import type { HttpErrorCode } from "../../http/http-error.ts";
import type { HeaderList, ResponseHead } from "../../http/message.ts";
import type { ClientSide } from "./carriage.ts";
import type { Carry, Conveyance } from "./conveyance.ts";

export abstract class Passage implements Conveyance, ClientSide {
  protected readonly client: ClientSide;
  protected readonly inner: Conveyance;

  constructor(client: ClientSide, carry: Carry) {
    this.client = client;
    this.inner = carry(this);
  }

  // From the client.

  start(): void {
    this.inner.start();
  }

  sendBody(chunk: Buffer): boolean {
    return this.inner.sendBody(chunk);
  }

  sendEnd(trailers: HeaderList): void {
    this.inner.sendEnd(trailers);
  }

  consumed(bytes: number): void {
    this.inner.consumed(bytes);
  }

  giveUp(): void {
    this.inner.giveUp();
  }

  cancel(reason: string): void {
    this.inner.cancel(reason);
  }

  // From whatever answers.

  inform(head: ResponseHead): void {
    this.client.inform(head);
  }

  respond(head: ResponseHead): void {
    this.client.respond(head);
  }

  body(chunk: Buffer): void {
    this.client.body(chunk);
  }

  end(trailers: HeaderList): void {
    this.client.end(trailers);
  }

  tunnel(): void {
    this.client.tunnel();
  }

  writable(): void {
    this.client.writable();
  }

  fail(code: HttpErrorCode, retryAfterSeconds: number | null, status?: number): void {
    this.client.fail(code, retryAfterSeconds, status);
  }

  cut(): void {
    this.client.cut?.();
  }
}
