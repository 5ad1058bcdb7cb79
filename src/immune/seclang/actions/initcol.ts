import { parseMacro } from "../macro.ts";
import type { Action } from "./kind.ts";
import { badAction } from "./kind.ts";
import { storeNamed } from "./store-named.ts";

/**
 * Description: opens a lasting collection under a key, such as the client's address.
 * Arguments: `collection=key`, with macros in the key.
 * Returns: one more effect of the draft.
 * Example: initcol:ip=%{remote_addr}
 */
export const initcol: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    const [, collection = "", key = ""] = /^([A-Za-z_]+)=(.+)$/.exec(argument.trim()) ?? [];
    if (key === "") throw badAction(place, "initcol", { found: argument, expected: "collection=key" });
    const store = storeNamed(collection, place, "initcol");
    if (store === "TX") throw badAction(place, "initcol", { found: argument, hint: "TX is there for each exchange." });
    draft.effects.push({ kind: "initcol", store, key: parseMacro(key, place) });
  },
};
