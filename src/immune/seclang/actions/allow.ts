import type { Action } from "./kind.ts";
import { badAction } from "./kind.ts";

/**
 * Description: a match ends the judging: of the whole exchange (only phase 5 runs on), of the phase, or of the request.
 * Arguments: none, `phase` or `request`.
 * Returns: the draft's disruption.
 * Example: allow:request
 */
export const allow: Action = {
  argument: "optional",
  apply: (draft, argument, place) => {
    if (argument !== "" && argument !== "phase" && argument !== "request") {
      throw badAction(place, "allow", { found: argument, expected: "nothing, phase or request" });
    }
    draft.disruption = { kind: "allow", scope: argument === "" ? "all" : argument };
  },
};
