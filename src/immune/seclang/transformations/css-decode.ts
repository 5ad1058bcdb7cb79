/**
 * Description: undoes the escapes of CSS 2: a backslash with one to six hexadecimal digits (of which the last two
 *   make the byte, and full-width ASCII becomes ASCII) and one blank behind them; a backslash with a newline is
 *   nothing; a backslash with anything else is that.
 * Arguments: the value.
 * Returns: the value without escapes.
 * Example: "ja\\vasc\\000072ipt" -> "javascript"
 */
export function cssDecode(value: string): string {
  if (!value.includes("\\")) return value;
  return value.replace(
    /\\(?:([0-9A-Fa-f]{1,6})[ \t\n\v\f\r]?|(\n)|([\s\S])|$)/g,
    (_whole, digits: string | undefined, newline: string | undefined, other: string | undefined) => {
      if (digits !== undefined) return byteOf(digits);
      return newline === undefined ? (other ?? "") : "";
    },
  );
}

function byteOf(digits: string): string {
  const low = Number.parseInt(digits.slice(-2), 16);
  const isFullWidth = /^0{0,2}ff[0-9a-f]{2}$/i.test(digits) && low > 0 && low < 0x5f;
  return String.fromCharCode(isFullWidth ? low + 0x20 : low);
}
