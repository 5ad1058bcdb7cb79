import { findCrossSiteScripting } from "../detect/cross-site-scripting.ts";
import type { Operator } from "./kind.ts";

/**
 * Description: the value would bring script into an HTML page. See detect/cross-site-scripting.ts for what counts.
 * Arguments: none.
 * Returns: the name of the tag, attribute or declaration that gave it away.
 * Example: SecRule ARGS "@detectXSS"
 */
export const detectXSS: Operator = () => (value) => {
  const found = findCrossSiteScripting(value);
  return found === null ? null : [found.name];
};
