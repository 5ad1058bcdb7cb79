import type { Operator } from "./kind.ts";

/**
 * Description: never matches: for a rule that is switched off for a while.
 * Arguments: none.
 * Returns: nothing.
 * Example: SecRule ARGS "@noMatch"
 */
export const noMatch: Operator = () => () => null;
