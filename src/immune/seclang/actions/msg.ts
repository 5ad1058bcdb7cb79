import { parseMacro } from "../macro.ts";
import type { Action } from "./kind.ts";

/**
 * Description: what the rule says when it matches.
 * Arguments: text, with macros.
 * Returns: the draft's message.
 * Example: msg:'SQL injection'
 */
export const msg: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    draft.message = parseMacro(argument, place);
  },
};
