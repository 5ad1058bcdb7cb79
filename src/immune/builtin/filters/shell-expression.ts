import { pattern, type Filter } from "../filter.ts";
import { COMMANDS } from "./shell-words.ts";
import { INPUT, INPUT_AND_HEADERS } from "../places.ts";

/** What is called with words in braces. */
const inBraces =
  "cat|ls|id|wget|curl|nc|bash|sh|ping|echo|rm|whoami|uname|chmod|python\\d?|perl|php|find|grep|head|tail|cp|mv|ps|netstat|ifconfig|nslookup|sleep|touch|mkdir|eval|exec|printf|base64|tac|nl|rev|less|more|socat|ncat|sudo";
const variables =
  "(?:ifs|path|home|pwd|oldpwd|shell|hostname|hosttype|ostype|machtype|cdpath|dirstack|user|uid|euid|bash\\w*|lang|logname|mail|ps[1-4]|random|shlvl|term|histfile|ld_preload)";

/** A command with quotes or backslashes within its name, which a shell takes out. */
function searchSplit(text: string): string | null {
  for (const [word] of text.matchAll(/(?<![\w'"\\^])[a-z'"\\^$@]{2,40}(?![\w'"\\^])/gi)) {
    const inner = word.replace(/^['"]+|['"]+$/g, "");
    const marks = inner.match(/['"\\^]|\$@/g) ?? [];
    const isSplit = marks.length >= 2 || /[\\^]|\$@/.test(inner);
    const name = word.replace(/['"\\^]|\$@/g, "").toLowerCase();
    // A single letter is what expressions have behind a backslash.
    if (isSplit && name.length > 1 && COMMANDS.has(name)) return word;
  }
  return null;
}

export const shellExpression: Filter = {
  id: 100_503,
  name: "shell-expression",
  message: "A value holds what only a shell expands",
  attackClass: "code-execution",
  score: 5,
  catches:
    "Blanks written as ${IFS}, paths with wildcards for letters (/???/c?t), words in braces ({cat,/etc/passwd}), here-strings, arithmetic and process substitution, references to the history; functions in headers (Shellshock).",
  letsPass: "Prices, template placeholders such as ${name}, globs such as src/**/*.ts, jQuery's $(...).",
  example: "{cat,/etc/passwd}",
  places: INPUT_AND_HEADERS,
  checks: [
    {
      kind: "search",
      form: "plain",
      inText: "excused",
      places: [...INPUT, "referer", "user-agent"],
      gate: /['"\\^@]/,
      search: searchSplit,
    },
    pattern(
      "plain",
      `\\$\\{?ifs\\b|\\$\\{#?!?${variables}(?:[:%#/,^@][^}]*)?\\}|(?:^|[\\s;|&/"'=\`(])\\$${variables}(?:$|[^\\w])|\\$\\{\\w+:\\d+:\\d+\\}|\\$\\{\\w+(?:%%|##|//?|\\^\\^|,,)[^}]*\\}|\\$\\(\\(\\s*[\\w$+*/ -]+\\)\\)|\\$\\(\\s*<`,
      { places: INPUT },
    ),
    pattern(
      "plain",
      `[<>]\\(\\s*(?:[a-z]+|/)|<<<\\s*['"$(\\w]|(?:^|[;|&\\s])\\d?>&\\d|\\d>\\s*/dev/null|>>?\\s*/(?:dev|tmp|var|etc|home|proc)/`,
      { places: INPUT },
    ),
    pattern(
      "plain",
      `(?:^|[\\s;|&=\`(])/(?:[a-z]{0,3}[?\\[][\\w?*\\[\\]-]*|\\?+)/+(?:[\\w?*\\[\\]-]+/+)*[\\w?*\\[\\].'"\\\\-]+|/(?:bin|etc|usr|sbin|dev|proc|var)/+(?:[\\w?*\\[\\]-]+/)*[\\w.-]*[?*\\[][\\w?*\\[\\].-]*|/[a-z]*\\?[\\w?*]*/[\\w?*.]*[?*]`,
      { places: INPUT },
    ),
    pattern(
      "shell",
      `\\{(?:,*(?:${inBraces}))(?:,[^,{}\\s]*)+\\}|\\{,[\\w/-]+(?:,[^{}]*)?\\}|\\{[\\w/.-]*,-[\\w-]+(?:,[^{}]*)?\\}`,
      { places: INPUT },
    ),
    pattern(
      "plain",
      `^\\s*\\(\\s*\\)\\s*\\{|\\(\\s*\\)\\s*\\{\\s*(?::|_)?;?\\s*\\}\\s*;|\\(\\)\\s*\\{[^}]*\\}\\s*;\\s*\\S`,
      { inText: "counts" },
    ),
    pattern(
      "plain",
      `^\\s*~(?:[+-]\\d*|\\d+)/?\\s*$|^\\s*![-!]?\\d+\\s*$|(?:^|[;|&\\s])!-\\d+\\b|^\\s*!\\w+:[\\w$*^-]|(?:^|[\\s;|&])!!:[\\w$*^-]+`,
      { places: ["argument"] },
    ),
    pattern(
      "plain",
      `(?:^|[;|&\\s\`(])\\[\\s+-[a-z]\\s|\\[\\[\\s+[^\\]]*\\]\\]|(?:^|[;|&\\s])alias\\s+\\w+=|[;|&]\\s*(?:export|declare|typeset|local|readonly)\\s+-?\\w+=`,
      { places: ["argument", "body"] },
    ),
    pattern(
      "plain",
      `\\b(?:[a-z]{1,6}(?:\\$@|\\$\\*|\\$\\{@\\}|\\\\\\n)){1,6}[a-z]{1,6}\\b|\\b[a-z]{1,5}\\$(?:u|\\w|\\{\\w\\}|\\?)[a-z]{1,5}\\s+[/-]|/+\\w*['"\\\\]+\\w+['"\\\\]*/+\\w*['"\\\\?*]`,
      { places: [...INPUT, "referer", "user-agent"] },
    ),
  ],
};
