import { oneOf, pattern, type Filter } from "../filter.ts";
import { INPUT_AND_HEADERS } from "../places.ts";

const inside =
  oneOf(`__class__ __mro__ __bases?__ __subclasses__ __globals__ __builtins__ __import__ __init__ __getattribute__ __getitem__
  constructor self\\. config(?:\\.|\\[|\\}|\\s*\\}|\\() request\\. settings\\. lipsum cycler joiner namespace\\( get_flashed_messages url_for range\\( dict\\(
  popen subprocess os\\.(?:popen|system) system\\( exec\\( eval\\( passthru shell_exec getclass forname getruntime classloader
  _self app\\.request _context registerundefinedfiltercallback (?:filter|map|sort|reduce)\\( file_excerpt freemarker execute\\( java\\.lang processbuilder
  file\\.(?:read|open) dir\\.(?:entries|glob|pwd) io\\.(?:read|popen|binread) kernel\\.  %x require\\( process\\. global\\. mainmodule child_process
  \\$on\\. \\$eval tostring\\(\\)\\. valueof\\( charat\\( fromcharcode attr\\( root\\.process toarray\\( dump\\( include\\(`);

export const templateInjection: Filter = {
  id: 100_703,
  name: "template-injection",
  message: "A value holds an expression for a template engine",
  attackClass: "code-execution",
  score: 5,
  catches:
    "Expressions of template engines that compute or reach for what lies behind them: {{7*7}}, ${7*7}, <%= system('id') %>, {{''.__class__}}, #{...}, of a dozen engines; AngularJS and Vue likewise.",
  letsPass: "Placeholders such as {{name}}, ${user.name} and <%= title %>, filters such as {{ price | currency }}.",
  example: "{{7*7}}",
  places: INPUT_AND_HEADERS,
  checks: [
    pattern(
      "plain",
      `(?:\\{\\{|\\{%|\\$\\{\\{?|#\\{|@\\{|%\\{|\\*\\{|~\\{|<%[=-]?|\\[\\[|\\[=|@\\(|\\{#|\\{=|\\{)\\s*["'(]*\\d+\\s*["')]*\\s*[*+/%-]+\\s*["'(]*\\d+\\s*["')]*\\s*(?:\\}|%>|\\]|\\))`,
    ),
    pattern("plain", `(?:\\{\\{|\\{%-?|\\$\\{\\{?|#\\{|@\\{|\\*\\{|<%[=-]?|\\{php|\\[\\[)[^\\n]*${inside}`),
    pattern(
      "plain",
      `\\{\\{\\s*(?:["'\\[(]|\\w+\\s*\\(|[\\w.]+\\s*\\|\\s*(?:safe|attr|e|join|map|format|string|list|reduce)\\b|\\d+\\s*[*+])[^}]*|\\{%\\s*(?:import|include|extends|from|debug|load|raw|set\\s+\\w+\\s*=\\s*\\w+\\s*[.(])[^%]*["'(]|\\{%\\s*for\\s+\\w+\\s+in\\s+[^%]*(?:__|\\(\\))`,
    ),
    pattern(
      "plain",
      `#set\\s*\\(\\s*\\$|#(?:foreach|evaluate|include|parse)\\s*\\(\\s*["'$]|<#(?:assign|list|if|include|import|function|macro)\\b|\\$class\\.|\\$\\{\\s*["'(]*(?:t|new|class|application|session|param|facescontext|requestscope|sessionscope|pagecontext|product|object|runtime|beans)\\s*[.(\\[]|\\$\\{[^}]*\\(\\s*["'\`]|freemarker\\.template|\\.\\?new\\(\\)|\\?new\\s*\\(\\)|\\?(?:api|eval|interpret)\\b`,
    ),
    pattern(
      "plain",
      `\\{/?(?:php|literal|fetch|include_php)\\b[^}]*\\}|\\{smarty\\.|\\{self::|\\{system\\s*\\(|\\{\\$smarty|\\{if\\s+[^}]*\\(|\\{var\\s+|@\\{\\s*(?:var|int|string)?\\s*\\w+\\s*=|@(?:system|using|html|model)\\b\\s*[.(]|\\{@(?:math|debugger|eval)\\b|\\{\\{#with\\b|\\{\\{#(?:each|if)\\s*\\(|\\{\\{=|\\{\\{!--|\\$\\{\\s*\\d{3,}`,
    ),
    pattern(
      "plain",
      `<%[=-]?\\s*[^%]*(?:\\(|\`|%x|\\.(?:read|popen|exec|system|open|entries|new|env)\\b)[^%]*%?>|#\\{\\s*[^}]*(?:\\(|\`|%x)[^}]*\\}|#\\{\\s*[^}]*\\.(?:eval|exec|system|read|open|new)\\b`,
    ),
    pattern(
      "plain",
      `\\*\\{\\s*(?:t\\s*\\(|["'(]|\\w+\\s*\\()|__\\$\\{|\\}__::|\\$\\{\\s*t\\s*\\(\\s*java|#(?:ctx|root|attr|request|session|context|_memberaccess|parameters)\\b\\s*[.\\[=]|%\\{\\s*(?:\\(|#)`,
    ),
  ],
};
