import type { Action } from "./kind.ts";

/**
 * Description: a match closes the connection without an answer.
 * Arguments: none.
 * Returns: the draft's disruption.
 * Example: drop
 */
export const drop: Action = {
  argument: "none",
  apply: (draft) => {
    draft.disruption = { kind: "drop" };
  },
};
