import type { Action } from "./kind.ts";

/**
 * Description: a match puts the exchange into the audit log.
 * Arguments: none.
 * Returns: the draft audits.
 * Example: auditlog
 */
export const auditlog: Action = {
  argument: "none",
  apply: (draft) => {
    draft.audit = true;
  },
};
