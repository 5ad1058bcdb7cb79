import { percentDecode } from "../percent.ts";
import { hexByteAt } from "../room.ts";

/**
 * Description: urlDecode, and the %uHHHH escapes of IIS: the low byte, with full-width ASCII becoming ASCII and the
 *   spaces, quotes, slashes and brackets that IIS takes for their ASCII likenesses becoming those.
 * Arguments: the value.
 * Returns: the decoded bytes.
 * Example: "%u0061%62+%uff1c" -> "ab <"
 */
export function urlDecodeUni(value: string): string {
  return percentDecode(value, unitByteAt);
}

/** Of four hexadecimal digits at this place; -1: there are none. */
function unitByteAt(value: string, at: number): number {
  const [high, low] = [hexByteAt(value, at), hexByteAt(value, at + 2)];
  return high === -1 || low === -1 ? -1 : byteOf(high * 256 + low);
}

function byteOf(unit: number): number {
  // Full-width forms: the same order as ASCII, from ! on.
  if (unit > 0xff00 && unit < 0xff5f) return unit - 0xff00 + 0x20;
  const likeness = unit > 0xff ? LIKENESSES.get(unit) : undefined;
  return likeness === undefined ? unit & 0xff : likeness.charCodeAt(0);
}

/** Windows' best fit to code page 1252, where it gives a character that attacks are made of. */
const LIKENESSES: ReadonlyMap<number, string> = new Map([
  [0x02b9, "'"],
  [0x02ba, '"'],
  [0x02bc, "'"],
  [0x02c8, "'"],
  [0x2000, " "],
  [0x2001, " "],
  [0x2002, " "],
  [0x2003, " "],
  [0x2010, "-"],
  [0x2011, "-"],
  [0x2018, "'"],
  [0x2019, "'"],
  [0x201c, '"'],
  [0x201d, '"'],
  [0x2032, "'"],
  [0x2033, '"'],
  [0x2035, "`"],
  [0x2039, "<"],
  [0x203a, ">"],
  [0x2044, "/"],
  [0x2215, "/"],
  [0x2216, "\\"],
  [0x2236, ":"],
  [0x2329, "<"],
  [0x232a, ">"],
  [0x3000, " "],
  [0x3008, "<"],
  [0x3009, ">"],
]);
