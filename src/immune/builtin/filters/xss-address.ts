import { pattern, type Filter } from "../filter.ts";
import { INPUT_AND_HEADERS } from "../places.ts";

/** What links that do nothing have: analytics report it. */
const HARMLESS = /^javascript:\s*(?:;|void\s*\(?\s*0\s*\)?;?|\/\/)?$/i;

/** Letters of the scheme may be split by what browsers pass over. */
const split = (word: string): string => Array.from(word).join("[\\s\\x00]{0,8}");
const SCHEME = new RegExp(
  `(?:^|["'\`=(\\s,>])(?:${split("javascript")}|${split("vbscript")}|${split("livescript")})[\\s\\0]{0,8}:+\\s{0,8}(\\S{1,200})`,
  "i",
);

function search(text: string): string | null {
  if (HARMLESS.test(text.trim())) return null;
  const found = SCHEME.exec(text);
  // "JavaScript: The Good Parts": code has more than letters right behind the colon.
  return found !== null && /[(=;`[\]%/\\{.:'"#]|^$/.test(found[1]!.replace(/[.:]$/, "")) ? found[0] : null;
}

export const xssAddress: Filter = {
  id: 100_303,
  name: "xss-address",
  message: "A value is an address that runs script",
  attackClass: "cross-site-scripting",
  score: 5,
  catches:
    "Addresses beginning with javascript: or vbscript: and with code behind, however split or encoded; data: addresses that are pages or scripts.",
  letsPass: '"JavaScript: The Good Parts", javascript:void(0), images and documents in data: addresses.',
  example: "javascript:alert(document.domain)",
  places: INPUT_AND_HEADERS,
  checks: [
    {
      kind: "search",
      form: "plain",
      inText: "excused",
      gate: /s[\s\0]*c[\s\0]*r[\s\0]*i[\s\0]*p[\s\0]*t[\s\0]*:/i,
      search,
    },
    pattern(
      "plain",
      `(?:^|["'\`=(\\s,>])data:\\s*(?:text/(?:html|xml|javascript|vbscript|css)|application/(?:xhtml|xml|javascript|x-javascript))[^,]{0,60},`,
    ),
    pattern("plain", `(?:^|["'\`=(\\s,>])data:\\s*(?:[^,\\s]{0,60})?,[^,]*<\\s*[a-z!/]`),
    pattern("plain", `v&(?:tab|newline);|&(?:tab|newline);\\s*s|&colon;\\s*:`),
  ],
};
