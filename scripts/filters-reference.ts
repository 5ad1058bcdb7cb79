// Writes the list of built-in filters into docs/FILTERS.md, from the table itself. Run it after a change; a test says when
// it was forgotten.
import { readFileSync, writeFileSync } from "node:fs";
import type { Filter } from "../src/immune/builtin/filter.ts";
import { FILTERS } from "../src/immune/builtin/filters/table.ts";

/** What is above this line is written by hand. */
const BEGIN = "<!-- Below: generated from src/immune/builtin/filters/table.ts by scripts/filters-reference.ts. -->";
const file = new URL("../docs/FILTERS.md", import.meta.url);

/** The document as it should be. */
export function filtersReference(): string {
  const [byHand] = readFileSync(file, "utf8").split(BEGIN);
  return `${byHand}${BEGIN}\n\n${FILTERS.map(section).join("\n")}`;
}

function section({ id, name, message, attackClass, catches, letsPass, example }: Filter): string {
  return [
    `### ${name} (${id})`,
    "",
    `${message}. Class of attack: ${attackClass}.`,
    "",
    `- **Catches:** ${escaped(catches)}`,
    `- **Lets pass:** ${escaped(letsPass)}`,
    `- **Example:** ${code(example)}`,
    "",
  ].join("\n");
}

/** Markdown and pages made of it read < and * as their own. */
const escaped = (text: string): string => text.replace(/[<*_]/g, (mark) => (mark === "<" ? "&lt;" : `\\${mark}`));

function code(text: string): string {
  const shown = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  const fence = shown.includes("`") ? "``" : "`";
  return `${fence} ${shown} ${fence}`;
}

if (import.meta.main) writeFileSync(file, filtersReference());
