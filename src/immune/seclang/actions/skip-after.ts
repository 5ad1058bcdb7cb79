import type { Action } from "./kind.ts";

/**
 * Description: a match goes on behind the marker, or the rule, of that name.
 * Arguments: the name of a marker, or a rule's id.
 * Returns: the draft's jump.
 * Example: skipAfter:END-SAMPLING
 */
export const skipAfter: Action = {
  argument: "needed",
  apply: (draft, argument) => {
    draft.skipAfter = argument;
  },
};
