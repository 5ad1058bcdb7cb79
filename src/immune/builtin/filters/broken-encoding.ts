import { pattern, type Filter } from "../filter.ts";
import { INPUT } from "../places.ts";

export const brokenEncoding: Filter = {
  id: 100_102,
  name: "broken-encoding",
  message: "A value is encoded as no honest client would",
  attackClass: "protocol",
  score: 5,
  catches:
    "Null bytes, and ASCII in overlong UTF-8, by which a filter and an application are made to see different things.",
  letsPass: "Any other bytes: UTF-8, Latin-1, Shift-JIS and the rest; emoji; percent signs that encode nothing.",
  example: "..\xc0\xaf..\xc0\xafetc",
  places: [...INPUT, "path", "file-name", "referer", "header", "user-agent"],
  checks: [
    pattern("raw", `\\0`, {
      inText: "counts",
      places: ["argument", "name", "path", "header", "referer", "user-agent"],
    }),
    pattern(
      "raw",
      `[\\xc0\\xc1][\\x80-\\xbf](?:$|[^\\x80-\\xff])|[\\xc0\\xc1](?:\\xaf|\\xae|\\xbc|\\xbe|\\x9c|\\xa2|\\xa7)[^\\x80-\\xff]|\\xe0[\\x80-\\x81][\\x80-\\xbf]|\\xf0\\x80[\\x80-\\x81]`,
      { inText: "counts", places: ["argument", "name", "path"] },
    ),
    pattern("raw", `%00|%c0%a[ef]|%c1%9c|%e0%80%a[ef]|%25(?:25)?00`, {
      inText: "counts",
      places: ["argument", "path"],
    }),
    pattern("raw", `%u00[0-7][\\da-f]%u00[0-7][\\da-f]|%uff[0-5][\\da-f]`, { inText: "counts" }),
  ],
};
