/**
 * Description: deletes white space (space, tab, newline, vertical tab, form feed, return, and the byte a0).
 * Arguments: the value.
 * Returns: the value without it.
 * Example: "a b\tc" -> "abc"
 */
export function removeWhitespace(value: string): string {
  return value.replace(/[ \t\n\v\f\r\xa0]+/g, "");
}
