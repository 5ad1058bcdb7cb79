import { oneOf, pattern, type Filter } from "../filter.ts";
import { EVERYWHERE } from "../places.ts";

const name = '[\\w.`"\\[\\]@#$]+';
const object = oneOf("table database schema view user index procedure function trigger column role login type");

export const sqlStatement: Filter = {
  id: 100_202,
  name: "sql-statement",
  message: "A value holds a statement of SQL",
  attackClass: "sql-injection",
  score: 5,
  catches:
    "Whole statements and clauses where a value should be: select from, union select, insert, update and delete with what belongs to them, drop and truncate behind a semicolon, a quote or a number, statements that run others or write files.",
  letsPass:
    'The same within sentences or several lines of code. "Drop Table Inc", "select one from the list", "update set of tools".',
  example: "7 union all select name, hash from staff",
  places: EVERYWHERE,
  checks: [
    pattern(
      "sql",
      `\\bunion\\b[\\s(+]+(?:all\\b|distinct\\b)?[\\s(]*select\\b\\s*(?:[\\d'"@*(\`+~.!:-]|null\\b|[\\w.\`]+\\s*(?:[,(;*/]|from\\b|--|#))`,
    ),
    pattern("sql", `\\b(?:union|intersect|except|minus)\\s+(?:all\\s+)(?:select[\\s(.]|values\\s*\\(|table\\s)`),
    pattern(
      "sql",
      `\\bselect[\\s(]+(?:distinct\\s+|all\\s+|top\\s+\\d+\\s+)?(?:\\*|@@|(?:[\\w.\`"]+\\s*,\\s*)*[\\w.]+\\s*\\()[^;]*\\bfrom\\b\\s*[\\w(\`"\\[]`,
    ),
    pattern(
      "sql",
      `\\bselect\\s+[\\w.,\\s*'"]+\\sfrom\\s+${name}\\s*(?:where\\s|limit\\s|order\\s+by\\s|group\\s+by\\s|;|--|#|\\))`,
    ),
    pattern(
      "sql",
      `[;(=,]\\s*select\\b[\\s(*]+[^;]*\\bfrom\\b|\\bselect\\s*(?:\\(\\s*select|\\*\\s*from|[\\d'"@]+\\s*(?:,|;|--|$|\\s+from\\b|\\s+into\\b))`,
    ),
    pattern("sql", `\\bin\\s*\\(\\s*select\\b|\\bexists\\s*\\(\\s*select\\b|\\b(?:any|all|some)\\s*\\(\\s*select\\b`),
    pattern(
      "sql",
      `\\binsert\\s+(?:ignore\\s+)?into\\s+${name}\\s*(?:\\([^)]*\\)\\s*)?(?:values?\\s*\\(|select\\b|set\\s)`,
    ),
    pattern("sql", `\\bdelete\\s+from\\s+${name}\\s*(?:where\\s|;|--|#|using\\s)`),
    pattern("sql", `\\bupdate\\s+${name}\\s+set\\s+${name}\\s*=`),
    pattern(
      "sql",
      `(?:[;'")]|^\\s*-?\\d+)\\s*(?:drop|truncate|alter|create|rename)\\s+(?:or\\s+replace\\s+)?(?:temporary\\s+)?${object}\\b`,
    ),
    pattern("sql", `\\b(?:drop|truncate)\\s+${object}\\s+(?:if\\s+exists\\s+)?${name}\\s*(?:;|--|#|cascade\\b)`),
    pattern(
      "sql",
      `\\bcreate\\s+(?:or\\s+replace\\s+)?(?:function|procedure|trigger)\\s+${name}\\s*(?:\\(|returns\\b|as\\b|is\\b|before\\b|after\\b)|\\bcreate\\s+table\\s+${name}\\s*\\(`,
    ),
    pattern(
      "sql",
      `\\balter\\s+(?:table|user|login|database|session|role)\\s+${name}\\s+(?:add|drop|modify|rename|set|identified|with|alter|character|collate)\\b`,
    ),
    pattern(
      "sql",
      `\\bexec(?:ute)?\\s*(?:\\(\\s*['"@]|\\s(?:\\s*@|\\s*(?:master|msdb|xp_|sp_|immediate\\b|as\\s+(?:user|login))))`,
    ),
    pattern(
      "sql",
      `\\bdeclare\\s+@\\w+\\s|\\bset\\s+@\\w+\\s*=|\\bwaitfor\\s+(?:delay|time)\\b|;\\s*shutdown\\b\\s*(?:;|--|with\\b|$)`,
    ),
    pattern(
      "sql",
      `\\binto\\s+(?:out|dump)file\\b|\\bload\\s+data\\s+(?:local\\s+)?infile\\b|\\bbulk\\s+insert\\b|\\bcopy\\s+[\\w(][^;]*\\b(?:from|to)\\s+(?:program\\b|'/)`,
    ),
    pattern(
      "sql",
      `\\bmerge\\s+(?:into\\s+)?${name}\\s*(?:as\\s+\\w+\\s+)?using\\s*[\\w(]|\\bmatch\\s*\\([^)]*\\)\\s*against\\s*\\(|\\bprocedure\\s+analyse\\s*\\(|\\bhandler\\s+${name}\\s+open\\b|\\battach\\s+database\\b`,
    ),
    pattern(
      "sql",
      `\\bgrant\\s+[\\w\\s,*]+\\bon\\s+[\\w.*\`]+\\s+to\\b|\\bcreate\\s+(?:user|login|role)\\s+${name}\\s+(?:identified|with|for)\\b`,
    ),
    pattern(
      "sql",
      `;\\s*(?:select|insert|update|delete|exec|declare|call|analyze|vacuum|begin)\\b\\s*[\\w@(*\`"'-]+\\s*(?:\\(|--|;|=|from\\b|into\\b|set\\b|$)`,
    ),
    pattern(
      "sql",
      `\\bcase\\s+when\\b.*\\bthen\\b|\\bwhen\\s+\\d+\\s+then\\b|\\bhaving\\s+(?:count|sum|\\d+)\\s*(?:\\(|[<>=])`,
    ),
    pattern(
      "sql",
      `\\)\\s*as\\s+[\\w\`'"]+\\s+from\\b|\\bselect\\s+(?:char|load_file|group_concat|concat|unhex|hex)\\s*\\(|\\bunion\\s+(?:all\\s+|distinct\\s+)?select\\s+from\\b|\\)\\s*(?:like|in|between|regexp)\\s*\\(|\\bif\\s*\\(\\s*\\d+\\s*=`,
    ),
    pattern(
      "sql",
      `;\\s*(?:alter|create|delete|drop|insert|truncate|update|rename|load|replace|grant|revoke)\\s+(?:table|database|into|from|user|data|view|\\w+\\s+set|index|procedure|function|all)\\b|^[^\\w\\s]\\s*(?:create|alter|drop)\\s+table\\s+\\w`,
    ),
    pattern("sql", `\\bselect\\b[^;]*\\bfrom\\b[^;]*\\b(?:group\\s+by|having)\\b|\\bselect\\s+\\w+\\s+group\\s+by\\b`),
  ],
};
