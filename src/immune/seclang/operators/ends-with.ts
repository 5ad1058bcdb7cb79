import { expandMacro, parseMacro } from "../macro.ts";
import type { Operator } from "./kind.ts";

/**
 * Description: the value ends with the text. Case counts.
 * Arguments: the text, with macros.
 * Returns: the text.
 * Example: SecRule REQUEST_FILENAME "@endsWith /login"
 */
export const endsWith: Operator = ({ argument, place }) => {
  const macro = parseMacro(argument, place);
  return (value, values) => {
    const text = expandMacro(macro, values);
    return value.endsWith(text) ? [text] : null;
  };
};
