import { numberArgument } from "./kind.ts";
import type { Action } from "./kind.ts";

/**
 * Description: the status with which deny refuses.
 * Arguments: 100 to 599.
 * Returns: the draft's status.
 * Example: status:406
 */
export const status: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    draft.status = numberArgument(argument, place, "status", { min: 100, max: 599 });
  },
};
