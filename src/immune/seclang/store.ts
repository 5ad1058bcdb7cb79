/** A collection that rules write (TX and its like): values by names in lower case, in the order in which names came. */
export interface Store extends Iterable<[string, string]> {
  readonly size: number;
  readonly get: (name: string) => string | undefined;
  readonly has: (name: string) => boolean;
  readonly set: (name: string, value: string) => unknown;
  readonly delete: (name: string) => boolean;
}

/** What many stores begin with, and share. */
export interface StoreBase {
  readonly values: ReadonlyMap<string, string>;
  /** For each selecting pattern that was asked about, the names that it finds. */
  readonly found: Map<NamePattern, readonly string[]>;
}

export type NamePattern = Pick<RegExp, "test">;

export const storeBase = (values: ReadonlyMap<string, string>): StoreBase => ({ values, found: new Map() });

/**
 * A store that begins with what a rule set's configuration puts there, the same in every exchange: that is neither
 * copied nor searched again, only what is set on top of it.
 */
export class LayeredStore implements Store {
  #base: StoreBase;
  #own = new Map<string, string>();
  /** Names of the base that have a value of their own here. */
  #hidden = 0;

  constructor(base: StoreBase) {
    this.#base = base;
  }

  get size(): number {
    return this.#base.values.size + this.#own.size - this.#hidden;
  }

  get(name: string): string | undefined {
    return this.#own.get(name) ?? this.#base.values.get(name);
  }

  has(name: string): boolean {
    return this.#own.has(name) || this.#base.values.has(name);
  }

  set(name: string, value: string): void {
    const before = this.#own.size;
    this.#own.set(name, value);
    if (this.#own.size > before && this.#base.values.has(name)) this.#hidden += 1;
  }

  delete(name: string): boolean {
    // Rare: what configures is seldom taken back. A name that comes again then comes last, as in any map.
    if (this.#base.values.has(name)) this.#flatten();
    return this.#own.delete(name);
  }

  *[Symbol.iterator](): Generator<[string, string]> {
    for (const [name, value] of this.#base.values) yield [name, this.#own.get(name) ?? value];
    for (const entry of this.#own) if (!this.#base.values.has(entry[0])) yield entry;
  }

  /** Calls back with those whose name the pattern finds. */
  eachFound(pattern: NamePattern, add: (name: string, value: string) => void): void {
    const { values, found } = this.#base;
    let names = found.get(pattern);
    if (names === undefined) {
      names = [...values.keys()].filter((name) => pattern.test(name));
      found.set(pattern, names);
    }
    for (const name of names) add(name, this.get(name)!);
    for (const [name, value] of this.#own) if (pattern.test(name) && !values.has(name)) add(name, value);
  }

  #flatten(): void {
    this.#own = new Map(this);
    this.#base = EMPTY;
    this.#hidden = 0;
  }
}

const EMPTY = storeBase(new Map());
