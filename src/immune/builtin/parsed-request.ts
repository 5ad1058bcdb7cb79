/**
 * A request as the filters see it: the same parts that rules see, so that a request is taken apart once for both. A
 * `Transaction` of the rule engine is one; without rules it is made here.
 */
import { readCookies } from "../seclang/cookies.ts";
import type { BodyReading, NamedValue } from "../seclang/bodies/reading.ts";
import { EMPTY_READING } from "../seclang/bodies/reading.ts";
import { BODY_READERS, processorFor } from "../seclang/bodies/table.ts";
import { readUrlEncoded } from "../seclang/bodies/url-encoded.ts";
import type { RequestFacts } from "../seclang/facts.ts";
import { headerOf } from "../seclang/facts.ts";
import { SECLANG_LIMITS } from "../seclang/limits.ts";
import type { BodyProcessorName } from "../seclang/rule.ts";
import type { TargetParts } from "../seclang/uri.ts";
import { splitTarget } from "../seclang/uri.ts";

export interface ParsedRequest {
  readonly request: RequestFacts;
  readonly target: TargetParts;
  readonly query: BodyReading;
  readonly cookies: readonly NamedValue[];
  /** How the body was read; null: it is looked at as a whole. */
  readonly processor: BodyProcessorName | null;
  /** Null: there is none (yet). */
  readonly requestBody: string | null;
  readonly body: BodyReading;
}

const READING = {
  separator: "&",
  argumentsMax: SECLANG_LIMITS.argumentsMax,
  depthMax: SECLANG_LIMITS.bodyDepthMax,
} as const;

export function parseHead(request: RequestFacts): ParsedRequest {
  const target = splitTarget(request.target);
  return {
    request,
    target,
    query: target.query === "" ? EMPTY_READING : readUrlEncoded(target.query, READING),
    cookies: readCookies(request.headers),
    processor: processorFor(headerOf(request.headers, "content-type") ?? ""),
    requestBody: null,
    body: EMPTY_READING,
  };
}

/** The same with its body: whole, or as much of it as is looked at. */
export function parseBody(parsed: ParsedRequest, body: string): ParsedRequest {
  const { processor, request } = parsed;
  if (body === "") return parsed;
  const contentType = headerOf(request.headers, "content-type") ?? "";
  return {
    ...parsed,
    requestBody: body,
    body: processor === null ? EMPTY_READING : BODY_READERS[processor](body, { ...READING, contentType }),
  };
}

/**
 * Whether the body as a whole is worth a look: text that was not taken apart, or not to its end. Not the bytes of an
 * image: in enough of those anything occurs.
 */
export function isTextBody({ processor, body, request, requestBody }: ParsedRequest): boolean {
  if (processor === "MULTIPART") return false;
  if (processor !== null) return body.error !== null;
  if (isBinary(request)) return false;
  return requestBody !== null && !requestBody.slice(0, TEXT_CHARS_READ).includes("\0");
}

/** By its type: filters have no use for such a body, and it need not wait for them. */
export function isBinary(request: RequestFacts): boolean {
  const type = (headerOf(request.headers, "content-type") ?? "").toLowerCase();
  return /^(?:image|audio|video|font)\/|^application\/(?:octet-stream|zip|gzip|pdf|x-protobuf|grpc|wasm)/.test(type);
}

/** What is no text has a null early on. */
const TEXT_CHARS_READ = 1024;
