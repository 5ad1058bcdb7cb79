import { parseMacro } from "../macro.ts";
import type { Action } from "./kind.ts";

/**
 * Description: what the rule shows of the match.
 * Arguments: text, with macros.
 * Returns: the draft's log data.
 * Example: logdata:'%{MATCHED_VAR}'
 */
export const logdata: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    draft.logData = parseMacro(argument, place);
  },
};
