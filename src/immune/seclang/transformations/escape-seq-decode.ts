/**
 * Description: undoes the escapes of ANSI C: \a \b \f \n \r \t \v \\ \? \' \" \xHH and up to three octal digits.
 *   What is no such escape stays as it is.
 * Arguments: the value.
 * Returns: the value without escapes.
 * Example: "\\x41\\102\\n" -> "AB" and a newline
 */
export function escapeSeqDecode(value: string): string {
  if (!value.includes("\\")) return value;
  return value.replace(
    /\\(?:x([0-9A-Fa-f]{2})|([0-7]{1,3})|([abfnrtv\\?'"]))/g,
    (_whole, hex: string | undefined, octal: string | undefined, letter: string | undefined) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      return LETTERS[letter!] ?? letter!;
    },
  );
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
