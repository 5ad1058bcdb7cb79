/**
 * Description: how many bytes the value has.
 * Arguments: the value.
 * Returns: the number in decimal digits.
 * Example: "abc" -> "3"
 */
export function length(value: string): string {
  return String(value.length);
}
