import type { Action } from "./kind.ts";

/**
 * Description: a match refuses the exchange, with the status of the action status, or 403.
 * Arguments: none.
 * Returns: the draft's disruption.
 * Example: deny,status:406
 */
export const deny: Action = {
  argument: "none",
  apply: (draft) => {
    draft.disruption = { kind: "deny", status: 403 };
  },
};
