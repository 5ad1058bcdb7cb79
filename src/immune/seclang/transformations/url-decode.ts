/**
 * Description: undoes the percent escapes of a URL, and + is a space. What is no escape stays as it is.
 * Arguments: the value.
 * Returns: the decoded bytes.
 * Example: "a%20b+c%zz" -> "a b c%zz"
 */
export function urlDecode(value: string): string {
  if (!value.includes("%") && !value.includes("+")) return value;
  return value.replace(/\+|%([0-9A-Fa-f]{2})/g, (_whole, digits: string | undefined) =>
    digits === undefined ? " " : String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
