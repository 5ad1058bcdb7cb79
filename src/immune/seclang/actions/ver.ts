import type { Action } from "./kind.ts";

/**
 * Description: the version of the rule set that the rule belongs to.
 * Arguments: text.
 * Returns: the draft's version.
 * Example: ver:'OWASP_CRS/4.29.0'
 */
export const ver: Action = {
  argument: "needed",
  apply: (draft, argument) => {
    draft.version = argument;
  },
};
