/** The escapes of URLs, undone in one go over the bytes: what urlDecode and urlDecodeUni have in common. */
import { hexByteAt, roomFor } from "./room.ts";

/**
 * %HH is a byte, and + a space; what is no escape stays as it is. `unitByteAt`: the byte that the four digits of %uHHHH at this
 * place stand for, or -1: there are none. Null: %u is no escape.
 */
export function percentDecode(value: string, unitByteAt: ((value: string, at: number) => number) | null): string {
  if (!value.includes("%") && !value.includes("+")) return value;
  const bytes = roomFor(value.length);
  let length = 0;
  for (let at = 0; at < value.length; at += 1) {
    let byte = value.charCodeAt(at);
    if (byte === PLUS) byte = SPACE;
    else if (byte === PERCENT) {
      const isUnit = unitByteAt !== null && (value.charCodeAt(at + 1) | LOWER) === LETTER_U;
      const escaped = isUnit ? unitByteAt(value, at + 2) : hexByteAt(value, at + 1);
      if (escaped !== -1) {
        byte = escaped;
        at += isUnit ? 5 : 2;
      }
    }
    bytes[length] = byte;
    length += 1;
  }
  return bytes.latin1Slice(0, length);
}

const [PLUS, PERCENT, SPACE, LETTER_U] = [0x2b, 0x25, 0x20, 0x75];
/** The bit in which letters of both cases differ. */
const LOWER = 0x20;
