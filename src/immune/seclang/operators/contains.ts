import { expandMacro, parseMacro } from "../macro.ts";
import type { Operator } from "./kind.ts";

/**
 * Description: the text stands anywhere in the value. Case counts.
 * Arguments: the text, with macros. An empty one stands in each value.
 * Returns: the text.
 * Example: SecRule REQUEST_HEADERS:Referer "@contains /admin"
 */
export const contains: Operator = ({ argument, place }) => {
  const macro = parseMacro(argument, place);
  return (value, values) => {
    const text = expandMacro(macro, values);
    return value.includes(text) ? [text] : null;
  };
};
