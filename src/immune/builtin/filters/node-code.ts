import { pattern, type Filter } from "../filter.ts";
import { EVERYWHERE, INPUT_AND_HEADERS } from "../places.ts";

export const nodeCode: Filter = {
  id: 100_701,
  name: "node-code",
  message: "A value holds code for Node.js",
  attackClass: "code-execution",
  score: 5,
  catches:
    "Code that loads modules of Node.js and runs programs with them, reaches into the process, or is marked to be run when it is deserialized; loops that would stop the server.",
  letsPass: "The same within sentences or several lines.",
  example: "require('child_process').exec('id')",
  places: EVERYWHERE,
  checks: [
    pattern(
      "script",
      `\\brequire\\s*(?:\\.\\s*\\w+\\s*)*\\(\\s*["'\`]|\\bchild_process\\b|\\bprocess\\.(?:mainmodule|binding|env|exit|kill|argv|cwd|dlopen|_load|version)|\\b_load\\s*\\(|\\bglobal\\.process\\b|\\bprocess\\.\\w+\\(`,
    ),
    pattern(
      "script",
      `\\b(?:fs|child|cp|os|util|vm|net|http|this|global)\\.(?:readfile(?:sync)?|writefile(?:sync)?|readdir(?:sync)?|unlink(?:sync)?|exec(?:sync|file|filesync)?|spawn(?:sync)?|fork|runinnewcontext|runinthiscontext|createreadstream|createwritestream)\\s*\\(|\\.(?:execsync|spawnsync|execfilesync|runincontext)\\s*\\(`,
    ),
    pattern(
      "script",
      `_\\$\\$nd_func\\$\\$_|"rce"\\s*:\\s*"_\\$\\$|\\bfunction\\s*\\w*\\s*\\([^)]*\\)\\s*\\{[^}]*(?:require|process|child_process|return\\s+this|exec)\\b|\\bwhile\\s*\\(\\s*(?:true|1|!0|!!1|\\w+\\s*===?\\s*\\w+|["'][^"']*["'])\\s*\\)|\\bfor\\s*\\(\\s*;\\s*;\\s*\\)|\\bimport\\s*\\(\\s*["'](?:node:)?(?:fs|child_process|os|net|http|vm)["']|\\bnew\\s+buffer\\s*\\(|\\bbuffer\\.from\\s*\\(["'][^"']+["']\\s*,\\s*["'](?:base64|hex)`,
    ),
    pattern(
      "script",
      `\\b(?:spawn|fork|exec|execfile)\\s*\\(\\s*["'\`](?:/|cmd|sh|bash|curl|wget|nc|id|ls|cat|whoami|powershell|ping)|\\bconstructor\\.constructor\\b|\\bthis\\.constructor\\b|\\breturn\\s+process\\b`,
      { places: INPUT_AND_HEADERS },
    ),
  ],
};
