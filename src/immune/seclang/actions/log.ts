import type { Action } from "./kind.ts";

/**
 * Description: a match is told.
 * Arguments: none.
 * Returns: the draft logs, and audits.
 * Example: log
 */
export const log: Action = {
  argument: "none",
  apply: (draft) => {
    draft.log = true;
    draft.audit = true;
  },
};
