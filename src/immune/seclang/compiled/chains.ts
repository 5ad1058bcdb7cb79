/**
 * Transformation chains of a rule set: each distinct one has a number, and a profile (byte-classes.ts) of the bytes
 * without which it changes nothing. Most values hold none of them, and need not be transformed at all.
 */
import { profileOfSet } from "../pattern/byte-classes.ts";
import type { TransformationName } from "../transformations/table.ts";

export interface Chain {
  readonly index: number;
  readonly names: readonly TransformationName[];
  /** A value that shares no bit with this comes out as it went in. */
  readonly touches: number;
  /** Some transformation in it may lengthen what it is given. */
  readonly lengthens: boolean;
}

export interface Chains {
  readonly chainOf: (names: readonly TransformationName[]) => Chain;
}

export function collectChains(): Chains {
  const known = new Map<string, Chain>();
  return {
    chainOf: (names) => {
      const key = names.join(",");
      let chain = known.get(key);
      if (chain === undefined) {
        // As long as nothing has changed, the next one sees the value itself.
        const touches = names.reduce((sum, name) => sum | TOUCHES[name], 0);
        chain = { index: known.size, names, touches, lengthens: names.some((name) => LENGTHENING.has(name)) };
        known.set(key, chain);
      }
      return chain;
    },
  };
}

/**
 * Whether what the chain makes of a value of this profile may be longer than the value. All other transformations keep
 * the length or shorten (compiled.test.ts compares).
 */
export function mayLengthen({ names }: Chain, profile: number): boolean {
  let isChanged = false;
  for (const name of names) {
    const touches: number = TOUCHES[name];
    const changes: boolean = isChanged || touches === ANY || (touches & profile) !== 0;
    if (changes && LENGTHENING.has(name)) return true;
    isChanged ||= changes;
  }
  return false;
}

export const LENGTHENING: ReadonlySet<TransformationName> = new Set([
  "hexEncode",
  "length",
  "sha1",
  "urlEncode",
  "utf8toUnicode",
] satisfies TransformationName[]);

export interface Effect {
  /** Without those that cannot change a value of the profile: chains of which the same is left make the same of it. */
  readonly names: readonly TransformationName[];
  /** The profile that all stages together have at most. */
  readonly profile: number;
}

/** What is left of a chain for values of this profile. */
export function effectOf(chain: Chain, profile: number): Effect {
  let possible = profile;
  const names = chain.names.filter((name) => {
    const touches: number = TOUCHES[name];
    if (touches !== ANY && (touches & possible) === 0) return false;
    possible |= MAKES[name];
    return true;
  });
  return { names, profile: possible };
}

const ANY = -1;
const bytes = (pattern: RegExp): number =>
  profileOfSet(Uint8Array.from({ length: 256 }, (_, byte) => (pattern.test(String.fromCharCode(byte)) ? 1 : 0)));
const BLANKS = /[ \t\n\v\f\r\xa0]/;

/** What each transformation looks for; ANY: it changes values in general. compiled.test.ts compares. */
export const TOUCHES = {
  base64Decode: ANY,
  base64DecodeExt: ANY,
  cmdLine: bytes(/["'\\^ \t\n\v\f\r,;A-Z]/),
  compressWhitespace: bytes(BLANKS),
  cssDecode: bytes(/\\/),
  escapeSeqDecode: bytes(/\\/),
  hexDecode: ANY,
  hexEncode: ANY,
  htmlEntityDecode: bytes(/&/),
  jsDecode: bytes(/\\/),
  length: ANY,
  lowercase: bytes(/[A-Z]/),
  normalizePath: bytes(/[/.]/),
  normalizePathWin: bytes(/[/.\\]/),
  removeComments: bytes(/[/*\-#<]/),
  removeCommentsChar: bytes(/[/*\-#<]/),
  removeNulls: bytes(/\0/),
  removeWhitespace: bytes(BLANKS),
  replaceComments: bytes(/\*/),
  replaceNulls: bytes(/\0/),
  sha1: ANY,
  sqlHexDecode: bytes(/[xX]/),
  trim: bytes(BLANKS),
  trimLeft: bytes(BLANKS),
  trimRight: bytes(BLANKS),
  uppercase: bytes(/[a-z]/),
  urlDecode: bytes(/[%+]/),
  urlDecodeUni: bytes(/[%+]/),
  urlEncode: ANY,
  utf8toUnicode: bytes(/[\x80-\xff]/),
} as const satisfies Record<TransformationName, number>;

/** Which bytes a transformation may bring in that the value did not hold; ANY: all. compiled.test.ts compares. */
export const MAKES = {
  base64Decode: ANY,
  base64DecodeExt: ANY,
  cmdLine: bytes(/[ a-z]/),
  compressWhitespace: bytes(/ /),
  cssDecode: ANY,
  escapeSeqDecode: ANY,
  hexDecode: ANY,
  hexEncode: bytes(/[0-9a-f]/),
  htmlEntityDecode: ANY,
  jsDecode: ANY,
  length: bytes(/[0-9]/),
  lowercase: bytes(/[a-z]/),
  normalizePath: 0,
  normalizePathWin: bytes(/\//),
  removeComments: 0,
  removeCommentsChar: 0,
  removeNulls: 0,
  removeWhitespace: 0,
  replaceComments: bytes(/ /),
  replaceNulls: bytes(/ /),
  sha1: ANY,
  sqlHexDecode: ANY,
  trim: 0,
  trimLeft: 0,
  trimRight: 0,
  uppercase: bytes(/[A-Z]/),
  urlDecode: ANY,
  urlDecodeUni: ANY,
  urlEncode: bytes(/[0-9a-f%+]/),
  utf8toUnicode: bytes(/[0-9a-f%u]/),
} as const satisfies Record<TransformationName, number>;
