import { parseMacro } from "../macro.ts";
import type { Action } from "./kind.ts";
import { badAction } from "./kind.ts";
import { storeNamed } from "./store-named.ts";

/**
 * Description: a variable of a lasting collection is forgotten after a time.
 * Arguments: `collection.key=seconds`.
 * Returns: one more effect of the draft.
 * Example: expirevar:'ip.dos_block=600'
 */
export const expirevar: Action = {
  argument: "needed",
  apply: (draft, argument, place) => {
    const [, collection = "", key = "", seconds = ""] = /^([A-Za-z_]+)[.:]([^=]+)=(.+)$/.exec(argument.trim()) ?? [];
    if (seconds === "") throw badAction(place, "expirevar", { found: argument, expected: "collection.key=seconds" });
    draft.effects.push({
      kind: "expirevar",
      store: storeNamed(collection, place, "expirevar"),
      key: parseMacro(key, place),
      seconds: parseMacro(seconds, place),
    });
  },
};
