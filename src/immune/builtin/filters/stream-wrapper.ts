import { pattern, type Filter } from "../filter.ts";
import { INPUT } from "../places.ts";

export const streamWrapper: Filter = {
  id: 100_405,
  name: "stream-wrapper",
  message: "A value opens a stream of PHP or Java instead of a file",
  attackClass: "file-inclusion",
  score: 5,
  catches:
    "Addresses such as php://filter, phar://, expect://, zip://, glob://, ssh2.exec://, jar:http:, gopher://, dict:// and the like, by which a file name reads source code or runs commands.",
  letsPass: "Addresses with schemes that clients use: http, https, ftp, mailto, and custom schemes of apps.",
  example: "Addresses such as php://filter/convert.base64-encode/resource=index.php",
  places: INPUT,
  checks: [
    pattern(
      "plain",
      `(?:^|[^\\w.])(?:php|data|phar|expect|glob|ogg|rar|zip|zlib|bzip2|compress\\.(?:zlib|bzip2)|ssh2(?:\\.\\w+)?|gopher|dict|netdoc|tftp|ldaps?|local_file|mosxml|cdf|rar|file\\.\\w+|smb)://`,
    ),
    pattern(
      "plain",
      `(?:^|[^\\w.])jar:(?:https?|ftp|file):|(?:^|[^\\w.])(?:php|phar):/?/?(?:filter|input|stdin|output|fd|memory|temp)\\b|(?:^|[^\\w])convert\\.(?:base64|iconv|quoted-printable)-?\\w*[/|.]`,
    ),
    pattern(
      "plain",
      `(?:^|[^\\w])file:/+(?:localhost/)?(?:etc|proc|var|root|home|usr|opt|tmp|sys|dev|c:|c\\||windows|[^\\s/]+\\.(?:php|conf|ini|log))`,
    ),
  ],
};
