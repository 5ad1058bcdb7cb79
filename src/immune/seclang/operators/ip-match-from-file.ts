import { rangeMatcher } from "./ip-match.ts";
import type { Operator } from "./kind.ts";
import { badArgument } from "./kind.ts";
import { dataLines } from "./pm-from-file.ts";

/**
 * Description: @ipMatch with the ranges of a file.
 * Arguments: the name of a file beside the rule's: one address or range a line, # begins a comment line.
 * Returns: nothing caught.
 * Example: SecRule REMOTE_ADDR "@ipMatchFromFile offices.data"
 */
export const ipMatchFromFile: Operator = (setup) =>
  rangeMatcher(dataLines(setup.readData(setup.argument)), (text) =>
    badArgument(
      { ...setup, argument: `${setup.argument}: ${text}` },
      "ipMatchFromFile",
      "an address or a range a line",
    ),
  );
