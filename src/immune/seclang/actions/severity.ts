import type { Action } from "./kind.ts";
import { badAction } from "./kind.ts";

/**
 * Description: how grave a match is, in the words of syslog.
 * Arguments: EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO, DEBUG, or 0 to 7.
 * Returns: the draft's severity, 0 to 7.
 * Example: severity:'CRITICAL'
 */
export const severity: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    const level = /^[0-7]$/.test(argument) ? Number(argument) : LEVELS.indexOf(argument.toUpperCase());
    if (level === -1)
      throw badAction(place, "severity", { found: argument, expected: `0 to 7, or ${LEVELS.join(", ")}` });
    draft.severity = level;
  },
};

const LEVELS = ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];
