import { numberArgument } from "./kind.ts";
import type { Action } from "./kind.ts";

/**
 * Description: the number by which the rule is known, alone of its kind in the set.
 * Arguments: 1 to 999999999.
 * Returns: the draft's id.
 * Example: id:942100
 */
export const id: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    draft.id = numberArgument(argument, place, "id", { min: 1, max: 999_999_999 });
  },
};
