import { expandMacro, parseMacro } from "../macro.ts";
import { leadingInteger } from "../number.ts";
import type { Operator } from "./kind.ts";
import { NOTHING_CAUGHT } from "./kind.ts";

/**
 * Description: the value, as a number, is at least the argument. What is no number counts as 0.
 * Arguments: a number, or a macro that gives one.
 * Returns: nothing caught.
 * Example: SecRule TX:score "@ge 5"
 */
export const ge: Operator = ({ argument, place }) => {
  const macro = parseMacro(argument, place);
  return (value, values) =>
    leadingInteger(value) >= leadingInteger(expandMacro(macro, values)) ? NOTHING_CAUGHT : null;
};
