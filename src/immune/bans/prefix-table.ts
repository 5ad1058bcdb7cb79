/**
 * Who is banned? The longest prefix that holds an address, among up to 100,000 and more, for each accepted connection.
 *
 * A path-compressed binary trie for each family, kept in typed arrays, so that a hundred thousand prefixes are a few
 * megabytes and no objects. In front of it stands a table of 65,536 roots: a prefix lies below the root that a hash of
 * its first bits names, as many of them as its tier has (64, 48 or 32 for IPv6, 16 for IPv4, none for what is shorter). A
 * look-up asks the tiers that are in use, the longest first, and most of a walk's depth is gone before it begins.
 *
 * Walking down, only nodes that hold an entry compare their prefix: on the way to a wrong place there is nothing to be
 * found wrongly. An entry whose time is over counts as not there at once; `sweep` gives its place back later, some
 * nodes at a time. Time is passed in; the same clock must be used throughout.
 *
 * Invariant: a node without entry has two children. Node 0 is nobody.
 */
import { assert } from "../../lib/assert.ts";
import { formatIpRange, parseIpRange, type IpRange } from "../../lib/ip-range.ts";
import { newIpWords, rangeOfWords, readIpWords, wordsOfRange, type IpWords } from "../../lib/ip-words.ts";

/** What a prefix has against it. `action` is the caller's code, 1..255. */
export interface PrefixEntry {
  readonly action: number;
  readonly untilMs: number;
}

/** Prefixes beyond this are not taken: 100,000 is the aim, a million is a mistake somewhere. */
export const prefixesMax = 1_000_000;

export class PrefixTable {
  readonly #ipv4 = new Trie(1);
  readonly #ipv6 = new Trie(4);
  readonly #words = newIpWords();

  /** How many prefixes are there, over ones that nobody has swept yet included. */
  get size(): number {
    return this.#ipv4.entries + this.#ipv6.entries;
  }

  /** Of all arrays together. */
  get bytes(): number {
    return this.#ipv4.bytes + this.#ipv6.bytes;
  }

  /** Adds or replaces. False: `range` is none, or there is no room for it. */
  set(range: string | IpRange, { action, untilMs }: PrefixEntry): boolean {
    assert(Number.isInteger(action) && action >= 1 && action <= 255, "an action's code is 1..255");
    const place = this.#place(range);
    if (place === null || this.size >= prefixesMax) return false;
    place.trie.set(this.#words, place.prefixBits, action, untilMs);
    return true;
  }

  /** False: it was not there. */
  delete(range: string | IpRange): boolean {
    const place = this.#place(range);
    return place !== null && place.trie.delete(this.#words, place.prefixBits);
  }

  /** The entry of exactly this range, or null. */
  get(range: string | IpRange): PrefixEntry | null {
    const place = this.#place(range);
    return place === null ? null : place.trie.get(this.#words, place.prefixBits);
  }

  /**
   * The action of the longest prefix that holds `address` at `nowMs`; 0 where none does, or where `address` is none.
   * Allocates nothing.
   */
  actionFor(address: string, nowMs: number): number {
    const family = readIpWords(address, this.#words);
    if (family === 0) return 0;
    const trie = family === 4 ? this.#ipv4 : this.#ipv6;
    return trie.actionAt(trie.find(this.#words, nowMs));
  }

  /**
   * The greatest action of all prefixes in force that hold `address`, 0 where none does. Where codes are severities this is
   * what to enforce: an old delay for one address must not shelter it from its network's ban.
   */
  severityFor(address: string, nowMs: number): number {
    const family = readIpWords(address, this.#words);
    if (family === 0) return 0;
    return (family === 4 ? this.#ipv4 : this.#ipv6).strongest(this.#words, nowMs);
  }

  /** As `actionFor`, for an address that has been read already. */
  actionForWords(family: 4 | 6, words: IpWords, nowMs: number): number {
    const trie = family === 4 ? this.#ipv4 : this.#ipv6;
    return trie.actionAt(trie.find(words, nowMs));
  }

  /** As `actionFor`, with the range and its end: for logs and answers. */
  lookUp(address: string, nowMs: number): (PrefixEntry & { readonly range: string }) | null {
    const family = readIpWords(address, this.#words);
    if (family === 0) return null;
    const trie = family === 4 ? this.#ipv4 : this.#ipv6;
    const node = trie.find(this.#words, nowMs);
    return node === 0 ? null : { range: trie.rangeAt(node), action: trie.actionAt(node), untilMs: trie.untilAt(node) };
  }

  /** Removes what is over among the next `nodesMax` nodes of each family. Returns how many went. */
  sweep(nowMs: number, nodesMax: number): number {
    return this.#ipv4.sweep(nowMs, nodesMax) + this.#ipv6.sweep(nowMs, nodesMax);
  }

  #place(range: string | IpRange): { trie: Trie; prefixBits: number } | null {
    const read = typeof range === "string" ? parseIpRange(range) : range;
    if (read === null) return null;
    const { family, prefixBits } = wordsOfRange(read, this.#words);
    return { trie: family === 4 ? this.#ipv4 : this.#ipv6, prefixBits };
  }
}

const SLOT_BITS = 16;
/** The root of all prefixes that are too short for a tier of their own. */
const SHORT_SLOT = 1 << SLOT_BITS;
const NODES_INITIALLY = 64;
/** Bits that choose the root, longest first. Those of IPv6 are the rungs on which bans are passed, and a provider's own. */
const TIERS = { 1: [16, 0], 4: [64, 48, 32, 0] } as const;

class Trie {
  entries = 0;
  readonly #wordCount: 1 | 4;
  readonly #tiers: readonly number[];
  /** Entries in each tier: empty ones are not asked. */
  readonly #tierEntries: number[];
  /** Made with the first entry: most organisms never see an IPv6 ban. */
  #roots = new Uint32Array(0);
  #keys = new Uint32Array(0);
  #bits = new Uint8Array(0);
  /** 0: no entry. */
  #actions = new Uint8Array(0);
  #untilMs = new Float64Array(0);
  /** Two a node. */
  #children = new Uint32Array(0);
  #nodes = 1;
  /** Head of the list of free nodes, linked through their first child. */
  #free = 0;
  #sweepAt = 1;

  constructor(wordCount: 1 | 4) {
    this.#wordCount = wordCount;
    this.#tiers = TIERS[wordCount];
    this.#tierEntries = this.#tiers.map(() => 0);
  }

  get bytes(): number {
    const arrays = [this.#roots, this.#keys, this.#bits, this.#actions, this.#untilMs, this.#children];
    return arrays.reduce((sum, array) => sum + array.byteLength, 0);
  }

  actionAt(node: number): number {
    return node === 0 ? 0 : this.#actions[node]!;
  }

  untilAt(node: number): number {
    return this.#untilMs[node]!;
  }

  rangeAt(node: number): string {
    const at = node * this.#wordCount;
    const words = this.#keys.subarray(at, at + this.#wordCount);
    return formatIpRange(rangeOfWords(this.#wordCount === 1 ? 4 : 6, words, this.#bits[node]!));
  }

  /** The node of the longest prefix in force, or 0. */
  find(words: IpWords, nowMs: number): number {
    let best = 0;
    for (let tier = 0; tier < this.#tiers.length; tier += 1) {
      if (this.#tierEntries[tier] === 0) continue;
      const tierBits = this.#tiers[tier]!;
      const found = this.#findFrom(this.#roots[this.#slotOf(words, tierBits)]!, words, nowMs);
      // Tiers share the roots, so what is found below one may be an entry of another.
      if (found !== 0 && (best === 0 || this.#bits[found]! > this.#bits[best]!)) best = found;
      if (best !== 0 && this.#bits[best]! >= tierBits) return best;
    }
    return best;
  }

  #findFrom(root: number, words: IpWords, nowMs: number): number {
    const full = this.#wordCount * 32;
    let best = 0;
    let node = root;
    while (node !== 0) {
      if (this.#actions[node] !== 0) {
        // Whoever is not in here is in nothing below.
        if (!this.#holds(node, words)) break;
        if (this.#untilMs[node]! > nowMs) best = node;
      }
      const bits = this.#bits[node]!;
      if (bits === full) break;
      node = this.#children[node * 2 + bitAt(words, bits)]!;
    }
    return best;
  }

  /** The greatest action on the way, whatever its length. */
  strongest(words: IpWords, nowMs: number): number {
    const full = this.#wordCount * 32;
    let greatest = 0;
    for (let tier = 0; tier < this.#tiers.length; tier += 1) {
      if (this.#tierEntries[tier] === 0) continue;
      let node = this.#roots[this.#slotOf(words, this.#tiers[tier]!)]!;
      while (node !== 0) {
        const action = this.#actions[node]!;
        if (action !== 0) {
          if (!this.#holds(node, words)) break;
          if (action > greatest && this.#untilMs[node]! > nowMs) greatest = action;
        }
        const bits = this.#bits[node]!;
        if (bits === full) break;
        node = this.#children[node * 2 + bitAt(words, bits)]!;
      }
    }
    return greatest;
  }

  get(words: IpWords, prefixBits: number): PrefixEntry | null {
    const node = this.#exact(words, prefixBits);
    return node === 0 ? null : { action: this.#actions[node]!, untilMs: this.#untilMs[node]! };
  }

  set(words: IpWords, prefixBits: number, action: number, untilMs: number): void {
    if (this.#roots.length === 0) this.#roots = new Uint32Array(SHORT_SLOT + 1);
    const slot = this.#slotFor(words, prefixBits);
    let parent = 0;
    let side = 0;
    let node = this.#roots[slot]!;
    while (node !== 0) {
      const bits = this.#bits[node]!;
      const common = this.#commonBits(node, words, Math.min(bits, prefixBits));
      if (common < bits) {
        this.#insertAbove(node, common, { words, prefixBits, slot, parent, side, action, untilMs });
        return;
      }
      if (bits === prefixBits) {
        if (this.#actions[node] === 0) this.#count(prefixBits, 1);
        this.#actions[node] = action;
        this.#untilMs[node] = untilMs;
        return;
      }
      parent = node;
      side = bitAt(words, bits);
      node = this.#children[node * 2 + side]!;
    }
    this.#link(slot, parent, side, this.#create(words, prefixBits, action, untilMs));
  }

  #insertAbove(node: number, common: number, at: Insertion): void {
    const { words, prefixBits, slot, parent, side, action, untilMs } = at;
    const sideOfNode = this.#bitOfNode(node, common);
    const made = this.#create(words, prefixBits, action, untilMs);
    if (common === prefixBits) {
      this.#children[made * 2 + sideOfNode] = node;
      this.#link(slot, parent, side, made);
      return;
    }
    const fork = this.#create(words, common, 0, 0);
    this.#children[fork * 2 + sideOfNode] = node;
    this.#children[fork * 2 + (1 - sideOfNode)] = made;
    this.#link(slot, parent, side, fork);
  }

  delete(words: IpWords, prefixBits: number): boolean {
    if (this.entries === 0) return false;
    const slot = this.#slotFor(words, prefixBits);
    let grand = 0;
    let grandSide = 0;
    let parent = 0;
    let side = 0;
    let node = this.#roots[slot]!;
    while (node !== 0 && this.#bits[node]! < prefixBits) {
      [grand, grandSide, parent, side] = [parent, side, node, bitAt(words, this.#bits[node]!)];
      node = this.#children[node * 2 + side]!;
    }
    if (node === 0 || this.#bits[node] !== prefixBits || this.#actions[node] === 0) return false;
    if (!this.#holds(node, words)) return false;
    this.#actions[node] = 0;
    this.#count(prefixBits, -1);
    const [left, right] = [this.#children[node * 2]!, this.#children[node * 2 + 1]!];
    // With two children it goes on as a fork.
    if (left !== 0 && right !== 0) return true;
    const only = left === 0 ? right : left;
    this.#link(slot, parent, side, only);
    this.#release(node);
    // A fork that has lost one of its two has nothing to decide any more.
    if (only === 0 && parent !== 0 && this.#actions[parent] === 0) {
      this.#link(slot, grand, grandSide, this.#children[parent * 2 + (1 - side)]!);
      this.#release(parent);
    }
    return true;
  }

  sweep(nowMs: number, nodesMax: number): number {
    let gone = 0;
    const words = newIpWords();
    for (let looked = 0; looked < Math.min(nodesMax, this.#nodes - 1); looked += 1) {
      const node = this.#sweepAt;
      this.#sweepAt = node + 1 >= this.#nodes ? 1 : node + 1;
      if (this.#actions[node] === 0 || this.#untilMs[node]! > nowMs) continue;
      for (let i = 0; i < this.#wordCount; i += 1) words[i] = this.#keys[node * this.#wordCount + i]!;
      if (this.delete(words, this.#bits[node]!)) gone += 1;
    }
    return gone;
  }

  #exact(words: IpWords, prefixBits: number): number {
    if (this.entries === 0) return 0;
    let node = this.#roots[this.#slotFor(words, prefixBits)]!;
    while (node !== 0 && this.#bits[node]! < prefixBits) {
      node = this.#children[node * 2 + bitAt(words, this.#bits[node]!)]!;
    }
    const found =
      node !== 0 && this.#bits[node] === prefixBits && this.#actions[node] !== 0 && this.#holds(node, words);
    return found ? node : 0;
  }

  #tierOf(prefixBits: number): number {
    return this.#tiers.findIndex((bits) => prefixBits >= bits);
  }

  #slotFor(words: IpWords, prefixBits: number): number {
    return this.#slotOf(words, this.#tiers[this.#tierOf(prefixBits)]!);
  }

  #slotOf(words: IpWords, tierBits: number): number {
    switch (tierBits) {
      case 16:
        return words[0]! >>> 16;
      case 32:
        return mix(words[0]!) >>> SLOT_BITS;
      case 48:
        return mix(words[0]! ^ mix(words[1]! >>> 16)) >>> SLOT_BITS;
      case 64:
        return mix(words[0]! ^ mix(words[1]!)) >>> SLOT_BITS;
      default:
        return SHORT_SLOT;
    }
  }

  /** Whether the node's whole prefix is that of `words`. */
  #holds(node: number, words: IpWords): boolean {
    let bits = this.#bits[node]!;
    let at = node * this.#wordCount;
    let i = 0;
    while (bits >= 32) {
      if (this.#keys[at] !== words[i]) return false;
      bits -= 32;
      at += 1;
      i += 1;
    }
    return bits === 0 || (this.#keys[at]! ^ words[i]!) >>> (32 - bits) === 0;
  }

  /** How many leading bits they share, at most `bitsMax`. */
  #commonBits(node: number, words: IpWords, bitsMax: number): number {
    const at = node * this.#wordCount;
    for (let i = 0; i * 32 < bitsMax; i += 1) {
      const difference = this.#keys[at + i]! ^ words[i]!;
      if (difference !== 0) return Math.min(bitsMax, i * 32 + Math.clz32(difference));
    }
    return bitsMax;
  }

  #bitOfNode(node: number, bit: number): 0 | 1 {
    return ((this.#keys[node * this.#wordCount + (bit >> 5)]! >>> (31 - (bit & 31))) & 1) as 0 | 1;
  }

  #link(slot: number, parent: number, side: number, node: number): void {
    if (parent === 0) this.#roots[slot] = node;
    else this.#children[parent * 2 + side] = node;
  }

  #create(words: IpWords, prefixBits: number, action: number, untilMs: number): number {
    let node = this.#free;
    if (node === 0) {
      if (this.#nodes >= this.#bits.length) this.#grow();
      node = this.#nodes;
      this.#nodes += 1;
    } else this.#free = this.#children[node * 2]!;
    for (let i = 0; i < this.#wordCount; i += 1) {
      const bitsHere = Math.min(32, Math.max(0, prefixBits - 32 * i));
      const mask = bitsHere === 0 ? 0 : (0xffff_ffff << (32 - bitsHere)) >>> 0;
      this.#keys[node * this.#wordCount + i] = words[i]! & mask;
    }
    this.#bits[node] = prefixBits;
    this.#actions[node] = action;
    this.#untilMs[node] = untilMs;
    this.#children[node * 2] = 0;
    this.#children[node * 2 + 1] = 0;
    if (action !== 0) this.#count(prefixBits, 1);
    return node;
  }

  #count(prefixBits: number, difference: 1 | -1): void {
    this.entries += difference;
    this.#tierEntries[this.#tierOf(prefixBits)]! += difference;
  }

  #release(node: number): void {
    this.#actions[node] = 0;
    this.#children[node * 2] = this.#free;
    this.#free = node;
  }

  #grow(): void {
    const nodes = Math.max(NODES_INITIALLY, this.#bits.length + (this.#bits.length >> 1));
    const copy = <A extends Uint8Array | Uint32Array | Float64Array>(from: A, to: A): A => {
      to.set(from);
      return to;
    };
    this.#keys = copy(this.#keys, new Uint32Array(nodes * this.#wordCount));
    this.#bits = copy(this.#bits, new Uint8Array(nodes));
    this.#actions = copy(this.#actions, new Uint8Array(nodes));
    this.#untilMs = copy(this.#untilMs, new Float64Array(nodes));
    this.#children = copy(this.#children, new Uint32Array(nodes * 2));
  }
}

interface Insertion {
  readonly words: IpWords;
  readonly prefixBits: number;
  readonly slot: number;
  readonly parent: number;
  readonly side: number;
  readonly action: number;
  readonly untilMs: number;
}

/** Multiplicative hashing: its upper bits are the good ones. */
function mix(word: number): number {
  return Math.imul(word, 0x9e37_79b1) >>> 0;
}

function bitAt(words: IpWords, bit: number): 0 | 1 {
  return ((words[bit >> 5]! >>> (31 - (bit & 31))) & 1) as 0 | 1;
}
