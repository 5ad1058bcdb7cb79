import type { Action } from "./kind.ts";

/**
 * Description: the rule matches only if the next one does too.
 * Arguments: none.
 * Returns: the draft waits for the next rule.
 * Example: chain
 */
export const chain: Action = {
  argument: "none",
  apply: (draft) => {
    draft.chain = true;
  },
};
