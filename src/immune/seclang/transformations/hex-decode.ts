/**
 * Description: decodes two hexadecimal digits to a byte. An odd digit at the end, and what is no digit, is dropped
 *   together with all behind it.
 * Arguments: the value.
 * Returns: the decoded bytes.
 * Example: "414243" -> "ABC"
 */
export function hexDecode(value: string): string {
  return Buffer.from(value, "hex").toString("latin1");
}
