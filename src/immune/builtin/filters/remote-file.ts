import { oneOf, pattern, type Filter } from "../filter.ts";
import { INPUT } from "../places.ts";

const scheme = "(?:https?|ftps?|sftp|smb|file|gopher|url:(?:https?|file|ftp))";
const script = oneOf(
  "php\\d? phtml phps? txt inc sh bash pl py rb cgi asp aspx jsp jspx war exe dll ps1 bat cmd vbs hta jar class dat log html? xml dtd gif jpg",
);

export const remoteFile: Filter = {
  id: 100_404,
  name: "remote-file",
  message: "A value would load a program from elsewhere",
  attackClass: "file-inclusion",
  score: 5,
  catches:
    "Addresses of scripts on hosts that are bare numbers, addresses that end with a question mark or a null so that what an application appends is cut off, and shares of Windows.",
  letsPass:
    "Addresses as such: redirects, callbacks, links, pictures, also with parameters; callbacks to 127.0.0.1 as command-line tools use them.",
  example: "http://203.0.113.9/shell.txt?",
  places: INPUT,
  checks: [
    pattern(
      "plain",
      `(?:^|[^\\w])${scheme}:/{1,3}(?:[^/\\s@]+@)?(?:\\d{1,3}(?:\\.\\d{1,3}){3}|\\[?[\\da-f]{1,4}(?::[\\da-f]{0,4}){2,7}\\]?|0x[\\da-f]{8}|\\d{8,10})(?::\\d+)?/(?:[^\\s?#]*/)*[^\\s?#/]*\\.${script}(?:$|[^\\w./-])`,
    ),
    pattern(
      "plain",
      `^\\s*(?:ftps?|sftp|smb|gopher)://(?:(?:[^/\\s@]+@)?\\d{1,3}(?:\\.\\d{1,3}){3}|\\S+\\.(?:php|phtml|inc|sh|pl|txt)$)`,
      {
        places: ["argument"],
      },
    ),
    pattern("plain", `^\\s*${scheme}:/{1,3}[^\\s?]+(?:\\.${script}\\?+|\\?{2,})$`, { places: ["argument"] }),
    pattern("plain", `^\\s*${scheme}://[^\\s?]+\\.(?:txt|inc|dat)\\?`, { places: ["argument"] }),
    pattern("raw", `^\\s*${scheme}:/{1,3}[^\\s]+\\0`, { places: ["argument"] }),
    pattern("plain", `^\\\\\\\\[\\w.-]+(?:@\\w+)?\\\\[\\w$.-]+\\\\[^\\s]*\\.(?:php|exe|dll|ps1|bat|vbs|hta|xml|dtd)`),
  ],
};
