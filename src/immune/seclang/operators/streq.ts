import { expandMacro, parseMacro } from "../macro.ts";
import type { Operator } from "./kind.ts";

/**
 * Description: the value is the text, byte by byte.
 * Arguments: the text, with macros.
 * Returns: the text.
 * Example: SecRule REQUEST_METHOD "@streq TRACE"
 */
export const streq: Operator = ({ argument, place }) => {
  const macro = parseMacro(argument, place);
  return (value, values) => (value === expandMacro(macro, values) ? [value] : null);
};
