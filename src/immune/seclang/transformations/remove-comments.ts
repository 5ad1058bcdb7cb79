/**
 * Description: deletes comments of C and SQL with what they hold: from slash-star to star-slash or the end, `<!--` to
 *   `-->`, and from `--` or `#` to the end.
 * Arguments: the value.
 * Returns: the value without comments.
 * Example: "sel&#47;*x*&#47;ect 1 -- y" -> "select 1 "
 */
export function removeComments(value: string): string {
  return value.replace(/\/\*[\s\S]*?(?:\*\/|$)|<!--[\s\S]*?(?:-->|$)|(?:--|#)[\s\S]*$/g, "");
}
