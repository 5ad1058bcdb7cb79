/**
 * Compresses an answer on its way to the client, in between whatever answers and the client's connection.
 *
 * The work is done by zlib's threads and not on the event loop. Memory is bounded by credit on both sides: the drone is
 * granted more once its bytes went into the compressor, and the compressor stands still while the client does not
 * take what came out. An answer of unknown length is flushed whenever the app pauses, so that what it has said so far arrives.
 */
import zlib from "node:zlib";
import { isNamed } from "../../http/field-names.ts";
import {
  compressedHead,
  planCompression,
  revalidatedHead,
  varied,
  type CompressionPolicy,
  type ContentCoding,
} from "../../http/content-coding.ts";
import type { HttpErrorCode } from "../../http/http-error.ts";
import type { ExchangeRequest, HeaderList, ResponseHead } from "../../http/message.ts";
import type { ClientSide } from "./carriage.ts";
import type { Carry } from "./conveyance.ts";
import { Passage } from "./passage.ts";

export const compressionLimits = {
  /** At work at a time in one B cell: each holds up to a megabyte. Answers beyond go out as they are. */
  compressorsMax: 256,
  /** Compressed and not taken by the client. */
  outBytesMax: 64 * 1024,
} as const;

/** Shared by all answers of a B cell. */
export interface Compressors {
  readonly policy: CompressionPolicy;
  atWork: number;
}

export class Compression extends Passage {
  readonly #shared: Compressors;
  readonly #request: ExchangeRequest;
  #encoder: Encoder | null = null;
  #flushKind = 0;
  #isOver = false;
  /** Given to the client's connection, not yet taken. */
  #outBytes = 0;
  /** What the app promised; null where it did not say. Enforced here, since the client is told another length. */
  #bytesLeft: number | null = null;
  #flushTimer: NodeJS.Immediate | null = null;
  #trailers: HeaderList = [];

  constructor(shared: Compressors, request: ExchangeRequest, client: ClientSide, carry: Carry) {
    super(client, carry);
    this.#shared = shared;
    this.#request = request;
  }

  // From the client.

  override consumed(bytes: number): void {
    if (this.#encoder === null) return this.inner.consumed(bytes);
    // What went in was granted anew then.
    this.#outBytes -= bytes;
    if (!this.#isOver && this.#outBytes < compressionLimits.outBytesMax) this.#encoder.resume();
  }

  override giveUp(): void {
    this.#release();
    super.giveUp();
  }

  override cancel(reason: string): void {
    this.#release();
    super.cancel(reason);
  }

  // From whatever answers.

  override respond(head: ResponseHead): void {
    const plan = planCompression(this.#request, head, this.#shared.policy);
    if (plan.kind === "never") return this.client.respond(revalidatedHead(this.#request, head));
    const isFull = this.#shared.atWork >= compressionLimits.compressorsMax;
    if (plan.kind === "identity" || isFull) return this.client.respond(varied(head));
    // Of HEAD only the head is answered, and it says what GET's would.
    if (this.#request.method !== "HEAD") this.#begin(plan.coding, head);
    this.client.respond(compressedHead(head, plan.coding));
  }

  override body(chunk: Buffer): void {
    const encoder = this.#encoder;
    if (encoder === null) return this.client.body(chunk);
    if (this.#bytesLeft !== null) {
      this.#bytesLeft -= chunk.length;
      if (this.#bytesLeft < 0) return this.#broke();
    }
    encoder.write(chunk, () => {
      if (this.#isOver) return;
      this.inner.consumed(chunk.length);
      this.#flushSoon();
    });
  }

  override end(trailers: HeaderList): void {
    const encoder = this.#encoder;
    if (encoder === null) return this.client.end(trailers);
    if (this.#bytesLeft !== null && this.#bytesLeft > 0) return this.#broke();
    this.#trailers = trailers;
    this.#cancelFlush();
    encoder.end();
  }

  override fail(code: HttpErrorCode, retryAfterSeconds: number | null, status?: number): void {
    this.#release();
    super.fail(code, retryAfterSeconds, status);
  }

  override cut(): void {
    this.#release();
    super.cut();
  }

  #begin(coding: ContentCoding, head: ResponseHead): void {
    this.#shared.atWork += 1;
    this.#bytesLeft = lengthOf(head);
    const encoder = makeEncoder[coding](this.#bytesLeft);
    this.#encoder = encoder;
    this.#flushKind = flushKinds[coding];
    encoder.on("data", (chunk: Buffer) => this.#compressed(chunk));
    encoder.on("end", () => {
      if (this.#isOver) return;
      this.#release();
      this.client.end(this.#trailers);
    });
    encoder.on("error", () => {
      if (!this.#isOver) this.#broke();
    });
  }

  #compressed(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#outBytes += chunk.length;
    if (this.#outBytes >= compressionLimits.outBytesMax) this.#encoder?.pause();
    this.client.body(chunk);
  }

  /** Only where nobody knows when the next piece comes: a flush costs some bytes. */
  #flushSoon(): void {
    if (this.#bytesLeft !== null || this.#flushTimer !== null) return;
    this.#flushTimer = setImmediate(() => {
      this.#flushTimer = null;
      const encoder = this.#encoder;
      // While it still has work, there is more to say in one go.
      if (encoder !== null && !encoder.writableEnded && encoder.writableLength === 0) {
        encoder.flush(this.#flushKind);
      }
    });
  }

  #cancelFlush(): void {
    if (this.#flushTimer !== null) clearImmediate(this.#flushTimer);
    this.#flushTimer = null;
  }

  /** The answer cannot be completed as it was promised. */
  #broke(): void {
    this.#release();
    this.inner.cancel("the answer is not what it promised to be");
    this.client.fail("CELLWS_HTTP_APP_RESPONSE", null);
  }

  #release(): void {
    if (this.#encoder === null || this.#isOver) return;
    this.#isOver = true;
    this.#cancelFlush();
    this.#shared.atWork -= 1;
    // After its end that frees its memory now and not at the next collection.
    this.#encoder.destroy();
  }
}

type Encoder = zlib.Gzip | zlib.BrotliCompress | zlib.ZstdCompress;

/**
 * Levels at which text shrinks most for its time; windows of half a megabyte, since the default of brotli would take
 * several for each answer.
 */
const makeEncoder: Record<ContentCoding, (bytes: number | null) => Encoder> = {
  gzip: () => zlib.createGzip({ level: 6 }),
  br: (bytes) =>
    zlib.createBrotliCompress({
      flush: zlib.constants.BROTLI_OPERATION_PROCESS,
      params: {
        [zlib.constants.BROTLI_PARAM_QUALITY]: 4,
        [zlib.constants.BROTLI_PARAM_LGWIN]: 19,
        ...(bytes === null ? {} : { [zlib.constants.BROTLI_PARAM_SIZE_HINT]: Math.min(bytes, 2 ** 30) }),
      },
    }),
  zstd: () =>
    zlib.createZstdCompress({
      params: { [zlib.constants.ZSTD_c_compressionLevel]: 3, [zlib.constants.ZSTD_c_windowLog]: 19 },
    }),
};

/** Out with what there is, and on with the same stream: the defaults would begin anew, or end it. */
const flushKinds: Record<ContentCoding, number> = {
  gzip: zlib.constants.Z_SYNC_FLUSH,
  br: zlib.constants.BROTLI_OPERATION_FLUSH,
  zstd: zlib.constants.ZSTD_e_flush,
};

function lengthOf({ headers }: ResponseHead): number | null {
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i] as string, "content-length")) return Number(headers[i + 1]);
  }
  return null;
}
