/**
 * What the caller tells the engine of an exchange. All texts are byte strings: one character, 0 to 255, a byte. The
 * engine knows nothing else: no clock, no sockets, no names.
 */
import type { HeaderList } from "../../http/message.ts";

export interface RequestFacts {
  /** Known to the log and to the client, so that they can be joined. */
  readonly uniqueId: string;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly serverAddress: string;
  readonly serverPort: number;
  readonly method: string;
  /** The request-target as it came. */
  readonly target: string;
  /** `HTTP/1.1`, as it came. */
  readonly protocol: string;
  readonly headers: HeaderList;
}

export interface ResponseFacts {
  readonly status: number;
  readonly reason: string;
  readonly protocol: string;
  readonly headers: HeaderList;
}

/** The first value of a header, or null. `name` in lower case. */
export function headerOf(headers: HeaderList, name: string): string | null {
  for (let i = 0; i + 1 < headers.length; i += 2) if (headers[i]!.toLowerCase() === name) return headers[i + 1]!;
  return null;
}
