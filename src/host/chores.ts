/**
 * What is to be done soon, but need not be done at once: one thing a turn of the event loop, in order.
 *
 * Four times a second a cell looks around, and asks, looks and tells a dozen things for it. Each takes a tenth of a millisecond or two;
 * all in one go are what the slowest hundredth of the requests would wait for.
 */
export class Chores {
  readonly #waiting: Array<() => void> = [];
  #next: NodeJS.Immediate | null = null;

  add(deed: () => void): void {
    this.#waiting.push(deed);
    this.#next ??= setImmediate(() => this.#doOne());
  }

  /** What is not done yet is left undone. */
  drop(): void {
    this.#waiting.length = 0;
    if (this.#next !== null) clearImmediate(this.#next);
    this.#next = null;
  }

  #doOne(): void {
    const deed = this.#waiting.shift();
    // Before the deed, which may drop all others, or throw.
    this.#next = this.#waiting.length === 0 ? null : setImmediate(() => this.#doOne());
    deed?.();
  }
}
