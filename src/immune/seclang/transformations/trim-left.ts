/**
 * Description: deletes white space at the beginning.
 * Arguments: the value.
 * Returns: the value without it.
 * Example: " a " -> "a "
 */
export function trimLeft(value: string): string {
  return value.replace(/^[ \t\n\v\f\r]+/, "");
}
