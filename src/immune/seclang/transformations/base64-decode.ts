import { roomFor } from "../room.ts";

/**
 * Description: decodes base64 as far as it goes: at the first character that is none (or at the padding) it ends.
 *   Padding may lack. Blanks are not passed over: see base64DecodeExt.
 * Arguments: the value.
 * Returns: the decoded bytes.
 * Example: "SGVsbG8=" -> "Hello"
 */
export function base64Decode(value: string): string {
  const bytes = roomFor(value.length);
  let length = 0;
  let [bits, bitCount] = [0, 0];
  for (let at = 0; at < value.length; at += 1) {
    const sextet = SEXTETS[value.charCodeAt(at)]!;
    if (sextet < 0) break;
    bits = ((bits << 6) | sextet) & 0xffff;
    bitCount += 6;
    if (bitCount < 8) continue;
    bitCount -= 8;
    bytes[length] = bits >> bitCount;
    length += 1;
  }
  // What is left over is less than a byte.
  return bytes.latin1Slice(0, length);
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** The six bits of each byte; -1: it does not belong to base64. */
const SEXTETS = Int8Array.from({ length: 256 }, (_, byte) => ALPHABET.indexOf(String.fromCharCode(byte)));
