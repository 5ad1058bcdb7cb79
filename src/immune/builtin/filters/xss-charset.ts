import { oneOf, pattern, type Filter } from "../filter.ts";
import { INPUT_AND_HEADERS } from "../places.ts";

const tags = oneOf("script iframe svg img body object embed style link meta html applet test a input form");

export const xssCharset: Filter = {
  id: 100_305,
  name: "xss-charset",
  message: "A value hides markup in another character encoding",
  attackClass: "cross-site-scripting",
  score: 5,
  catches:
    "Tags whose brackets are written in UTF-7, or as the bytes that become brackets when the eighth bit is lost (US-ASCII).",
  letsPass: "Fractions and letters of other languages that have these bytes, in UTF-8 and Latin-1.",
  example: "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
  places: INPUT_AND_HEADERS,
  checks: [
    pattern("plain", `[+ ]adw-|[+ ]ad4-|\\+acia-|\\+ahsa-`, {
      inText: "counts",
      places: ["argument", "name", "cookie", "body"],
    }),
    pattern("raw", `(?:^|[\\x00-\\x7f]|[\\xc2\\xd0])\\xbc/?\\s*${tags}\\b[^\\xbc]*\\xbe`, { inText: "counts" }),
    pattern("plain", `(?:^|[\\x00-\\x7f]|[\\xc2\\xd0])\\xbc/?\\s*${tags}\\b[^\\xbc]*\\xbe`, { inText: "counts" }),
  ],
};
