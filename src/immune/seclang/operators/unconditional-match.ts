import type { Operator } from "./kind.ts";
import { NOTHING_CAUGHT } from "./kind.ts";

/**
 * Description: matches each value: for rules that are there for their actions.
 * Arguments: none.
 * Returns: nothing caught.
 * Example: SecRule TX:ua_hash "@unconditionalMatch"
 */
export const unconditionalMatch: Operator = () => () => NOTHING_CAUGHT;
