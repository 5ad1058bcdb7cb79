/**
 * Reads HTML as a browser would that was handed it in the midst of a page: tags, their attributes, declarations. It
 * builds no tree and mends nothing; broken markup is read on to where a browser would still act upon it (a tag that
 * never closes, an attribute without blanks before it, a quote that runs to the end).
 */
export type Markup =
  | { readonly kind: "tag"; readonly name: string }
  | { readonly kind: "attribute"; readonly name: string; readonly value: string | null }
  /** `<!doctype ...`, `<!--[if ...`, `<?import ...`: what stands behind the mark, shortened. */
  | { readonly kind: "declaration"; readonly text: string };

/** Where reading begins: in text, or in a tag behind the value of an attribute. */
export type MarkupStart = "text" | "tag";

/** Pieces of one value. A page within a value has fewer before something shows. */
const PIECES_MAX = 2000;

/** All markup from `at` on. Names are in lower case, values have their character references undone. */
export function readMarkup(text: string, at: number, start: MarkupStart): Markup[] {
  const pieces: Markup[] = [];
  let next = at;
  if (start === "tag") next = readAttributes(text, next, pieces);
  while (pieces.length < PIECES_MAX) {
    const open = text.indexOf("<", next);
    if (open === -1) break;
    next = readOpening(text, open, pieces);
  }
  return pieces;
}

/** Reads what begins with the `<` at `open`; gives where to go on. */
function readOpening(text: string, open: number, pieces: Markup[]): number {
  const tag = take(/<\/?([A-Za-z][^\s/>\0]*)/y, text, open);
  if (tag !== null) {
    pieces.push({ kind: "tag", name: tag[1]!.toLowerCase() });
    return readAttributes(text, open + tag[0].length, pieces);
  }
  const declaration = take(/<([!?%][^>]{0,40})/y, text, open);
  if (declaration === null) return open + 1;
  pieces.push({ kind: "declaration", text: declaration[1]!.toLowerCase() });
  return open + 2;
}

/** Up to the tag's end, or the text's. */
function readAttributes(text: string, from: number, pieces: Markup[]): number {
  let at = from;
  while (at < text.length && pieces.length < PIECES_MAX) {
    const blank = take(/[\s/\0]+/y, text, at);
    if (blank !== null) {
      at += blank[0].length;
      continue;
    }
    if (text[at] === ">") return at + 1;
    // A name may begin with an equals sign, and with a quote that closes nothing.
    const name = take(/=?[^\s/>=\0]*/y, text, at)![0];
    at += name.length;
    const equals = take(/[\s\0]*=[\s\0]*/y, text, at);
    let value: string | null = null;
    if (equals !== null) {
      at += equals[0].length;
      const raw = take(/"[^"]*(?:"|$)|'[^']*(?:'|$)|`[^`]*(?:`|$)|[^\s>]*/y, text, at)![0];
      at += raw.length;
      value = decodeReferences(raw.replace(/^["'`]|["'`]$/g, ""));
    }
    pieces.push({ kind: "attribute", name: name.replace(/^["'`]+/, "").toLowerCase(), value });
  }
  return at;
}

function decodeReferences(value: string): string {
  if (!value.includes("&")) return value;
  return value.replace(
    /&(?:#x([0-9a-f]{1,8});?|#(\d{1,10});?|(colon|tab|newline|lpar|rpar);)/gi,
    (_whole, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (name !== undefined) return NAMED.get(name.toLowerCase()) ?? "";
      return String.fromCharCode((hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)) % 256);
    },
  );
}

/** Those with which a scheme or a call is hidden. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ["colon", ":"],
  ["tab", "\t"],
  ["newline", "\n"],
  ["lpar", "("],
  ["rpar", ")"],
]);

function take(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
