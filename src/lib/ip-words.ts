/**
 * Reads an IP address, as a socket tells it, into 32-bit words: the quick sister of ip-range.ts.
 *
 * It runs for each connection, so it makes no strings, no arrays and no bigints: it walks the text once and writes
 * into words that the caller keeps. `::ffff:192.0.2.7` is the IPv4 address that it stands for, and a zone
 * (`fe80::1%eth0`) is passed over: which interface a client came by says nothing about who it is.
 * It knows single addresses only; ranges come from people, and those are read by ip-range.ts.
 */
import { formatIpRange, networkOf, parseIpRange, type IpRange } from "./ip-range.ts";

/** Four words, the first the most significant. An IPv4 address is the first alone. */
export type IpWords = Uint32Array;

export const newIpWords = (): IpWords => new Uint32Array(4);

/** The family of the address that was read into `words`; 0 where the text is none, and `words` is then worthless. */
export function readIpWords(text: string, words: IpWords): 0 | 4 | 6 {
  const { length } = text;
  // The longest is six groups and an embedded IPv4 address; a zone may follow it.
  const end = length <= ADDRESS_LENGTH_MAX ? length : text.indexOf("%");
  if (end < 2 || end > ADDRESS_LENGTH_MAX) return 0;
  for (let i = 0; i < end; i += 1) {
    const code = text.charCodeAt(i);
    if (code === COLON) return readIpv6(text, words);
    if (code === DOT) return readIpv4(text, 0, length, words, 0) ? 4 : 0;
  }
  return 0;
}

/** A range's words. An IPv4-mapped range of at least 96 bits is the IPv4 range that it stands for. */
export function wordsOfRange(range: IpRange, words: IpWords): { family: 4 | 6; prefixBits: number } {
  const { family, value, prefixBits } = networkOf(range);
  if (family === 6 && prefixBits >= MAPPED_BITS && value >> 32n === 0xffffn) {
    words[0] = Number(value & 0xffff_ffffn);
    return { family: 4, prefixBits: prefixBits - MAPPED_BITS };
  }
  if (family === 4) words[0] = Number(value);
  else for (let i = 0; i < 4; i += 1) words[i] = Number((value >> BigInt(96 - 32 * i)) & 0xffff_ffffn);
  return { family, prefixBits };
}

/** The other way round. */
export function rangeOfWords(family: 4 | 6, words: ArrayLike<number>, prefixBits: number): IpRange {
  if (family === 4) return networkOf({ family, value: BigInt(words[0]!), prefixBits });
  let value = 0n;
  for (let i = 0; i < 4; i += 1) value = (value << 32n) | BigInt(words[i]!);
  return networkOf({ family, value, prefixBits });
}

/** One spelling for one range: `192.0.2.9/24`, `::ffff:192.0.2.0/120` and `192.0.2.0/24` are the same. Null: none. */
export function canonicalRange(text: string): string | null {
  const range = parseIpRange(text);
  if (range === null) return null;
  const words = newIpWords();
  const { family, prefixBits } = wordsOfRange(range, words);
  return formatIpRange(rangeOfWords(family, words, prefixBits));
}

const ADDRESS_LENGTH_MAX = 45;
const MAPPED_BITS = 96;
const COLON = 58;
const DOT = 46;
const PERCENT = 37;

/** Four decimal numbers without leading zeros, from `start` to `end`, into one word. */
function readIpv4(text: string, start: number, end: number, words: IpWords, word: number): boolean {
  let value = 0;
  let part = -1;
  let parts = 0;
  for (let i = start; i < end; i += 1) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (part < 0 || parts === 3) return false;
      value = value * 256 + part;
      parts += 1;
      part = -1;
    } else if (code >= 48 && code <= 57) {
      // "01" would be octal to some readers.
      if (part === 0) return false;
      part = part < 0 ? code - 48 : part * 10 + code - 48;
      if (part > 255) return false;
    } else return false;
  }
  if (part < 0 || parts !== 3) return false;
  words[word] = value * 256 + part;
  return true;
}

function readIpv6(text: string, words: IpWords): 0 | 4 | 6 {
  const groups = GROUPS;
  let count = 0;
  /** How many groups stand before "::"; -1 without one. */
  let gapAt = -1;
  let group = 0;
  let digits = 0;
  let groupStart = 0;
  /** Whether the last thing read was a colon that wants a group after it. */
  let isOpen = false;
  const { length } = text;
  for (let i = 0; i < length; i += 1) {
    const code = text.charCodeAt(i);
    const digit = code < HEX_DIGITS.length ? HEX_DIGITS[code]! : NO_DIGIT;
    if (digit !== NO_DIGIT) {
      if (digits === 4) return 0;
      group = (group << 4) | digit;
      digits += 1;
    } else if (code === COLON) {
      if (digits > 0) {
        if (count === 8) return 0;
        groups[count] = group;
        count += 1;
        isOpen = true;
      }
      if (text.charCodeAt(i + 1) === COLON) {
        if (gapAt >= 0 || (digits === 0 && i !== 0)) return 0;
        gapAt = count;
        i += 1;
        isOpen = false;
      } else if (digits === 0) return 0;
      group = digits = 0;
      groupStart = i + 1;
    } else if (code === DOT) {
      const zone = text.indexOf("%", i);
      if (count > 6 || !readIpv4(text, groupStart, zone < 0 ? length : zone, EMBEDDED, 0)) return 0;
      groups[count] = EMBEDDED[0]! >>> 16;
      groups[count + 1] = EMBEDDED[0]! & 0xffff;
      count += 2;
      digits = 0;
      isOpen = false;
      break;
    } else if (code === PERCENT) break;
    else return 0;
  }
  if (digits > 0) {
    if (count === 8) return 0;
    groups[count] = group;
    count += 1;
  } else if (isOpen) return 0;
  // "::" stands for at least one group of zeros.
  if (gapAt < 0 ? count !== 8 : count > 7) return 0;
  return putGroups(words, gapAt < 0 ? 8 : gapAt, count);
}

const GROUPS = new Uint16Array(8);
const EMBEDDED = new Uint32Array(1);
const NO_DIGIT = 255;
const HEX_DIGITS = new Uint8Array(128).fill(NO_DIGIT);
for (let value = 0; value < 16; value += 1) {
  HEX_DIGITS[value.toString(16).charCodeAt(0)] = value;
  HEX_DIGITS[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** Groups from `gapAt` on go to the end, with zeros before them. */
function putGroups(words: IpWords, gapAt: number, count: number): 4 | 6 {
  const groups = GROUPS;
  if (gapAt < count || count < 8) {
    const shift = 8 - count;
    for (let i = 7; i >= gapAt; i -= 1) groups[i] = i - shift < gapAt ? 0 : groups[i - shift]!;
  }
  words[0] = (groups[0]! << 16) | groups[1]!;
  words[1] = (groups[2]! << 16) | groups[3]!;
  words[2] = (groups[4]! << 16) | groups[5]!;
  words[3] = (groups[6]! << 16) | groups[7]!;
  if (words[0] !== 0 || words[1] !== 0 || words[2] !== 0xffff) return 6;
  words[0] = words[3]!;
  return 4;
}
