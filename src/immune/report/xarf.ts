/** An incident as XARF v4 (xarf.org): what abuse desks' programs read. Version 3 is not written any more. */
import type { Incident } from "./incident.ts";

/** Who reports. Told to the receiver, who may want to ask back. */
export interface Reporter {
  readonly org: string;
  readonly contact: string;
  readonly domain: string;
}

export const xarfVersion = "4.2.0";

export interface XarfReport {
  readonly xarf_version: string;
  readonly report_id: string;
  readonly timestamp: string;
  readonly reporter: Reporter;
  readonly sender: Reporter;
  readonly source_identifier: string;
  readonly category: "connection";
  readonly type: string;
  readonly evidence_source: string;
  readonly protocol: "tcp";
  readonly first_seen: string;
  readonly last_seen: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly evidence: ReadonlyArray<Readonly<Record<string, string | number>>>;
  readonly [more: string]: unknown;
}

/** `sha256` in hex, of UTF-8. */
export function toXarf(
  incident: Incident,
  { reporter, reportId, sha256 }: { reporter: Reporter; reportId: string; sha256: (text: string) => string },
): XarfReport {
  const text = incident.evidence.join("\n");
  const bytes = Buffer.from(text, "utf8");
  return {
    xarf_version: xarfVersion,
    report_id: reportId,
    timestamp: incident.lastSeen,
    reporter,
    sender: reporter,
    source_identifier: incident.source,
    category: "connection",
    ...typeOf(incident),
    evidence_source: "ids_detection",
    protocol: "tcp",
    first_seen: incident.firstSeen,
    last_seen: incident.lastSeen,
    description: describe(incident),
    tags: [`attack:${incident.attackClass.replaceAll(/[^a-z0-9-]/g, "-")}`],
    evidence:
      text === ""
        ? []
        : [
            {
              content_type: "text/plain",
              description: "Masked excerpts of refused requests",
              payload: bytes.toString("base64"),
              hash: `sha256:${sha256(text)}`,
              size: bytes.length,
            },
          ],
  };
}

/** In a sentence; of the range only its size, for a report speaks of one source. */
export function describe({ attackClass, requests, sources, range, firstSeen, lastSeen, rules }: Incident): string {
  const who = sources === 1 ? "from this address" : `from ${sources} addresses in ${range}`;
  const by = rules.length === 0 ? "" : ` Rules: ${rules.join(", ")}.`;
  return `${requests} malicious HTTP requests (${attackClass}) ${who} between ${firstSeen} and ${lastSeen}; all refused.${by}`.slice(
    0,
    1_000,
  );
}

/** XARF knows few kinds of attack on websites; what it has no name for is a scan for weaknesses, which it is. */
function typeOf({ attackClass, requests }: Incident): { type: string } & Record<string, unknown> {
  switch (attackClass) {
    case "sql-injection":
      return { type: "sql_injection", attempts_count: requests };
    case "credentials":
      return { type: "login_attack" };
    case "flood":
      return { type: "ddos", attack_vector: "http_flood" };
    case "crawling":
      return { type: "scraping", total_requests: requests };
    case "probing":
      return { type: "vuln_scanning", scan_type: "directory_brute_force", total_requests: requests };
    default:
      return { type: "vuln_scanning", scan_type: "web_vuln_scan", total_requests: requests };
  }
}
