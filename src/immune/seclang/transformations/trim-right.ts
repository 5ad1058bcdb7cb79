/**
 * Description: deletes white space at the end. Not by a pattern: `\s+$` takes quadratic time over inner blanks.
 * Arguments: the value.
 * Returns: the value without it.
 * Example: " a " -> " a"
 */
export function trimRight(value: string): string {
  let end = value.length;
  while (end > 0 && " \t\n\v\f\r".includes(value[end - 1]!)) end -= 1;
  return value.slice(0, end);
}
