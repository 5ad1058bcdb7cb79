import { parseMacro } from "../macro.ts";
import type { VariableChange } from "../rule.ts";
import type { Place } from "../rule-error.ts";
import type { Action } from "./kind.ts";
import { badAction } from "./kind.ts";
import { storeNamed } from "./store-named.ts";

/**
 * Description: sets a variable that later rules see, each time that a value matches.
 * Arguments: `collection.key=value`; `=+value` adds, `=-value` subtracts; without = it is set to 1; `!` before it
 *   removes it. Key and value may hold macros.
 * Returns: one more effect of the draft.
 * Example: setvar:'tx.inbound_anomaly_score_pl1=+%{tx.critical_anomaly_score}'
 */
export const setvar: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    const [, not = "", collection = "", key = "", equals, value = ""] =
      /^(!?)([A-Za-z_]+)[.:]((?:%\{[^}]*\}|[^=])+)(=?)([\s\S]*)$/.exec(argument.trim()) ?? [];
    if (key === "" || (not === "!" && equals === "=")) {
      throw badAction(place, "setvar", { found: argument, expected: "collection.key=value or !collection.key" });
    }
    draft.effects.push({
      kind: "setvar",
      store: storeNamed(collection, place, "setvar"),
      key: parseMacro(key, place),
      change: not === "!" ? { kind: "unset" } : changeOf(equals === "=" ? value : "1", place),
    });
  },
};

function changeOf(value: string, place: Place): VariableChange {
  const sign = value.charAt(0);
  if (sign !== "+" && sign !== "-") return { kind: "set", value: parseMacro(value, place) };
  return { kind: sign === "+" ? "add" : "subtract", value: parseMacro(value.slice(1), place) };
}
