import { pattern, type Filter } from "../filter.ts";
import { INPUT } from "../places.ts";

export const prototypePollution: Filter = {
  id: 100_702,
  name: "prototype-pollution",
  message: "A name reaches into the prototype of all objects",
  attackClass: "code-execution",
  score: 5,
  catches:
    "The names __proto__ and constructor.prototype in names of parameters and members of JSON, and in values that are JSON or paths of members.",
  letsPass: "The same within sentences or several lines of code.",
  example: "__proto__[isAdmin]=1",
  places: INPUT,
  checks: [
    pattern(
      "script",
      `(?:^|[^\\w])(?:__proto__|__definegetter__|__definesetter__|__lookupgetter__|__lookupsetter__)(?:$|[^\\w])`,
    ),
    pattern("script", `(?:^|[^\\w])constructor\\s*(?:\\.|\\]?\\s*\\[|:\\s*\\{|"\\s*:\\s*\\{)\\s*["']?\\s*prototype\\b`),
  ],
};
