import type { Operator } from "./kind.ts";
import { NOTHING_CAUGHT } from "./kind.ts";

/**
 * Description: matches a value with a percent sign that two hexadecimal digits do not follow: it finds the invalid.
 * Arguments: none.
 * Returns: nothing caught.
 * Example: SecRule REQUEST_URI_RAW "@validateUrlEncoding"
 */
export const validateUrlEncoding: Operator = () => (value) =>
  /%(?![0-9A-Fa-f]{2})/.test(value) ? NOTHING_CAUGHT : null;
