/**
 * Description: decodes base64 as far as it goes: at the first character that is none (or at the padding) it ends.
 *   Padding may lack. Blanks are not passed over: see base64DecodeExt.
 * Arguments: the value.
 * Returns: the decoded bytes.
 * Example: "SGVsbG8=" -> "Hello"
 */
export function base64Decode(value: string): string {
  const end = value.search(/[^A-Za-z0-9+/]/);
  const body = end === -1 ? value : value.slice(0, end);
  // One character left over carries six bits: not a byte.
  const whole = body.length % 4 === 1 ? body.slice(0, -1) : body;
  return Buffer.from(whole, "base64").toString("latin1");
}
