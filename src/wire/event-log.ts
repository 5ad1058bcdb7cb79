/**
 * The event log: what was told to a cell's mind, so that it can be told again. One file is a *segment* of one cell's life:
 *
 *   {"log":"cellws-events","format":1,"cell":...,"start":{...},...,"chain":"..."}     how it begins
 *   {"n":1,"event":{...},"did":["send","sign"],"effects":"...","chain":"..."}         one line an event
 *   {"n":64,"event":{...},"did":[],"effects":"...","state":"...","chain":"..."}       now and then the state's digest too
 *
 * The first segment of a cell begins with its birth, each later one with its state: a checkpoint, so that old segments may
 * go. Effects are kept as their kinds and a digest, the state as a digest: `step` makes both again, that is the point.
 * `chain` is a digest of the line and of the chain before it, so that a changed, lost or inserted line is found where it is.
 * It guards against accident and meddling by hand, not against who recomputes it: it has no key.
 *
 * No private key comes near the mind, so none can be in here. Names, pids, and how an app failed are.
 */
import { hash32 } from "../lib/hash.ts";
import type { Effect } from "../core/effect.ts";
import type { Event } from "../core/event.ts";
import type { State } from "../core/state.ts";
import type { Birth } from "../core/step.ts";

export const eventLogFormat = 1;
/** A state's digest is written at each so manieth event: it costs as much as all the others together. */
export const stateDigestEvery = 64;

export interface SegmentHead {
  readonly log: "cellws-events";
  readonly format: number;
  readonly organism: string;
  readonly name: string;
  readonly cell: string;
  readonly pid: number;
  /** Counted from 0 through a cell's life. */
  readonly segment: number;
  /** Events before this segment. */
  readonly before: number;
  /** Versions that made it: another mind may decide otherwise. */
  readonly program: string;
  readonly node: string;
  /** The wall clock (RFC 3339) at `nowMs` of the cell's clock: for people. */
  readonly time: string;
  readonly nowMs: number;
  readonly start: { readonly birth: Birth } | { readonly state: State };
}

export interface EventLine {
  readonly n: number;
  readonly event: Event;
  /** Kinds of the effects, in order. */
  readonly did: readonly string[];
  /** Digest of the effects. */
  readonly effects: string;
  /** Digest of the state after it, in some lines. */
  readonly state?: string;
  /** Where the mind would not take it, for a reason that ended the cell: the reason. The last line of its life. */
  readonly refused?: string;
}

/** A line with its chain, without its end. */
export function sealLine(line: object, chainBefore: string): { text: string; chain: string } {
  const body = encode(line).slice(0, -1);
  const chain = digest(`${chainBefore}\n${body}`);
  return { text: `${body},"chain":"${chain}"}`, chain };
}

/** What a line says, where its chain holds. */
export type OpenedLine =
  | { readonly ok: true; readonly value: unknown; readonly chain: string }
  /** `unreadable`: no whole JSON line of this kind. `altered`: it is not what was written after the line before it. */
  | { readonly ok: false; readonly wrong: "unreadable" | "altered" };

export function openLine(text: string, chainBefore: string): OpenedLine {
  const match = /^(\{.*),"chain":"([0-9a-f]{16})"\}$/s.exec(text);
  const [, body, chain] = match ?? [];
  if (body === undefined || chain === undefined) return { ok: false, wrong: "unreadable" };
  let value: unknown;
  try {
    value = decode(`${body}}`);
  } catch {
    return { ok: false, wrong: "unreadable" };
  }
  return chain === digest(`${chainBefore}\n${body}`) ? { ok: true, value, chain } : { ok: false, wrong: "altered" };
}

export function readHead(value: unknown): SegmentHead | null {
  if (typeof value !== "object" || value === null) return null;
  const { log, format, cell, start } = value as Record<string, unknown>;
  const isOurs = log === "cellws-events" && format === eventLogFormat && typeof cell === "string";
  return isOurs && typeof start === "object" && start !== null ? (value as SegmentHead) : null;
}

export function readEventLine(value: unknown): EventLine | null {
  if (typeof value !== "object" || value === null) return null;
  const { n, event, did, effects } = value as Record<string, unknown>;
  const isOurs =
    typeof n === "number" && typeof event === "object" && Array.isArray(did) && typeof effects === "string";
  return isOurs ? (value as EventLine) : null;
}

export function eventLine(n: number, event: Event, state: State, effects: readonly Effect[]): EventLine {
  const line: EventLine = { n, event, did: effects.map(({ type }) => type), effects: digest(encode(effects)) };
  return n % stateDigestEvery === 0 ? { ...line, state: stateDigest(state) } : line;
}

export function stateDigest(state: State): string {
  return digest(encode(state));
}

export function effectsDigest(effects: readonly Effect[]): string {
  return digest(encode(effects));
}

/** 64 bits: for telling different things apart, never for security. */
function digest(text: string): string {
  const half = (seed: string): string =>
    hash32(seed + text)
      .toString(16)
      .padStart(8, "0");
  return half("a") + half("b");
}

/** JSON that also carries maps, sets and the numbers that JSON lacks. What is undefined is left out, as if it were not there. */
export function encode(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof Map) return { $map: [...part] };
    if (part instanceof Set) return { $set: [...part] };
    if (typeof part === "number" && !Number.isFinite(part)) return { $number: String(part) };
    return part;
  });
}

/** @throws SyntaxError where it is no JSON. */
export function decode(text: string): unknown {
  return JSON.parse(text, (_key, part: unknown) => {
    if (typeof part !== "object" || part === null) return part;
    const { $map, $set, $number } = part as Record<string, unknown>;
    if (Array.isArray($map)) return new Map($map as Array<[unknown, unknown]>);
    if (Array.isArray($set)) return new Set($set);
    return typeof $number === "string" ? Number($number) : part;
  });
}
