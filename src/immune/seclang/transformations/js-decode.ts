/**
 * Description: undoes the escapes of JavaScript: \uHHHH (the low byte; full-width ASCII becomes ASCII), \xHH, octal,
 *   \a \b \f \n \r \t \v, and a backslash before anything else is that.
 * Arguments: the value.
 * Returns: the value without escapes.
 * Example: "\\u0061\\x62\\143" -> "abc"
 */
export function jsDecode(value: string): string {
  if (!value.includes("\\")) return value;
  return value.replace(
    /\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([0-3][0-7]{0,2}|[4-7][0-7]?)|([\s\S]))/g,
    (
      _whole,
      unit: string | undefined,
      hex: string | undefined,
      octal: string | undefined,
      other: string | undefined,
    ) => {
      if (unit !== undefined) return byteOf(unit);
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      return LETTERS[other!] ?? other!;
    },
  );
}

function byteOf(unit: string): string {
  const low = Number.parseInt(unit.slice(2), 16);
  const isFullWidth = /^ff/i.test(unit) && low > 0 && low < 0x5f;
  return String.fromCharCode(isFullWidth ? low + 0x20 : low);
}

const LETTERS: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
