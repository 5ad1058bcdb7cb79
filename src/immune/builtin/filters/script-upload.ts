import { oneOf, pattern, type Filter } from "../filter.ts";

const extensions = oneOf(
  "php\\d* phtml pht phpt phps phar inc asp aspx asa asax ascx ashx asmx axd cer cdx shtml stm jsp jspx jspf jsw jsv jtml jhtml war cgi pl cfm cfml",
);

export const scriptUpload: Filter = {
  id: 100_603,
  name: "script-upload",
  message: "An uploaded file has the name of a script that servers run",
  attackClass: "code-execution",
  score: 5,
  catches:
    "Names of uploaded files by which a server would run them (shell.php, a.jsp, x.phtml.), also with blanks and dots behind; .htaccess and the like, which change what a server runs.",
  letsPass:
    "Documents, pictures and archives by any name in any language, scripts for browsers (.js), source code of languages that servers do not run by name.",
  example: "shell.php",
  places: ["file-name"],
  checks: [
    pattern("plain", `\\.\\s*${extensions}(?:\\.[\\w-]{1,8})?[\\s.;:$]*(?:::\\$?\\w+)?$`, { inText: "counts" }),
    pattern(
      "plain",
      `(?:^|[/\\\\])(?:\\.ht\\w+|\\.user\\.ini|web\\.config|php\\.ini|\\.bash\\w*|\\.profile|\\.ssh|authorized_keys|crontab|\\.env|\\.git\\w*|wp-config\\.php)$`,
      { inText: "counts" },
    ),
    pattern("raw", `\\0|[\\r\\n]`, { inText: "counts" }),
  ],
};
