import { findCrossSiteScripting } from "../../seclang/detect/cross-site-scripting.ts";
import { oneOf, pattern, type Filter } from "../filter.ts";
import { EVERYWHERE } from "../places.ts";

/** What is found must act: a tag that is only named ("use <script> tags") loads and runs nothing. */
function search(text: string): string | null {
  const found = findCrossSiteScripting(text);
  if (found === null) return null;
  if (found.finding !== "tag") return found.name;
  const at = text.toLowerCase().indexOf(`<${found.name}`);
  if (at === -1) return null;
  const rest = text.slice(at, at + ACTION_CHARS_READ);
  return /^\s*["'>]*\s*$/.test(text.slice(0, at)) || ACTS.test(rest) ? rest : null;
}

const ACTION_CHARS_READ = 200;
/** Attributes, an end that is missing, or content with more than words in it. */
const ACTS = /^<[a-z][^\s/>]*(?:[\s/][^>=]*=|[^>]*$|[^>]*>\s*[^\s<]{0,80}[(=;"'[.`])/i;

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
      `<\\s*/?\\s*(?:\\w+:)?(?:script|iframe|frameset|applet|embed|object|noscript|foreignobject|isindex|marquee|xss|base|meta|bgsound|blink|layer|ilayer|keygen|template|portal)(?:[\\s/>#"'+,;:\\0]+[^>]*(?:=|>?\\s*\\S*[(=;])|[\\s#/"'+]*$)`,
    ),
    pattern(
      "plain",
      `<(?:a|abbr|animate|article|audio|b|body|button|details|dialog|div|em|embed|form|frame|h[1-6]|hr|i|image|img|input|label|li|main|math|menu|object|ol|option|p|select|set|span|source|strong|svg|table|td|textarea|th|tr|ul|use|video|x)[\\s/"'+]+[^>]*\\bon[a-z]{3,40}[\\s\\x0b]*=`,
    ),
    pattern(
      "plain",
      `<[a-z][^\\s/>]*[\\s/][^>]*(?:src|href|action|formaction|data|poster|background|content|from|to|values|xlink:href|code)\\s*=[\\s"'\`]*(?:&\\w+;|[\\0-\\x20])*(?:j\\s*a\\s*v\\s*a|v\\s*b|l\\s*i\\s*v\\s*e)\\s*s\\s*c\\s*r\\s*i\\s*p\\s*t\\s*:`,
    ),
  ],
};
