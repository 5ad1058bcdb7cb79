import { expandMacro, parseMacro } from "../macro.ts";
import type { Operator } from "./kind.ts";

/**
 * Description: the text stands in the value as a word: with no letter, digit or underscore right before or behind it.
 * Arguments: the text, with macros.
 * Returns: the text.
 * Example: SecRule ARGS "@containsWord select"
 */
export const containsWord: Operator = ({ argument, place }) => {
  const macro = parseMacro(argument, place);
  return (value, values) => {
    const text = expandMacro(macro, values);
    for (let at = value.indexOf(text); at !== -1; at = value.indexOf(text, at + 1)) {
      if (!isWordAt(value, at - 1) && !isWordAt(value, at + text.length)) return [text];
    }
    return null;
  };
};

const isWordAt = (value: string, index: number): boolean => /^\w$/.test(value.charAt(index));
