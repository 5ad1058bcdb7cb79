/**
 * An incident: all that is told to others of one offence, however many requests it took.
 *
 * The book keeps a little about each source that sent marks, so that there is something to tell when a sentence follows:
 * how many, since when, which rules, a few lines of evidence. It is bounded; whoever was quiet longest is forgotten first.
 * What it hands out is stripped (strip.ts): nothing else reaches the outbox, or the disk.
 */
import type { BanBody } from "../../core/record.ts";
import { parseIpRange } from "../../lib/ip-range.ts";
import { holds } from "../bans/policy.ts";
import type { Mark } from "../ledger/mark.ts";
import { stripped } from "./strip.ts";

export interface Incident {
  /** The offence's name, which is also that of its ban. */
  readonly id: string;
  readonly range: string;
  /** Of the sources in the range the one that sent most. Whom to ask who that was. */
  readonly source: string;
  readonly sources: number;
  readonly attackClass: string;
  readonly requests: number;
  /** RFC 3339. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly rules: readonly number[];
  readonly evidence: readonly string[];
}

const sourcesMax = 5_000;
const rulesMax = 20;
const evidenceMax = 5;

interface Source {
  requests: number;
  firstMs: number;
  lastMs: number;
  readonly rules: Set<number>;
  readonly evidence: string[];
}

export class IncidentBook {
  /** By address; the longest quiet first. */
  readonly #sources = new Map<string, Source>();

  note({ client, atMs, rules, evidence }: Mark): void {
    let source = this.#sources.get(client);
    if (source === undefined) {
      if (this.#sources.size >= sourcesMax) this.#sources.delete(this.#sources.keys().next().value!);
      source = { requests: 0, firstMs: atMs, lastMs: atMs, rules: new Set(), evidence: [] };
    } else this.#sources.delete(client);
    this.#sources.set(client, source);
    source.requests += 1;
    source.firstMs = Math.min(source.firstMs, atMs);
    source.lastMs = Math.max(source.lastMs, atMs);
    for (const rule of rules) if (source.rules.size < rulesMax) source.rules.add(rule);
    if (evidence !== undefined && source.evidence.length < evidenceMax) source.evidence.push(evidence);
  }

  /**
   * What to report of a ban; null where no mark was seen (behaviour alone, or another T cell's). `wallOffsetMs`: from the marks'
   * clock to the wall's; `toTime`: a wall time as RFC 3339.
   */
  incidentOf(ban: BanBody, wallOffsetMs: number, toTime: (wallMs: number) => string): Incident | null {
    const range = parseIpRange(ban.range);
    if (range === null) return null;
    const members = [...this.#sources].filter(([client]) => {
      const address = parseIpRange(client);
      return address !== null && holds(range, address);
    });
    const [most] = members.toSorted(([, a], [, b]) => b.requests - a.requests);
    if (most === undefined) return null;
    const all = members.map(([, source]) => source);
    return {
      id: ban.incident,
      range: ban.range,
      source: most[0],
      sources: members.length,
      attackClass: ban.reason,
      requests: all.reduce((sum, { requests }) => sum + requests, 0),
      firstSeen: toTime(Math.min(...all.map(({ firstMs }) => firstMs)) + wallOffsetMs),
      lastSeen: toTime(Math.max(...all.map(({ lastMs }) => lastMs)) + wallOffsetMs),
      rules: [...new Set(all.flatMap(({ rules }) => [...rules]))].slice(0, rulesMax),
      evidence: all.flatMap(({ evidence }) => evidence.map(stripped)).slice(0, evidenceMax),
    };
  }
}
