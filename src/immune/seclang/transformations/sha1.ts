/**
 * Description: the SHA-1 digest. Rules use it to spread requests and to shorten keys, never to keep a secret.
 *   Written here because this folder is pure, and a transformation cannot wait for a promise.
 * Arguments: the value.
 * Returns: 20 bytes; t:hexEncode behind it makes them legible.
 * Example: "abc" -> a9993e364706816aba3e25717850c26c9cd0d89d, as bytes
 */
export function sha1(value: string): string {
  const words = paddedWords(value);
  let [h0, h1, h2, h3, h4] = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476, 0xc3d2e1f0 | 0];
  const schedule = new Int32Array(80);
  for (let block = 0; block < words.length; block += 16) {
    for (let i = 0; i < 80; i += 1) {
      schedule[i] =
        i < 16
          ? words[block + i]!
          : rotate(schedule[i - 3]! ^ schedule[i - 8]! ^ schedule[i - 14]! ^ schedule[i - 16]!, 1);
    }
    let [a, b, c, d, e] = [h0, h1, h2, h3, h4];
    for (let i = 0; i < 80; i += 1) {
      const next = (rotate(a, 5) + mix(i, b, c, d) + e + ROUND_CONSTANTS[Math.floor(i / 20)]! + schedule[i]!) | 0;
      [e, d, c, b, a] = [d, c, rotate(b, 30), a, next];
    }
    [h0, h1, h2, h3, h4] = [(h0 + a) | 0, (h1 + b) | 0, (h2 + c) | 0, (h3 + d) | 0, (h4 + e) | 0];
  }
  return [h0, h1, h2, h3, h4].map(bytesOf).join("");
}

const ROUND_CONSTANTS = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc | 0, 0xca62c1d6 | 0] as const;

function mix(round: number, b: number, c: number, d: number): number {
  if (round < 20) return (b & c) | (~b & d);
  if (round >= 40 && round < 60) return (b & c) | (b & d) | (c & d);
  return b ^ c ^ d;
}

/** The message, a bit of one, zeros, and its length in bits, as big-endian words in blocks of sixteen. */
function paddedWords(value: string): Int32Array {
  const words = new Int32Array((((value.length + 8) >> 6) + 1) * 16);
  for (let i = 0; i < value.length; i += 1) words[i >> 2]! |= (value.charCodeAt(i) & 0xff) << (24 - (i % 4) * 8);
  words[value.length >> 2]! |= 0x80 << (24 - (value.length % 4) * 8);
  words[words.length - 2] = Math.floor(value.length / 0x2000_0000);
  words[words.length - 1] = value.length << 3;
  return words;
}

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

function bytesOf(word: number): string {
  return String.fromCharCode(word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff);
}
