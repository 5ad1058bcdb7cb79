import { pattern, type Filter } from "../filter.ts";
import { INPUT } from "../places.ts";
import { ARGUMENT, COMMON_COMMANDS, PLAIN_COMMANDS } from "./shell-words.ts";

const end = "(?:\\s|$|[;|&<>)`}\"'#,])";
const folder = "(?:[/.~]?(?:[\\w.?*\\[\\]-]*/)+)?";
/** Commands that run others, and settings that stand before one. */
const prefix =
  "(?:(?:sudo|doas|time|nohup|exec|command|builtin|env|nice|busybox|eval|timeout\\s+\\d+\\w?|stdbuf\\s+\\S+|[a-z_]\\w*=\\S*)\\s+)*";

export const shellCommand: Filter = {
  id: 100_501,
  name: "shell-command",
  message: "A value continues a command line with one of its own",
  attackClass: "code-execution",
  score: 5,
  catches:
    "A separator of shells (; | & && newline, $( and backquotes) with a command behind it, also with quotes, backslashes and empty expansions between its letters.",
  letsPass:
    'The same within sentences or several lines of code. "Tea & more", "Q&A; find out": words that are commands too need an argument that looks like one.',
  example: "x; cat /etc/passwd",
  places: [...INPUT, "file-name"],
  checks: [
    pattern(
      "shell",
      `(?:;|\\|\\|?|&&)\\s*${prefix}${folder}${PLAIN_COMMANDS}(?:\\s*$|\\s*[;|&<>)\`#]|\\s+${ARGUMENT}|\\s+\\w+[/.@:])`,
    ),
    pattern("shell", `(?:\\$\\(|\`|[<>]\\()\\s*${prefix}${folder}(?:${PLAIN_COMMANDS}|${COMMON_COMMANDS})${end}`),
    pattern(
      "shell",
      `(?:;|\\|\\|?|&|\\n|\\r)\\s*${prefix}${folder}(?:${PLAIN_COMMANDS}|${COMMON_COMMANDS})\\s+${ARGUMENT}`,
    ),
    pattern(
      "shell",
      `(?:^|[^&\\w])&\\s*${prefix}${folder}(?:whoami|uname|ifconfig|ipconfig|netstat|nslookup|wget|curl|netcat|ncat|chmod|passwd|printenv|nc|bash|ping|cat|ls|id|ps|pwd)(?:\\s*$|\\s*[;|&<>)\`#]|\\s+${ARGUMENT})`,
    ),
    pattern(
      "plain",
      `(?:;|\\|\\|?|&|\\$\\(|\`)\\s*(?:[a-z](?:['"\\\\^]{1,2}|\\$[@*u]|\\$\\{\\w*\\}|\\$\\w)){1,8}[a-z]*['"]?(?:\\s|$|[;|&)\`])`,
    ),
    pattern(
      "shell",
      `(?:;|\\|\\|?|&&?|\\n)\\s*(?:\\.|source)\\s+[/~.$]|(?:;|\\|\\|?|&&)\\s*(?:if|for|while|until|case)\\s+[\\[$(\\w].*(?:;|\\n)\\s*(?:do|then|in)\\b`,
    ),
  ],
};
