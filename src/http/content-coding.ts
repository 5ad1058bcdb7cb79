/**
 * Whether and how an answer may be compressed on its way, and what that changes in its head (RFC 9110, 8.4 and 12.5.3).
 *
 * A compressed answer is another representation of the same thing. So its ETag becomes a weak one, it cannot be asked
 * for in ranges, and caches are told that it depends on Accept-Encoding; and whatever the app signed, hashed or compressed
 * itself is left alone.
 */
import { isNamed, listTokens, trimBlanks } from "./field-names.ts";
import type { HeaderList, ResponseHead } from "./message.ts";

export type ContentCoding = "zstd" | "br" | "gzip";

export interface CompressionPolicy {
  /** In order of preference. */
  codings: readonly ContentCoding[];
  bodyBytesMin: number;
  /** Besides the known ones; `model/*` is all of a kind. */
  types: readonly string[];
}

export type CompressionPlan =
  /** Not to be compressed for anybody. */
  | { kind: "never" }
  /** For others it would be: caches must know. */
  | { kind: "identity" }
  | { kind: "coding"; coding: ContentCoding };

const never: CompressionPlan = { kind: "never" };

export function planCompression(
  request: { method: string; headers: HeaderList },
  head: ResponseHead,
  policy: CompressionPolicy,
): CompressionPlan {
  const { status, headers } = head;
  // 206 is a part of the bytes as they are; the others have no body.
  if (status < 200 || status === 204 || status === 205 || status === 206 || status === 304) return never;
  if (request.method === "CONNECT") return never;
  const type = valueOf(headers, "content-type");
  if (type === null || !isCompressible(type, policy.types)) return never;
  const coding = valueOf(headers, "content-encoding");
  if (coding !== null && coding.toLowerCase() !== "identity") return never;
  if (isNoTransform(headers) || isNoTransform(request.headers)) return never;
  // Hashes of the bytes that are sent, and ranges of them.
  if (bytesAreNamed.some((name) => valueOf(headers, name) !== null)) return never;
  const length = valueOf(headers, "content-length");
  if (length !== null && Number(length) < policy.bodyBytesMin) return never;
  const chosen = chooseCoding(request.headers, policy.codings);
  return chosen === null ? { kind: "identity" } : { kind: "coding", coding: chosen };
}

const bytesAreNamed = ["content-range", "content-md5", "content-digest", "digest"] as const;

/** The head of the answer once it is compressed. */
export function compressedHead(head: ResponseHead, coding: ContentCoding): ResponseHead {
  const headers: string[] = [];
  for (let i = 0; i < head.headers.length; i += 2) {
    const name = head.headers[i] as string;
    const value = head.headers[i + 1] as string;
    if (isNamed(name, "content-length") || isNamed(name, "accept-ranges") || isNamed(name, "content-encoding"))
      continue;
    headers.push(name, isNamed(name, "etag") ? weakened(value) : value);
  }
  headers.push("Content-Encoding", coding);
  return varied({ ...head, headers });
}

/** With Accept-Encoding in Vary. */
export function varied(head: ResponseHead): ResponseHead {
  const vary = allOf(head.headers, "vary");
  const tokens = listTokens(vary.join(","));
  if (tokens.includes("*") || tokens.includes("accept-encoding")) return head;
  const value = [...vary, "Accept-Encoding"].join(", ");
  return { ...head, headers: [...without(head.headers, "vary"), "Vary", value] };
}

/**
 * A 304 must name the ETag that the client has: where we have weakened it, the app, which compared weakly, still
 * answers with the strong one.
 */
export function revalidatedHead(request: { headers: HeaderList }, head: ResponseHead): ResponseHead {
  const etag = valueOf(head.headers, "etag");
  if (head.status !== 304 || etag === null || etag.startsWith("W/")) return head;
  const asked = allOf(request.headers, "if-none-match").join(",");
  if (!asked.includes(`W/${etag}`)) return head;
  return { ...head, headers: [...without(head.headers, "etag"), "ETag", weakened(etag)] };
}

/** The client's favourite among `offered`; null: as it is. Between equals the order of `offered` decides. */
export function chooseCoding(headers: HeaderList, offered: readonly ContentCoding[]): ContentCoding | null {
  const accepted = allOf(headers, "accept-encoding");
  if (accepted.length === 0) return null;
  const weights = readWeights(accepted.join(","));
  const weightOf = (coding: ContentCoding): number =>
    weights.get(coding) ?? (coding === "gzip" ? weights.get("x-gzip") : undefined) ?? weights.get("*") ?? 0;
  let best: ContentCoding | null = null;
  // Whoever names `identity` with a weight of its own means it.
  let bestWeight = weights.get("identity") ?? 0;
  for (const coding of offered) {
    const weight = weightOf(coding);
    const isBetter = best === null ? weight > 0 && weight >= bestWeight : weight > bestWeight;
    if (!isBetter) continue;
    best = coding;
    bestWeight = weight;
  }
  return best;
}

/** `gzip;q=0.5, br` by name. What is malformed counts as not wanted. */
function readWeights(list: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const element of list.split(",").slice(0, CODINGS_MAX)) {
    const [name = "", ...parameters] = element.split(";").map((part) => trimBlanks(part).toLowerCase());
    if (name === "") continue;
    const q = parameters.find((parameter) => /^q\s*=/.test(parameter));
    weights.set(name, q === undefined ? 1 : readWeight(q.slice(q.indexOf("=") + 1)));
  }
  return weights;
}

/** There are some ten codings in the world. */
const CODINGS_MAX = 32;

function readWeight(text: string): number {
  const value = trimBlanks(text);
  return /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(value) ? Number(value) : 0;
}

/** Text in the wider sense. What is compressed by nature (images, video, archives, WOFF) only gets longer. */
export function isCompressible(contentType: string, further: readonly string[]): boolean {
  const type = trimBlanks(contentType.split(";")[0] ?? "").toLowerCase();
  if (further.includes(type) || further.includes(`${type.split("/")[0]}/*`)) return true;
  if (type === "text/event-stream") return false;
  if (type.startsWith("text/") || /\+(?:json|xml|text|yaml)$/.test(type)) return true;
  return compressibleTypes.has(type);
}

const compressibleTypes: ReadonlySet<string> = new Set([
  "application/json",
  "application/x-ndjson",
  "application/javascript",
  "application/x-javascript",
  "application/ecmascript",
  "application/xml",
  "application/xml-dtd",
  "application/graphql",
  "application/wasm",
  "application/yaml",
  "application/toml",
  "application/sql",
  "application/rtf",
  "application/x-www-form-urlencoded",
  "application/vnd.ms-fontobject",
  "application/x-font-ttf",
  "application/x-font-opentype",
  "font/ttf",
  "font/otf",
  "font/collection",
  "image/bmp",
  "image/x-icon",
  "image/vnd.microsoft.icon",
]);

function isNoTransform(headers: HeaderList): boolean {
  return listTokens(allOf(headers, "cache-control").join(",")).includes("no-transform");
}

function weakened(etag: string): string {
  return etag.startsWith("W/") ? etag : `W/${etag}`;
}

function without(headers: HeaderList, lower: string): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, lower)) kept.push(headers[i] as string, headers[i + 1] as string);
  }
  return kept;
}

function allOf(headers: HeaderList, lower: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i] as string, lower)) values.push(headers[i + 1] as string);
  }
  return values;
}

function valueOf(headers: HeaderList, lower: string): string | null {
  return allOf(headers, lower)[0] ?? null;
}
