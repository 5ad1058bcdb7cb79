import { normalizePath } from "./normalize-path.ts";

/**
 * Description: normalizePath, with backslashes taken for slashes first.
 * Arguments: the value.
 * Returns: the plain path, with slashes.
 * Example: "a\\..\\b" -> "b"
 */
export function normalizePathWin(value: string): string {
  return normalizePath(value.replaceAll("\\", "/"));
}
