/**
 * Description: undoes HTML's character references: &#DD; &#xHH; and the five names that attacks use (quot, amp, lt,
 *   gt, nbsp). The semicolon may lack, as it may for browsers. A number above 255 keeps its low byte, as rules that
 *   look at bytes expect.
 * Arguments: the value.
 * Returns: the value without references.
 * Example: "&lt;&#x73;cript&gt;" -> "<script>"
 */
export function htmlEntityDecode(value: string): string {
  if (!value.includes("&")) return value;
  return value.replace(
    /&(?:#[xX]([0-9A-Fa-f]+);?|#([0-9]+);?|([A-Za-z0-9]+);?)/g,
    (whole, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex.slice(-2), 16));
      if (decimal !== undefined) return String.fromCharCode(Number(decimal.slice(-DIGITS_READ)) % 256);
      return NAMES.get(name!.toLowerCase()) ?? whole;
    },
  );
}

/** 256 divides 10^8: further digits in front do not change the low byte, and long numbers cost nothing. */
const DIGITS_READ = 8;

/** A map, not an object: the name may be "constructor". */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["quot", '"'],
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["nbsp", "\xa0"],
]);
