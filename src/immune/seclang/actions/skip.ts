import { numberArgument } from "./kind.ts";
import type { Action } from "./kind.ts";

/**
 * Description: a match passes over so many of the following rules of the phase; a chain counts as one.
 * Arguments: how many.
 * Returns: the draft's skip.
 * Example: skip:2
 */
export const skip: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    draft.skip = numberArgument(argument, place, "skip", { min: 1, max: 10_000 });
  },
};
