/**
 * Reads what came over a control connection: JSON of unknown shape in, a checked value or the reason out.
 *
 * Written by hand and not with the schema library, because `cellws ps` should answer before that would be
 * loaded. The socket is our own user's, so this is no defence against malice: it is for the day when the
 * command line is newer or older than the organism, and should then say so instead of crashing in a table.
 */
import type { CellClass } from "../core/cell.ts";
import { cellClasses } from "../core/cell.ts";
import type {
  AppHealth,
  CellRecord,
  CellSummary,
  CellTrouble,
  CellVitals,
  ControlReply,
  OrganismFile,
  Service,
  Unserved,
} from "./control.ts";
import { readSnapshot } from "./metrics.ts";

export type ReadResult<T> = { ok: true; value: T } | { ok: false; reason: string };

export function readControlReply(text: string): ReadResult<ControlReply> {
  return reading(text, (value) => {
    const reply = fields(value, "reply");
    if (reply["ok"] === false) return { ok: false, code: string(reply, "code"), message: string(reply, "message") };
    const op = string(reply, "op");
    if (op === "stop" || op === "ping" || op === "memory-changed") return { ok: true, op };
    if (op !== "vitals") throw new Unreadable(`reply.op is ${JSON.stringify(op)}`);
    return {
      ok: true,
      op,
      organism: string(reply, "organism"),
      name: string(reply, "name"),
      revision: string(reply, "revision"),
      self: vitals(reply["self"]),
      others: array(reply, "others").map((other) => summary(other, "others[]")),
      appHealth: appHealth(reply["appHealth"]),
      ...(reply["metrics"] === undefined ? {} : { metrics: readSnapshot(reply["metrics"]) }),
    };
  });
}

export function readCellRecord(text: string): ReadResult<CellRecord> {
  return reading(text, (value) => record(fields(value, "record"), "record"));
}

export function readOrganismFile(text: string): ReadResult<OrganismFile> {
  return reading(text, (value) => {
    const file = fields(value, "organism.json");
    if (file["version"] !== 1) throw new Unreadable(`its version is ${JSON.stringify(file["version"])}, not 1`);
    return {
      version: 1,
      name: string(file, "name"),
      organism: string(file, "organism"),
      revision: string(file, "revision"),
      startedAt: string(file, "startedAt"),
      cwd: string(file, "cwd"),
      app: string(file, "app"),
      dnaFile: file["dnaFile"] === null ? null : string(file, "dnaFile"),
      listen: array(file, "listen").map((value) => {
        const listen = fields(value, "listen[]");
        return { host: string(listen, "host"), port: number(listen, "port"), tls: listen["tls"] === true };
      }),
      admin: adminAddress(file["admin"] ?? null),
      drainMsMax: number(file, "drainMsMax"),
    };
  });
}

function adminAddress(value: unknown): OrganismFile["admin"] {
  if (value === null) return null;
  const address = fields(value, "admin");
  return { host: string(address, "host"), port: number(address, "port") };
}

/** Thrown and caught only in this file. */
class Unreadable extends Error {}

function reading<T>(text: string, read: (value: unknown) => T): ReadResult<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: `not JSON: ${text.slice(0, FOUND_CHARS_MAX)}` };
  }
  try {
    return { ok: true, value: read(value) };
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, reason: error.message };
    throw error;
  }
}

/** Enough of the line to see what it is. */
const FOUND_CHARS_MAX = 80;

type Fields = Record<string, unknown>;

function fields(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Unreadable(`${what} is no object`);
  return value as Fields;
}

function string(from: Fields, key: string): string {
  const value = from[key];
  if (typeof value !== "string") throw new Unreadable(`${key} is no string`);
  return value;
}

function number(from: Fields, key: string): number {
  const value = from[key];
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Unreadable(`${key} is no number`);
  return value;
}

function array(from: Fields, key: string): unknown[] {
  const value = from[key];
  if (!Array.isArray(value)) throw new Unreadable(`${key} is no array`);
  return value;
}

function record(from: Fields, what: string): CellRecord {
  const cellClass = cellClasses.find((known: CellClass) => known === from["class"]);
  if (cellClass === undefined) throw new Unreadable(`${what}.class is ${JSON.stringify(from["class"])}`);
  const pid = number(from, "pid");
  // Below 1 are process groups: what must never reach a kill.
  if (!Number.isInteger(pid) || pid < 1) throw new Unreadable(`${what}.pid is ${pid}`);
  return {
    id: string(from, "id"),
    class: cellClass,
    pid,
    startTicks: number(from, "startTicks"),
    mother: from["mother"] === null ? null : string(from, "mother"),
    generation: number(from, "generation"),
    bornAt: string(from, "bornAt"),
  };
}

function summary(value: unknown, what: string): CellSummary {
  const from = fields(value, what);
  const state = from["state"];
  if (state !== "live" && state !== "suspected" && state !== "draining") {
    throw new Unreadable(`${what}.state is ${JSON.stringify(state)}`);
  }
  return { ...record(from, what), state };
}

function vitals(value: unknown): CellVitals {
  const from = fields(value, "self");
  return {
    ...summary(value, "self"),
    load: number(from, "load"),
    rssBytes: number(from, "rssBytes"),
    inFlight: number(from, "inFlight"),
    app: appHealth(from["app"]),
    ...(from["troubles"] === undefined ? {} : { troubles: array(from, "troubles").map(trouble) }),
    ...(from["service"] === undefined ? {} : { service: service(fields(from["service"], "service")) }),
    ...(from["unserved"] === undefined ? {} : { unserved: unserved(fields(from["unserved"], "unserved")) }),
  };
}

function service(from: Fields): Service {
  return { drones: number(from, "drones"), refusal: from["refusal"] === null ? null : string(from, "refusal") };
}

function unserved(from: Fields): Unserved {
  return { ms: number(from, "ms"), msMax: number(from, "msMax") };
}

function trouble(value: unknown): CellTrouble {
  const from = fields(value, "trouble");
  return { code: string(from, "code"), message: string(from, "message") };
}

function appHealth(value: unknown): AppHealth {
  const from = fields(value, "app");
  const state = from["state"];
  if (state !== "none" && state !== "loading" && state !== "ready" && state !== "failed") {
    throw new Unreadable(`app.state is ${JSON.stringify(state)}`);
  }
  const health: AppHealth = { state };
  if (from["error"] !== undefined) health.error = appError(fields(from["error"], "app.error"));
  if (from["attempts"] !== undefined) health.attempts = number(from, "attempts");
  if (from["retryInMs"] !== undefined) health.retryInMs = number(from, "retryInMs");
  return health;
}

function appError(from: Fields): NonNullable<AppHealth["error"]> {
  const error = { code: string(from, "code"), message: string(from, "message") };
  return from["stack"] === undefined ? error : { ...error, stack: string(from, "stack") };
}
