/** A binary heap of items by time; among items of one time the first put in comes first, so that a history is one history. */

interface Entry<T> {
  readonly atMs: number;
  readonly order: number;
  readonly item: T;
}

export class TimeQueue<T> {
  readonly #heap: Entry<T>[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  add(atMs: number, item: T): void {
    const entry: Entry<T> = { atMs, order: this.#order, item };
    this.#order += 1;
    let at = this.#heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent] as Entry<T>;
      if (!isBefore(entry, above)) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = entry;
  }

  /** The earliest item that is due by `untilMs`, or null. */
  takeUntil(untilMs: number): Entry<T> | null {
    const first = this.#heap[0];
    if (first === undefined || first.atMs > untilMs) return null;
    const last = this.#heap.pop() as Entry<T>;
    if (this.#heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: Entry<T>): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry<T>, heap[child] as Entry<T>)) child += 1;
      const below = heap[child] as Entry<T>;
      if (!isBefore(below, entry)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = entry;
  }
}

function isBefore<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
