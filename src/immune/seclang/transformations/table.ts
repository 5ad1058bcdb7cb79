/**
 * All transformations, by the names that rules use. A new one is a file, a line here and its cases: the walker test
 * names what lacks either.
 */
import { base64Decode } from "./base64-decode.ts";
import { base64DecodeExt } from "./base64-decode-ext.ts";
import { cmdLine } from "./cmd-line.ts";
import { compressWhitespace } from "./compress-whitespace.ts";
import { cssDecode } from "./css-decode.ts";
import { escapeSeqDecode } from "./escape-seq-decode.ts";
import { hexDecode } from "./hex-decode.ts";
import { hexEncode } from "./hex-encode.ts";
import { htmlEntityDecode } from "./html-entity-decode.ts";
import { jsDecode } from "./js-decode.ts";
import { length } from "./length.ts";
import { lowercase } from "./lowercase.ts";
import { normalizePath } from "./normalize-path.ts";
import { normalizePathWin } from "./normalize-path-win.ts";
import { removeComments } from "./remove-comments.ts";
import { removeCommentsChar } from "./remove-comments-char.ts";
import { removeNulls } from "./remove-nulls.ts";
import { removeWhitespace } from "./remove-whitespace.ts";
import { replaceComments } from "./replace-comments.ts";
import { replaceNulls } from "./replace-nulls.ts";
import { sha1 } from "./sha1.ts";
import { sqlHexDecode } from "./sql-hex-decode.ts";
import { trim } from "./trim.ts";
import { trimLeft } from "./trim-left.ts";
import { trimRight } from "./trim-right.ts";
import { uppercase } from "./uppercase.ts";
import { urlDecode } from "./url-decode.ts";
import { urlDecodeUni } from "./url-decode-uni.ts";
import { urlEncode } from "./url-encode.ts";
import { utf8ToUnicode } from "./utf8-to-unicode.ts";

/** Bytes in, bytes out, as Latin-1 strings. Pure, total, and linear in the length of the value. */
export type Transformation = (value: string) => string;

export const TRANSFORMATIONS = {
  base64Decode,
  base64DecodeExt,
  cmdLine,
  compressWhitespace,
  cssDecode,
  escapeSeqDecode,
  hexDecode,
  hexEncode,
  htmlEntityDecode,
  jsDecode,
  length,
  lowercase,
  normalizePath,
  normalizePathWin,
  removeComments,
  removeCommentsChar,
  removeNulls,
  removeWhitespace,
  replaceComments,
  replaceNulls,
  sha1,
  sqlHexDecode,
  trim,
  trimLeft,
  trimRight,
  uppercase,
  urlDecode,
  urlDecodeUni,
  urlEncode,
  utf8toUnicode: utf8ToUnicode,
} as const satisfies Record<string, Transformation>;

export type TransformationName = keyof typeof TRANSFORMATIONS;

/** British spellings, which older rule sets use. */
const ALIASES: Readonly<Record<string, TransformationName>> = {
  normalisepath: "normalizePath",
  normalisepathwin: "normalizePathWin",
};

const byLowerCase: ReadonlyMap<string, TransformationName> = new Map([
  ...Object.keys(TRANSFORMATIONS).map((name) => [name.toLowerCase(), name as TransformationName] as const),
  ...Object.entries(ALIASES),
]);

/** The transformation of that name, in any case, or null. */
export function transformationNamed(name: string): TransformationName | null {
  return byLowerCase.get(name.toLowerCase()) ?? null;
}
