import { findSqlInjection } from "../../seclang/detect/sql-injection.ts";
import type { Filter } from "../filter.ts";
import { INPUT, INPUT_AND_HEADERS } from "../places.ts";

function search(text: string): string | null {
  const found = findSqlInjection(text);
  return found === null || REMARK.test(text) ? null : text;
}

/** "Sleep (band)", "benchmark(s)": a name with a remark. */
const REMARK = /^[\w .&-]{1,60}(?: \([\w .&-]{0,40}|\(s)\)$/;

export const sqlInjection: Filter = {
  id: 100_201,
  name: "sql-injection",
  message: "A value breaks out of a SQL statement",
  attackClass: "sql-injection",
  score: 5,
  catches:
    "Values that, put into a SQL statement without care, would leave their place and do something there: a condition that is always true, a union, a second statement, a call that waits. The value is cut into the tokens of a database, bare and behind either quote, and compared with a dozen shapes; words alone are none.",
  letsPass:
    "Names with apostrophes, search queries with quotes and operators, sentences about SQL; a lone quote; filter languages such as JQL and OData, in which quotes open before they close.",
  example: "1' or '1'='1",
  places: INPUT_AND_HEADERS,
  checks: [
    { kind: "search", form: "plain", inText: "excused", gate: /['"]/, search },
    {
      kind: "search",
      form: "plain",
      inText: "excused",
      places: INPUT,
      gate: /or|and|\|\||&&|union|select|insert|delete|drop|alter|update|create|truncate|exec|sleep|benchmark|waitfor|having|load_file|order|group|limit|declare|extractvalue|updatexml|into/i,
      search,
    },
  ],
};
