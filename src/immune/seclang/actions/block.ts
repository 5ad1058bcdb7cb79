import type { Action } from "./kind.ts";

/**
 * Description: a match does what SecDefaultAction says for the phase.
 * Arguments: none.
 * Returns: the draft's disruption.
 * Example: block
 */
export const block: Action = {
  argument: "none",
  apply: (draft) => {
    draft.disruption = { kind: "block" };
  },
};
