import { expandMacro, fixedText, parseMacro } from "../macro.ts";
import { compileRegex } from "../regex.ts";
import type { Match, Operator } from "./kind.ts";

/**
 * Description: finds a pattern anywhere in the value. `.` is any byte; see regex.ts for what patterns may hold.
 * Arguments: the pattern. Macros are filled in before it is compiled.
 * Returns: the first find, with its groups.
 * Example: SecRule ARGS "@rx (?i)<script"
 */
export const rx: Operator = ({ argument, place }) => {
  const macro = parseMacro(argument, place);
  if (fixedText(macro) !== null) {
    const regex = compileRegex(argument, place);
    return (value): Match | null => regex.exec(value);
  }
  // Most such macros hold the same text for each request; a new text costs a compilation.
  let last: { source: string; regex: RegExp } | null = null;
  return (value, values): Match | null => {
    const source = expandMacro(macro, values);
    if (last?.source !== source) last = { source, regex: compileRegex(source, place) };
    return last.regex.exec(value);
  };
};
