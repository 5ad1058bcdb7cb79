/**
 * Description: ASCII letters to lower case; all other bytes stay, or UTF-8 would break.
 * Arguments: the value.
 * Returns: the value in lower case.
 * Example: "SELECT" -> "select"
 */
export function lowercase(value: string): string {
  if (!/[\x80-\xff]/.test(value)) return value.toLowerCase();
  return value.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
