import { findSqlInjection } from "../detect/sql-injection.ts";
import type { Operator } from "./kind.ts";

/**
 * Description: the value would break out of its place in a SQL statement. See detect/sql-injection.ts for the grammar.
 * Arguments: none.
 * Returns: the letters of the tokens that gave it away.
 * Example: SecRule ARGS "@detectSQLi"
 */
export const detectSQLi: Operator = () => (value) => {
  const found = findSqlInjection(value);
  return found === null ? null : [found.tokens];
};
