import { trimLeft } from "./trim-left.ts";
import { trimRight } from "./trim-right.ts";

/**
 * Description: deletes white space at both ends.
 * Arguments: the value.
 * Returns: the value without it.
 * Example: " a " -> "a"
 */
export function trim(value: string): string {
  return trimLeft(trimRight(value));
}
