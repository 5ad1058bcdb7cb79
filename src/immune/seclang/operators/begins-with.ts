import { expandMacro, parseMacro } from "../macro.ts";
import type { Operator } from "./kind.ts";

/**
 * Description: the value begins with the text. Case counts.
 * Arguments: the text, with macros.
 * Returns: the text.
 * Example: SecRule REQUEST_LINE "!@beginsWith GET"
 */
export const beginsWith: Operator = ({ argument, place }) => {
  const macro = parseMacro(argument, place);
  return (value, values) => {
    const text = expandMacro(macro, values);
    return value.startsWith(text) ? [text] : null;
  };
};
