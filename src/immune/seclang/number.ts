/** Numbers as rules compare and add them: what leads the text, as C's atoi reads it; 0 where no digits lead. */
export function leadingInteger(text: string): number {
  const digits = /^[ \t\n\v\f\r]*([+-]?\d{1,15})/.exec(text);
  return digits ? Number(digits[1]) : 0;
}
