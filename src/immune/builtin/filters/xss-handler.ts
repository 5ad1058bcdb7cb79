import { pattern, type Filter } from "../filter.ts";
import { EVERYWHERE } from "../places.ts";

const events =
  "(?:abort|activate|animation\\w+|auxclick|before\\w{3,}|begin|blur|bounce|canplay\\w*|change|click|close|contextmenu|copy|cuechange|cut|dblclick|deactivate|drag\\w*|drop|ended|error|filterchange|finish|focus\\w*|formdata|fullscreen\\w+|hashchange|input|invalid|key(?:down|up|press)|load\\w*|losecapture|message|mouse\\w+|pagehide|pageshow|paste|play\\w*|pointer\\w+|popstate|progress|propertychange|readystatechange|repeat|reset|resize\\w*|row\\w+|scroll\\w*|search|select\\w*|show|start|storage|submit|toggle|touch\\w+|transition\\w+|unload|wheel|zoom|webkit\\w+)";

export const xssHandler: Filter = {
  id: 100_302,
  name: "xss-handler",
  message: "A value adds an event handler to an element",
  attackClass: "cross-site-scripting",
  score: 5,
  catches:
    "Attributes that run script on an event (onerror=, onload=), behind a quote or at the beginning of a value, with something that would run.",
  letsPass: "Words that begin with on (online=yes), and handlers within sentences or code of several lines.",
  example: '" autofocus onfocus=alert(1) x="',
  places: EVERYWHERE,
  checks: [
    pattern(
      "plain",
      `(?:^|["'\`])[\\s/>\\x0b]*(?:[\\w-]+(?:\\s*=\\s*[\\w#.-]*)?\\s+){0,2}on${events}[\\s\\x0b]*=[\\s\\x0b]*[^\\s=&]`,
    ),
    pattern(
      "plain",
      `(?:^|[\\s"'\`<>/;])on${events}[\\s\\x0b]*=[\\s\\x0b"'\`]*[^\\s=]*[\\w$\\])]\\s*(?:\\(|\`|=[^=]|\\[)`,
    ),
    pattern("plain", `["'\`][\\s/]*on[a-z]{4,40}[\\s\\x0b]*=[\\s\\x0b"'\`]*\\w+[\\s]*[.(\\[\`]`),
    pattern(
      "plain",
      `["'\`\\s]style\\s*=[^>]*(?:expression\\s*\\(|url\\s*\\(\\s*["']?\\s*javascript:|-moz-binding|behaviou?r\\s*:)|-moz-binding\\s*:|\\bexpression\\s*\\([^)]*(?:alert|eval|document|window|this)`,
    ),
    pattern(
      "plain",
      `^[\\s"'\`/]+on[a-z]{3,40}\\s*$|["'\`]\\s*(?:on${events}|formaction|srcdoc)\\s*=|^[\\s\\x0b]+on${events}\\s*=|<\\s*["'/]*on[a-z]{3,40}\\s*=`,
    ),
  ],
};
