// Writes the table of metrics in docs/ADMIN.md from src/wire/metrics.ts. Run it after a change there; a test says when it was
// forgotten.
import { readFileSync, writeFileSync } from "node:fs";
import { metrics, organismMetrics, type MetricKind } from "../src/wire/metrics.ts";

/** What is above this line is written by hand. */
const BEGIN = "<!-- Below: generated from src/wire/metrics.ts by scripts/metrics-reference.ts. -->";

const document = new URL("../docs/ADMIN.md", import.meta.url);

/** The document as it should be. */
export function adminDocument(): { path: URL; text: string } {
  const [byHand] = readFileSync(document, "utf8").split(BEGIN);
  const rows = Object.entries({ ...organismMetrics, ...metrics }).map(([name, kind]) => row(name, kind));
  const table = ["| Metric | Type | Labels | |", "|---|---|---|---|", ...rows];
  return { path: document, text: `${byHand}${BEGIN}\n\n${table.join("\n")}\n` };
}

function row(name: string, { type, help, labels, bounds }: MetricKind): string {
  const told = Object.entries(labels).map(([label, values]) =>
    values === null ? `\`${label}\`` : `\`${label}\`: ${values.join(", ")}`,
  );
  const buckets = bounds === undefined ? "" : ` Buckets: ${bounds.join(", ")}.`;
  return `| \`${name}\` | ${type} | ${told.join("; ")} | ${help}${buckets} |`;
}

if (import.meta.main) {
  const { path, text } = adminDocument();
  writeFileSync(path, text);
  console.log("wrote docs/ADMIN.md");
}
