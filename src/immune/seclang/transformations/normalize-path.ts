/**
 * Description: resolves a path without looking at files: doubled slashes, `.` and, where something stands before it,
 *   `..`. What leads out of the beginning of an absolute path is dropped; that of a relative one stays.
 * Arguments: the value.
 * Returns: the plain path.
 * Example: "/a/./b//../c" -> "/a/c"
 */
export function normalizePath(value: string): string {
  if (!NOT_PLAIN.test(value)) return value;
  const isAbsolute = value.startsWith("/");
  const kept: string[] = [];
  for (const segment of value.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") kept.push(segment);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!isAbsolute) kept.push("..");
  }
  const endsOpen = /(?:^|\/)\.{0,2}$/.test(value) && kept.length > 0 && kept.at(-1) !== "..";
  return `${isAbsolute ? "/" : ""}${kept.join("/")}${endsOpen ? "/" : ""}`;
}

/** A segment that is empty or made of dots, or a slash at the end: what is not there, nothing is to be done about. */
const NOT_PLAIN = /\/\.{0,2}(?:\/|$)|^\.{1,2}(?:\/|$)/;
