import type { Action } from "./kind.ts";

/**
 * Description: a match stops nothing.
 * Arguments: none.
 * Returns: the draft's disruption.
 * Example: pass
 */
export const pass: Action = {
  argument: "none",
  apply: (draft) => {
    draft.disruption = { kind: "pass" };
  },
};
