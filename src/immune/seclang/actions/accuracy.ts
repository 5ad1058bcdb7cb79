import { numberArgument } from "./kind.ts";
import type { Action } from "./kind.ts";

/**
 * Description: how seldom the rule errs, as its author sees it.
 * Arguments: 1 to 9.
 * Returns: the draft's accuracy.
 * Example: accuracy:8
 */
export const accuracy: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    draft.accuracy = numberArgument(argument, place, "accuracy", { min: 0, max: 9 });
  },
};
