import { roomFor } from "../room.ts";

/**
 * Description: undoes what shells ignore, so that one pattern finds all spellings of a command: deletes backslashes,
 *   quotes and carets; turns commas, semicolons and white space into single spaces; deletes spaces before / and (;
 *   lower case.
 * Arguments: the value.
 * Returns: the value as a plain command line.
 * Example: `C^OMMAND /c "d,i;r"` -> "command/c d i r"
 */
export function cmdLine(value: string): string {
  const bytes = roomFor(value.length);
  let length = 0;
  let isBlankDue = false;
  let isChanged = false;
  for (let at = 0; at < value.length; at += 1) {
    const byte = value.charCodeAt(at);
    const kind = KINDS[byte]!;
    if (kind === DELETED) continue;
    if (kind === BLANK) {
      isBlankDue = true;
      isChanged ||= byte !== SPACE;
      continue;
    }
    if (isBlankDue && kind !== OPENING) {
      bytes[length] = SPACE;
      length += 1;
    }
    isBlankDue = false;
    isChanged ||= kind === UPPER;
    bytes[length] = kind === UPPER ? byte + 0x20 : byte;
    length += 1;
  }
  if (isBlankDue) {
    bytes[length] = SPACE;
    length += 1;
  }
  // Most values come out as they went in: nothing was left out, and nothing became another byte.
  return length === value.length && !isChanged ? value : bytes.latin1Slice(0, length);
}

const SPACE = 0x20;

/** What happens to each byte. No blank stays before an opening one. */
const [KEPT, DELETED, BLANK, OPENING, UPPER] = [0, 1, 2, 3, 4];
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  if (/["'\\^]/.test(char)) return DELETED;
  if (/[ \t\n\v\f\r,;]/.test(char)) return BLANK;
  if (/[/(]/.test(char)) return OPENING;
  return /[A-Z]/.test(char) ? UPPER : KEPT;
});
