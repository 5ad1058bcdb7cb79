/**
 * A fast 32-bit string hash for *spreading* (who of several equals acts), never for security.
 * FNV-1a over the UTF-16 units, finished with murmur3's avalanche, so that near keys part ways.
 */
export function hash32(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let i = 0; i < text.length; i += 1) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01_00_01_93);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85_eb_ca_6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2_b2_ae_35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Rendezvous hashing: where `id` stands (0 = first) among `ids` for `key`. Everyone who knows the same ids computes
 * the same order, no one is asked, and when an id leaves only its own place moves (Thaler and Ravishankar, 1998).
 * `id` itself need not be in `ids`.
 */
export function rendezvousRank(key: string, id: string, ids: Iterable<string>): number {
  const own = hash32(`${key}/${id}`);
  let rank = 0;
  for (const other of ids) {
    if (other === id) continue;
    const weight = hash32(`${key}/${other}`);
    if (weight < own || (weight === own && other < id)) rank += 1;
  }
  return rank;
}

/** The `count` of `ids` that stand first, in that order: those of `rendezvousRank` 0 to `count` - 1, each hashed once. */
export function bestRanked(key: string, ids: readonly string[], count: number): string[] {
  const weighed = ids.map((id) => ({ id, weight: hash32(`${key}/${id}`) }));
  weighed.sort((a, b) => a.weight - b.weight || (a.id < b.id ? -1 : 1));
  return weighed.slice(0, count).map(({ id }) => id);
}
