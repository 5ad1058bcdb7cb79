import { expandMacro, parseMacro } from "../macro.ts";
import type { Operator } from "./kind.ts";

/**
 * Description: the value stands somewhere in the text: the other way round than @contains. Case counts, and so lists
 *   put marks around each member ("|a| |b|") and rules around the value. An empty value stands in each text.
 * Arguments: the text, with macros.
 * Returns: the value.
 * Example: SecRule REQUEST_METHOD "!@within %{tx.allowed_methods}"
 */
export const within: Operator = ({ argument, place }) => {
  const macro = parseMacro(argument, place);
  return (value, values) => (expandMacro(macro, values).includes(value) ? [value] : null);
};
