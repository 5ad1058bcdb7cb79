/**
 * Description: decodes the hexadecimal literals of SQL: 0x with an even number of digits.
 * Arguments: the value.
 * Returns: the value with the bytes in their place.
 * Example: "char 0x414243" -> "char ABC"
 */
export function sqlHexDecode(value: string): string {
  return value.replace(/0x((?:[0-9a-f]{2})+)/gi, (_whole, digits: string) =>
    Buffer.from(digits, "hex").toString("latin1"),
  );
}
