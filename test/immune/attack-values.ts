// Values of 8 KB on which patterns backtrack, or on which the engine was slow once: the dearest that were thought of and
// those that scripts/fuzz-regex.ts found. None may cost much, or be given up.

export interface AttackValue {
  readonly name: string;
  readonly value: string;
}

const BYTES = 8192;
const repeated = (text: string): string => text.repeat(Math.ceil(BYTES / text.length)).slice(0, BYTES);

const PROSE =
  'In the beginning the river was wide and slow; we selected "a place" from the map, and (or so he said) the group met ' +
  "at noon = 12:00. If you like, call <b>me</b> or drop me a line -- it's fine & good; the union of all tables was " +
  "decided by order of the king's men, having counted 1, 2 and 3 of them. echo $HOME; cat /etc/hosts | grep local. ";

const REPEATED: readonly string[] = [
  " ",
  "a",
  "'",
  "\\",
  "(",
  ".",
  "\n",
  "%25",
  "\xff",
  "/../",
  "; ",
  "<a ",
  "a=1&",
  "b$",
  "b\\u\\s\\y",
  "on",
  "[[",
  "{{",
  "/*",
  "--",
  "' or 1=1 union select ",
  '[[{"a":1},"x"],',
  "x x ",
  "a,",
  "a=",
  "=a",
  "<a b=",
  "url(",
  "data:a/b;",
  "&#",
  "&#x0",
  "$(",
  "${",
  "union ",
  "@@",
  "0x0",
  "!=",
  "\\x",
  "ftp://a",
  "aB1_",
  "a.b(",
  "java.",
  "set-cookie:",
  "charset",
  "bytes=1-,",
  ")(",
  "`'\"",
];

export function attackValues(): AttackValue[] {
  return [
    ...REPEATED.map((text) => ({ name: JSON.stringify(text), value: repeated(text) })),
    ...REPEATED.map((text) => ({
      name: `${JSON.stringify(text)} with an end`,
      value: `${repeated(text).slice(0, -2)}\x01!`,
    })),
    { name: "prose", value: repeated(PROSE) },
    { name: "base64", value: Buffer.from(repeated(PROSE)).toString("base64").slice(0, BYTES) },
    { name: "noise", value: noise() },
    ...FOUND,
  ];
}

/** What the search found to be the dearest: noise or prose (each needs many states), sown with what patterns require. */
const FOUND: ReadonlyArray<{ readonly name: string; readonly value: string }> = [
  { name: "noise sown with functions", value: sown(noise(), ["runtime", "aes_decrypt", "a=b&c=d", "wfuzz "], 24) },
  { name: "prose sown with calls", value: sown(repeated(PROSE), ["&dollar;{", "select", "sleep(", "$(", "<a "], 40) },
  { name: "prose sown with quotes", value: sown(repeated(PROSE), ["'", '"', "`", " or ", "="], 16) },
  { name: "noise sown with quotes", value: sown(noise(), ["'", " or ", "=", "union", "("], 16) },
];

function sown(value: string, pieces: readonly string[], step: number): string {
  let text = "";
  for (let at = 0; text.length < BYTES; at += step) {
    text += value.slice(at % BYTES, (at % BYTES) + step) + pieces[(at / step) % pieces.length]!;
  }
  return text.slice(0, BYTES);
}

function noise(): string {
  let state = 1;
  return Array.from({ length: BYTES }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    return String.fromCharCode((state >>> 16) & 0xff);
  }).join("");
}
