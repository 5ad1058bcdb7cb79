/** The collection that an action writes to: setvar, expirevar and initcol share the names and the error. */
import type { StoreName } from "../rule.ts";
import type { Place } from "../rule-error.ts";
import { VARIABLES, variableNamed } from "../variable-names.ts";
import { badAction } from "./kind.ts";

export function storeNamed(name: string, place: Place, action: string): StoreName {
  const variable = variableNamed(name);
  if (variable !== null && VARIABLES[variable] === "store") return variable as StoreName;
  const stores = Object.entries(VARIABLES).flatMap(([each, kind]) => (kind === "store" ? [each] : []));
  throw badAction(place, action, { found: name, expected: `a collection that can be written: ${stores.join(", ")}` });
}
