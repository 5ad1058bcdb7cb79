import type { Action } from "./kind.ts";

/**
 * Description: a match alone does not put the exchange into the audit log.
 * Arguments: none.
 * Returns: the draft does not audit.
 * Example: noauditlog
 */
export const noauditlog: Action = {
  argument: "none",
  apply: (draft) => {
    draft.audit = false;
  },
};
