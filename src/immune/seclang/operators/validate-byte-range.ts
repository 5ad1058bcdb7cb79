import type { Operator } from "./kind.ts";
import { badArgument, NOTHING_CAUGHT } from "./kind.ts";

/**
 * Description: matches a value that holds a byte *outside* of the ranges: it finds the invalid.
 * Arguments: bytes and ranges of bytes in decimal digits, parted by commas.
 * Returns: nothing caught.
 * Example: SecRule ARGS "@validateByteRange 32-126,9,10,13"
 */
export const validateByteRange: Operator = (setup) => {
  const allowed = new Uint8Array(256);
  for (const text of setup.argument.split(",")) {
    const [, first, last = first] = /^\s*(\d{1,3})\s*(?:-\s*(\d{1,3}))?\s*$/.exec(text) ?? [];
    if (first === undefined || Number(last) > 255 || Number(first) > Number(last)) {
      throw badArgument(setup, "validateByteRange", "numbers and ranges from 0 to 255, parted by commas");
    }
    allowed.fill(1, Number(first), Number(last) + 1);
  }
  return (value) => {
    for (let i = 0; i < value.length; i += 1) if (allowed[value.charCodeAt(i) & 0xff] === 0) return NOTHING_CAUGHT;
    return null;
  };
};
