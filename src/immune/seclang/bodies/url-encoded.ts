/**
 * Reads `a=1&b=2`, of a query or a form. Lenient as servers are: what is no escape stays, a name without = has an
 * empty value, empty pairs are passed over.
 */
import { urlDecode } from "../transformations/url-decode.ts";
import type { BodyReading, NamedValue } from "./reading.ts";
import { EMPTY_READING } from "./reading.ts";

export function readUrlEncoded(text: string, options: { separator: string; argumentsMax: number }): BodyReading {
  const args: NamedValue[] = [];
  let start = 0;
  while (start <= text.length) {
    const next = text.indexOf(options.separator, start);
    const end = next === -1 ? text.length : next;
    if (end > start) {
      if (args.length >= options.argumentsMax) {
        return { ...EMPTY_READING, args, error: `more than ${options.argumentsMax} arguments` };
      }
      args.push(pairOf(text.slice(start, end)));
    }
    start = end + options.separator.length;
  }
  return { ...EMPTY_READING, args, invalidEncoding: /%(?![0-9A-Fa-f]{2})/.test(text) };
}

function pairOf(pair: string): NamedValue {
  const equals = pair.indexOf("=");
  if (equals === -1) return { name: urlDecode(pair), value: "" };
  return { name: urlDecode(pair.slice(0, equals)), value: urlDecode(pair.slice(equals + 1)) };
}
