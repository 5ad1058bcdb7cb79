import type { Action } from "./kind.ts";

/**
 * Description: a match is not told: the rule only counts, sets or jumps.
 * Arguments: none.
 * Returns: the draft neither logs nor audits.
 * Example: nolog
 */
export const nolog: Action = {
  argument: "none",
  apply: (draft) => {
    draft.log = false;
    draft.audit = false;
  },
};
