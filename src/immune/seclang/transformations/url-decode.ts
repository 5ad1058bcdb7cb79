import { percentDecode } from "../percent.ts";

/**
 * Description: undoes the percent escapes of a URL, and + is a space. What is no escape stays as it is.
 * Arguments: the value.
 * Returns: the decoded bytes.
 * Example: "a%20b+c%zz" -> "a b c%zz"
 */
export function urlDecode(value: string): string {
  return percentDecode(value, null);
}
