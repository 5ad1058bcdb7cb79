/**
 * Where a request holds values, and under which names: those that rules use (ARGS:q), since exclusions and reports are
 * written with them.
 */
import type { NamedValue } from "../seclang/bodies/reading.ts";
import type { ParsedRequest } from "./parsed-request.ts";
import { isTextBody } from "./parsed-request.ts";
import type { Phase } from "./filter.ts";

export const PLACES = {
  /** The path, with its escapes undone. */
  path: 1,
  /** Values of the query, of forms, JSON and XML. */
  argument: 2,
  /** Names of the same. */
  name: 4,
  cookie: 8,
  "cookie-name": 16,
  /** Headers that no other place names. */
  header: 32,
  "user-agent": 64,
  referer: 128,
  /** Names of uploaded files, in a form or a header. */
  "file-name": 256,
  /** Headers of a part of a multipart body. */
  part: 512,
  /** A body that is text and that nothing could take apart. */
  body: 1024,
  /** The target as it came: what stands behind # or is split by no parser. */
  target: 2048,
} as const;

export type PlaceName = keyof typeof PLACES;

/** Where applications take values from. */
export const INPUT: readonly PlaceName[] = ["argument", "name", "cookie", "cookie-name", "body"];
/** And what they log or show. */
export const INPUT_AND_HEADERS: readonly PlaceName[] = [...INPUT, "header", "user-agent", "referer", "file-name"];
export const EVERYWHERE: readonly PlaceName[] = [...INPUT_AND_HEADERS, "path"];

export interface PlacedValue {
  readonly place: number;
  readonly variable: string;
  readonly key: string;
  readonly text: string;
}

/** All values of a phase. Empty ones hold no attack. */
export function valuesOf(request: ParsedRequest, phase: Phase): PlacedValue[] {
  const values: PlacedValue[] = [];
  const add = (place: number, variable: string, key: string, text: string): void => {
    if (text !== "") values.push({ place, variable, key, text });
  };
  const addArguments = (list: readonly NamedValue[], namesPlace: number): void => {
    let last = "";
    for (const { name, value } of list) {
      add(PLACES.argument, "ARGS", name, value);
      if (name !== last) add(namesPlace, "ARGS_NAMES", name, name);
      last = name;
    }
  };
  if (phase === "head") {
    add(PLACES.path, "REQUEST_FILENAME", "", request.target.filename);
    add(PLACES.target, "REQUEST_URI", "", request.target.uri);
    addArguments(request.query.args, PLACES.name);
    for (const { name, value } of request.cookies) {
      add(PLACES.cookie, "REQUEST_COOKIES", name, value);
      add(PLACES["cookie-name"], "REQUEST_COOKIES_NAMES", name, name);
    }
    addHeaders(request.request.headers, add);
    return values;
  }
  const { body } = request;
  addArguments(body.args, PLACES.name);
  if (body.xml !== null) {
    add(PLACES.argument, "XML", "/*", body.xml.text);
    for (const text of body.xml.attributes) add(PLACES.argument, "XML", "//@*", text);
  }
  for (const { field, filename } of body.files) {
    add(PLACES["file-name"], "FILES", field, filename);
    add(PLACES.name, "FILES_NAMES", field, field);
  }
  for (const { name, value } of body.partHeaders) add(PLACES.part, "MULTIPART_PART_HEADERS", name, value);
  if (request.requestBody !== null && isTextBody(request)) add(PLACES.body, "REQUEST_BODY", "", request.requestBody);
  return values;
}

function addHeaders(
  headers: readonly string[],
  add: (place: number, variable: string, key: string, text: string) => void,
): void {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!;
    const lower = name.toLowerCase();
    if (UNREAD.has(lower)) continue;
    add(HEADER_PLACES.get(lower) ?? PLACES.header, "REQUEST_HEADERS", name, headers[i + 1]!);
  }
}

/** Cookies are read one by one. */
const UNREAD: ReadonlySet<string> = new Set(["cookie"]);

const HEADER_PLACES: ReadonlyMap<string, number> = new Map([
  ["user-agent", PLACES["user-agent"]],
  ["referer", PLACES.referer],
  ...["x-filename", "x_filename", "x.filename", "x-file-name", "x-file"].map(
    (name) => [name, PLACES["file-name"]] as const,
  ),
]);
