/** Conditional and range requests for a representation with a strong ETag (RFC 9110, 13 and 14). Pure. */
import { isNamed } from "./field-names.ts";
import type { HeaderList } from "./message.ts";

export interface Representation {
  /** Strong, with its quotes. */
  etag: string;
  /** Whole seconds, as a date in a header is. */
  lastModifiedMs: number;
  bytes: number;
}

export type Selection =
  | { kind: "whole" }
  /** Both inclusive. */
  | { kind: "part"; from: number; to: number }
  | { kind: "not-modified" }
  | { kind: "precondition-failed" }
  | { kind: "unsatisfiable" };

const whole: Selection = { kind: "whole" };

/** For GET and HEAD. In the order of RFC 9110, 13.2.2. */
export function select(
  { method, headers }: { method: string; headers: HeaderList },
  { etag, lastModifiedMs, bytes }: Representation,
): Selection {
  const ifMatch = valueOf(headers, "if-match");
  const ifNoneMatch = valueOf(headers, "if-none-match");
  if (ifMatch !== null) {
    if (!names(ifMatch, etag, { weakly: false })) return { kind: "precondition-failed" };
  } else {
    const unmodifiedSince = dateOf(valueOf(headers, "if-unmodified-since"));
    if (unmodifiedSince !== null && lastModifiedMs > unmodifiedSince) return { kind: "precondition-failed" };
  }
  if (ifNoneMatch !== null) {
    if (names(ifNoneMatch, etag, { weakly: true })) return { kind: "not-modified" };
  } else {
    const modifiedSince = dateOf(valueOf(headers, "if-modified-since"));
    if (modifiedSince !== null && lastModifiedMs <= modifiedSince) return { kind: "not-modified" };
  }
  const range = valueOf(headers, "range");
  if (method !== "GET" || range === null || !isSame(valueOf(headers, "if-range"), etag, lastModifiedMs)) return whole;
  return readRange(range, bytes);
}

/** Whether `*` or one of the listed tags is this one. */
function names(list: string, etag: string, { weakly }: { weakly: boolean }): boolean {
  if (list.trim() === "*") return true;
  for (const [, weak, tag] of list.matchAll(/(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)) {
    if (tag === etag && (weakly || weak === undefined)) return true;
  }
  return false;
}

/** If-Range wants the very same bytes: a strong tag, or exactly the date. */
function isSame(ifRange: string | null, etag: string, lastModifiedMs: number): boolean {
  if (ifRange === null) return true;
  return ifRange.includes('"') ? ifRange.trim() === etag : dateOf(ifRange) === lastModifiedMs;
}

/** A list longer than this is an attack (CVE-2011-3192). */
const RANGES_MAX = 16;

/**
 * Ranges that touch are one. What then are several are answered as a whole, as RFC 9110 allows: multipart answers cost much,
 * are rarely asked for, and clients that ask can do without. What is malformed is as if it were not there.
 */
export function readRange(value: string, bytes: number): Selection {
  const match = /^bytes=([0-9,\- \t]+)$/i.exec(value.trim());
  if (match === null) return whole;
  const specs = (match[1] ?? "").split(",").map((spec) => spec.trim());
  if (specs.length > RANGES_MAX) return whole;
  const ranges: Array<{ from: number; to: number }> = [];
  for (const spec of specs) {
    if (spec === "") continue;
    const parts = /^([0-9]{0,15})-([0-9]{0,15})$/.exec(spec);
    if (parts === null || spec === "-") return whole;
    const [, first = "", last = ""] = parts;
    if (first !== "" && last !== "" && Number(first) > Number(last)) return whole;
    const from = first === "" ? Math.max(0, bytes - Number(last)) : Number(first);
    const to = first === "" || last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1);
    if (from < bytes && from <= to) ranges.push({ from, to });
  }
  if (ranges.length === 0) return specs.every((spec) => spec === "") ? whole : { kind: "unsatisfiable" };
  ranges.sort((a, b) => a.from - b.from);
  const [one, ...others] = ranges as [{ from: number; to: number }];
  for (const { from, to } of others) {
    if (from > one.to + 1) return whole;
    one.to = Math.max(one.to, to);
  }
  return { kind: "part", from: one.from, to: one.to };
}

/** Only the form that is written today: what else Date.parse takes is nobody's header. */
const IMF_FIXDATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$/;

function dateOf(value: string | null): number | null {
  if (value === null || !IMF_FIXDATE.test(value.trim())) return null;
  // oxlint-disable-next-line no-restricted-globals -- of a whole date in GMT it is a computation, and asks no clock
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? null : ms;
}

/** Several fields of one name are one list. */
function valueOf(headers: HeaderList, lower: string): string | null {
  let value: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, lower)) continue;
    value = value === null ? (headers[i + 1] as string) : `${value}, ${headers[i + 1] as string}`;
  }
  return value;
}
