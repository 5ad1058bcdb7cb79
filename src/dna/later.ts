/**
 * Keys that the schema understands but that nothing acts on yet.
 *
 * Who writes `immune: { mode: "block" }` believes to be protected: silence would be a lie, so such a key is
 * refused with CELLWS_E_NOT_YET and what to do meanwhile. When a mechanism is built, its line here goes,
 * and nothing else changes. A key may stand here before the schema knows it.
 */
import type { Diagnostic } from "./diagnostic.ts";
import { foundText } from "./found.ts";
import { formatKeyPath, placesOf, valueAt, type KeyPath } from "./key-path.ts";

export interface LaterKey {
  /** As in key-path.ts: `listen[].tls`, `cells.*.max`. */
  pattern: string;
  /** What is not built yet, as the subject of a sentence. */
  mechanism: string;
  /** What happens, or what to do, until then. */
  meanwhile: string;
}

/** None at present: all that the schema understands is built. */
export const laterKeys: readonly LaterKey[] = [];

export interface LaterFinding {
  path: KeyPath;
  diagnostic: Diagnostic;
}

/** One finding for each such key that is set. Undefined and null ask for nothing. */
export function findLater(input: unknown, keys: readonly LaterKey[] = laterKeys): LaterFinding[] {
  return keys.flatMap((key) =>
    placesOf(input, key.pattern).map((path) => ({
      path,
      diagnostic: {
        code: "CELLWS_E_NOT_YET",
        path: formatKeyPath(path),
        message: `${formatKeyPath(path)}: ${lowerFirst(key.mechanism)} is not built yet`,
        found: foundText(valueAt(input, path), path),
        expected: "no such key for now",
        hint: key.meanwhile,
      },
    })),
  );
}

/** "TLS at" stays, "The filter" becomes "the filter". */
function lowerFirst(text: string): string {
  return /^[A-Z][a-z ]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}
