import { numberArgument } from "./kind.ts";
import type { Action } from "./kind.ts";

/**
 * Description: how well tried the rule is, as its author sees it.
 * Arguments: 1 to 9.
 * Returns: the draft's maturity.
 * Example: maturity:9
 */
export const maturity: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    draft.maturity = numberArgument(argument, place, "maturity", { min: 0, max: 9 });
  },
};
