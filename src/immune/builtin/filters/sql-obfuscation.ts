import { pattern, type Filter } from "../filter.ts";
import { INPUT, INPUT_AND_HEADERS } from "../places.ts";

/** A number that is compared with itself. */
function searchSame(text: string): string | null {
  return /(?:^|[^\w.])(\d{1,9})\s{0,9}(?:=|<=>|\blike\b|\bis\b|\brlike\b)\s{0,9}\1(?![\w.=])/i.exec(text)?.[0] ?? null;
}

export const sqlObfuscation: Filter = {
  id: 100_205,
  name: "sql-obfuscation",
  message: "A value is written to hide SQL from filters",
  attackClass: "sql-injection",
  score: 5,
  catches:
    "What is written so that only a database understands it: comments that MySQL runs, words cut by comments, conditions on numbers without blanks, numbers in scientific notation glued to words, quotes closed and opened again around operators, a comment that cuts off the rest of a statement behind a quote.",
  letsPass: "Comments of C and CSS, globs such as src/**/x, signatures that begin with two dashes.",
  example: "1/*!50000union*/select",
  places: INPUT_AND_HEADERS,
  checks: [
    pattern(
      "plain",
      `/\\*!(?:\\d{5}|\\s*(?:select|union|and|or|if|from|where|insert|update|delete|sleep|order|having)\\b)`,
    ),
    pattern(
      "plain",
      `\\b(?:select|union|insert|update|delete|from|where|and|or|order|group|having|limit|exec)(?:/\\*[^*]*\\*/)+(?:all|select|into|from|by|\\d|[('"@\`]|\\w+)`,
    ),
    pattern(
      "sql",
      `(?:^|[\\s'"\`)\\d(;])(?:or|and|xor|\\|\\||&&|not)[\\s(!~+-]*['"\`]?-?\\d+['"\`)]*\\s*(?:=|<=>|\\blike\\b|\\bis\\b|\\bin\\b|\\bbetween\\b|\\brlike\\b|\\bdiv\\b)[\\s('"\`~!-]*(?:\\d|true|false|null|@|char|0x)|(?:^[\\w.-]{0,32}|['"\`)])[\\s)]*(?:or|and|xor|\\|\\||&&)[\\s(!~+-]*['"\`]?-?\\d+['"\`)]*\\s*(?:<>|!=|<=?|>=?)[\\s('"\`~!-]*\\d`,
      { places: INPUT_AND_HEADERS },
    ),
    pattern(
      "sql",
      `['"\`)]\\s*(?:or|and|xor|\\|\\||&&)\\s*(?:not\\s+)?(?:true|false|null|\\d+|\\w+\\s*\\()\\s*(?:--|#|;|$|\\band\\b|\\bor\\b|[<>=(]|\\))`,
    ),
    pattern("sql", `^[^'"]*['"]\\s*\\)*\\s*(?:--[\\s+-]|--$|#\\s*$|;\\s*(?:--|#|%00|$)|/\\*)`, { places: INPUT }),
    pattern(
      "sql",
      `['"]\\s*(?:\\|\\||\\+|&|\\*|/|%|\\^|<<|>>|-|=|<>|!=|<=>|div\\b|mod\\b|like\\b|rlike\\b|regexp\\b|is\\b|in\\b|collate\\b|sounds\\b)\\s*(?:['"]\\s*(?:$|\\|\\||\\+|=|--|#)|\\(?\\s*select\\b|\\w+\\s*\\([^)]*\\)\\s*(?:\\|\\||\\+|-|['"]|=))`,
      { places: INPUT },
    ),
    pattern("sql", `\\b\\d+(?:\\.\\d*)?e\\d*(?:\\.|\\()?(?:union|from|or|and|select)\\b|\\b\\d+(?:\\.\\d*)e[(.]`, {
      places: INPUT,
    }),
    pattern(
      "sql",
      `\\b(?:or|and|xor|having)[\\s(]+[\\w.\`"']+\\s*(?:=|<>|!=|like|rlike|regexp|in|between|is\\s+(?:not\\s+)?null)\\s*[\\s('"\\w.\`@%]*(?:--|#|;|/\\*)\\s*[-+]?\\s*$`,
      { places: INPUT },
    ),
    pattern(
      "sql",
      `\\b(?:order|group)\\s+by\\s+\\d+(?:\\s*,\\s*\\d+)*\\s*(?:--|#|;|/\\*|$)|\\blimit\\s+\\d+\\s*(?:,\\s*\\d+\\s*)?(?:--|#|;|into\\b|procedure\\b|union\\b)|\\boffset\\s+\\d+\\s*(?:--|;)`,
      { places: INPUT },
    ),
    pattern(
      "sql",
      `\\b(?:is\\s+(?:not\\s+)?null|not\\s+(?:similar\\s+to|like|in|between)|similar\\s+to|collate\\s+nocase)\\b[^;]*(?:--|#|;)\\s*$`,
      { places: INPUT },
    ),
    pattern(
      "plain",
      `^[^'"\`]*[\`'"]\\s*(?:\\*|and|or|xor|between|id|regexp|where|union|having|=|\\?)\\s*[\\w'"(#?*=-]+\\s*(?:=|#|--|['"]\\d|\\bfrom\\b)\\s*[#\\w'"-]*\\s*$`,
      { places: INPUT },
    ),
    pattern(
      "sql",
      `^\\s*['"\`]\\s*(?:(?:or|and|xor|having|union|like|between|div)\\b|\\|\\||&&|[*=!?<>]=?)\\s*[\\w'"#?(*-]|\\\\['"\`]\\s*(?:or|and|xor)\\b`,
      { places: INPUT },
    ),
    {
      kind: "search",
      form: "sql",
      inText: "excused",
      places: INPUT,
      gate: /\d\s*(?:=|like|is|<=>)\s*\d/i,
      search: searchSame,
    },
  ],
};
