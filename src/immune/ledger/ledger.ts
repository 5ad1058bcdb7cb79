/**
 * The ledger: what a T cell knows of everybody who sends requests, by range and by kind of attack.
 *
 * Each range has buckets that fill with what is seen and empty by half in each half-life. Emptying in proportion is what
 * lets several T cells work together: decayed sums of parts are the decayed part of the sum, so each T cell keeps a
 * *share* of its own in every range, nobody writes into another's, and what a range has gathered is the sum of the shares.
 * A share carries its owner's version; of two editions the later holds. Merging is therefore the same in any order, any
 * grouping and however often (a state-based CRDT), and nothing is counted twice.
 *
 * It states facts and passes no sentence: that is judge.ts. It makes no clocks and no hashes of what it is told beyond
 * spreading; `salt` keeps outsiders from choosing values that fall together in a sketch.
 *
 * Bounded: at most `rangesMax` ranges. When there are more, of the `evictionSample` longest untouched the one with the least
 * pressure goes, so that a flood of harmless strangers does not wash out the memory of an attacker.
 */
import { assert } from "../../lib/assert.ts";
import { hash32 } from "../../lib/hash.ts";
import { attackClasses, classTraits, type AttackClass } from "./attack-class.ts";
import { weightOf, type Mark, type Sighting } from "./mark.ts";
import { childBadMax, childCleanMax, childPressureMax, ladderOf, rungs } from "./rungs.ts";
import { addToSketch, countDistinct, newSketch, type Sketch } from "./sketch.ts";

export interface LedgerOptions {
  /** This T cell's id. A cell that is born anew has a new one; what its predecessor knew goes on decaying. */
  readonly owner: string;
  /** The same in all T cells of an organism, and unknown outside. */
  readonly salt: string;
  /** Default: `rangesMaxInitially`. */
  readonly rangesMax?: number;
}

/** About a kilobyte each: 50 MB. */
export const rangesMaxInitially = 50_000;
/** Looked at when one of them must go. */
const evictionSample = 32;
/** A share without news for so long has lost all but a thousandth: ten half-lives. */
export const forgetMs = 10 * 600_000;
/** Ranges of which what was before is forgotten. */
const absolvedMax = 10_000;
/** Marks remembered so that none counts twice: a minute of a strong attack. */
const markIdsMax = 8_192;
/** T cells of one organism, with the predecessors that still decay. Those that say least go first. */
const ownersPerRangeMax = 32;
/** Requests, bad and clean, are counted over this. */
const trafficHalfLifeMs = 600_000;
/** A child that has gathered so much offends its parent's peace: one certain attack of five. */
const offendingPressureMin = 0.2;

/** One T cell's part in a range, as it is told to others. */
export interface SharedShare {
  readonly range: string;
  readonly owner: string;
  readonly version: number;
  readonly atMs: number;
  readonly levels: ReadonlyArray<readonly [AttackClass, number]>;
  readonly bad: number;
  readonly clean: number;
  readonly sketches: Readonly<Partial<Record<SketchName, SharedSketch>>>;
}
export type SharedSketch = readonly [window: number, current: string, previous: string | null];
type SketchName = "missing" | "paths" | "prints" | "children";
const sketchNames: readonly SketchName[] = ["missing", "paths", "prints", "children"];

/** What is known of a range at a moment, over all T cells. */
export interface Standing {
  readonly range: string;
  readonly family: 4 | 6;
  /** 0: one source. */
  readonly rung: number;
  /** Full buckets of harmful kinds. */
  readonly pressure: number;
  readonly byClass: ReadonlyMap<AttackClass, number>;
  /** The kind that adds most to the pressure. */
  readonly dominant: AttackClass | null;
  /** Full buckets of mere volume, for each client behind the source. */
  readonly volume: { readonly attackClass: AttackClass; readonly pressure: number };
  readonly bad: number;
  readonly clean: number;
  /** Of all requests, those that were bad; 0 where there were none. */
  readonly badShare: number;
  /** Ranges directly below that offended; about. */
  readonly children: number;
  /** Clients that could be told apart; 0: nobody told. About. */
  readonly clients: number;
}

interface Share {
  version: number;
  atMs: number;
  readonly levels: Map<AttackClass, number>;
  bad: number;
  clean: number;
  readonly sketches: Partial<Record<SketchName, Sketch>>;
}

interface Entry {
  readonly family: 4 | 6;
  readonly rung: number;
  readonly shares: Map<string, Share>;
  /** The newest of its shares. */
  atMs: number;
}

export class Ledger {
  readonly owner: string;
  readonly #salt: string;
  readonly #saltHash: number;
  readonly #rangesMax: number;
  /** By range; the longest untouched first. */
  readonly #entries = new Map<string, Entry>();
  readonly #markIds = new Set<string>();
  /** By range; the longest ago first. */
  readonly #absolvedMs = new Map<string, number>();
  #version = 0;
  #evicted = 0;

  constructor({ owner, salt, rangesMax = rangesMaxInitially }: LedgerOptions) {
    assert(rangesMax >= evictionSample, "a ledger has room for a sample at least");
    this.owner = owner;
    this.#salt = salt;
    this.#saltHash = hash32(salt);
    this.#rangesMax = rangesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Of this T cell's own shares: all that it has changed after a version is `delta(version)`. */
  get version(): number {
    return this.#version;
  }

  /** Ranges forgotten for want of room. */
  get evicted(): number {
    return this.#evicted;
  }

  /** The ranges that it concerns, narrowest first; none where it is known already or its client is no address. */
  observeMark(mark: Mark): readonly string[] {
    if (this.#markIds.has(mark.id)) return [];
    this.#markIds.add(mark.id);
    if (this.#markIds.size > markIdsMax) this.#markIds.delete(this.#markIds.values().next().value!);
    return this.#offend(mark.client, mark.atMs, mark.attackClass, weightOf(mark.score));
  }

  observe(sighting: Sighting): readonly string[] {
    const { client, atMs } = sighting;
    switch (sighting.kind) {
      case "clean":
        return this.#seeClean(sighting);
      case "missing":
        return this.#offend(client, atMs, "probing", 1, sighting.path);
      case "login":
        return sighting.failed
          ? this.#offend(client, atMs, "credentials", 1)
          : this.#seeClean({ kind: "clean", client, atMs, count: 1 });
      case "slow":
        return this.#offend(client, atMs, "slow", 1);
      case "protocol-error":
        return this.#offend(client, atMs, "protocol-error", 1);
    }
  }

  /** Null: nothing is known of this range. */
  standing(range: string, nowMs: number): Standing | null {
    const entry = this.#entries.get(range);
    return entry === undefined ? null : standingOf(range, entry, nowMs);
  }

  /** What is known of all ranges on a client's ladder, narrowest first. */
  ladder(client: string, nowMs: number): Standing[] {
    const ranges = ladderOf(client)?.ranges ?? [];
    return ranges.flatMap((range) => this.standing(range, nowMs) ?? []);
  }

  /** Every single source that is known, or those inside of a range: for looking over all of them, not for each request. */
  *sources(nowMs: number, inside?: string): Generator<Standing> {
    for (const [range, entry] of this.#entries) {
      if (entry.rung === 0 && (inside === undefined || isInside(range, inside))) yield standingOf(range, entry, nowMs);
    }
  }

  /** This T cell's own shares that changed after `version`. Those of others travel by their owners. */
  delta(version: number): SharedShare[] {
    const shares: SharedShare[] = [];
    for (const [range, entry] of this.#entries) {
      const own = entry.shares.get(this.owner);
      if (own !== undefined && own.version > version) shares.push(toShared(range, this.owner, own));
    }
    return shares;
  }

  /**
   * All shares of all owners: for a T cell that has just been born. With `badMin` only those that saw as many bad requests: for
   * keeping, since what is merely clean is soon seen again.
   */
  snapshot(badMin = 0): SharedShare[] {
    const shares: SharedShare[] = [];
    for (const [range, entry] of this.#entries) {
      for (const [owner, share] of entry.shares) if (share.bad >= badMin) shares.push(toShared(range, owner, share));
    }
    return shares;
  }

  /** Takes in others' shares. Returns the ranges that have changed by it. */
  merge(shares: readonly SharedShare[]): string[] {
    return shares.filter((share) => this.#mergeOne(share)).map(({ range }) => range);
  }

  /**
   * A person has lifted the ban on a range: what was gathered there until then counts no more, here and in what others tell of it
   * (who hear of the lifting, too). Else its next harmless request would bring the ban back.
   */
  absolve(range: string, atMs: number): void {
    this.#absolvedMs.delete(range);
    this.#absolvedMs.set(range, atMs);
    if (this.#absolvedMs.size > absolvedMax) this.#absolvedMs.delete(this.#absolvedMs.keys().next().value!);
    const entry = this.#entries.get(range);
    if (entry === undefined) return;
    for (const [owner, share] of entry.shares) if (share.atMs <= atMs) entry.shares.delete(owner);
    if (entry.shares.size === 0) this.#entries.delete(range);
  }

  /** Forgets what has faded. To be called now and then; nothing depends on when. */
  sweep(nowMs: number): void {
    for (const [range, entry] of this.#entries) {
      for (const [owner, { atMs }] of entry.shares) if (nowMs - atMs > forgetMs) entry.shares.delete(owner);
      if (entry.shares.size === 0) this.#entries.delete(range);
    }
  }

  /** Counts one bad request, on each rung what the rung below lets through. */
  #offend(client: string, atMs: number, attackClass: AttackClass, weight: number, path?: number): readonly string[] {
    const ladder = ladderOf(client);
    if (ladder === null) return [];
    const { full } = classTraits[attackClass];
    let units = weight / full;
    let bad = 1;
    for (const [rung, range] of ladder.ranges.entries()) {
      const entry = this.#touch(range, ladder.family, rung, atMs);
      const before = standingOf(range, entry, atMs);
      const share = this.#ownShare(entry, atMs);
      share.bad += bad * lateness(share, atMs, trafficHalfLifeMs);
      let isNew = true;
      if (rung === 0) {
        this.#fill(share, "flood", 1, atMs);
        if (path !== undefined) isNew = this.#sketch(share, "missing", path, atMs);
      }
      // One missing path is one however often it is asked for; distinct ones of a single source are in its sketch.
      if (path === undefined || rung > 0) this.#fill(share, attackClass, units * full, atMs);

      const parent = ladder.ranges[rung + 1];
      if (parent === undefined) break;
      units = isNew ? Math.min(units, Math.max(0, childPressureMax - before.pressure)) : 0;
      bad = Math.min(bad, Math.max(0, childBadMax - before.bad));
      if (standingOf(range, entry, atMs).pressure >= offendingPressureMin) {
        const parentEntry = this.#touch(parent, ladder.family, rung + 1, atMs);
        this.#sketch(this.#ownShare(parentEntry, atMs), "children", hash32(this.#salt + range), atMs);
      }
    }
    return ladder.ranges;
  }

  #seeClean({ client, atMs, count, print, path }: Sighting & { kind: "clean" }): readonly string[] {
    const ladder = ladderOf(client);
    if (ladder === null) return [];
    let clean = count;
    for (const [rung, range] of ladder.ranges.entries()) {
      const entry = this.#touch(range, ladder.family, rung, atMs);
      const before = trafficOf(entry, atMs).clean;
      const share = this.#ownShare(entry, atMs);
      share.clean += clean * lateness(share, atMs, trafficHalfLifeMs);
      clean = Math.min(clean, Math.max(0, childCleanMax - before));
      if (rung > 0) continue;
      this.#fill(share, "flood", count, atMs);
      if (print !== undefined) this.#sketch(share, "prints", print, atMs);
      if (path !== undefined) this.#sketch(share, "paths", path, atMs);
    }
    return ladder.ranges;
  }

  #fill(share: Share, attackClass: AttackClass, amount: number, atMs: number): void {
    if (amount === 0) return;
    const late = lateness(share, atMs, classTraits[attackClass].halfLifeMs);
    share.levels.set(attackClass, (share.levels.get(attackClass) ?? 0) + amount * late);
  }

  #sketch(share: Share, name: SketchName, value: number, atMs: number): boolean {
    const sketch = (share.sketches[name] ??= newSketch(atMs));
    return addToSketch(sketch, spread(value ^ this.#saltHash), atMs);
  }

  #touch(range: string, family: 4 | 6, rung: number, atMs: number): Entry {
    const known = this.#entries.get(range);
    if (known !== undefined) {
      known.atMs = Math.max(known.atMs, atMs);
      this.#entries.delete(range);
      this.#entries.set(range, known);
      return known;
    }
    if (this.#entries.size >= this.#rangesMax) this.#evict(atMs);
    const made: Entry = { family, rung, shares: new Map(), atMs };
    this.#entries.set(range, made);
    return made;
  }

  #evict(nowMs: number): void {
    let least: string | null = null;
    let leastPressure = Infinity;
    let looked = 0;
    for (const [range, entry] of this.#entries) {
      const { pressure } = standingOf(range, entry, nowMs);
      if (pressure < leastPressure) [least, leastPressure] = [range, pressure];
      looked += 1;
      if (looked === evictionSample || leastPressure === 0) break;
    }
    assert(least !== null, "a full ledger has something to forget");
    this.#entries.delete(least);
    this.#evicted += 1;
  }

  /** This T cell's share, decayed to `atMs`, as its next version. */
  #ownShare(entry: Entry, atMs: number): Share {
    this.#version += 1;
    const known = entry.shares.get(this.owner);
    if (known === undefined) {
      const made: Share = { version: this.#version, atMs, levels: new Map(), bad: 0, clean: 0, sketches: {} };
      entry.shares.set(this.owner, made);
      return made;
    }
    known.version = this.#version;
    if (atMs <= known.atMs) return known;
    for (const [attackClass, level] of known.levels) {
      const left = level * decay(atMs - known.atMs, classTraits[attackClass].halfLifeMs);
      if (left < levelMin) known.levels.delete(attackClass);
      else known.levels.set(attackClass, left);
    }
    const left = decay(atMs - known.atMs, trafficHalfLifeMs);
    known.bad *= left;
    known.clean *= left;
    known.atMs = atMs;
    return known;
  }

  #mergeOne(shared: SharedShare): boolean {
    // One's own share comes back from others: there is nothing in it that one did not know.
    if (shared.owner === this.owner) return false;
    if (shared.atMs <= (this.#absolvedMs.get(shared.range) ?? -Infinity)) return false;
    const place = placeOf(shared.range);
    if (place === null) return false;
    const known = this.#entries.get(shared.range);
    const before = known?.shares.get(shared.owner);
    if (before !== undefined && before.version >= shared.version) return false;
    const entry = known ?? this.#touch(shared.range, place.family, place.rung, shared.atMs);
    if (before === undefined && entry.shares.size >= ownersPerRangeMax) dropOldest(entry, this.owner);
    entry.shares.set(shared.owner, fromShared(shared));
    entry.atMs = Math.max(entry.atMs, shared.atMs);
    return true;
  }
}

/** Less than this in a bucket is nothing. */
const levelMin = 1e-6;

function decay(ageMs: number, halfLifeMs: number): number {
  return ageMs <= 0 ? 1 : 2 ** (-ageMs / halfLifeMs);
}

/** What came late has decayed on its way. */
function lateness(share: Share, atMs: number, halfLifeMs: number): number {
  return decay(share.atMs - atMs, halfLifeMs);
}

function standingOf(range: string, entry: Entry, nowMs: number): Standing {
  const byClass = new Map<AttackClass, number>();
  for (const share of entry.shares.values()) {
    for (const [attackClass, level] of share.levels) {
      const left = level * decay(nowMs - share.atMs, classTraits[attackClass].halfLifeMs);
      byClass.set(attackClass, (byClass.get(attackClass) ?? 0) + left);
    }
  }
  const distinct = (name: SketchName): number => {
    let sketches: Sketch[] | null = null;
    for (const share of entry.shares.values()) {
      const sketch = share.sketches[name];
      if (sketch !== undefined) (sketches ??= []).push(sketch);
    }
    return sketches === null ? 0 : countDistinct(sketches, nowMs);
  };
  const clients = distinct("prints");
  if (entry.rung === 0) {
    const missing = distinct("missing");
    if (missing > 0) byClass.set("probing", missing);
    const paths = distinct("paths");
    if (paths > 0) byClass.set("crawling", paths);
  }

  let pressure = 0;
  let dominant: AttackClass | null = null;
  let dominantPressure = 0;
  let volume: Standing["volume"] = { attackClass: "flood", pressure: 0 };
  for (const attackClass of attackClasses) {
    const level = byClass.get(attackClass);
    if (level === undefined) continue;
    const own = level / classTraits[attackClass].full;
    if (attackClass === "flood" || attackClass === "crawling") {
      const each = own / Math.max(1, clients);
      if (each > volume.pressure) volume = { attackClass, pressure: each };
      continue;
    }
    pressure += own;
    if (own > dominantPressure) [dominant, dominantPressure] = [attackClass, own];
  }
  const { bad, clean } = trafficOf(entry, nowMs);
  const badShare = bad + clean === 0 ? 0 : bad / (bad + clean);
  const { family, rung } = entry;
  const children = distinct("children");
  return { range, family, rung, pressure, byClass, dominant, volume, bad, clean, badShare, children, clients };
}

function trafficOf(entry: Entry, nowMs: number): { bad: number; clean: number } {
  let [bad, clean] = [0, 0];
  for (const share of entry.shares.values()) {
    const left = decay(nowMs - share.atMs, trafficHalfLifeMs);
    bad += share.bad * left;
    clean += share.clean * left;
  }
  return { bad, clean };
}

/** Which rung a canonical range stands on; null where it stands on none. */
function placeOf(range: string): { family: 4 | 6; rung: number } | null {
  const [address = "", bits] = range.split("/");
  const ladder = ladderOf(address);
  if (ladder === null) return null;
  const { family } = ladder;
  const prefixBits = bits === undefined ? 32 : Number(bits);
  const rung = rungs[family].findIndex((one) => one.prefixBits === prefixBits);
  return rung >= 0 && ladder.ranges[rung] === range ? { family, rung } : null;
}

/** Whether a source's ladder passes through `outer`, a range on some rung. */
function isInside(source: string, outer: string): boolean {
  return ladderOf(source.split("/")[0]!)?.ranges.includes(outer) === true;
}

function dropOldest(entry: Entry, except: string): void {
  let oldest: string | null = null;
  let oldestMs = Infinity;
  for (const [owner, { atMs }] of entry.shares) {
    if (owner !== except && atMs < oldestMs) [oldest, oldestMs] = [owner, atMs];
  }
  if (oldest !== null) entry.shares.delete(oldest);
}

function toShared(range: string, owner: string, share: Share): SharedShare {
  const sketches: Partial<Record<SketchName, SharedSketch>> = {};
  for (const name of sketchNames) {
    const sketch = share.sketches[name];
    if (sketch !== undefined)
      sketches[name] = [sketch.window, toText(sketch.current), sketch.previous && toText(sketch.previous)];
  }
  const { version, atMs, bad, clean } = share;
  return { range, owner, version, atMs, levels: [...share.levels], bad, clean, sketches };
}

function fromShared({ version, atMs, levels, bad, clean, sketches }: SharedShare): Share {
  const share: Share = { version, atMs, levels: new Map(levels), bad, clean, sketches: {} };
  for (const name of sketchNames) {
    const shared = sketches[name];
    if (shared === undefined) continue;
    const [window, current, previous] = shared;
    share.sketches[name] = {
      window,
      current: fromText(current),
      previous: previous === null ? null : fromText(previous),
    };
  }
  return share;
}

const toText = (bytes: Uint8Array<ArrayBuffer>): string => Buffer.from(bytes).toString("base64");
const fromText = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, "base64"));

/** Murmur3's finish: a value's every bit reaches every bit of the hash. */
function spread(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
