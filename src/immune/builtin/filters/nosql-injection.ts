import { oneOf, pattern, type Filter, type Finding } from "../filter.ts";
import type { ParsedRequest } from "../parsed-request.ts";
import { INPUT } from "../places.ts";

const operators = oneOf(
  "ne eq gt gte lt lte in nin and or nor not exists type expr jsonschema mod regex text where all elemmatch size function accumulator lookup merge out",
);

/**
 * `{"password": {"$ne": null}}`: an operator and nothing to compare with asks for everything. With something to compare
 * with it may be an application's own way to be asked: {"price": {"$lt": 20}}.
 */
function find({ body }: ParsedRequest): Finding | null {
  const found = body.args.find(({ name, value }) => ASKS.test(name) && EVERYTHING.test(value));
  return found === undefined ? null : { where: `ARGS:${found.name}`, matched: `${found.name}: ${found.value}` };
}

const ASKS = /\.\$(?:ne|gte?|nin|not|exists|regex|where|expr|function)(?:\.array_\d+)?$/;
const EVERYTHING = /^(?:|0|-1|1|true|false|\^?\.[*+]\$?|\^|\[\]|undefined)$/;

export const nosqlInjection: Filter = {
  id: 100_705,
  name: "nosql-injection",
  message: "A value is a query operator of a document database",
  attackClass: "sql-injection",
  score: 5,
  catches:
    'Operators of MongoDB in names of parameters and within values: user[$ne]=, {"$gt": ""}, $where with code; conditions of JavaScript behind a quote.',
  letsPass:
    "Prices and variables ($in stock, $size); members of JSON that begin with a dollar, as APIs with such queries of their own send them, unless they hold code or nothing to compare with.",
  example: "user[$ne]=x",
  places: INPUT,
  checks: [
    pattern("plain", `\\[\\s*["']?\\$${operators}["']?\\s*\\]`),
    pattern("plain", `["'{,\\s[]\\$${operators}["']?\\s*:\\s*(?:["'{\\[\\d-]|true|false|null|/|function)`, {
      places: ["argument", "name", "cookie"],
    }),
    pattern("plain", `(?:^|\\.)\\$(?:where|function|accumulator)$`, { places: ["name"] }),
    pattern(
      "plain",
      `\\$where["'\\]]?\\s*[:=]|\\bdb\\.(?:\\w+\\.(?:find|insert|update|remove|drop|save|count|aggregate|deleteone|deletemany)\\s*\\(|getcollectionnames|adminCommand|dropdatabase|runcommand|eval|version\\s*\\(|stats\\s*\\(|currentop|hostinfo|loadserverscripts)|\\bmapreduce\\b\\s*["':(]|\\btojson(?:one)?\\s*\\(|\\bthis\\.\\w+\\s*(?:===?|!=|[<>]|\\.match\\s*\\()`,
    ),
    pattern(
      "plain",
      `["']\\s*(?:;|\\|\\||&&|,)\\s*(?:return\\b|this\\.|sleep\\s*\\(|while\\s*\\(|var\\s+\\w+|it\\s*=\\s*new|true\\s*(?:;|\\|\\||//)|\\w+\\s*[=!]==?\\s*\\w+\\s*(?:;|//|\\|\\||&&))|["']\\s*\\}\\s*,?\\s*\\{?\\s*["']?\\$|;\\s*return\\s+(?:true|1)|\\|\\|\\s*["']?(?:1|true|a)["']?\\s*={1,3}\\s*["']?(?:1|true|a)`,
    ),
    // The same by names, as object-relational mappers have it: questions about fields that nobody is to ask about.
    pattern(
      "plain",
      `(?:^|[.\\["'{_])(?:password|passwd|pwd|secret|token|api_?key|hash|is_(?:staff|superuser|admin)|permissions?|has_key)\\w*__(?:i?startswith|i?endswith|i?contains|i?exact|i?regex|gte?|lte?|in|range|isnull|has_keys?|contained_by)(?:$|[^\\w])|(?:^|[.\\["'{])(?:[a-z]+(?:_[a-z]+)*__){2,}(?:i?startswith|i?endswith|i?contains|i?regex|has_keys?|contained_by)(?:$|[^\\w])`,
    ),
  ],
  judge: { phase: "body", find },
};
