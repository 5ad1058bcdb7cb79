import type { Action } from "./kind.ts";

/**
 * Description: the operator is asked before the transformations and after each that changed the value.
 * Arguments: none.
 * Returns: the draft matches at each stage.
 * Example: multiMatch
 */
export const multiMatch: Action = {
  argument: "none",
  apply: (draft) => {
    draft.multiMatch = true;
  },
};
