import type { Phase } from "../rule.ts";
import type { Action } from "./kind.ts";
import { badAction } from "./kind.ts";

/**
 * Description: when the rule runs.
 * Arguments: 1 to 5, or `request` (2), `response` (4), `logging` (5).
 * Returns: the draft's phase.
 * Example: phase:2
 */
export const phase: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    const name = argument.toLowerCase();
    const found = Object.hasOwn(PHASE_NAMES, name) ? PHASE_NAMES[name] : undefined;
    if (found === undefined) {
      throw badAction(place, "phase", { found: argument, expected: "1 to 5, request, response or logging" });
    }
    draft.phase = found;
  },
};

const PHASE_NAMES: Readonly<Record<string, Phase>> = {
  1: 1,
  2: 2,
  3: 3,
  4: 4,
  5: 5,
  request: 2,
  response: 4,
  logging: 5,
};
