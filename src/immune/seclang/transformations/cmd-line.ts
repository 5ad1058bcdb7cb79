/**
 * Description: undoes what shells ignore, so that one pattern finds all spellings of a command: deletes backslashes,
 *   quotes and carets; turns commas, semicolons and white space into single spaces; deletes spaces before / and (;
 *   lower case.
 * Arguments: the value.
 * Returns: the value as a plain command line.
 * Example: `C^OMMAND /c "d,i;r"` -> "command/c d i r"
 */
export function cmdLine(value: string): string {
  return value
    .replace(/["'\\^]/g, "")
    .replace(/[ \t\n\v\f\r,;]+/g, " ")
    .replace(/ (?=[/(])/g, "")
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
