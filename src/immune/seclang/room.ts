/**
 * Room for the bytes that a transformation writes: a loop over bytes and one string made at its end take a tenth of the
 * time of a pattern that calls back for each find. The room is used again by the next one, so nothing may be kept in it.
 */

/** A longer value gets room of its own. Most values have some dozens of bytes. */
const BYTES = 64 * 1024;
const room = Buffer.alloc(BYTES);

export function roomFor(bytes: number): Buffer {
  return bytes <= BYTES ? room : Buffer.allocUnsafe(bytes);
}

/** The value of each byte as a hexadecimal digit; -1: it is none. */
const HEX_VALUE: Int8Array = Int8Array.from({ length: 256 }, (_, byte) => {
  const digit = String.fromCharCode(byte);
  return /[0-9A-Fa-f]/.test(digit) ? Number.parseInt(digit, 16) : -1;
});

/** The byte that two hexadecimal digits at this place make; -1: there are none. */
export function hexByteAt(value: string, at: number): number {
  if (at + 1 >= value.length) return -1;
  const [high, low] = [HEX_VALUE[value.charCodeAt(at)]!, HEX_VALUE[value.charCodeAt(at + 1)]!];
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}
