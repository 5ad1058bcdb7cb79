import type { Operator } from "./kind.ts";
import { NOTHING_CAUGHT } from "./kind.ts";

/**
 * Description: matches a value that is not well-formed UTF-8: broken, overlong, beyond U+10FFFF, or a surrogate. It
 *   finds the invalid.
 * Arguments: none.
 * Returns: nothing caught.
 * Example: SecRule ARGS "@validateUtf8Encoding"
 */
export const validateUtf8Encoding: Operator = () => (value) => {
  if (!/[\x80-\xff]/.test(value)) return null;
  return /[\x80-\xff]/.test(value.replace(WELL_FORMED, "")) ? NOTHING_CAUGHT : null;
};

/**
 * The sequences of two bytes and more in the table of Unicode's chapter 3. Taken out one by one: a single pattern for
 * the whole value would keep a way back for each character.
 */
const WELL_FORMED =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}/g;
