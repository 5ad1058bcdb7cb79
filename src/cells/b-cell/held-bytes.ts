/**
 * What a B cell holds for all its clients together: answers on their way to who reads slowly, bodies that wait or are kept for a retry.
 *
 * Each stream is bounded by its window, but windows times clients is more than a machine has. This only counts, and says when
 * it is too much; who has to go the ingress decides. It counts what it can name, which is the bulk of it and no more.
 */
export class HeldBytes {
  readonly #bytesMax: number;
  readonly #onExcess: () => void;
  #bytes = 0;

  constructor(bytesMax: number, onExcess: () => void) {
    this.#bytesMax = bytesMax;
    this.#onExcess = onExcess;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isExceeded(): boolean {
    return this.#bytes > this.#bytesMax;
  }

  /** Negative: they are held no longer. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (bytes > 0 && this.isExceeded) this.#onExcess();
  }
}
