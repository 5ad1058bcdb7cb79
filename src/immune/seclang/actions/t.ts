import { nearest } from "../../../lib/nearest.ts";
import { ruleError } from "../rule-error.ts";
import { TRANSFORMATIONS, transformationNamed } from "../transformations/table.ts";
import type { Action } from "./kind.ts";

/**
 * Description: one more transformation of each value before the operator sees it. `t:none` forgets those before it,
 *   the defaults' included.
 * Arguments: none, or the name of a transformation.
 * Returns: the draft's transformations.
 * Example: t:none,t:urlDecodeUni,t:lowercase
 */
export const t: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    if (argument.toLowerCase() === "none") {
      draft.transformations = [];
      draft.transformationsReset = true;
      return;
    }
    const name = transformationNamed(argument);
    if (name === null) {
      const near = nearest(argument, Object.keys(TRANSFORMATIONS));
      throw ruleError("CELLWS_E_RULE_TRANSFORMATION", place, "a transformation that this engine does not have", {
        found: `t:${argument}`,
        ...(near === null ? {} : { hint: `Did you mean t:${near}?` }),
      });
    }
    draft.transformations.push(name);
  },
};
