/**
 * Takes personal data and secrets out of what is about to leave the house.
 *
 * Evidence was masked where it was made; this is the second look, at the door, and it rather takes too much: a report
 * needs the attacker's address, the time, and what kind of attack it was. Nobody needs the query's values, a cookie or a
 * mail address. The attacker's own address is told elsewhere in the report, so that every other address may go.
 */
const evidenceLengthMax = 200;

export function stripped(text: string): string {
  let plain = text.replace(/[^\x20-\x7e]/g, "?");
  for (const [pattern, replacement] of patterns) plain = plain.replace(pattern, replacement);
  return plain.length > evidenceLengthMax ? `${plain.slice(0, evidenceLengthMax - 3)}...` : plain;
}

/** In this order: what a later one would cut in two is gone by then. Each is linear in the text. */
const patterns: ReadonlyArray<readonly [RegExp, string]> = [
  [/\b(cookie|set-cookie|authorization|proxy-authorization|x-api-key)\s*:.*/gi, "$1: [removed]"],
  [/\b(basic|bearer)\s+[\w.~+/=-]{4,}/gi, "$1 [removed]"],
  [/\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?/g, "[token]"],
  // User and password of a URL.
  [/\/\/[^/\s@:]{1,64}:[^/\s@]{1,64}@/g, "//[removed]@"],
  // Values of a query or a form: names tell the attack, values may be anybody's.
  [/([?&;]|\b(?=[\w.[\]%-]{1,64}=))([\w.[\]%-]{1,64})=[^&;\s]*/g, "$1$2=[value]"],
  [/[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}/g, "[mail address]"],
  [/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, "[address]"],
  [/(?<![\w:])(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}(?![\w:])/gi, "[address]"],
  // Card, phone and account numbers; hashes, keys and session ids.
  [/\b\d(?:[ -]?\d){8,}\b/g, "[number]"],
  [/\b(?=[\w-]*\d)[\w-]{24,}\b/g, "[token]"],
];
