/**
 * Text that a value hides in base64, where it is nothing else: tokens, state, session cookies, and attacks that are
 * decoded behind the filter. Only text is given, and only once: what is no text inside is no attack on a reader of text.
 */

/** Shorter values decode to a few letters of anything. */
const CHARS_MIN = 16;
const CHARS_MAX = 4096;
const ALPHABET = /^[A-Za-z0-9+/_-]+={0,2}$/;
const TEXT = /^[\t\n\r -~]+$/;

export function hiddenText(value: string): string | null {
  if (value.length < CHARS_MIN || value.length > CHARS_MAX || !ALPHABET.test(value)) return null;
  const text = Buffer.from(value, "base64").toString("latin1");
  return TEXT.test(text) ? text : null;
}
