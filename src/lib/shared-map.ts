/**
 * Maps as values: the same map with one entry more, or less. Who makes the same change to the same map gets the same map.
 *
 * In one process there is one cell, and nothing is shared. In the simulator there are a hundred thousand that all take in the
 * same news; each with a copy of its own of what they all know would need the square of that in memory. Results are kept
 * beside the map that they were made from, and go when it goes. A map that was handed out is never changed.
 */

interface Successor {
  readonly value: unknown;
  readonly map: ReadonlyMap<unknown, unknown>;
}

const successors = new WeakMap<ReadonlyMap<unknown, unknown>, Map<unknown, Successor[]>>();

/** Changes remembered for each key of a map: news that a few cells found at once, each in its own words. */
const successorsMax = 64;
/** What stands for the lack of an entry. */
const gone = Symbol("gone");

export function mapWith<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return successor(map, key, value, (next) => next.set(key, value));
}

/** The very same map where it has no such entry. */
export function mapWithout<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  return map.has(key) ? successor(map, key, gone, (next) => next.delete(key)) : map;
}

function successor<K, V>(
  map: ReadonlyMap<K, V>,
  key: K,
  value: unknown,
  change: (next: Map<K, V>) => void,
): ReadonlyMap<K, V> {
  let made = successors.get(map);
  if (made === undefined) successors.set(map, (made = new Map()));
  let ofKey = made.get(key);
  if (ofKey === undefined) made.set(key, (ofKey = []));
  const known = ofKey.find((one) => one.value === value);
  if (known !== undefined) return known.map as ReadonlyMap<K, V>;
  const next = new Map(map);
  change(next);
  if (ofKey.length < successorsMax) ofKey.push({ value, map: next });
  return next;
}
