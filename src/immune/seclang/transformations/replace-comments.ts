/**
 * Description: one space for each comment of C, from slash-star to star-slash, or to the end where it never closes.
 * Arguments: the value.
 * Returns: the value with spaces.
 * Example: "union&#47;*x*&#47;select" -> "union select"
 */
export function replaceComments(value: string): string {
  return value.replace(/\/\*[\s\S]*?(?:\*\/|$)/g, " ");
}
