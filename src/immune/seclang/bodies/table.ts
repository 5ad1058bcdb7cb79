/** All body readers, by the names of ctl:requestBodyProcessor. */
import type { BodyProcessorName } from "../rule.ts";
import { readJson } from "./json.ts";
import { readMultipart } from "./multipart.ts";
import type { BodyReading } from "./reading.ts";
import { readUrlEncoded } from "./url-encoded.ts";
import { readXml } from "./xml.ts";

export interface BodyOptions {
  readonly contentType: string;
  readonly separator: string;
  readonly argumentsMax: number;
  readonly depthMax: number;
}

export const BODY_READERS = {
  URLENCODED: (body, options) => readUrlEncoded(body, options),
  MULTIPART: (body, options) => readMultipart(body, options.contentType, options),
  JSON: (body, options) => readJson(body, options),
  XML: (body, options) => readXml(body, options),
} as const satisfies Record<BodyProcessorName, (body: string, options: BodyOptions) => BodyReading>;

/** The reader that a content type asks for, or null: then the body is looked at as a whole. */
export function processorFor(contentType: string): BodyProcessorName | null {
  const type = contentType.toLowerCase();
  if (/^\s*application\/x-www-form-urlencoded\b/.test(type)) return "URLENCODED";
  if (/^\s*multipart\/form-data\b/.test(type)) return "MULTIPART";
  if (/^\s*application\/(?:[\w.+-]*\+)?json\b/.test(type)) return "JSON";
  if (/^\s*(?:application|text)\/(?:[\w.+-]*\+)?xml\b/.test(type)) return "XML";
  return null;
}
