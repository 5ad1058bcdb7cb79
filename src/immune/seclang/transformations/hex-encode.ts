/**
 * Description: two hexadecimal digits for each byte.
 * Arguments: the value.
 * Returns: digits in lower case.
 * Example: "ABC" -> "414243"
 */
export function hexEncode(value: string): string {
  return Buffer.from(value, "latin1").toString("hex");
}
