/**
 * What bans may be at most, and whom they may never hit. One policy for all cells of an organism, out of its DNA: T cells
 * pass sentences within it, and every B cell judges by it again before it carries one out (`whyUnlawful`), so that a
 * T cell gone wrong bans nobody whom the DNA protects.
 */
import type { BanBody } from "../../core/record.ts";
import { banActions } from "../../core/record.ts";
import { ADDRESS_BITS, networkOf, parseIpRange, type IpRange } from "../../lib/ip-range.ts";
import { canonicalRange } from "../../lib/ip-words.ts";

export interface BanPolicy {
  /** The first ban; the n-th repeated one is 2^n as long. */
  readonly durationMs: number;
  readonly durationMsMax: number;
  readonly ipv4PrefixBitsMin: number;
  readonly ipv6PrefixBitsMin: number;
  /** Allow-listed ranges, trusted proxies, the organism's own and health-check addresses. */
  readonly neverBanned: readonly string[];
  /** Over all of them in any minute. */
  readonly bansPerMinuteMax: number;
  /** Of the clients that were clean lately, a ban may hit this share. */
  readonly innocentShareMax: number;
  /** Announce, and carry out nothing. */
  readonly dryRun: boolean;
}

export const defaultBanPolicy: BanPolicy = {
  durationMs: 4 * 3_600_000,
  durationMsMax: 7 * 24 * 3_600_000,
  ipv4PrefixBitsMin: 24,
  ipv6PrefixBitsMin: 48,
  neverBanned: [],
  bansPerMinuteMax: 120,
  innocentShareMax: 0.01,
  dryRun: false,
};

/** Never banned, whatever the DNA says: whoever comes by these is the machine itself. */
export const neverBannedAnyway = ["127.0.0.0/8", "::1", "0.0.0.0", "::"] as const;

/** A policy with its ranges read. */
export interface ReadPolicy extends BanPolicy {
  readonly protectedRanges: readonly IpRange[];
}

/** Ranges that cannot be read were refused with the DNA. */
export function readPolicy(policy: BanPolicy): ReadPolicy {
  const protectedRanges = [...neverBannedAnyway, ...policy.neverBanned].flatMap((text) => {
    const canonical = canonicalRange(text);
    const range = canonical === null ? null : parseIpRange(canonical);
    return range === null ? [] : [networkOf(range)];
  });
  return { ...policy, protectedRanges };
}

/** Why this must not be carried out, or null. What lifts a ban is always lawful. */
export function whyUnlawful(ban: BanBody, policy: ReadPolicy): string | null {
  const range = parseIpRange(ban.range);
  if (range === null || canonicalRange(ban.range) !== ban.range) return "its range is none";
  if (!banActions.includes(ban.action)) return "its action is none";
  if (ban.action === "lifted") return null;
  if (!(ban.untilMs - ban.issuedAtMs <= policy.durationMsMax)) return "it is longer than the longest ban";
  return whyTooWide(range, policy) ?? whyProtected(range, policy);
}

export function whyTooWide({ family, prefixBits }: IpRange, policy: BanPolicy): string | null {
  const bitsMin = family === 4 ? policy.ipv4PrefixBitsMin : policy.ipv6PrefixBitsMin;
  return prefixBits >= bitsMin ? null : `it is wider than the widest range, /${bitsMin}`;
}

/** A range is protected as soon as anybody in it is. */
export function whyProtected(range: IpRange, { protectedRanges }: ReadPolicy): string | null {
  return protectedRanges.some((other) => overlap(range, other)) ? "it holds an address that is never banned" : null;
}

/** Of two ranges one holds the other, or they have nothing in common. */
export function overlap(a: IpRange, b: IpRange): boolean {
  if (a.family !== b.family) return false;
  const shift = BigInt(ADDRESS_BITS[a.family] - Math.min(a.prefixBits, b.prefixBits));
  return a.value >> shift === b.value >> shift;
}

export function holds(outer: IpRange, inner: IpRange): boolean {
  return outer.prefixBits <= inner.prefixBits && overlap(outer, inner);
}
