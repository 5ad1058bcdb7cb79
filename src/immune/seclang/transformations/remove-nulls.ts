/**
 * Description: deletes zero bytes.
 * Arguments: the value.
 * Returns: the value without them.
 * Example: "a\0b" -> "ab"
 */
export function removeNulls(value: string): string {
  return value.replaceAll("\0", "");
}
