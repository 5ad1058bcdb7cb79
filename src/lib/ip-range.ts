/**
 * Reads and writes IP addresses and CIDR ranges: "10.0.0.0/8", "::1", "2001:db8::/32".
 *
 * An address is a number with a width, and a range is an address whose last bits do not matter; so both
 * are one bigint and a prefix length. Strict on purpose: no leading zeros (some readers take 010 as octal),
 * no zone ids, no shortened IPv4. It answers how a range is spelt, not who is in it: a look-up that runs
 * for each connection wants other structures than bigint.
 */

export interface IpRange {
  family: 4 | 6;
  /** The address as a number, 32 or 128 bits wide. May have bits beyond the prefix: see `networkOf`. */
  value: bigint;
  /** How many leading bits count. 32 or 128 for a single address. */
  prefixBits: number;
}

export const ADDRESS_BITS = { 4: 32, 6: 128 } as const;

/** A single address or a CIDR range; null when it is neither. */
export function parseIpRange(text: string): IpRange | null {
  const slash = text.indexOf("/");
  const address = parseIpAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === null || slash === -1) return address;
  const prefix = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(prefix) || Number(prefix) > address.prefixBits) return null;
  return { ...address, prefixBits: Number(prefix) };
}

/** A single address, as a range that holds only itself; null when it is none. */
export function parseIpAddress(text: string): IpRange | null {
  if (text.includes(":")) {
    const value = parseIpv6(text);
    return value === null ? null : { family: 6, value, prefixBits: ADDRESS_BITS[6] };
  }
  const value = parseIpv4(text);
  return value === null ? null : { family: 4, value, prefixBits: ADDRESS_BITS[4] };
}

/** The range with the bits beyond its prefix cleared: 10.1.2.3/8 becomes 10.0.0.0/8. */
export function networkOf(range: IpRange): IpRange {
  const hostBits = BigInt(ADDRESS_BITS[range.family] - range.prefixBits);
  return { ...range, value: (range.value >> hostBits) << hostBits };
}

/** As RFC 5952 writes it; the prefix only where it is shorter than the address. */
export function formatIpRange(range: IpRange): string {
  const address = range.family === 4 ? formatIpv4(range.value) : formatIpv6(range.value);
  return range.prefixBits === ADDRESS_BITS[range.family] ? address : `${address}/${range.prefixBits}`;
}

/**
 * Whom an address stands for: an IPv4 address for itself (also where a dual-stack socket writes it ::ffff:a.b.c.d), an
 * IPv6 address for its /64, which is the least that one host is given and within which it may change at will.
 */
export function addressGroup(text: string): string {
  if (!text.includes(":")) return text;
  const address = parseIpAddress(text);
  // With a zone, say (fe80::1%eth0): a name like any other.
  if (address === null) return text;
  if (address.value >> 32n === 0xffffn) return formatIpv4(address.value & 0xffff_ffffn);
  return formatIpRange(networkOf({ ...address, prefixBits: 64 }));
}

function parseIpv4(text: string): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function parseIpv6(text: string): bigint | null {
  // The shortest is "::"; the longest is six groups and an embedded IPv4 address.
  if (text.length < 2 || text.length > 45) return null;
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "", true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  // "::" stands for at least one group of zeros.
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** Groups between colons; only the last part of the whole address may be a dotted IPv4 address. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | null {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (mayEndInIpv4 && index === parts.length - 1 && part.includes(".")) {
      const embedded = parseIpv4(part);
      if (embedded === null) return null;
      groups.push(Number(embedded >> 16n), Number(embedded & 0xffffn));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return null;
    }
  }
  return groups;
}

function formatIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
}

function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(16 * (7 - index))) & 0xffffn));
  const zeros = longestZeroRun(groups);
  const write = (part: number[]): string => part.map((group) => group.toString(16)).join(":");
  if (zeros.length < 2) return write(groups);
  return `${write(groups.slice(0, zeros.start))}::${write(groups.slice(zeros.start + zeros.length))}`;
}

/** The first of the longest runs of zero groups: the one that "::" stands for. */
function longestZeroRun(groups: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  }
  return best;
}
