/** Which bytes may stand where in an HTTP message, as a table: one look-up a byte, no regular expressions. */

export const TOKEN = 1;
/** Field values: HTAB, space, visible ASCII, and the bytes above it (Latin-1, or UTF-8 of which we know nothing). */
export const VALUE = 2;
/**
 * Request targets: visible ASCII, as in Node. Wider than RFC 3986, since browsers send `|`, `"`, `{`, `}`, `^` and
 * backquotes. Not `#`: a fragment is never sent, and what follows it is read differently by different programs.
 */
export const TARGET = 4;
/** A host with its port: letters, digits, `-._~%:[]`. The grammar's `!$&'()*+,;=` name no host that exists. */
export const HOST = 8;
export const DIGIT = 16;
export const HEX = 32;

export const CR = 0x0d;
export const LF = 0x0a;
export const SPACE = 0x20;
export const HTAB = 0x09;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const DEL = 0x7f;

/** For each byte the sum of the above that it belongs to. */
export const classOf: Uint8Array = buildTable();

/** True when every character of `text` is of class `wanted`, and there is at least one. */
export function isAll(text: string, wanted: number): boolean {
  if (text.length === 0) return false;
  return findOther(text, wanted, 0) === text.length;
}

/** Index of the first character from `from` on that is not of class `wanted`; the length if there is none. */
export function findOther(text: string, wanted: number, from: number): number {
  let at = from;
  while (at < text.length && ((classOf[text.charCodeAt(at)] ?? 0) & wanted) !== 0) at += 1;
  return at;
}

/** Valid as a field value: the empty string too. Characters above 0xff are not, since they would be cut to other bytes. */
export function isFieldValue(text: string): boolean {
  return findOther(text, VALUE, 0) === text.length;
}

function buildTable(): Uint8Array {
  const table = new Uint8Array(256);
  const mark = (bits: number, from: number, to = from) => {
    for (let byte = from; byte <= to; byte += 1) table[byte] = (table[byte] ?? 0) | bits;
  };
  const markAll = (bits: number, characters: string) => {
    for (const character of characters) mark(bits, character.charCodeAt(0));
  };
  mark(TOKEN | HOST | DIGIT | HEX, 0x30, 0x39);
  mark(TOKEN | HOST, 0x41, 0x5a);
  mark(TOKEN | HOST, 0x61, 0x7a);
  mark(HEX, 0x41, 0x46);
  mark(HEX, 0x61, 0x66);
  markAll(TOKEN, "!#$%&'*+-.^_`|~");
  markAll(HOST, "-._~%:[]");
  mark(VALUE, HTAB);
  mark(VALUE, SPACE, 0x7e);
  mark(VALUE, 0x80, 0xff);
  mark(TARGET, 0x21, 0x7e);
  table["#".charCodeAt(0)] = TOKEN | VALUE;
  return table;
}
