/**
 * Tells whether a value, put into an HTML page without care, would bring script along.
 *
 * The value is read five times: as text of the page, and as the value of an attribute without quotes and within double,
 * single and back quotes, where it can act only behind what ends that value. What it must then hold:
 *   tag          an element that runs or loads something: script, iframe, object, svg ...
 *   handler      an attribute on... with a value. Out of an attribute's value only the names of real events count:
 *                "online=yes" is no attack, and most values are never within a tag
 *   url          an attribute that takes an address, with one that runs: javascript:, vbscript:, data: (but images)
 *   style        an attribute style that runs or loads something
 *   page         an attribute srcdoc
 *   declaration  a document type, an entity, a conditional comment, an import
 * Plain markup (bold text, links, images) is none of these. What the value does within a script that is there
 * already cannot be told from the value alone, and is not judged.
 */
import type { Markup } from "./html-markup.ts";
import { readMarkup } from "./html-markup.ts";

export interface CrossSiteScripting {
  readonly context: "text" | "unquoted" | "double" | "single" | "back";
  readonly finding: string;
  /** The tag, attribute or declaration. */
  readonly name: string;
}

export function findCrossSiteScripting(value: string): CrossSiteScripting | null {
  const text = value.length > CHARS_MAX ? value.slice(0, CHARS_MAX) : value;
  // Without either nothing is markup.
  if (!/[<=]/.test(text)) return null;
  for (const [context, ending] of CONTEXTS) {
    const at = ending === null ? 0 : text.search(ending);
    if (at === -1) continue;
    const isText = context === "text";
    // Behind the quote, or at the blank or > that ends a value without quotes.
    const from = isText || context === "unquoted" ? at : at + 1;
    const found = judge(readMarkup(text, from, isText ? "text" : "tag"), !isText);
    if (found !== null) return { context, ...found };
  }
  return null;
}

/** Larger values are cut: see the limits on values that filters look at. */
const CHARS_MAX = 64 * 1024;

const CONTEXTS: ReadonlyArray<readonly [context: CrossSiteScripting["context"], ending: RegExp | null]> = [
  ["text", null],
  ["unquoted", /[\s>]/],
  ["double", /"/],
  ["single", /'/],
  ["back", /`/],
];

function judge(
  pieces: readonly Markup[],
  fromAttribute: boolean,
): { readonly finding: string; readonly name: string } | null {
  // Attributes before the first tag are those of the tag that the value would stand in, if it does.
  let isGuess = fromAttribute;
  for (const piece of pieces) {
    if (piece.kind === "attribute") {
      const finding = judgeAttribute(piece.name, piece.value, isGuess);
      if (finding !== null) return { finding, name: piece.name };
      continue;
    }
    isGuess = false;
    if (piece.kind === "tag" && isDangerousTag(piece.name)) return { finding: "tag", name: piece.name };
    if (piece.kind === "declaration" && DECLARATIONS.test(piece.text))
      return { finding: "declaration", name: piece.text };
  }
  return null;
}

function isDangerousTag(name: string): boolean {
  return TAGS.has(name) || /^(?:svg|xsl|xml|vml)/.test(name);
}

const TAGS = new Set([
  "applet",
  "base",
  "embed",
  "frame",
  "frameset",
  "handler",
  "iframe",
  "import",
  "isindex",
  "link",
  "listener",
  "math",
  "meta",
  "object",
  "script",
  "style",
]);

/** What stands behind < when it is ! or ?. */
const DECLARATIONS = /^!doctype\b|^!entity\b|^!--\[if|^\?import\b|^\?xml-stylesheet\b|^!\[cdata\[/;

function judgeAttribute(name: string, value: string | null, isGuess: boolean): string | null {
  // A handler without code and an address without text do nothing.
  if (value === null || value.trim() === "") return null;
  if (isGuess ? EVENTS.test(name) : /^on[a-z]{2,}$/.test(name)) return "handler";
  if (name === "srcdoc") return "page";
  if (name === "style") return DANGEROUS_STYLE.test(value) ? "style" : null;
  if (ADDRESSES.has(name.replace(/^xlink:/, "")) && isRunningAddress(value)) return "url";
  return null;
}

/** Attributes that take an address, of HTML and of SVG's animations. */
const ADDRESSES = new Set([
  "action",
  "background",
  "by",
  "code",
  "codebase",
  "data",
  "dynsrc",
  "formaction",
  "from",
  "href",
  "lowsrc",
  "poster",
  "src",
  "to",
  "values",
]);

/** Browsers pass over control characters before the scheme and line breaks within it. */
function isRunningAddress(value: string): boolean {
  const address = value
    .slice(0, ADDRESS_CHARS_READ)
    .replace(/^[\0-\x20]+/, "")
    .replace(/[\t\n\r\0]/g, "");
  if (/^(?:javascript|vbscript|livescript|view-source|mocha):/i.test(address)) return true;
  return /^data:(?!image\/(?:png|gif|jpe?g|webp|avif)\b)/i.test(address);
}

/** A scheme stands in front; blanks may stand before it. */
const ADDRESS_CHARS_READ = 512;

const DANGEROUS_STYLE = /expression\s*\(|javascript:|vbscript:|behaviou?r\s*:|-moz-binding|@import/i;

/** Events by their stems: an attribute of this name with a value is an event handler and hardly ever anything else. */
const EVENTS = new RegExp(
  `^on(?:${[
    "abort|activate|after\\w+|animation\\w+|auxclick|before\\w+|begin|blur|bounce|cancel|canplay\\w*|cellchange|change",
    "click|close|command|content\\w+|contextmenu|controlselect|copy|cuechange|cut|data\\w+|dblclick|deactivate|drag\\w*",
    "drop|durationchange|emptied|end|ended|error\\w*|filterchange|finish|focus\\w*|formdata|fullscreen\\w+|gotpointer\\w+",
    "hashchange|help|input|invalid|key\\w+|languagechange|layoutcomplete|load\\w*|losecapture|lostpointer\\w+|message\\w*",
    "mouse\\w+|move\\w*|offline|online|page\\w+|paste|pause|play\\w*|pointer\\w+|popstate|progress|propertychange",
    "ratechange|readystatechange|repeat|reset|resize\\w*|row\\w+|scroll\\w*|search|seek\\w+|select\\w*|show|slotchange",
    "stalled|start|stop|storage|submit|suspend|syncrestored|timeupdate|toggle|touch\\w+|transition\\w+|unhandled\\w+",
    "unload|volumechange|waiting|webkit\\w+|wheel|zoom",
  ].join("|")})$`,
);
