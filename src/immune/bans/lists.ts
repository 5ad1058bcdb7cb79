/**
 * Lists of bans as other programs write and read them.
 *
 * | Format | Written for | Read from |
 * |---|---|---|
 * | plain | anything, fail2ban's `banip` among them | blocklists: one range a line, `#` begins a comment |
 * | json | cellws itself: nothing is lost | the same |
 * | crowdsec | `cscli decisions import -i FILE` | that, `cscli decisions list -o json`, the stream of its local API |
 * | fail2ban | – | `fail2ban-client banned`, `fail2ban-client get JAIL banip --with-time` |
 *
 * What cannot be used (a country, a captcha, a typing error) is told with its reason and left out: a list of ten thousand
 * is not thrown away for one line. Times of the list are kept where it has any.
 */
import type { BanAction, BanBody } from "../../core/record.ts";
import { banActions } from "../../core/record.ts";
import { canonicalRange } from "../../lib/ip-words.ts";

export const listFormats = ["plain", "json", "crowdsec"] as const;
export type ListFormat = (typeof listFormats)[number];

/** Above it a list is not a list of attackers any more, and look-ups would outgrow their memory. */
export const listedMax = 100_000;
/** Skipped entries that are told one by one. */
const skippedToldMax = 20;

export interface ListedBan {
  readonly range: string;
  readonly action: Exclude<BanAction, "lifted">;
  readonly reason: string;
  /** Null: the list does not say. */
  readonly untilMs: number | null;
}

export interface ReadList {
  readonly bans: readonly ListedBan[];
  /** The first of them. */
  readonly skipped: ReadonlyArray<{ readonly what: string; readonly why: string }>;
  readonly skippedCount: number;
}

export function renderList(bans: readonly BanBody[], format: ListFormat, wallMs: number): string {
  switch (format) {
    case "plain":
      // Milder measures than a ban have no place in a list that says nothing but "refuse".
      return bans
        .filter(({ action }) => action === "ban")
        .map(({ range }) => `${range}\n`)
        .join("");
    case "json":
      return `${JSON.stringify({ cellws: "bans", version: 1, bans: bans.map(toOwn) }, null, 2)}\n`;
    case "crowdsec":
      return `${JSON.stringify(
        bans.flatMap((ban) => toCrowdSec(ban, wallMs)),
        null,
        2,
      )}\n`;
  }
}

/** Null: neither a list nor JSON of a known shape. */
export function readList(text: string, wallMs: number): ReadList | null {
  const trimmed = text.trimStart();
  const reading = new Reading(wallMs);
  if (!/^[[{]/.test(trimmed)) {
    for (const line of text.split("\n")) reading.addLine(line);
    return reading.done();
  }
  const value = parseJson(trimmed) ?? parseJson(trimmed.replaceAll("'", '"'));
  return value !== undefined && reading.addJson(value) ? reading.done() : null;
}

function toOwn({ range, action, reason, offence, issuedAtMs, untilMs, incident }: BanBody) {
  return { range, action, reason, offence, issuedAtMs, untilMs, incident };
}

const crowdSecTypes: Partial<Record<BanAction, string>> = { ban: "ban", "rate-limit": "throttle" };

function toCrowdSec({ range, action, reason, untilMs }: BanBody, wallMs: number) {
  const type = crowdSecTypes[action];
  if (type === undefined || untilMs <= wallMs) return [];
  const seconds = Math.ceil((untilMs - wallMs) / 1_000);
  const scope = range.includes("/") ? "range" : "ip";
  return [{ duration: `${seconds}s`, reason: `cellws/${reason}`, scope, type, value: range }];
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

class Reading {
  readonly #wallMs: number;
  readonly #bans = new Map<string, ListedBan>();
  readonly #skipped: Array<{ what: string; why: string }> = [];
  #skippedCount = 0;

  constructor(wallMs: number) {
    this.#wallMs = wallMs;
  }

  done(): ReadList {
    return { bans: [...this.#bans.values()], skipped: this.#skipped, skippedCount: this.#skippedCount };
  }

  /** `192.0.2.7`, `192.0.2.0/24 # why`, `192.0.2.7 <tab>2026-01-01 10:00:00 + 600 = 2026-01-01 10:10:00`. */
  addLine(line: string): void {
    const plain = line.replace(/[#;].*$/, "").trim();
    if (plain === "") return;
    const [range = "", ...rest] = plain.split(/[\s,]+/);
    const seconds = /\+ (-?\d{1,12}) =/.exec(rest.join(" "))?.[1];
    // At most the whole time from now on: its beginning is told in a time zone that nobody knows. -1 is for ever.
    const untilMs = seconds === undefined || Number(seconds) < 0 ? null : this.#wallMs + Number(seconds) * 1_000;
    this.#add({ range, action: "ban", reason: seconds === undefined ? "list" : "fail2ban", untilMs });
  }

  /** False: no shape that is known. */
  addJson(value: unknown): boolean {
    if (isObject(value)) {
      if (Array.isArray(value["bans"])) return this.#each(value["bans"], (one) => this.#addOwn(one));
      // CrowdSec's local API, as its bouncers read it.
      if (Array.isArray(value["new"]) || value["new"] === null) {
        return this.#each(Array.isArray(value["new"]) ? value["new"] : [], (one) => this.#addDecision(one));
      }
      return this.#addJails(value);
    }
    if (!Array.isArray(value)) return false;
    return this.#each(value, (one) => {
      if (Array.isArray(one["decisions"]))
        return this.#each(one["decisions"], (decision) => this.#addDecision(decision));
      return "value" in one ? this.#addDecision(one) : this.#addJails(one);
    });
  }

  #each(list: readonly unknown[], take: (one: Json) => boolean): boolean {
    return list.every((one) => isObject(one) && take(one));
  }

  #addOwn(one: Json): boolean {
    const action = textOf(one["action"]) as ListedBan["action"];
    if (!banActions.includes(action) || (action as BanAction) === "lifted") return false;
    const untilMs = typeof one["untilMs"] === "number" ? one["untilMs"] : null;
    this.#add({ range: textOf(one["range"]), action, reason: textOf(one["reason"]), untilMs });
    return true;
  }

  #addDecision(one: Json): boolean {
    const range = textOf(one["value"]);
    const type = textOf(one["type"]) || "ban";
    const scope = (textOf(one["scope"]) || "ip").toLowerCase();
    if (scope !== "ip" && scope !== "range") this.#skip(range, `its scope is ${scope}`);
    else if (type !== "ban" && type !== "throttle") this.#skip(range, `its type is ${type}`);
    else {
      const leftMs = parseGoDurationMs(textOf(one["duration"]));
      const untilMs = leftMs === null ? null : this.#wallMs + leftMs;
      const reason = textOf(one["scenario"]) || textOf(one["reason"]) || "crowdsec";
      this.#add({ range, action: type === "ban" ? "ban" : "rate-limit", reason, untilMs });
    }
    return true;
  }

  /** `{ 'sshd': ['192.0.2.7'], ... }` */
  #addJails(jails: Json): boolean {
    return Object.entries(jails).every(([jail, members]) => {
      if (!Array.isArray(members)) return false;
      for (const member of members) this.#add({ range: textOf(member), action: "ban", reason: jail, untilMs: null });
      return true;
    });
  }

  #add(ban: ListedBan): void {
    const range = canonicalRange(ban.range);
    if (range === null) this.#skip(ban.range, "not an address or a CIDR range");
    else if (ban.untilMs !== null && !(ban.untilMs > this.#wallMs)) this.#skip(range, "its time is over");
    else if (this.#bans.size >= listedMax && !this.#bans.has(range)) this.#skip(range, `more than ${listedMax} ranges`);
    else this.#bans.set(range, { ...ban, range, reason: cleanReason(ban.reason) });
  }

  #skip(what: string, why: string): void {
    this.#skippedCount += 1;
    if (this.#skipped.length < skippedToldMax) this.#skipped.push({ what: what.slice(0, 80), why });
  }
}

/** It goes into records and terminals. */
function cleanReason(reason: string): string {
  return reason.replace(/[^\x20-\x7e]/g, "?").slice(0, 64) || "list";
}

/** `3h59m57.25s`, `-5m`, `1h`; null where it is none. */
export function parseGoDurationMs(text: string): number | null {
  const match = /^(-?)((?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+)$/.exec(text);
  if (match === null) return null;
  const unitMs: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 };
  let sum = 0;
  for (const [, number, unit] of match[2]!.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g))
    sum += Number(number) * unitMs[unit!]!;
  return Math.round(match[1] === "-" ? -sum : sum);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
