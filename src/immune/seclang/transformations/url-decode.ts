import { hexByteAt, roomFor } from "../room.ts";

/**
 * Description: undoes the percent escapes of a URL, and + is a space. What is no escape stays as it is.
 * Arguments: the value.
 * Returns: the decoded bytes.
 * Example: "a%20b+c%zz" -> "a b c%zz"
 */
export function urlDecode(value: string): string {
  if (!value.includes("%") && !value.includes("+")) return value;
  const bytes = roomFor(value.length);
  let length = 0;
  for (let at = 0; at < value.length; at += 1) {
    let byte = value.charCodeAt(at);
    if (byte === PLUS) byte = SPACE;
    else if (byte === PERCENT) {
      const escaped = hexByteAt(value, at + 1);
      if (escaped !== -1) {
        byte = escaped;
        at += 2;
      }
    }
    bytes[length] = byte;
    length += 1;
  }
  return bytes.latin1Slice(0, length);
}

const [PLUS, PERCENT, SPACE] = [0x2b, 0x25, 0x20];
