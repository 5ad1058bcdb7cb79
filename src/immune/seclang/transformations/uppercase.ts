/**
 * Description: ASCII letters to upper case; all other bytes stay.
 * Arguments: the value.
 * Returns: the value in upper case.
 * Example: "select" -> "SELECT"
 */
export function uppercase(value: string): string {
  return value.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}
