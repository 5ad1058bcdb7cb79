/**
 * Says before anything is started what is wrong with the rules of a DNA, exactly where; as diagnostics, like all that is
 * wrong with a DNA. And since it makes them ready, the facts about them are in the cache when the first B cell asks.
 */
import type { Diagnostic } from "../../dna/diagnostic.ts";
import type { Dna } from "../../dna/dna.ts";
import { CellwsError } from "../../lib/cellws-error.ts";
import { makeGuard } from "./guard.ts";

/** Notices that are told; a configuration made for ModSecurity may give a hundred. */
const NOTICES_MAX = 20;

/** At most one error: what stands behind it in the files has not been read. */
export function checkRules({ immune }: Pick<Dna, "immune">): Diagnostic[] {
  if (immune.rules.length + immune.exclude.length === 0) return [];
  try {
    // Whether they act or not, they are to be sound.
    const { rules } = makeGuard(immune, { mode: immune.mode === "detect" ? "detect" : "block", filters: [] });
    return rules.notices.slice(0, NOTICES_MAX).map(({ place, text }) => ({
      code: "CELLWS_W_RULE",
      path: "immune.rules",
      message: text,
      file: place.file,
      ...(place.line === 0 ? {} : { line: place.line }),
    }));
  } catch (error) {
    if (error instanceof CellwsError) return [diagnosticOf(error)];
    throw error;
  }
}

function diagnosticOf({ code, message, details }: CellwsError): Diagnostic {
  const { path = "", found, expected, hint } = details;
  const [, file, line] = /^(.*):(\d+)$/s.exec(path) ?? [];
  const bare = message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message;
  return {
    code,
    path: path.startsWith("immune.") ? path : "immune.rules",
    message: found === undefined || !bare.endsWith(`: ${found}`) ? bare : bare.slice(0, -found.length - 2),
    ...(found === undefined ? {} : { found }),
    ...(expected === undefined ? {} : { expected }),
    ...(hint === undefined ? {} : { hint }),
    ...(file === undefined ? {} : { file }),
    // 0: the DNA itself, not a place in a file.
    ...(line === undefined || line === "0" ? {} : { line: Number(line) }),
  };
}
