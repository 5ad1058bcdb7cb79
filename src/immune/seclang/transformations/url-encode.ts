/**
 * Description: percent escapes for all but ASCII letters, digits and *; + for a space.
 * Arguments: the value.
 * Returns: the escaped value.
 * Example: "a b/c" -> "a+b%2fc"
 */
export function urlEncode(value: string): string {
  return value.replace(/[^A-Za-z0-9*]/g, (char) =>
    char === " " ? "+" : `%${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
