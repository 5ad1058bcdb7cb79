import type { Action } from "./kind.ts";

/**
 * Description: what the operator caught goes to TX:0 (all) and TX:1 to TX:9 (the groups).
 * Arguments: none.
 * Returns: the draft captures.
 * Example: capture
 */
export const capture: Action = {
  argument: "none",
  apply: (draft) => {
    draft.capture = true;
  },
};
