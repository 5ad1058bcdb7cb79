import { oneOf, pattern, type Filter } from "../filter.ts";
import { EVERYWHERE, INPUT } from "../places.ts";

const headers =
  oneOf(`content-(?:type|length|disposition|encoding|location|security-policy|transfer-encoding) set-cookie2? location refresh cookie host connection
  transfer-encoding x-[\\w-]+ access-control-[\\w-]+ cache-control server status proxy-[\\w-]+ authorization www-authenticate user-agent referer link via expires
  last-modified etag keep-alive upgrade trailer bcc cc to from subject reply-to mime-version`);

export const headerInjection: Filter = {
  id: 100_101,
  name: "header-injection",
  message: "A value would add headers or a second message",
  attackClass: "protocol",
  score: 5,
  catches:
    "A line break with a header or a status line behind it, in values, headers and the path; whole request lines within values (request smuggling).",
  letsPass: "Line breaks in text, and messages quoted within sentences or several lines.",
  example: "en\r\nSet-Cookie: admin=1",
  places: INPUT,
  checks: [
    pattern("plain", `[\\r\\n]\\s*${headers}\\s*:`),
    pattern("plain", `[\\r\\n]\\s*(?:http/\\d(?:\\.\\d)?\\s+\\d{3}|<(?:html|meta|script|body|head)\\b)`),
    pattern(
      "plain",
      `(?:^|[\\s\\r\\n])(?:get|post|head|options|connect|put|delete|trace|track|patch|propfind|propatch|mkcol|copy|move|lock|unlock)\\s+(?:/|[a-z]+:|\\*)\\S*\\s+http/\\d`,
      { inText: "excused" },
    ),
    pattern("plain", `[\\r\\n]+[\\w-]*[\\s]*[\\w-]+\\s*:`, {
      places: ["header", "user-agent", "referer", "cookie"],
      inText: "counts",
    }),
    pattern("plain", `[\\r\\n]`, { places: ["path", "name"], inText: "counts" }),
    pattern("plain", `\\bunix:[^|\\s]{1,}\\|\\s*(?:https?|fcgi|ajp|uwsgi|scgi|h2c?):`, {
      places: ["target", ...EVERYWHERE],
      inText: "counts",
    }),
  ],
};
