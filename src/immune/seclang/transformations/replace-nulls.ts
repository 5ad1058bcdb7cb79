/**
 * Description: a space for each zero byte.
 * Arguments: the value.
 * Returns: the value with spaces.
 * Example: "a\0b" -> "a b"
 */
export function replaceNulls(value: string): string {
  return value.replaceAll("\0", " ");
}
