/**
 * Bytes that will be written together: text and chunks in order, made into as few buffers as is worth while.
 *
 * A response's head and a short body become one buffer and one system call; a long chunk is passed on by reference,
 * since copying it would cost more than one more entry in the list of buffers.
 */

/** Longer chunks are not copied. */
const COPY_BYTES_MAX = 16 * 1024;

export class ByteBatch {
  #parts: Array<string | Uint8Array> = [];
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  /** Latin-1: each character is one byte. */
  text(latin1: string): void {
    this.#parts.push(latin1);
    this.#byteLength += latin1.length;
  }

  /** Must not be changed before it was written. */
  bytes(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#parts.push(chunk);
    this.#byteLength += chunk.length;
  }

  /** Everything added since the last call, in order; empty when there is nothing. */
  take(): Uint8Array[] {
    const parts = this.#parts;
    this.#parts = [];
    this.#byteLength = 0;
    const taken: Uint8Array[] = [];
    let from = 0;
    for (let i = 0; i <= parts.length; i += 1) {
      const part = parts[i];
      if (part !== undefined && part.length <= COPY_BYTES_MAX) continue;
      if (i > from) taken.push(joined(parts, from, i));
      if (part !== undefined) taken.push(typeof part === "string" ? Buffer.from(part, "latin1") : part);
      from = i + 1;
    }
    return taken;
  }

  /** Forgets everything that was not taken. */
  clear(): void {
    this.#parts = [];
    this.#byteLength = 0;
  }
}

function joined(parts: ReadonlyArray<string | Uint8Array>, from: number, to: number): Uint8Array {
  const only = parts[from];
  if (to - from === 1 && typeof only !== "string" && only !== undefined) return only;
  let byteLength = 0;
  for (let i = from; i < to; i += 1) byteLength += parts[i]?.length ?? 0;
  const buffer = Buffer.allocUnsafe(byteLength);
  let at = 0;
  for (let i = from; i < to; i += 1) {
    const part = parts[i] as string | Uint8Array;
    if (typeof part === "string") buffer.latin1Write(part, at, part.length);
    else buffer.set(part, at);
    at += part.length;
  }
  return buffer;
}
