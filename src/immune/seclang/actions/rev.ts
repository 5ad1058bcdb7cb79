import type { Action } from "./kind.ts";

/**
 * Description: the revision of the rule.
 * Arguments: text.
 * Returns: the draft's revision.
 * Example: rev:'2'
 */
export const rev: Action = {
  argument: "needed",
  apply: (draft, argument) => {
    draft.revision = argument;
  },
};
