import { pattern, type Filter } from "../filter.ts";
import { INPUT } from "../places.ts";

export const ldapInjection: Filter = {
  id: 100_103,
  name: "ldap-injection",
  message: "A value changes a query of a directory (LDAP) or of XML (XPath)",
  attackClass: "other",
  score: 5,
  catches:
    "Parentheses closed and opened again with conditions of LDAP between them; conditions of XPath that hold for every node.",
  letsPass: "Mathematics and other text with parentheses.",
  example: "*)(uid=*))(|(uid=*",
  places: INPUT,
  checks: [
    pattern(
      "plain",
      `\\)\\s*\\(\\s*[|&!]|\\(\\s*[|&!]\\s*\\(\\s*\\w+\\s*[~<>]?=|\\*\\s*\\)+\\s*\\(+\\s*[|&!]?\\s*\\(?\\w+\\s*[~<>]?=|^\\s*[*\\w]*\\)+\\s*(?:\\(|%00|\\0)|\\(\\w[\\w.:-]*[~<>]?=\\*?[^()]*\\)\\s*\\(\\w[\\w.:-]*[~<>]?=`,
    ),
    pattern(
      "plain",
      `\\b(?:or|and)\\s+(?:count|name|string-length|substring|position|local-name|contains|starts-with|text|node)\\s*\\(\\s*(?:/|\\.|@|name|//|\\w+::|\\))|\\]\\s*\\|\\s*//\\*?|//\\*\\[|/(?:child|parent|ancestor|descendant|attribute|self|following|preceding)(?:-or-self)?::`,
    ),
  ],
};
