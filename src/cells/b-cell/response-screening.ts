/**
 * Holds an answer of the app before the guard on its way out: its head, and of texts their beginning, until it is
 * known that they leak nothing. Only where the DNA asks for it (`immune.responses`), since it costs memory and the first
 * byte's time. What has passed, or what rules do not want to see, goes through as it comes.
 *
 * It stands nearest to the app, inside compression: a text that the app itself has compressed is not looked into.
 */
import { isNamed } from "../../http/field-names.ts";
import type { HttpErrorCode } from "../../http/http-error.ts";
import type { ExchangeRequest, HeaderList, ResponseHead } from "../../http/message.ts";
import type { Examination, Ruling } from "../../host/immune/examination.ts";
import { onRuling } from "../../host/immune/examination.ts";
import type { ClientSide } from "./carriage.ts";
import type { Carry } from "./conveyance.ts";
import type { HeldBytes } from "./held-bytes.ts";
import { Passage } from "./passage.ts";
import { refuse } from "./screening.ts";

export class ResponseScreening extends Passage {
  readonly #held: HeldBytes;
  readonly #request: ExchangeRequest;
  readonly #examination: Examination;
  /** As in screening.ts; "before": no answer has come yet. */
  #state: "before" | "judging" | "collecting" | "open" | "closed" = "before";
  #head: ResponseHead | null = null;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #wantedBytes = 0;
  #trailers: HeaderList | null = null;
  /** Granted to the app when it was kept, so not again when the client has taken it. */
  #prepaidBytes = 0;

  constructor(
    { held, examination }: { held: HeldBytes; examination: Examination },
    request: ExchangeRequest,
    client: ClientSide,
    carry: Carry,
  ) {
    super(client, carry);
    this.#held = held;
    this.#examination = examination;
    this.#request = request;
  }

  // From the client.

  override consumed(bytes: number): void {
    const prepaid = Math.min(bytes, this.#prepaidBytes);
    this.#prepaidBytes -= prepaid;
    if (bytes > prepaid) this.inner.consumed(bytes - prepaid);
  }

  override giveUp(): void {
    this.#close();
    super.giveUp();
  }

  override cancel(reason: string): void {
    this.#close();
    super.cancel(reason);
  }

  // From the app.

  override respond(head: ResponseHead): void {
    this.#head = head;
    this.#await(this.#examination.response(head), () => this.#headPassed(head));
  }

  override body(chunk: Buffer): void {
    if (this.#state === "open") return this.client.body(chunk);
    if (this.#state === "closed") return this.inner.consumed(chunk.length);
    this.#kept.push(chunk);
    this.#keptBytes += chunk.length;
    this.#held.add(chunk.length);
    if (this.#state !== "collecting") return;
    if (this.#keptBytes > this.#wantedBytes || this.#held.isExceeded) return this.#judgeBody();
    // The app's window is smaller than what is to be kept: without this it would wait for ever.
    this.#prepaidBytes += chunk.length;
    this.inner.consumed(chunk.length);
  }

  override end(trailers: HeaderList): void {
    if (this.#state === "open") return this.client.end(trailers);
    this.#trailers = trailers;
    if (this.#state === "collecting") this.#judgeBody();
  }

  override tunnel(): void {
    this.#state = "open";
    super.tunnel();
  }

  override fail(code: HttpErrorCode, retryAfterSeconds: number | null, status?: number): void {
    this.#close();
    super.fail(code, retryAfterSeconds, status);
  }

  override cut(): void {
    this.#close();
    super.cut();
  }

  #await(ruling: Ruling | Promise<Ruling>, passed: () => void): void {
    this.#state = "judging";
    void onRuling(ruling, (ruled) => {
      if (this.#state !== "judging") return;
      if (ruled.kind === "pass") return passed();
      this.#close();
      this.inner.cancel("the answer was refused by a rule");
      refuse(this.client, ruled.status);
    });
  }

  #headPassed(head: ResponseHead): void {
    const hasText = this.#request.method !== "HEAD" && !isEncoded(head);
    this.#wantedBytes = hasText ? this.#examination.responseBodyBytesWanted : 0;
    if (this.#wantedBytes === 0) return this.#judgeBody();
    this.#state = "collecting";
    if (this.#trailers !== null || this.#keptBytes > this.#wantedBytes) this.#judgeBody();
  }

  #judgeBody(): void {
    const body = this.#wantedBytes === 0 ? Buffer.alloc(0) : Buffer.concat(this.#kept, this.#keptBytes);
    this.#await(this.#examination.responseBody(body.subarray(0, this.#wantedBytes + 1)), () => this.#passed());
  }

  #passed(): void {
    const kept = this.#kept;
    this.#release();
    this.#state = "open";
    this.client.respond(this.#head!);
    for (const chunk of kept) this.client.body(chunk);
    if (this.#trailers !== null) this.client.end(this.#trailers);
  }

  #release(): void {
    this.#held.add(-this.#keptBytes);
    this.#kept = [];
    this.#keptBytes = 0;
  }

  #close(): void {
    this.#release();
    this.#state = "closed";
  }
}

function isEncoded({ headers }: ResponseHead): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i] as string, "content-encoding"))
      return (headers[i + 1] as string).toLowerCase() !== "identity";
  }
  return false;
}
