/**
 * An incident for AbuseIPDB's report endpoint and those that copy its shape: a form with one address, categories, a comment.
 * The comment is public: no evidence goes into it, only what kind, how many, when.
 */
import type { Incident } from "./incident.ts";
import { describe } from "./xarf.ts";

export interface AbuseIpdbForm {
  readonly ip: string;
  readonly categories: string;
  readonly comment: string;
  readonly timestamp: string;
}

const commentLengthMax = 1_024;

export function toAbuseIpdb(incident: Incident): AbuseIpdbForm {
  return {
    ip: incident.source,
    categories: (categories[incident.attackClass] ?? [webAttack, hacking]).join(","),
    comment: describe(incident).slice(0, commentLengthMax),
    timestamp: incident.lastSeen,
  };
}

const [ddos, hacking, sqlInjection, bruteForce, badBot, webAttack] = [4, 15, 16, 18, 19, 21];
const categories: Readonly<Record<string, readonly number[]>> = {
  "sql-injection": [webAttack, sqlInjection],
  credentials: [webAttack, bruteForce],
  scanner: [webAttack, badBot],
  probing: [webAttack, badBot],
  crawling: [badBot],
  flood: [ddos],
  slow: [ddos],
};
