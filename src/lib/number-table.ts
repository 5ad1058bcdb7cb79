/**
 * A table of values by number, for what comes and goes all the time: every request has its entry in some.
 *
 * Why not a Map: entries that come and go fill it with holes, it moves to a new table again and again, and in V8 each table keeps
 * the one that came after it. Once one of them has lived long enough to become old, all that follow are held by it although
 * nobody uses them, with every entry that they had when they were left: a drone carried 24 MB of finished requests through each
 * scavenge, 18 ms at a time (docs/PERFORMANCE.md). Here an entry that goes leaves nothing, and a table that is outgrown points nowhere.
 *
 * Open addressing with linear probing: keys and values lie in two arrays, and what follows a removed entry moves up.
 */
import { assert } from "./assert.ts";

/** A power of two. The table never shrinks; a slot takes 12 bytes. */
const slotsMin = 64;
/** The key of a slot that is free. */
const none = 0;

/** Keys are whole numbers from 1 to 2^32 - 1. */
export class NumberTable<V> {
  /** Invariant: keys and values have one length, a power of two, and at least half of the slots are free (key 0). */
  #keys = new Uint32Array(slotsMin);
  #values: Array<V | undefined> = emptySlots(slotsMin);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(key: number): boolean {
    return this.#size > 0 && this.#keys[this.#slotOf(key)] === key;
  }

  get(key: number): V | undefined {
    // A free slot holds no value.
    return this.#values[this.#slotOf(key)];
  }

  set(key: number, value: V): void {
    assert(Number.isInteger(key) && key > none && key <= 0xffff_ffff, "a key is a whole number from 1 to 2^32 - 1");
    let slot = this.#slotOf(key);
    if (this.#keys[slot] === none) {
      if (2 * (this.#size + 1) > this.#keys.length) {
        this.#grow();
        slot = this.#slotOf(key);
      }
      this.#keys[slot] = key;
      this.#size += 1;
    }
    this.#values[slot] = value;
  }

  /** False: there was none. */
  delete(key: number): boolean {
    const keys = this.#keys;
    const values = this.#values;
    const mask = keys.length - 1;
    let free = this.#slotOf(key);
    if (keys[free] === none) return false;
    this.#size -= 1;
    // What was put behind it because its own slot was taken must be found without it.
    for (let slot = (free + 1) & mask; keys[slot] !== none; slot = (slot + 1) & mask) {
      const detour = (slot - homeOf(keys[slot] as number, mask)) & mask;
      if (detour < ((slot - free) & mask)) continue;
      keys[free] = keys[slot] as number;
      values[free] = values[slot];
      free = slot;
    }
    keys[free] = none;
    values[free] = undefined;
    return true;
  }

  clear(): void {
    if (this.#size === 0) return;
    this.#keys.fill(none);
    this.#values.fill(undefined);
    this.#size = 0;
  }

  /** All that are there now, in no order. */
  values(): V[] {
    const all: V[] = [];
    for (let slot = 0; slot < this.#keys.length; slot += 1)
      if (this.#keys[slot] !== none) all.push(this.#values[slot] as V);
    return all;
  }

  /** Where the key is, or would be. */
  #slotOf(key: number): number {
    const keys = this.#keys;
    const mask = keys.length - 1;
    let slot = homeOf(key, mask);
    while (keys[slot] !== none && keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#keys = new Uint32Array(2 * keys.length);
    this.#values = emptySlots(2 * keys.length);
    for (let slot = 0; slot < keys.length; slot += 1) {
      const key = keys[slot] as number;
      if (key === none) continue;
      const place = this.#slotOf(key);
      this.#keys[place] = key;
      this.#values[place] = values[slot];
    }
  }
}

/** Counted-up keys lie side by side; that no two of a run share a slot is worth more than scattering. */
function homeOf(key: number, mask: number): number {
  return key & mask;
}

function emptySlots<V>(count: number): Array<V | undefined> {
  return Array.from({ length: count }, () => undefined);
}
