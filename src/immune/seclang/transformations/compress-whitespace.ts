/**
 * Description: one space for each run of white space (space, tab, newline, vertical tab, form feed, return, and the
 *   byte a0, which is a no-break space in Latin-1).
 * Arguments: the value.
 * Returns: the value with single spaces.
 * Example: "a \t\n b" -> "a b"
 */
export function compressWhitespace(value: string): string {
  // Nearly all blanks stand alone, and are spaces.
  if (!/[\t\n\v\f\r\xa0]| {2}/.test(value)) return value;
  return value.replace(/[ \t\n\v\f\r\xa0]+/g, " ");
}
