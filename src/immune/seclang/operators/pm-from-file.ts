import type { Operator } from "./kind.ts";
import { badArgument } from "./kind.ts";
import { phraseMatcher } from "./pm.ts";

/**
 * Description: any of a file's phrases stands anywhere in the value. ASCII case is ignored.
 * Arguments: names of files beside the rule's, parted by blanks: one phrase a line, # begins a comment line.
 * Returns: the phrase, as it stands in the value.
 * Example: SecRule ARGS "@pmFromFile lfi-os-files.data"
 */
export const pmFromFile: Operator = (setup) => {
  const phrases = setup.argument
    .split(/\s+/)
    .filter((name) => name !== "")
    .flatMap((name) => dataLines(setup.readData(name)));
  if (phrases.length === 0) throw badArgument(setup, "pmFromFile", "files that hold a phrase or more");
  return phraseMatcher(phrases);
};

/** A data file's lines without comments, empty lines and the blanks around each. */
export function dataLines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
