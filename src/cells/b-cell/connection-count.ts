/**
 * How many connections each address holds, and whether it may have one more.
 *
 * It keeps one client, or one customer's network, from taking all places; it does not tell friend from foe, and somebody
 * with many addresses is the immune side's matter. An IPv6 client counts by its /64: it may take any address in it.
 * Proxies that are trusted stand for all their clients and are not counted.
 *
 * Invariant: each count is at least 1, so that there are no more entries than connections.
 */
import { assert } from "../../lib/assert.ts";
import { addressGroup } from "../../lib/ip-range.ts";

export class ConnectionCount {
  readonly #perAddressMax: number;
  readonly #isExempt: (address: string) => boolean;
  readonly #counts = new Map<string, number>();

  /** `perAddressMax` 0: no limit. */
  constructor(perAddressMax: number, isExempt: (address: string) => boolean) {
    this.#perAddressMax = perAddressMax;
    this.#isExempt = isExempt;
  }

  /** False: it has as many as it may have, and nothing was counted. Otherwise `leave` must follow. */
  enter(address: string): boolean {
    if (this.#perAddressMax === 0 || this.#isExempt(address)) return true;
    const group = addressGroup(address);
    const count = this.#counts.get(group) ?? 0;
    if (count >= this.#perAddressMax) return false;
    this.#counts.set(group, count + 1);
    return true;
  }

  leave(address: string): void {
    if (this.#perAddressMax === 0 || this.#isExempt(address)) return;
    const group = addressGroup(address);
    const count = this.#counts.get(group);
    assert(count !== undefined, "who leaves has entered");
    if (count > 1) this.#counts.set(group, count - 1);
    else this.#counts.delete(group);
  }

  /** Addresses that hold connections. */
  get addressCount(): number {
    return this.#counts.size;
  }
}
