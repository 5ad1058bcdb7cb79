/**
 * Description: writes each well-formed UTF-8 sequence beyond ASCII as %uHHHH, so that urlDecodeUni behind it sees one
 *   character and not its bytes. Overlong and broken sequences stay bytes: they are what other rules look for.
 *   A character beyond the basic plane gets its five or six digits' worth, without the leading zeros.
 * Arguments: the value.
 * Returns: the value in ASCII, but for broken sequences.
 * Example: "caf\xc3\xa9" -> "caf%u00e9"
 */
export function utf8ToUnicode(value: string): string {
  if (!/[\x80-\xff]/.test(value)) return value;
  return value.replace(
    /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}/g,
    (sequence) => `%u${codePointOf(sequence).toString(16).padStart(4, "0")}`,
  );
}

function codePointOf(sequence: string): number {
  const lead = sequence.charCodeAt(0);
  let point = lead & (0x7f >> sequence.length);
  for (let i = 1; i < sequence.length; i += 1) point = (point << 6) | (sequence.charCodeAt(i) & 0x3f);
  return point;
}
