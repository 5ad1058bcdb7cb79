/**
 * Reads multipart/form-data. Own code, for two reasons: rules look at the raw header lines of each part, which body
 * parsers keep to themselves; and where parsers disagree on a malformed body, an attack slips through between them. So
 * this reader goes on as far as it can, keeps what it saw, and raises a flag for each oddity.
 *
 * Line by line and in one pass; a part's data is cut out by index.
 */
import { SECLANG_LIMITS } from "../limits.ts";
import type { BodyReading, MultipartFlag, NamedValue, UploadedFile } from "./reading.ts";
import { EMPTY_READING } from "./reading.ts";

export function readMultipart(body: string, contentType: string, options: { argumentsMax: number }): BodyReading {
  const flags = new Set<MultipartFlag>();
  const boundary = boundaryOf(contentType, flags);
  if (boundary === null) return { ...EMPTY_READING, flags, error: "multipart: no boundary, or a broken one" };
  const state: State = { body, flags, args: [], files: [], partHeaders: [], parts: 0, error: null, ...options };
  readParts(state, `--${boundary}`);
  const { args, files, partHeaders, error } = state;
  return { ...EMPTY_READING, args, files, partHeaders, error, flags };
}

interface State {
  readonly body: string;
  readonly flags: Set<MultipartFlag>;
  readonly args: NamedValue[];
  readonly files: UploadedFile[];
  readonly partHeaders: NamedValue[];
  readonly argumentsMax: number;
  parts: number;
  error: string | null;
}

/** The boundary of RFC 2046: up to 70 characters of a certain set, not ending in a blank. */
function boundaryOf(contentType: string, flags: Set<MultipartFlag>): string | null {
  const [found, ...others] = parametersOf(contentType).filter(({ name }) => name === "boundary");
  // Two boundaries: which one the app's parser takes cannot be known.
  if (found === undefined || others.length > 0) return null;
  if (!found.hasSemicolon) flags.add("MULTIPART_MISSING_SEMICOLON");
  if (found.hasBlanks) flags.add("MULTIPART_BOUNDARY_WHITESPACE");
  if (found.quote === '"') flags.add("MULTIPART_BOUNDARY_QUOTED");
  const boundary = found.value;
  return /^[0-9A-Za-z'()+_,\-./:=? ]{1,70}$/.test(boundary) && !boundary.endsWith(" ") ? boundary : null;
}

function readParts(state: State, delimiter: string): void {
  const { body, flags } = state;
  let lineStart = 0;
  let part: { headEnd: number; headers: string[] } | null = null;
  let isEnded = false;
  const endings = { crlf: false, lf: false };
  while (lineStart < body.length && state.error === null) {
    const { text, next } = lineAt(body, lineStart, endings);
    const kind: "next" | "last" | "text" = isEnded ? "text" : delimiterKind(text, delimiter, flags);
    if (kind !== "text") {
      if (part !== null) finishPart(state, part, lineStart);
      part = null;
      isEnded = kind === "last";
      if (kind === "next") part = readHead(state, next, endings);
      lineStart = part?.headEnd ?? next;
      continue;
    }
    if (part === null && text !== "") flags.add(isEnded ? "MULTIPART_DATA_AFTER" : "MULTIPART_DATA_BEFORE");
    lineStart = next;
  }
  if (endings.lf) flags.add(endings.crlf ? "MULTIPART_CRLF_LF_LINES" : "MULTIPART_LF_LINE");
  if (isEnded || state.error !== null) return;
  if (part !== null) finishPart(state, part, body.length);
  state.error = state.parts === 0 ? "multipart: no part" : "multipart: the last boundary is missing";
}

/** A line without its ending, and where the next begins. */
function lineAt(body: string, start: number, endings: { crlf: boolean; lf: boolean }): { text: string; next: number } {
  const newline = body.indexOf("\n", start);
  const end = newline === -1 ? body.length : newline;
  const hasReturn = newline !== -1 && body[end - 1] === "\r" && end > start;
  // Data lines end as they like; what counts is how boundaries and headers end. Noted by those who read these.
  if (body.startsWith("--", start) && newline !== -1) endings[hasReturn ? "crlf" : "lf"] = true;
  return { text: body.slice(start, hasReturn ? end - 1 : end), next: newline === -1 ? body.length : newline + 1 };
}

function delimiterKind(line: string, delimiter: string, flags: Set<MultipartFlag>): "next" | "last" | "text" {
  if (!line.startsWith(delimiter)) return "text";
  const rest = line.slice(delimiter.length);
  if (rest.trimEnd() === "") return "next";
  if (rest.startsWith("--") && rest.slice(2).trimEnd() === "") return "last";
  // Begins as the boundary and is none: some parsers would take it for one.
  flags.add("MULTIPART_UNMATCHED_BOUNDARY");
  return "text";
}

/** A part's header lines, up to the empty line. */
function readHead(
  state: State,
  start: number,
  endings: { crlf: boolean; lf: boolean },
): { headEnd: number; headers: string[] } {
  const { body, flags } = state;
  state.parts += 1;
  if (state.parts > SECLANG_LIMITS.multipartPartsMax) {
    flags.add("MULTIPART_FILE_LIMIT_EXCEEDED");
    state.error = `multipart: more than ${SECLANG_LIMITS.multipartPartsMax} parts`;
  }
  const headers: string[] = [];
  let at = start;
  while (at < body.length) {
    const newline = body.indexOf("\n", at);
    const end = newline === -1 ? body.length : newline;
    const hasReturn = body[end - 1] === "\r" && end > at;
    const line = body.slice(at, hasReturn ? end - 1 : end);
    if (newline !== -1) endings[hasReturn ? "crlf" : "lf"] = true;
    at = newline === -1 ? body.length : newline + 1;
    if (line === "") break;
    if (/^[ \t]/.test(line)) {
      flags.add(headers.length === 0 ? "MULTIPART_INVALID_HEADER_FOLDING" : "MULTIPART_HEADER_FOLDING");
      if (headers.length > 0) headers[headers.length - 1] += ` ${line.trim()}`;
      else headers.push(line);
    } else {
      headers.push(line);
    }
    if (
      headers.length > SECLANG_LIMITS.multipartPartHeadersMax ||
      at - start > SECLANG_LIMITS.multipartPartHeadBytesMax
    ) {
      state.error = "multipart: a part's header is too large";
      break;
    }
  }
  return { headEnd: at, headers };
}

/** `end` is where the delimiter's line begins; the line break before it belongs to the delimiter. */
function finishPart(state: State, part: { headEnd: number; headers: readonly string[] }, end: number): void {
  const { body, flags } = state;
  let dataEnd = end;
  if (end < body.length && body[dataEnd - 1] === "\n" && dataEnd > part.headEnd) dataEnd -= 1;
  if (dataEnd < end && body[dataEnd - 1] === "\r" && dataEnd > part.headEnd) dataEnd -= 1;
  const data = body.slice(part.headEnd, Math.max(part.headEnd, dataEnd));
  const disposition = part.headers.find((line) => /^content-disposition\s*:/i.test(line));
  const { name, filename } = namesOf(disposition ?? "", flags);
  for (const line of part.headers) state.partHeaders.push({ name: name ?? "", value: line });
  if (disposition === undefined || name === null) {
    flags.add("MULTIPART_INVALID_PART");
    state.error = "multipart: a part without a name";
    return;
  }
  if (filename !== null) state.files.push({ field: name, filename, bytes: data.length });
  else if (state.args.length < state.argumentsMax) state.args.push({ name, value: data });
  else state.error = `more than ${state.argumentsMax} arguments`;
}

function namesOf(disposition: string, flags: Set<MultipartFlag>): { name: string | null; filename: string | null } {
  const found: { name: string | null; filename: string | null } = { name: null, filename: null };
  for (const { name, value, quote, hasSemicolon } of parametersOf(disposition)) {
    if (!hasSemicolon) flags.add("MULTIPART_MISSING_SEMICOLON");
    if (quote === "'" || (quote === null && value.includes('"'))) flags.add("MULTIPART_INVALID_QUOTING");
    if (name === "name" || name === "filename") {
      if (found[name] !== null) flags.add("MULTIPART_INVALID_PART");
      found[name] ??= value;
    } else if (name === "filename*") {
      // RFC 7578 forbids it, and yet some apps take it: charset'language'name.
      flags.add("MULTIPART_INVALID_PART");
      found.filename ??= value;
    }
  }
  return found;
}

interface Parameter {
  /** Lower case. */
  readonly name: string;
  readonly value: string;
  readonly quote: '"' | "'" | null;
  /** A semicolon stands before it, as it should. */
  readonly hasSemicolon: boolean;
  /** Blanks stand around its equals sign or behind its value. */
  readonly hasBlanks: boolean;
}

/** `; name="value"` and its broken forms. Goes forward only, so that no header makes it slow. */
function parametersOf(header: string): Parameter[] {
  const parameters: Parameter[] = [];
  let at = 0;
  let hasSemicolon = false;
  while (at < header.length) {
    const name = matchAt(/[\w*-]+/y, header, at);
    if (name === null) {
      hasSemicolon ||= header[at] === ";";
      at += 1;
      continue;
    }
    at += name.length;
    const equals = matchAt(/\s*=\s*/y, header, at);
    if (equals !== null) {
      at += equals.length;
      const raw = matchAt(/"(?:\\[\s\S]|[^"\\])*"|'[^']*'|[^;,\r\n]*/y, header, at) ?? "";
      at += raw.length;
      const [first] = raw;
      const quote = raw.length > 1 && (first === '"' || first === "'") && raw.endsWith(first) ? first : null;
      const value = quote === null ? raw.trim() : raw.slice(1, -1).replace(/\\(["\\])/g, "$1");
      const hasBlanks = equals !== "=" || (quote === null && value !== raw);
      parameters.push({ name: name.toLowerCase(), value, quote, hasSemicolon, hasBlanks });
    }
    hasSemicolon = false;
  }
  return parameters;
}

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}
