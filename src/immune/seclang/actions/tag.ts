import type { Action } from "./kind.ts";

/**
 * Description: a word under which the rule can be found: excluded, counted, classed. There may be many.
 * Arguments: text.
 * Returns: one more tag of the draft.
 * Example: tag:'attack-sqli'
 */
export const tag: Action = {
  argument: "needed",
  apply: (draft, argument) => {
    draft.tags.push(argument);
  },
};
