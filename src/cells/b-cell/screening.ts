/**
 * Holds a request before the guard on its way to whatever answers it: its head first, then its body, or as much of it as
 * the guard wants to see. Nothing of a request goes on before that much of it has passed; what comes behind goes on as it
 * comes. So an upload of gigabytes holds its first part in memory, and no more.
 *
 * It stands between the client's connection and everything else that answers (files, redirects, compression, the app),
 * and neither knows. A client that waits to be told to go on is told so here, once its head has passed: the app, which would
 * tell it, hears of the request only when its body is there.
 */
import type { HttpErrorCode } from "../../http/http-error.ts";
import type { ExchangeRequest, HeaderList, ResponseHead } from "../../http/message.ts";
import type { Examination, Ruling } from "../../host/immune/examination.ts";
import { onRuling } from "../../host/immune/examination.ts";
import type { ClientSide } from "./carriage.ts";
import type { Conveyance, Heard } from "./conveyance.ts";
import type { HeldBytes } from "./held-bytes.ts";

export const screeningLimits = {
  /** Bytes that may come in while a head or body is being judged; then the client waits. */
  aheadBytesMax: 64 * 1024,
  /** When there is no room for what is to be judged. */
  retryAfterSeconds: 5,
} as const;

/** What all requests of a B cell share here. */
export interface ScreeningDesk {
  readonly held: HeldBytes;
  examine(request: ExchangeRequest, heard: Heard): Examination;
  /** Whether answers are examined: then a request is not over before its answer is. */
  readonly responses: boolean;
  /** Once for each request, when all that is to be known of it is. */
  conclude(examination: Examination, request: ExchangeRequest): void;
  /** The head of the answer to a request that has passed. */
  answered(request: ExchangeRequest, status: number): void;
}

/** Makes what answers a request that has passed. */
export type Pass = (client: ClientSide, examination: Examination) => Conveyance;

export class Screening implements Conveyance, ClientSide {
  readonly #desk: ScreeningDesk;
  readonly #request: ExchangeRequest;
  readonly #heard: Heard;
  readonly #client: ClientSide;
  readonly #pass: Pass;
  readonly #examination: Examination;
  /**
   * "judging": a ruling is awaited. "collecting": of the body there is not enough yet. "passing": it has passed, and what was kept
   * of it goes on. "open": all goes through. "closed": nothing does.
   */
  #state: "judging" | "collecting" | "passing" | "open" | "closed" = "judging";
  #inner: Conveyance | null = null;
  /** Of the body, not yet passed on. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #wantedBytes = 0;
  #trailers: HeaderList | null = null;
  #owesWritable = false;
  #isConcluded = false;

  constructor(desk: ScreeningDesk, request: ExchangeRequest, heard: Heard, client: ClientSide, pass: Pass) {
    this.#desk = desk;
    this.#request = request;
    this.#heard = heard;
    this.#client = client;
    this.#pass = pass;
    this.#examination = desk.examine(request, heard);
  }

  // From the client.

  start(): void {
    this.#await(this.#examination.head(), () => this.#headPassed());
  }

  sendBody(chunk: Buffer): boolean {
    switch (this.#state) {
      case "open":
        return this.#inner!.sendBody(chunk);
      case "closed":
        return true;
      case "judging":
      case "passing":
        this.#keep(chunk);
        return this.#orOwe(this.#keptBytes < this.#wantedBytes + screeningLimits.aheadBytesMax);
      case "collecting":
        this.#keep(chunk);
        if (this.#desk.held.isExceeded) {
          this.#close();
          this.#client.fail("CELLWS_HTTP_OVERLOADED", screeningLimits.retryAfterSeconds);
          return true;
        }
        if (this.#keptBytes > this.#wantedBytes) this.#judgeBody();
        // What has passed meanwhile may already have been too much for who takes it.
        return this.#orOwe(this.#isTaking());
    }
  }

  sendEnd(trailers: HeaderList): void {
    if (this.#state === "open") return this.#inner!.sendEnd(trailers);
    this.#trailers = trailers;
    if (this.#state === "collecting") this.#judgeBody();
  }

  consumed(bytes: number): void {
    this.#inner?.consumed(bytes);
  }

  giveUp(): void {
    this.#inner?.giveUp();
    this.#close();
  }

  cancel(reason: string): void {
    this.#inner?.cancel(reason);
    this.#close();
  }

  // From whatever answers.

  inform(head: ResponseHead): void {
    this.#client.inform(head);
  }

  respond(head: ResponseHead): void {
    this.#desk.answered(this.#request, head.status);
    this.#client.respond(head);
  }

  body(chunk: Buffer): void {
    this.#client.body(chunk);
  }

  end(trailers: HeaderList): void {
    this.#conclude();
    this.#client.end(trailers);
  }

  tunnel(): void {
    this.#conclude();
    this.#client.tunnel();
  }

  /** The inner one has room: for what was kept first, then for what the client sends. */
  writable(): void {
    if (this.#state === "passing") return this.#passOn();
    this.#owesWritable = false;
    this.#client.writable();
  }

  fail(code: HttpErrorCode, retryAfterSeconds: number | null, status?: number): void {
    this.#inner = null;
    this.#close();
    this.#client.fail(code, retryAfterSeconds, status);
  }

  cut(): void {
    this.#inner = null;
    this.#close();
    this.#client.cut?.();
  }

  // Judging.

  #await(ruling: Ruling | Promise<Ruling>, passed: () => void): void {
    this.#state = "judging";
    void onRuling(ruling, (ruled) => {
      // The client may have left meanwhile.
      if (this.#state !== "judging") return;
      if (ruled.kind === "block") this.#refuse(ruled.status);
      else passed();
    });
  }

  #headPassed(): void {
    this.#wantedBytes = this.#request.hasBody ? this.#examination.bodyBytesWanted : 0;
    if (this.#wantedBytes === 0) return this.#judgeBody();
    if (this.#heard.expectsContinue && this.#keptBytes === 0 && this.#trailers === null) {
      this.#client.inform({ status: 100, reason: "Continue", headers: [] });
    }
    this.#state = "collecting";
    if (this.#trailers !== null || this.#keptBytes > this.#wantedBytes) this.#judgeBody();
    else this.#tellOwed();
  }

  #judgeBody(): void {
    const isWanted = this.#wantedBytes > 0 && this.#keptBytes > 0;
    const body = isWanted ? beginningOf(this.#kept, this.#keptBytes, this.#wantedBytes + 1) : NO_BYTES;
    this.#await(this.#examination.body(body), () => this.#passed());
  }

  #passed(): void {
    if (!this.#desk.responses) this.#conclude();
    this.#state = "passing";
    const inner = this.#pass(this, this.#examination);
    this.#inner = inner;
    inner.start();
    // Its answer, or its refusal, may have come at once.
    if (this.#state === "passing") this.#passOn();
  }

  #refuse(status: number | null): void {
    this.#close();
    refuse(this.#client, status);
  }

  // The body on its way.

  #keep(chunk: Buffer): void {
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    this.#desk.held.add(chunk.length);
  }

  #passOn(): void {
    const inner = this.#inner!;
    let hasRoom = true;
    let at = 0;
    while (hasRoom && at < this.#kept.length) {
      const chunk = this.#kept[at]!;
      at += 1;
      this.#keptBytes -= chunk.length;
      this.#desk.held.add(-chunk.length);
      hasRoom = inner.sendBody(chunk);
      // It may have answered, or failed, while it took the piece.
      if (this.#state !== "passing") return;
    }
    this.#kept.splice(0, at);
    if (this.#kept.length > 0) return;
    this.#state = "open";
    if (this.#trailers !== null) inner.sendEnd(this.#trailers);
    else if (hasRoom) this.#tellOwed();
    else this.#owesWritable = true;
  }

  #isTaking(): boolean {
    switch (this.#state) {
      case "collecting":
      case "closed":
        return true;
      case "judging":
      case "passing":
        return this.#keptBytes < this.#wantedBytes + screeningLimits.aheadBytesMax;
      case "open":
        return !this.#owesWritable;
    }
  }

  #orOwe(isTaking: boolean): boolean {
    if (!isTaking) this.#owesWritable = true;
    return isTaking;
  }

  #tellOwed(): void {
    if (!this.#owesWritable) return;
    this.#owesWritable = false;
    this.#client.writable();
  }

  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#desk.held.add(-this.#keptBytes);
    this.#kept = [];
    this.#keptBytes = 0;
    this.#conclude();
  }

  #conclude(): void {
    if (this.#isConcluded) return;
    this.#isConcluded = true;
    this.#desk.conclude(this.#examination, this.#request);
  }
}

/** Tells the client what a ruling says: `status` null: nothing at all. */
export function refuse(client: ClientSide, status: number | null): void {
  if (status === null && client.cut !== undefined) client.cut();
  else client.fail("CELLWS_HTTP_REFUSED", null, status ?? undefined);
}

const NO_BYTES = Buffer.alloc(0);

function beginningOf(chunks: readonly Buffer[], bytes: number, bytesMax: number): Buffer {
  return chunks.length === 1 ? chunks[0]!.subarray(0, bytesMax) : Buffer.concat(chunks, Math.min(bytes, bytesMax));
}
