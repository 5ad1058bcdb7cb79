/**
 * Description: deletes the marks of comments and keeps what they hold: slash-star, star-slash, `--`, `#`, `<!--`, `-->`.
 * Arguments: the value.
 * Returns: the value without the marks.
 * Example: "<!--a-->#b" -> "ab"
 */
export function removeCommentsChar(value: string): string {
  return value.replace(/\/\*|\*\/|<!--|-->|--|#/g, "");
}
