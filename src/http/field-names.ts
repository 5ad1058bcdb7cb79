/** Which header fields concern only the connection that they came over (RFC 9110, 7.6.1), and lists in field values. */
import { HTAB, SPACE } from "./charset.ts";

/**
 * True for fields that are never passed on. By length first: most names need no more to be known as none of these.
 * `Trailer` is not among them: it describes the message, and the message keeps its trailers.
 */
export function isHopByHop(name: string): boolean {
  switch (name.length) {
    case 2:
      return name.toLowerCase() === "te";
    case 7:
      return name.toLowerCase() === "upgrade";
    case 10: {
      const lower = name.toLowerCase();
      return lower === "connection" || lower === "keep-alive";
    }
    case 16:
      return name.toLowerCase() === "proxy-connection";
    case 17:
      return name.toLowerCase() === "transfer-encoding";
    default:
      return false;
  }
}

/** Whether `name` is `lower`, in any case. */
export function isNamed(name: string, lower: string): boolean {
  return name.length === lower.length && (name === lower || name.toLowerCase() === lower);
}

/** The elements of a comma-separated list, without blanks and empty ones, in lower case. */
export function listTokens(value: string): string[] {
  const tokens: string[] = [];
  for (const element of value.split(",")) {
    const token = trimBlanks(element).toLowerCase();
    if (token !== "") tokens.push(token);
  }
  return tokens;
}

/** Spaces and tabs only: String.trim would also take a no-break space away and read `chunked\xa0` as chunked. */
export function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.substring(from, to);
}

export function isBlank(byte: number): boolean {
  return byte === SPACE || byte === HTAB;
}
