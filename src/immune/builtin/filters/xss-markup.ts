import { findCrossSiteScripting } from "../../seclang/detect/cross-site-scripting.ts";
import { oneOf, pattern, type Filter } from "../filter.ts";
import { EVERYWHERE } from "../places.ts";

/** What is found must act: a tag that is only named ("use <script> tags") loads and runs nothing. */
function search(text: string): string | null {
  const found = findCrossSiteScripting(text);
  if (found === null) return null;
  // A document type without entities is how any page begins.
  if (found.finding === "declaration") return found.name.startsWith("!doctype") ? null : found.name;
  if (found.finding !== "tag") return found.name;
  if (found.name === "iframe" && EMBEDDED.test(text)) return null;
  if (DRAWINGS.test(found.name) && !MOVES.test(text)) return null;
  const at = text.toLowerCase().indexOf(`<${found.name}`);
  if (at === -1) return null;
  const rest = text.slice(at, at + ACTION_CHARS_READ);
  return (at < START_CHARS_MAX && /^[\s"'>]*$/.test(text.slice(0, at))) || ACTS.test(rest) ? rest : null;
}

/** Drawings, formulas and styles are harmless unless something in them runs or loads. */
const DRAWINGS = /^(?:svg|math|style|xml)/;
const MOVES =
  /[\s/"']on[a-z]{3,}\s*=|<\s*(?:script|foreignobject|animate|set|use|handler|iframe|image)|script\s*:|@import|expression\s*\(|-moz-binding|behaviou?r\s*:|data:(?!image)|<(?:svg|math|style)[^>]{0,100}$/i;

/** Before a tag that stands at the beginning. */
const START_CHARS_MAX = 16;
/** As sites give it for their videos and maps. */
const EMBEDDED =
  /^\s*<iframe(?=[^>]*\b(?:allowfullscreen|frameborder|loading|allow|referrerpolicy)\b)(?=[^>]*\ssrc="https:\/\/[\w.-]+\/[^"<>]*")(?![^>]*(?:\son|srcdoc|script:))[^>]{1,1000}>\s*(?:<\/iframe>)?\s*$/i;

const ACTION_CHARS_READ = 200;
/** Attributes, an end that is missing, or content with more than words in it. */
const ACTS = /^<[a-z][^\s/>]*(?:[\s/][^>=]*=|[^>]*$|[^>]*>\s*[^\s<]{0,80}[(=;"'[.`])/i;

/** `<s c r i p t`: some readers pass over blanks. */
function searchSpaced(text: string): string | null {
  for (const [whole, letters] of text.matchAll(/<((?:[a-z]\s{1,3}){2,10}[a-z])\b/gi)) {
    if (SPACED.has(letters!.replace(/\s/g, "").toLowerCase())) return whole;
  }
  return null;
}

const SPACED = new Set(
  "script style form iframe object embed applet meta link svg dialog body image img video audio input base frame".split(
    " ",
  ),
);

export const xssMarkup: Filter = {
  id: 100_301,
  name: "xss-markup",
  message: "A value holds markup that runs script",
  attackClass: "cross-site-scripting",
  score: 5,
  catches:
    "Elements that run or load something (script, iframe, object, svg, style with code ...), event handlers, addresses that run script, within text and out of an attribute's value behind any quote; XML entities that load files; server-side includes.",
  letsPass:
    'Plain markup: bold text, links, images, tables. A tag that is only named, as in "use <script> tags". Markup within sentences or several lines: whoever accepts articles or source code must escape or sanitize them.',
  example: "<img src=x onerror=alert(1)>",
  places: EVERYWHERE,
  checks: [
    { kind: "search", form: "plain", inText: "excused", gate: /<[a-z!?/%\0\t\n\r ]/i, search },
    {
      kind: "search",
      form: "plain",
      inText: "excused",
      gate: /["'`\s/>](?:on|style|src|href|formaction|action|xlink|data|srcdoc|background|poster|to|from|values)[^]*=/i,
      search,
    },
    pattern("plain", `<!--\\s*#\\s*${oneOf("exec include echo set config printenv fsize flastmod")}\\b`, {
      inText: "counts",
    }),
    pattern(
      "plain",
      `<!entity\\s+(?:%\\s+)?[\\w.-]+\\s+(?:system|public)\\b|<!doctype\\s+[^>]*\\[\\s*<!entity|<!entity[^>]+(?:&|%)\\w+;|<xi:include\\b`,
    ),
    pattern(
      "plain",
      `<\\s*/?\\s*(?:\\w+:)?(?:script|frameset|applet|embed|object|noscript|foreignobject|isindex|marquee|xss|base|meta|bgsound|blink|layer|ilayer|keygen|template|portal)(?:[\\s/>#"'+,;:\\0]+[^>]*(?:=|>?\\s*\\S*[(=;])|[\\s#/"'+]*$)`,
    ),
    pattern(
      "plain",
      `<(?:a|abbr|animate|article|audio|b|body|button|details|dialog|div|em|embed|form|frame|h[1-6]|hr|i|image|img|input|label|li|main|math|menu|object|ol|option|p|select|set|span|source|strong|svg|table|td|textarea|th|tr|ul|use|video|x)[\\s/"'+]+[^>]*\\bon[a-z]{3,40}[\\s\\x0b]*=`,
    ),
    pattern(
      "plain",
      `<[a-z][^\\s/>]*[\\s/][^>]*(?:src|href|action|formaction|data|poster|background|content|from|to|values|xlink:href|code)\\s*=[\\s"'\`]*(?:&\\w+;|[\\0-\\x20])*(?:j\\s*a\\s*v\\s*a|v\\s*b|l\\s*i\\s*v\\s*e)\\s*s\\s*c\\s*r\\s*i\\s*p\\s*t\\s*:`,
    ),
    pattern(
      "plain",
      `<\\s*(?:\\w{1,8}:)?(?:script|vmlframe|importimplementation|foreignobject|handler|animat\\w+)\\b\\s*(?:$|[^>\\w\\s])|<\\s*\\w{0,8}\\s*:\\s*(?:vmlframe|script|image|rect|oval|group)\\b|<importimplementation`,
    ),
    // No client has tags in its headers.
    pattern(
      "plain",
      `<\\s*/?(?:script|iframe|img|svg|object|embed|body|style|link|meta|a\\s|b\\s|form|input|video|audio|details|math|base)`,
      { places: ["user-agent", "referer", "header", "cookie-name"], inText: "counts" },
    ),
    { kind: "search", form: "plain", inText: "excused", gate: /<[a-z]\s/i, search: searchSpaced },
  ],
};
